//! Cosignatures, alarms, receipts and reconciling as people read them.

use symbolon_desk::api::{Alarms, CosignReport, Overdue, Reconciled};

use super::output::{number, table, time};
use super::tables::row;

pub(crate) fn cosigned(report: &CosignReport) -> String {
    let mut rows = vec![row(["partner", "cosigned", "why not"])];
    for answer in &report.partners {
        let size = answer.size.map(|size| format!("{} leaves", number(size)));
        let cause = answer.cause.as_deref().unwrap_or_default();
        rows.push(row([&answer.partner, size.as_deref().unwrap_or("no"), cause]));
    }
    let newest = format!("newest kept checkpoint, {} leaves:", number(report.size));
    format!("{}\n{newest}\n\n{}", table(&rows), report.checkpoint)
}

pub(crate) fn alarms(alarms: &Alarms) -> String {
    if alarms.alarms.is_empty() {
        return "no alarms\n".to_owned();
    }
    let shown = alarms.alarms.iter().map(|alarm| {
        let mut rows = vec![
            row(["alarm", &alarm.id]),
            row(["kind", &alarm.kind]),
            row(["partner", alarm.partner.as_deref().unwrap_or("none")]),
            row(["raised", &time(alarm.raised_at)]),
            row(["what", &alarm.words]),
            row(["what to do", &alarm.remedy]),
        ];
        if let Some(at) = alarm.closed_at {
            let by = alarm.closed_by.as_deref().unwrap_or_default();
            let because = alarm.closed_because.as_deref().unwrap_or_default();
            rows.push(row(["closed", &format!("{} by {by}: {because}", time(at))]));
        }
        let proof = match &alarm.proof {
            Some(_) => "the proof for others stands in the output of --json\n",
            None => "",
        };
        table(&rows) + proof
    });
    shown.collect::<Vec<_>>().join("\n")
}

pub(crate) fn overdue(overdue: &Overdue) -> String {
    if overdue.items.is_empty() {
        return format!("no receipt is owed for longer than {} h\n", overdue.seconds / 3600);
    }
    let mut rows = vec![row(["partner", "owed for", "since", "name"])];
    for item in &overdue.items {
        rows.push(row([&item.partner, &item.what, &time(item.since), &item.name]));
    }
    table(&rows)
}

pub(crate) fn reconciled(report: &Reconciled) -> String {
    let mut rows = vec![row(["what passed", "here", "there", "elements here", "there"])];
    for tally in &report.tallies {
        rows.push(row([
            &tally.what,
            &number(tally.here),
            &number(tally.there),
            &number(tally.elements_here),
            &number(tally.elements_there),
        ]));
    }
    let place = |leaf: Option<u64>| leaf.map_or("none".to_owned(), number);
    let mut differences = String::new();
    if !report.differences.is_empty() {
        let mut rows = vec![row(["leaf here", "there", "difference", "name"])];
        for found in &report.differences {
            let (here, there) = (place(found.leaf_here), place(found.leaf_there));
            rows.push(row([&here, &there, &found.words, &found.name]));
        }
        differences = format!("\n{}", table(&rows));
    }
    if report.erased_here > 0 || report.erased_there > 0 {
        let (here, there) = (number(report.erased_here), number(report.erased_there));
        differences +=
            &format!("\nerased and so not compared: {here} entries here, {there} there\n");
    }
    let verdict = match (report.agrees, report.differences.is_empty()) {
        (true, true) => "both logs say the same".to_owned(),
        (true, false) => "both logs agree, but for what did not arrive".to_owned(),
        (false, _) => "the two logs DISAGREE".to_owned(),
    };
    format!("{}{differences}\n{verdict}\n", table(&rows))
}
