//! Every result as people read it.

use symbolon_desk::api::*;

use super::output::{number, table, time};

pub(super) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

pub(crate) fn status(status: &Status) -> String {
    let mut rows = vec![
        row(["node", &format!("{} ({})", status.name, status.country)]),
        row(["fingerprint", &status.fingerprint]),
        row(["records", &number(status.records)]),
        row(["partners", &number(status.partners)]),
        row(["log", &format!("{} leaves", number(status.log_size))]),
        row(["policy", &status.policy_digest]),
        row(["profile", &status.profile]),
        row(["version", &status.version]),
    ];
    if status.relayed > 0 {
        rows.insert(4, row(["lying here", &format!("{} for others", number(status.relayed))]));
    }
    table(&rows)
}

/// The twelve words, four to a line, numbered as they are read aloud.
pub(crate) fn words(words: &[String]) -> String {
    let numbered = words.iter().enumerate().map(|(index, word)| format!("{:2} {word}", index + 1));
    let cells: Vec<String> = numbered.collect();
    table(&cells.chunks(4).map(<[String]>::to_vec).collect::<Vec<_>>())
}

pub(crate) fn card(card: &CardShown) -> String {
    let head = table(&[
        row(["node", &format!("{} ({})", card.name, card.country)]),
        row(["card", &format!("number {}, until {}", card.sequence, time(card.not_after))]),
        row(["addresses", &card.addresses.join(", ")]),
    ]);
    format!("{head}\n{}\n{}", words(&card.words), card.armored)
}

pub(crate) fn partner(partner: &PartnerShown) -> String {
    format!(
        "{} ({}), reached at {}, card until {}\n\n{}",
        partner.name,
        partner.country,
        partner.addresses.join(", "),
        time(partner.card_not_after),
        words(&partner.words)
    )
}

pub(crate) fn partners(partners: &[PartnerShown]) -> String {
    let mut rows = vec![row(["partner", "country", "state", "way", "agreement until", "classes"])];
    for partner in partners {
        let (until, classes) = match &partner.agreement {
            Some(agreement) => {
                let budgets = agreement.budgets.iter();
                let classes: Vec<String> =
                    budgets.map(|(class, budget)| format!("{class} {}", number(*budget))).collect();
                (time(agreement.not_after), classes.join(", "))
            }
            None => ("none".to_owned(), String::new()),
        };
        let PartnerShown { name, country, state, route, .. } = partner;
        rows.push(row([name, country, state, route, &until, &classes]));
    }
    table(&rows)
}

pub(crate) fn agreement(terms: &AgreementShown) -> String {
    let budgets = terms.budgets.iter();
    let budgets: Vec<String> =
        budgets.map(|(class, budget)| format!("{class} {}", number(*budget))).collect();
    table(&[
        row(["between", &terms.parties.join(" and ")]),
        row(["purposes", &terms.purposes.join(", ")]),
        row(["record kinds", &terms.kinds.join(", ")]),
        row(["elements per epoch", &budgets.join(", ")]),
        row(["epoch", &format!("{} days", terms.epoch_seconds / 86_400)]),
        row(["retention", &format!("{} days", terms.retention_days)]),
        row(["from", &time(terms.not_before)]),
        row(["until", &time(terms.not_after)]),
        row(["signed by", if terms.complete { "both" } else { "one side" }]),
    ])
}

pub(crate) fn import(report: &ImportReport) -> String {
    table(&[
        row(["rows read", &number(report.rows)]),
        row(["rows refused", &number(report.rows_refused)]),
        row(["rows with a warning", &number(report.rows_warned)]),
        row(["records new", &number(report.records_new)]),
        row(["records changed", &number(report.records_changed)]),
        row(["records unchanged", &number(report.records_same)]),
        row(["match keys written", &number(report.match_keys)]),
        row(["log entry", &number(report.log_index)]),
    ])
}

pub(crate) fn records(page: &RecordPage) -> String {
    let mut rows = vec![row(["id", "kind", "TLP", "grade", "identifiers", "title"])];
    for record in &page.records {
        let count = number(record.identifiers as u64);
        rows.push(row([
            &record.id,
            &record.kind,
            &record.tlp,
            &record.evaluation,
            &count,
            &record.title,
        ]));
    }
    table(&rows) + &next(page.next.as_deref())
}

