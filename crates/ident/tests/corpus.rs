//! The keys of a large corpus of inputs, pinned: no rule changes without the profile.
//!
//! Implements spec/identifiers.md#profile.
//!
//! `corpus.jsonl` holds inputs of every kind, valid, noisy and broken; `corpus.json` the hash of
//! what they become. Both lie with the vectors, and `corpus.json` is a part of the profile id like
//! every vector file. So a change of any canonical form, check or key fails here, and renewing the
//! hash changes the profile id. To renew it, after the vectors of the changed rule are written:
//!
//! `cargo test -p symbolon-ident --test corpus -- --ignored renew`

#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use symbolon_ident::{Canonical, Input, Kind, profile_id};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/identifiers").join(name)
}

fn corpus() -> Vec<String> {
    let text = fs::read_to_string(path("corpus.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn parts(line: &str) -> [String; 4] {
    serde_json::from_str(line).unwrap()
}

fn framed(hash: &mut Sha256, part: &[u8]) {
    hash.update(u32::try_from(part.len()).unwrap().to_be_bytes());
    hash.update(part);
}

/// SHA-256 over, for each line: the line; then the error's code, or canonical value, issuer, check,
/// and form, strength and bytes of each key; every part behind its length.
fn digest(lines: &[String]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        let [kind, text, issuer, date] = parts(line);
        let given = |part: &'_ String| (!part.is_empty()).then(|| part.clone());
        let (issuer, date) = (given(&issuer), given(&date));
        let input = Input { text: &text, issuer: issuer.as_deref(), date: date.as_deref() };
        framed(&mut hash, line.as_bytes());
        match Canonical::parse(kind.parse().unwrap(), input) {
            Err(error) => framed(&mut hash, error.code().as_bytes()),
            Ok(canonical) => {
                framed(&mut hash, canonical.expose().as_bytes());
                framed(&mut hash, canonical.issuer().unwrap_or_default().as_bytes());
                framed(&mut hash, canonical.check().as_str().as_bytes());
                for key in canonical.keys() {
                    framed(&mut hash, key.form().as_str().as_bytes());
                    framed(&mut hash, key.strength().as_str().as_bytes());
                    framed(&mut hash, key.as_bytes());
                }
            }
        }
    }
    let mut hex = String::new();
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

#[test]
fn no_rule_changes_without_the_profile() {
    let lines = corpus();
    let pinned: Value =
        serde_json::from_str(&fs::read_to_string(path("corpus.json")).unwrap()).unwrap();
    assert_eq!(pinned["cases"], lines.len(), "the corpus itself has changed");
    assert_eq!(
        pinned["sha256"],
        digest(&lines),
        "a canonical form, check or key has changed; see the head of this file"
    );
}

#[test]
fn the_corpus_covers_every_kind() {
    let kinds: Vec<String> = corpus().iter().map(|line| parts(line)[0].clone()).collect();
    for kind in Kind::ALL {
        let count = kinds.iter().filter(|name| *name == kind.as_str()).count();
        assert!(count >= 40, "{kind}: {count}");
    }
    let named: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert!(kinds.iter().all(|kind| named.contains(kind.as_str())));
}

#[test]
#[ignore = "writes the pinned hash; only after a rule was changed on purpose"]
fn renew() {
    let lines = corpus();
    let pinned = json!({ "cases": lines.len(), "sha256": digest(&lines) });
    fs::write(path("corpus.json"), format!("{pinned}\n")).unwrap();
    // Built before the new hash: the next build has another.
    assert_eq!(profile_id().as_bytes().len(), 32);
}
