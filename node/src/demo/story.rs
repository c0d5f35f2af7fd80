//! The story that the demo tells, step by step, each with what it shows.

use std::collections::BTreeMap;

use symbolon_desk::api::{
    AgreementAccept, AgreementFile, AgreementPropose, AuditReport, CardShown, ConfirmReport,
    ExchangeReport, ExchangeRun, FieldShown, HitConfirm, IdentifierText, ImportReport, Nothing,
    PartnerAdd, PartnerShown, PolicyPreview, PreviewShown, QueryAsk, QueryReport, Reason,
    RecordImport, RecordList, RecordPage, RecordShow, RecordShown, TagSetPublish, TagSetReport,
    TagSetRow,
};

use super::nodes::Nodes;
use super::{Outcome, alarm};
use crate::cli::{Output, tables};
use crate::exit::{Exit, Failure};
use crate::loopback::LoopbackNode;

const PURPOSE: &str = "nonproliferation";

const LISTS: &str = include_str!("../../demo/lists.toml");
const CASES: &str = include_str!("../../demo/cases.toml");

/// What each node holds: published lists, and its own cases.
const DATA: [(&str, &[u8], &[u8]); 3] = [
    (
        "north",
        include_bytes!("../../demo/north-list.csv"),
        include_bytes!("../../demo/north-cases.csv"),
    ),
    (
        "south",
        include_bytes!("../../demo/south-list.csv"),
        include_bytes!("../../demo/south-cases.csv"),
    ),
    (
        "east",
        include_bytes!("../../demo/east-list.csv"),
        include_bytes!("../../demo/east-cases.csv"),
    ),
];

const PAIRS: [(&str, &str); 3] = [("north", "south"), ("north", "east"), ("south", "east")];

/// Plays everything.
pub(super) async fn play(nodes: &mut Nodes, out: Output) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    introduce(nodes, out).await?;
    import(nodes, out, &mut outcome).await?;
    publish(nodes, out).await?;
    exchange(nodes, out, &mut outcome).await?;
    let hit = ask(nodes, out).await?;
    confirm(nodes, out, &hit, &mut outcome).await?;
    lose_a_partner(nodes, out, &mut outcome).await?;
    let alert = alarm::raise(nodes, out, &mut outcome).await?;
    alarm::take_back(nodes, out, &alert, &mut outcome).await?;
    verify(nodes, out, &mut outcome).await?;
    out.note(
        "\nTry next\n\
         \n  symbolon demo --keep        the same, and the nodes stay for you to talk to\n  \
         symbolon init --help        make a node of your own\n  \
         symbolon alert templates    what to write into an alert\n  \
         spec/policy.md              write who may see what\n  \
         spec/threat-model.md        what each side learns, with the test of each row",
    );
    Ok(outcome)
}

pub(super) fn step(out: Output, number: u8, title: &str) {
    out.note(&format!("\n── {number}. {title} ──\n"));
}

async fn introduce(nodes: &Nodes, out: Output) -> Result<(), Failure> {
    step(out, 1, "Partners: cards, twelve words, an agreement that both sign");
    for (one, other) in PAIRS {
        let (one, other) = (nodes.node(one)?, nodes.node(other)?);
        let mut words = Vec::new();
        for (from, to) in [(one, other), (other, one)] {
            let card: CardShown = from.call("partner/card", &Nothing {}).await?;
            // Here one program reads both sides; two officers do it over the telephone.
            let add =
                PartnerAdd { card: card.armored, confirmed_fingerprint: Some(card.fingerprint) };
            let added: PartnerShown = to.call("partner/add", &add).await?;
            words = added.words;
        }
        agree(one, other).await?;
        if (one.name(), other.name()) == ("north", "south") {
            out.note(&format!("  {} reads to {}:\n", one.name(), other.name()));
            out.note(&indent(&tables::words(&words)));
        }
        out.note(&format!("  {} and {} have agreed", one.name(), other.name()));
    }
    Ok(())
}

async fn agree(one: &LoopbackNode, other: &LoopbackNode) -> Result<(), Failure> {
    let budgets = ["document", "person", "organisation", "registry", "contact", "account"];
    let propose = AgreementPropose {
        partner: other.name().to_owned(),
        purposes: vec![PURPOSE.to_owned()],
        kinds: Vec::new(),
        budgets: budgets.iter().map(|class| ((*class).to_owned(), 1_000_000)).collect(),
        epoch_seconds: 7 * 86_400,
        retention_days: 365,
        days: 365,
        exercise: false,
    };
    let proposed: AgreementFile = one.call("partner/agree", &propose).await?;
    let signed = accept(other, proposed).await?;
    accept(one, signed).await?;
    Ok(())
}

async fn accept(node: &LoopbackNode, file: AgreementFile) -> Result<AgreementFile, Failure> {
    let confirmed_digest = Some(file.terms.digest);
    node.call("partner/accept", &AgreementAccept { armored: file.armored, confirmed_digest }).await
}