fn next(next: Option<&str>) -> String {
    next.map(|after| format!("more: --after {after}\n")).unwrap_or_default()
}

pub(crate) fn fields(fields: &[FieldShown]) -> String {
    table(&fields.iter().map(|field| row([&field.field, &field.value])).collect::<Vec<_>>())
}

pub(crate) fn record(record: &RecordShown) -> String {
    format!(
        "record {} version {}, reading logged as {}\n\n{}",
        record.id,
        record.version,
        record.log_index,
        fields(&record.fields)
    )
}

pub(crate) fn query(report: &QueryReport) -> String {
    let mut rows = vec![row(["#", "kind", "check", "partner", "answer", "strength", "hit"])];
    for (index, identifier) in report.identifiers.iter().enumerate() {
        let place = (index + 1).to_string();
        if identifier.answers.is_empty() {
            rows.push(row([&place, &identifier.kind, &identifier.check, "", "not asked", "", ""]));
        }
        for answer in &identifier.answers {
            let outcome = match (answer.outcome, &answer.cause) {
                (Outcome::Hit, _) => "HIT".to_owned(),
                (Outcome::NoHit, _) => "no hit".to_owned(),
                (Outcome::NotAsked, Some(cause)) => format!("NOT ASKED: {cause}"),
                (Outcome::NotAsked, None) => "NOT ASKED".to_owned(),
            };
            rows.push(row([
                &place,
                &identifier.kind,
                &identifier.check,
                &answer.partner,
                &outcome,
                answer.strength.as_deref().unwrap_or_default(),
                answer.hit.as_deref().unwrap_or_default(),
            ]));
        }
    }
    let cost: Vec<String> = report
        .cost
        .iter()
        .map(|(partner, elements)| format!("{partner} {}", number(*elements)))
        .collect();
    let cost = if cost.is_empty() { "nothing".to_owned() } else { cost.join(", ") };
    format!(
        "{}\nquery {}\ncharged to the budget: {cost} (elements, padding included)\n\
         Partners learn nothing more unless you confirm a hit.\n",
        table(&rows),
        report.id
    )
}

pub(crate) fn published(report: &TagSetReport) -> String {
    let head =
        ["partner", "class", "epoch", "serial", "keys, with repeats", "padded to", "kept out"];
    let mut rows = vec![row(head)];
    for set in &report.sets {
        rows.push(row([
            &set.partner,
            &set.class,
            &set.epoch.to_string(),
            &set.serial.to_string(),
            &number(set.tags),
            &number(set.padded),
            &number(set.records_kept_out),
        ]));
    }
    table(&rows)
}

pub(crate) fn exchange(report: &ExchangeReport) -> String {
    let mut rows = vec![row(["class", "own keys", "asked", "met", ""])];
    for class in &report.classes {
        let cause = match &class.not_asked {
            Some(cause) => format!("NOT ASKED for the rest: {cause}"),
            None => String::new(),
        };
        rows.push(row([
            &class.class,
            &number(class.keys),
            &number(class.asked),
            &number(class.met),
            &cause,
        ]));
    }
    let mut kinds = vec![row(["kind", "identifiers on both lists", "strong", "medium", "weak"])];
    for (kind, count) in &report.hits_by_kind {
        let of = |strength: &str| {
            let strengths = report.hits_by_strength.get(kind);
            number(strengths.and_then(|found| found.get(strength)).copied().unwrap_or_default())
        };
        kinds.push(row([kind, &number(*count), &of("strong"), &of("medium"), &of("weak")]));
    }
    format!(
        "exchange {} with {}\n\n{}\n{}\nnew hits: {}\n",
        report.id,
        report.partner,
        table(&rows),
        table(&kinds),
        number(report.hits_new)
    )
}

