//! `symbolon identify`: what a pasted text may be, with checks and canonical forms. Asks nobody,
//! and needs no node.
//!
//! Implements spec/node.md#commands.

use serde::Serialize;
use symbolon_ident::{Canonical, Input, Kind, Mrz};

use super::{Output, table};
use crate::clock;
use crate::exit::{Exit, Failure};

/// Seconds of a mean Gregorian year. Good to a day, and a zone's two-digit years need no more.
const YEAR_SECONDS: u64 = 31_556_952;

/// What a text may be.
#[derive(Serialize)]
struct Identified {
    /// For a machine-readable zone: every check digit.
    checks: Vec<CheckShown>,
    /// For a zone, what it holds; for anything else, what it may be, most likely first.
    proposals: Vec<ProposalShown>,
}

#[derive(Serialize)]
struct CheckShown {
    field: &'static str,
    check: &'static str,
}

#[derive(Serialize)]
struct ProposalShown {
    kind: &'static str,
    class: &'static str,
    canonical: String,
    issuer: Option<String>,
    check: &'static str,
    strength: &'static str,
    keys: usize,
    reason: String,
}

impl ProposalShown {
    fn new(canonical: &Canonical, reason: String) -> ProposalShown {
        ProposalShown {
            kind: canonical.kind().as_str(),
            class: canonical.class().as_str(),
            canonical: canonical.expose().to_owned(),
            issuer: canonical.issuer().map(str::to_owned),
            check: canonical.check().as_str(),
            strength: canonical.strength().as_str(),
            keys: canonical.keys().len(),
            reason,
        }
    }
}

/// Shows what `text` may be.
pub(crate) fn identify(text: &str, out: Output) -> Result<(), Failure> {
    let identified = match Mrz::parse(text) {
        Ok(zone) => zone_identified(&zone),
        Err(_) => Identified { checks: Vec::new(), proposals: proposals(text) },
    };
    if identified.proposals.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "the text looks like no identifier",
            "look for a line that was cut, or name the kind: 'symbolon query KIND TEXT'",
        ));
    }
    out.show(&identified, shown);
    Ok(())
}

fn zone_identified(zone: &Mrz) -> Identified {
    let year = u16::try_from(1970 + clock::now() / YEAR_SECONDS).unwrap_or(u16::MAX);
    let checks = zone.checks().iter();
    let checks = checks
        .map(|(field, check)| CheckShown { field: field.as_str(), check: check.as_str() })
        .collect();
    let found = zone.identifiers(year);
    let parsed = found.iter().filter_map(|found| found.parse().ok());
    let proposals = parsed
        .map(|canonical| ProposalShown::new(&canonical, "read from the zone".to_owned()))
        .collect();
    Identified { checks, proposals }
}

fn proposals(text: &str) -> Vec<ProposalShown> {
    let proposals = Kind::detect(text).into_iter().filter_map(|proposal| {
        let input = Input { text: text.trim(), issuer: proposal.issuer, date: None };
        let canonical = Canonical::parse(proposal.kind, input).ok()?;
        Some(ProposalShown::new(&canonical, proposal.reason))
    });
    proposals.collect()
}

fn shown(identified: &Identified) -> String {
    let mut text = String::new();
    if !identified.checks.is_empty() {
        let mut rows = vec![vec!["check digit".to_owned(), "result".to_owned()]];
        let checks = identified.checks.iter();
        rows.extend(checks.map(|one| vec![one.field.to_owned(), one.check.replace('_', " ")]));
        text = table(&rows) + "\n";
    }
    let head = ["kind", "canonical form", "issuer", "check", "strength", "because"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in &identified.proposals {
        rows.push(vec![
            one.kind.to_owned(),
            one.canonical.clone(),
            one.issuer.clone().unwrap_or_default(),
            one.check.replace('_', " "),
            one.strength.to_owned(),
            one.reason.clone(),
        ]);
    }
    text + &table(&rows) + "\nNobody was asked. 'symbolon query KIND TEXT' asks partners.\n"
}