async fn import(nodes: &Nodes, out: Output, outcome: &mut Outcome) -> Result<(), Failure> {
    step(out, 2, "Each node imports its own lists and cases");
    for (name, list, cases) in DATA {
        let node = nodes.node(name)?;
        let mut records = 0;
        for (what, mapping, data) in [("lists", LISTS, list), ("cases", CASES, cases)] {
            let request = RecordImport { mapping: mapping.to_owned(), name: what.to_owned() };
            let report: ImportReport = node.import(&request, data, &mut |_| {}).await?;
            records += report.records_new;
            out.note(&format!(
                "  {name:6} {what}: {} rows, {} records, {} match keys, {} rows refused with a reason",
                report.rows, report.records_new, report.match_keys, report.rows_refused
            ));
        }
        outcome.records.push((name.to_owned(), records));
    }
    out.note(
        "\n  The lists are public (OFAC, UK), as published; the cases are invented. Bodies and\n  \
         identifiers lie sealed in each database.",
    );
    Ok(())
}

async fn publish(nodes: &Nodes, out: Output) -> Result<(), Failure> {
    step(out, 3, "Tag sets: for each partner a key of its own, and only what policy lets it match");
    for node in nodes.all() {
        let report: TagSetReport = node.call("exchange/publish", &TagSetPublish::default()).await?;
        let sum = |count: fn(&TagSetRow) -> u64| report.sets.iter().map(count).sum::<u64>();
        out.note(&format!(
            "  {:6} {} sets, {} tags, padded to {}; kept out by policy: {}",
            node.name(),
            report.sets.len(),
            sum(|set| set.tags),
            sum(|set| set.padded),
            sum(|set| set.records_kept_out)
        ));
    }
    Ok(())
}

async fn exchange(nodes: &Nodes, out: Output, outcome: &mut Outcome) -> Result<(), Failure> {
    step(out, 4, "Matching in both directions: each asks about all it holds");
    for (asker, holder) in [("north", "south"), ("south", "north"), ("east", "north")] {
        let request = ExchangeRun {
            partner: holder.to_owned(),
            classes: Vec::new(),
            engine: None,
            reason: reason("demo: whole list"),
        };
        let report: ExchangeReport = nodes.node(asker)?.call("exchange/run", &request).await?;
        let asked: u64 = report.classes.iter().map(|class| class.asked).sum();
        let kinds: Vec<String> =
            report.hits_by_kind.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let shared = report.hits_by_kind.values().sum();
        out.note(&format!(
            "  {asker} asks {holder}: {asked} match keys, {shared} identifiers that both hold\n    {}",
            kinds.join(", ")
        ));
        outcome.shared.push((asker.to_owned(), holder.to_owned(), shared));
        if let Some(cause) = report.classes.iter().find_map(|class| class.not_asked.clone()) {
            return Err(Failure::new(Exit::Unavailable, cause, "run the demo again"));
        }
    }
    out.note("\n  Of everything else neither side has learned anything: not even how much it is.");
    Ok(())
}

/// One question, as an officer asks it; gives the id of the hit.
async fn ask(nodes: &Nodes, out: Output) -> Result<String, Failure> {
    step(out, 5, "One question: north has a passport, X-407 9126, and asks both partners");
    let identifier = IdentifierText {
        kind: "passport".to_owned(),
        text: "X-407 9126".to_owned(),
        issuer: Some("Utopia".to_owned()),
        date: None,
    };
    let request = QueryAsk {
        identifiers: vec![identifier],
        partners: Vec::new(),
        reason: reason("N-2026-0114"),
    };
    let report: QueryReport = nodes.node("north")?.call("query/ask", &request).await?;
    out.note(&indent(&tables::query(&report)));
    out.note(
        "  South wrote it X4079126, without an issuer. Both spellings are one canonical form.",
    );
    let answers = report.identifiers.iter().flat_map(|identifier| &identifier.answers);
    let hit = answers.filter_map(|answer| answer.hit.clone()).next();
    hit.ok_or_else(|| Failure::new(Exit::Internal, "the shared passport was not found", ""))
}