pub(crate) fn exchanges(reports: &[ExchangeReport]) -> String {
    let mut rows = vec![row(["id", "partner", "asked", "met"])];
    for report in reports {
        let sum = |count: fn(&ExchangeClass) -> u64| number(report.classes.iter().map(count).sum());
        rows.push(row([&report.id, &report.partner, &sum(|c| c.asked), &sum(|c| c.met)]));
    }
    table(&rows)
}

fn hit_cells(hit: &HitRow) -> Vec<String> {
    let strength = if hit.needs_support {
        format!("{}, stands alone", hit.strength)
    } else {
        hit.strength.clone()
    };
    row([&hit.id, &hit.partner, &hit.kind, &strength, &hit.state, &hit.case, &time(hit.found_at)])
}

pub(crate) fn hits(page: &HitPage) -> String {
    let mut rows = vec![row(["id", "partner", "kind", "strength", "state", "case", "found"])];
    rows.extend(page.hits.iter().map(hit_cells));
    table(&rows) + &next(page.next.as_deref())
}

fn released(released: &[ReleasedShown]) -> String {
    let mut text = String::new();
    for statement in released {
        text.push_str(&format!(
            "\nreleased {}, to be kept until {}\nstatement {}\n\n{}",
            time(statement.created),
            time(statement.expires),
            statement.statement,
            fields(&statement.fields)
        ));
        if !statement.compared.is_empty() {
            text.push_str("\nbeside the own record:\n");
        }
        for standing in ["agrees", "conflicts", "missing_here", "missing_there"] {
            let compared = statement.compared.iter().filter(|one| one.standing == standing);
            let words: Vec<&str> = compared.map(|one| one.words.as_str()).collect();
            if !words.is_empty() {
                text.push_str(&format!(
                    "  {:14} {}\n",
                    standing.replace('_', " "),
                    words.join("; ")
                ));
            }
        }
    }
    text
}

pub(crate) fn hit(shown: &HitShown) -> String {
    table(&[hit_cells(&shown.hit)]) + &released(&shown.released)
}

pub(crate) fn confirmed(report: &ConfirmReport) -> String {
    let outcome = match (report.outcome.as_str(), &report.cause) {
        ("released", _) => "The partner released what its policy grants.".to_owned(),
        ("nothing", _) => "The partner has nothing for this node under this hit.".to_owned(),
        (_, Some(cause)) => format!("NOT ASKED: {cause}"),
        _ => "NOT ASKED".to_owned(),
    };
    let log: Vec<String> = report.log_indexes.iter().map(u64::to_string).collect();
    format!(
        "{}\n{outcome}\nlog entries: {}\n{}",
        table(&[hit_cells(&report.hit)]),
        log.join(", "),
        released(&report.released)
    )
}

pub(crate) fn policy(report: &PolicyReport) -> String {
    let state = if report.in_force { "in force" } else { "not in force" };
    let rules: Vec<String> = report.rules.iter().map(|rule| format!("  {rule}\n")).collect();
    format!("policy {} is well-formed, {state}\n{}", report.digest, rules.concat())
}

fn decided(name: &str, decided: &Decided) -> Vec<String> {
    let answer = if decided.allowed { "allow" } else { "deny" };
    row([name, answer, &decided.reasons.join("; ")])
}

pub(crate) fn explain(preview: &PreviewShown) -> String {
    let acts = table(&[
        row(["action", "decision", "because of"]),
        decided("match", &preview.matched),
        decided("confirm", &preview.confirmed),
        decided("disclose", &preview.disclosed),
    ]);
    let mut rows = vec![row(["field", "decision", "reduced to", "because of"])];
    for field in &preview.fields {
        rows.push(row([
            &field.field,
            if field.granted { "granted" } else { "withheld" },
            &field.transforms.join(", "),
            &field.rules.join("; "),
        ]));
    }
    format!("{acts}\n{}", table(&rows))
}

pub(crate) fn preview(preview: &PreviewShown) -> String {
    if preview.released.is_empty() {
        return format!("{}\nThe partner would get nothing.\n", explain(preview));
    }
    format!(
        "What the partner would get, byte for byte ({} bytes):\n\n{}",
        preview.payload.len() / 2,
        fields(&preview.released)
    )
}

