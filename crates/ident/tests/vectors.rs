//! The published vectors of spec/vectors/identifiers, every rule of every kind.
//!
//! Implements spec/identifiers.md#vectors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a vector file that cannot be read is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use symbolon_ident::{
    Canonical, Check, IdentError, Input, Kind, MatchKey, Refused, Strength, limits,
};

/// A sort of case that the vectors of every kind must have.
struct Sort {
    name: &'static str,
    is: fn(&Value) -> bool,
}

const SORTS: [Sort; 4] = [
    Sort {
        name: "accepted",
        is: |case| case["check"] != "invalid" && is_accepted(case) && !texts(case).is_empty(),
    },
    Sort { name: "error", is: |case| case["error"].is_string() && !texts(case).is_empty() },
    // Another issuer or date alone is no other spelling of the value.
    Sort { name: "spellings", is: |case| is_accepted(case) && texts(case).len() > 1 },
    Sort { name: "apart", is: |case| case["apart"].is_array() },
];

/// Kind, sort and reason, where a kind cannot have a case of this sort.
const CANNOT: &[(Kind, &str, &str)] = &[];

#[test]
fn every_rule_holds() {
    let mut failures = Vec::new();
    for kind in Kind::ALL {
        for case in cases(*kind) {
            if let Err(difference) = check(*kind, &case) {
                failures.push(format!("{kind}: {}: {difference}", case["rule"]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_kind_has_every_sort_of_case() {
    let mut failures = Vec::new();
    for kind in Kind::ALL {
        let cases = cases(*kind);
        for Sort { name, is } in SORTS {
            let excused = CANNOT.iter().find(|(of, sort, _)| of == kind && *sort == name);
            match (cases.iter().any(is), excused) {
                (true, None) => {}
                (false, None) => failures.push(format!("{kind}: no case `{name}`")),
                (true, Some(_)) => failures.push(format!("{kind}: can have a case `{name}`")),
                (false, Some((_, _, reason))) => assert!(!reason.is_empty(), "{kind}: {name}"),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn cases(kind: Kind) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/identifiers");
    let text = fs::read_to_string(folder.join(format!("{kind}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn is_accepted(case: &Value) -> bool {
    case["canonical"].is_string()
}

/// The different texts among a case's inputs.
fn texts(case: &Value) -> BTreeSet<&str> {
    let inputs = case["inputs"].as_array().into_iter().flatten();
    inputs.filter_map(|input| input["text"].as_str()).collect()
}

fn check(kind: Kind, case: &Value) -> Result<(), String> {
    if let Some(inputs) = case["apart"].as_array() {
        return apart(kind, inputs);
    }
    if let Some(inputs) = case["meet"].as_array() {
        return meet(kind, inputs, case);
    }
    for input in case["inputs"].as_array().unwrap() {
        let parsed = parse(kind, input);
        match (parsed, case["error"].as_str()) {
            (Err(error), Some(expect)) if error.code() == expect => {}
            (Err(error), _) => return Err(format!("{input}: refused: {error}")),
            (Ok(_), Some(expect)) => return Err(format!("{input}: accepted, not {expect}")),
            (Ok(canonical), None) => same(&canonical, case).map_err(|d| format!("{input}: {d}"))?,
        }
    }
    Ok(())
}

fn parse(kind: Kind, input: &Value) -> Result<Canonical, IdentError> {
    let text = input["text"].as_str().unwrap();
    let input = Input { text, issuer: input["issuer"].as_str(), date: input["date"].as_str() };
    Canonical::parse(kind, input)
}

fn same(canonical: &Canonical, case: &Value) -> Result<(), String> {
    let differ = |what: &str, got: &str| Err(format!("{what} is {got}"));
    if case["canonical"] != canonical.expose() {
        return differ("canonical", canonical.expose());
    }
    if case["issuer"].as_str() != canonical.issuer() {
        return differ("issuer", canonical.issuer().unwrap_or("none"));
    }
    if case["check"] != canonical.check().as_str() {
        return differ("check", canonical.check().as_str());
    }
    let expected = case["keys"].as_array().unwrap();
    let keys = canonical.keys();
    if keys.len() != expected.len() || !(1..=limits::KEYS_MAX).contains(&keys.len()) {
        return differ("number of keys", &keys.len().to_string());
    }
    for (key, expect) in keys.iter().zip(expected) {
        if expect["form"] != key.form().as_str() || expect["kind"] != key.kind().as_str() {
            return differ("key", &format!("{key:?}"));
        }
        if expect["strength"] != key.strength().as_str() {
            return differ("strength", key.strength().as_str());
        }
        if expect["hex"] != hex::encode(key.as_bytes()) {
            return differ("key bytes", &hex::encode(key.as_bytes()));
        }
        assert!(key.as_bytes().len() <= limits::KEY_BYTES_MAX);
        assert!(canonical.check() != Check::Invalid || key.strength() == Strength::Weak);
    }
    let refused = canonical.refused();
    let expected = case["refused"].as_array().map_or(&[][..], Vec::as_slice);
    let same = |(refused, expect): (&Refused, &Value)| {
        expect["form"] == refused.form.as_str() && expect["reason"] == refused.reason.code()
    };
    if refused.len() != expected.len() || !refused.iter().zip(expected).all(same) {
        return differ("refused", &format!("{refused:?}"));
    }
    Ok(())
}

/// All inputs share a key of the named form and strength.
fn meet(kind: Kind, inputs: &[Value], case: &Value) -> Result<(), String> {
    let wanted = |key: &&MatchKey| {
        case["on"] == key.form().as_str() && case["strength"] == key.strength().as_str()
    };
    let mut shared: Option<MatchKey> = None;
    for input in inputs {
        let parsed = parse(kind, input).map_err(|error| format!("{input}: {error}"))?;
        let key = parsed.keys().iter().find(wanted).ok_or(format!("{input}: no such key"))?;
        match &shared {
            Some(shared) if shared != key => return Err(format!("{input}: does not meet")),
            _ => shared = Some(key.clone()),
        }
    }
    Ok(())
}

fn apart(kind: Kind, inputs: &[Value]) -> Result<(), String> {
    let [one, other] = inputs else { panic!("two inputs stay apart") };
    let keys = |input| parse(kind, input).map_err(|error| format!("{input}: {error}"));
    let (one, other) = (keys(one)?, keys(other)?);
    match one.keys().iter().find(|key| other.keys().contains(key)) {
        Some(key) => Err(format!("meet on {key:?}")),
        None => Ok(()),
    }
}