async fn confirm(
    nodes: &Nodes,
    out: Output,
    hit: &str,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    step(out, 6, "North confirms the hit; south's policy decides, field by field");
    let (north, south) = (nodes.node("north")?, nodes.node("south")?);
    let request = HitConfirm { id: hit.to_owned(), reason: reason("N-2026-0114") };
    let report: ConfirmReport = north.call("hit/confirm", &request).await?;
    outcome.confirmed.clone_from(&report.outcome);
    let Some(released) = report.released.first() else {
        let cause = report.cause.unwrap_or(report.outcome);
        return Err(Failure::new(Exit::Internal, cause, "the hit should have been released"));
    };
    let record = record_of(south, "S-71/2026").await?;
    let show = RecordShow { id: record.clone(), reason: "demo".to_owned() };
    let held: RecordShown = south.call("record/show", &show).await?;
    let (partner, purpose) = ("north".to_owned(), PURPOSE.to_owned());
    let preview = PolicyPreview { record, partner, purpose, reason: "demo".to_owned() };
    let decided: PreviewShown = south.call("policy/preview", &preview).await?;
    out.note(&indent(&beside(&held.fields, &released.fields, &decided)));
    outcome.fields_released = decided.fields.iter().filter(|field| field.granted).count();
    outcome.fields_withheld = decided.fields.iter().filter(|field| !field.granted).count();
    out.note(&format!(
        "  north's log: entries {:?}; both hold the same signed statements.",
        report.log_indexes
    ));
    learned(out);
    Ok(())
}

/// The record as its holder sees it, beside what the asker got, with the rule for every field.
fn beside(held: &[FieldShown], got: &[FieldShown], decided: &PreviewShown) -> String {
    let gather = |fields: &[FieldShown]| {
        let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for field in fields {
            map.entry(field.field.clone()).or_default().push(field.value.clone());
        }
        map
    };
    let (held, got) = (gather(held), gather(got));
    let mut text = String::new();
    for field in &decided.fields {
        let Some(values) = held.get(&field.field) else {
            continue;
        };
        let because = field.rules.join("; ");
        text.push_str(&format!("{}\n  south holds  {}\n", field.field, values.join(" | ")));
        match got.get(&field.field) {
            Some(values) => {
                text.push_str(&format!("  north got    {}   [{because}]\n", values.join(" | ")));
            }
            None => text.push_str(&format!("  WITHHELD     [{because}]\n")),
        }
    }
    text
}

fn learned(out: Output) {
    let lines = [
        "",
        "What each side has learned",
        "",
        "  north   that south holds this passport too, and the fields above",
        "  south   that north holds it, and for which purpose; before the confirm only that",
        "          8 elements of class document were asked, neither which nor whether one met",
        "  east    that 8 elements were asked; nothing else",
        "  network that nodes talk, sizes in steps, times",
    ];
    lines.iter().for_each(|line| out.note(format!("  {line}").trim_end()));
}

/// The newest record with this case reference, found as an operator would: by its title.
async fn record_of(node: &LoopbackNode, case: &str) -> Result<String, Failure> {
    let mut after = None;
    loop {
        let request = RecordList { after, limit: Some(1_000) };
        let page: RecordPage = node.call("record/list", &request).await?;
        let found = page.records.iter().find(|record| record.kind == "interdiction");
        if let Some(record) = found {
            return Ok(record.id.clone());
        }
        after = page.next;
        if after.is_none() {
            return Err(Failure::new(Exit::Internal, format!("case {case} is not there"), ""));
        }
    }
}

async fn lose_a_partner(
    nodes: &mut Nodes,
    out: Output,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    step(out, 7, "East's node is killed: not asked is never shown as no hit");
    nodes.kill("east").await;
    let identifier = IdentifierText {
        kind: "company_registration".to_owned(),
        text: "CVI-2290417".to_owned(),
        issuer: Some("ARE".to_owned()),
        date: None,
    };
    let request = QueryAsk {
        identifiers: vec![identifier],
        partners: Vec::new(),
        reason: reason("N-2026-0131"),
    };
    let report: QueryReport = nodes.node("north")?.call("query/ask", &request).await?;
    out.note(&indent(&tables::query(&report)));
    let answers = report.identifiers.iter().flat_map(|identifier| &identifier.answers);
    outcome.not_asked_shown = answers
        .filter(|answer| answer.partner == "east")
        .all(|answer| answer.outcome == symbolon_desk::api::Outcome::NotAsked);
    Ok(())
}

async fn verify(nodes: &Nodes, out: Output, outcome: &mut Outcome) -> Result<(), Failure> {
    step(out, 10, "Every log is recomputed and checked against its signed checkpoint");
    for node in nodes.all() {
        let report: AuditReport = node.call("audit/verify", &Nothing {}).await?;
        if !report.holds {
            let cause = format!("the log of {} does not hold", node.name());
            return Err(Failure::new(Exit::CheckFailed, cause, ""));
        }
        outcome.logs_verified += 1;
        let kinds: Vec<String> =
            report.entries.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        out.note(&format!("  {:6} {} leaves hold: {}", node.name(), report.size, kinds.join(", ")));
        let root: String = report.root.chars().take(32).collect();
        out.note(&format!("         root {root}…"));
    }
    Ok(())
}

fn reason(case: &str) -> Reason {
    Reason {
        purpose: PURPOSE.to_owned(),
        case: case.to_owned(),
        legal_basis: "export control act, section 12".to_owned(),
    }
}

pub(super) fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect::<String>().trim_end().to_owned()
}