pub(crate) fn audit(report: &AuditReport) -> String {
    let mut rows =
        vec![row(["leaves", &number(report.size)]), row(["root, recomputed", &report.root])];
    for (kind, count) in &report.entries {
        rows.push(row([&format!("  {kind}"), &number(*count)]));
    }
    if report.erased > 0 {
        rows.push(row(["  erased, as the log says", &number(report.erased)]));
    }
    for (partner, size) in &report.partners_seen {
        rows.push(row([&format!("log of {partner}, verified up to"), &number(*size)]));
    }
    let verdict = if report.holds {
        "The log holds.\n".to_owned()
    } else {
        let problems: Vec<String> =
            report.problems.iter().map(|problem| format!("  {problem}\n")).collect();
        format!("THE LOG DOES NOT HOLD:\n{}", problems.concat())
    };
    format!("{}\n{verdict}", table(&rows))
}

pub(crate) fn entries(page: &AuditPage) -> String {
    let mut rows = vec![row(["leaf", "time", "what", "partner", "details"])];
    for entry in &page.entries {
        rows.push(row([
            &entry.index.to_string(),
            &if entry.kind == "gone" { String::new() } else { time(entry.at) },
            &entry.kind,
            entry.partner.as_deref().unwrap_or_default(),
            &entry.summary,
        ]));
    }
    format!("{}{} leaves in all\n", table(&rows), number(page.size))
}

pub(crate) fn exported(exported: &super::export::Exported) -> String {
    let root = exported.checkpoint.lines().nth(2).unwrap_or_default();
    // The Ed25519 key is the short one; the other has 1,312 bytes.
    let vkey = exported.vkeys.iter().min_by_key(|key| key.len()).cloned().unwrap_or_default();
    let rows = [
        row(["leaves", &number(exported.size)]),
        row(["files, new ones", &format!("{}, {}", exported.files, exported.files_new)]),
        row(["root", root]),
        row(["Ed25519 key", &vkey]),
    ];
    format!(
        "{}\nThe tiles lead to the signed root. Compare the key with the node's card; --json shows all \
         keys.\n",
        table(&rows)
    )
}

pub(crate) fn opened(opened: &AuditOpened) -> String {
    let mut text = String::new();
    for query in &opened.queries {
        let leaf = query.leaf_index.map_or("none".to_owned(), |leaf| leaf.to_string());
        text.push_str(&format!(
            "{} of {}, class {}, epoch {}: {}, leaf {leaf}\n",
            time(query.asked_at),
            query.partner,
            query.class,
            query.epoch,
            query.state.replace('_', " ")
        ));
        if let Some(problem) = &query.problem {
            text.push_str(&format!("DOES NOT HOLD: {problem}\n\n"));
            continue;
        }
        if query.erased {
            text.push_str("erased with its entry in the log: nothing of it is left to show\n\n");
            continue;
        }
        text.push_str(&table(&[
            row(["asked by", &query.officer]),
            row(["purpose", &query.purpose]),
            row(["case", &query.case]),
            row(["legal basis", &query.legal_basis]),
        ]));
        let mut rows = vec![row(["kind", "form", "issuer", "value"])];
        for key in &query.keys {
            let issuer = key.issuer.as_deref().unwrap_or_default();
            let value = key.value.as_deref().unwrap_or("(only a hash: longer than 160 bytes)");
            rows.push(row([&key.kind, &key.form, issuer, value]));
        }
        text.push_str(&format!(
            "\n{}{} elements with padding; all recomputed, and the commitment lies in the log\n\n",
            table(&rows),
            number(query.elements)
        ));
    }
    text
}

pub(crate) fn doctor(report: &DoctorReport) -> String {
    let mut rows = Vec::new();
    for finding in &report.findings {
        let state = match finding.state {
            Health::Well => "well",
            Health::Warning => "WARNING",
            Health::Failing => "FAILING",
        };
        let partner = finding.partner.as_deref().unwrap_or_default();
        rows.push(row([state, &finding.area, partner, &finding.cause]));
        if let Some(remedy) = &finding.remedy {
            rows.push(row(["", "", "", &format!("→ {remedy}")]));
        }
    }
    table(&rows)
}
