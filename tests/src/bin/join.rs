//! Joins two lists in plain text and compares the result with what an exchange found over the wire:
//! nothing more, nothing less. Used by `tests/real-lists`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for developers, where a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::process::ExitCode;

use serde_json::Value;
use symbolon_ident::{Canonical, MatchKey};
use symbolon_interop::{Groups, Mapping};

/// Any moment does: only identifiers are compared.
const NOW: u64 = 1_800_000_000;

/// `join MAPPING ASKER.csv HOLDER.csv REPORT.json`: exit code 1 where a count differs.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mapping, asker, holder, report] = arguments.as_slice() else {
        println!("usage: join MAPPING ASKER.csv HOLDER.csv REPORT.json");
        return ExitCode::from(2);
    };
    let mapping = Mapping::parse(&std::fs::read_to_string(mapping).unwrap()).unwrap();
    let mut held: HashSet<MatchKey> = HashSet::new();
    each(&mapping, holder, |canonical| held.extend(canonical.keys().iter().cloned()));
    let mut met = BTreeSet::new();
    each(&mapping, asker, |canonical| {
        if canonical.keys().iter().any(|key| held.contains(key)) {
            met.insert((canonical.kind().to_string(), canonical.expose().to_owned()));
        }
    });
    let mut joined: BTreeMap<String, u64> = BTreeMap::new();
    for (kind, _) in met {
        *joined.entry(kind).or_default() += 1;
    }
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let counts = |name: &str| report.get(name).and_then(Value::as_object).cloned().unwrap();
    let (found, strengths) = (counts("hits_by_kind"), counts("hits_by_strength"));
    let kinds: BTreeSet<&String> = joined.keys().chain(found.keys()).collect();
    println!("{:28} {:>10} {:>10}  by strength", "kind", "plain join", "exchange");
    let mut is_same = true;
    for kind in kinds {
        let plain = joined.get(kind).copied().unwrap_or_default();
        let wire = found.get(kind).and_then(Value::as_u64).unwrap_or_default();
        let strength = strengths.get(kind).map(Value::to_string).unwrap_or_default();
        let mark = if plain == wire { "" } else { "  <- differs" };
        println!("{kind:28} {plain:10} {wire:10}  {strength}{mark}");
        is_same &= plain == wire;
    }
    ExitCode::from(u8::from(!is_same))
}

/// Every identifier of a list that an import would take.
fn each(mapping: &Mapping, list: &str, mut take: impl FnMut(Canonical)) {
    let mut groups = Groups::open(File::open(list).unwrap(), mapping).unwrap();
    let columns = groups.columns();
    while let Some(group) = groups.read().unwrap() {
        let Some(draft) = mapping.assemble(&columns, group, [0; 32], NOW).draft else {
            continue;
        };
        for identifier in draft.content.subjects.iter().flat_map(|subject| &subject.identifiers) {
            identifier.canonical().into_iter().for_each(&mut take);
        }
    }
}
