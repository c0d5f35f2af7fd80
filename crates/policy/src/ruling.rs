//! What the rules say to one question, field by field; bounds are not considered here.
//!
//! Implements spec/policy.md#decision.
//!
//! Invariants: a forbid wins over every permit; an error denies; a permit only ever adds, so
//! taking one away never shows more.

use symbolon_record::{Blur, Field, Transform};

use crate::lint::opens_source;
use crate::rule::{Approval, Release, Rule};

/// What the rules say of one field, or of an action that has no fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) verdict: Verdict,
    /// Names of the deciding rules, sorted.
    pub(crate) rules: Vec<String>,
}

/// What the rules say, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Permitted(Vec<Transform>, Release),
    Forbidden,
    NoRule,
    SourceUnnamed,
    NeedsApproval,
    Prose,
    Error,
}

impl Ruling {
    pub(crate) fn new<'a>(verdict: Verdict, rules: impl IntoIterator<Item = &'a str>) -> Ruling {
        let mut rules: Vec<_> = rules.into_iter().map(str::to_owned).collect();
        rules.sort_unstable();
        Ruling { verdict, rules }
    }

    /// The outcome where Cedar allows by these permits.
    ///
    /// Every permit is a way out by itself, under its own obligations. The field goes by the
    /// widest way that is open; a way that waits for a second officer is not.
    pub(crate) fn permitted(permits: &[&Rule], field: Option<Field>, partner: &str) -> Ruling {
        let narrow = |verdict, rules: &[&Rule]| {
            Ruling::new(verdict, rules.iter().map(|rule| rule.name.as_str()))
        };
        let source = field.filter(|field| field.is_source());
        let named =
            keep(permits, |rule| source.is_none_or(|field| opens_source(rule, field, partner)));
        if named.is_empty() {
            return narrow(Verdict::SourceUnnamed, permits);
        }
        let open = keep(&named, |rule| rule.approval == Approval::None);
        if open.is_empty() {
            return narrow(Verdict::NeedsApproval, &named);
        }
        let possible = keep(&open, |rule| {
            let prose = |t: &Transform| field.is_some_and(|f| f.under(*t) == Blur::Impossible);
            !rule.transforms.iter().any(prose)
        });
        if possible.is_empty() {
            return narrow(Verdict::Prose, &open);
        }
        let transforms = field.map(|field| widest(&possible, field)).unwrap_or_default();
        // A permit only ever adds: one that lets it out at once is enough.
        let release = possible.iter().map(|rule| rule.release).min();
        narrow(Verdict::Permitted(transforms, release.unwrap_or(Release::AfterYes)), &possible)
    }
}

fn keep<'a>(rules: &[&'a Rule], test: impl Fn(&Rule) -> bool) -> Vec<&'a Rule> {
    rules.iter().copied().filter(|rule| test(rule)).collect()
}

/// The least blurring that one of the permits demands of this field. No field holds both dates and
/// places, so there is always a least.
fn widest(permits: &[&Rule], field: Field) -> Vec<Transform> {
    let demands = |rule: &&Rule| -> Vec<Transform> {
        let applies = |t: &&Transform| field.under(**t) == Blur::Applies;
        rule.transforms.iter().filter(applies).copied().collect()
    };
    // The order of `Transform` is from month to year; no demand at all sorts before both.
    permits.iter().map(demands).min().unwrap_or_default()
}
