//! Refuses rules that would mean less, or more, than they seem to.
//!
//! Implements spec/policy.md#check.

use cedar_policy::{Effect, EntityUid, Policy};
use symbolon_ident::Country;
use symbolon_record::{Blur, Field, RecordId};
use symbolon_trust::NodeName;

use crate::rule::{Approval, Release, Rule, covers};
use crate::{Action, PolicyError};

/// Annotations that have a meaning; `about` is a remark for people.
const ANNOTATIONS: [&str; 5] = ["id", "about", "transform", "approval", "release"];

/// All that is wrong with one rule beyond syntax and types.
pub(crate) fn lint(rule: &Rule, policy: &Policy) -> Vec<PolicyError> {
    let unknown = policy.annotations().filter(|(key, _)| !ANNOTATIONS.contains(key));
    let mut found: Vec<_> = unknown
        .map(|(key, _)| PolicyError::Annotation {
            rule: rule.name.clone(),
            line: rule.line,
            annotation: key.to_owned(),
        })
        .collect();
    let is_for_alerts = rule.effect == Effect::Permit && covers(policy, Action::Alert);
    found.extend(policy.entity_literals().iter().filter_map(|literal| name(rule, literal)));
    match rule.effect {
        Effect::Forbid => found.extend(forbid(rule)),
        Effect::Permit if rule.discloses => found.extend(disclosing(rule)),
        Effect::Permit if !rule.transforms.is_empty() => {
            found.push(misplaced(rule, "transform", "outside a permit to disclose"));
        }
        Effect::Permit => {}
    }
    if rule.release == Release::Automatic && !is_for_alerts {
        found.push(misplaced(rule, "release", "outside a permit of alerts"));
    }
    found
}

/// An obligation on a forbid would read as if it softened it.
fn forbid(rule: &Rule) -> Vec<PolicyError> {
    let mut found = Vec::new();
    if !rule.transforms.is_empty() {
        found.push(misplaced(rule, "transform", "on a forbid"));
    }
    if rule.approval != Approval::None {
        found.push(misplaced(rule, "approval", "on a forbid"));
    }
    found
}

fn misplaced(rule: &Rule, annotation: &'static str, place: &'static str) -> PolicyError {
    PolicyError::AnnotationPlace { rule: rule.name.clone(), line: rule.line, annotation, place }
}

/// A permit to disclose names its fields; on source fields it names its partner too.
fn disclosing(rule: &Rule) -> Vec<PolicyError> {
    let (name, line) = (&rule.name, rule.line);
    let Some(fields) = &rule.fields else {
        return vec![PolicyError::FieldsUnnamed { rule: name.clone(), line }];
    };
    let unnamed = fields.iter().find(|field| field.is_source() && rule.partner.is_none());
    let unnamed =
        unnamed.map(|&field| PolicyError::SourceUnnamed { rule: name.clone(), line, field });
    let pairs = fields.iter().flat_map(|&field| rule.transforms.iter().map(move |&t| (field, t)));
    let prose = pairs.filter(|(field, transform)| field.under(*transform) == Blur::Impossible);
    let prose = prose.map(|(field, transform)| PolicyError::Prose {
        rule: name.clone(),
        line,
        field,
        transform,
    });
    unnamed.into_iter().chain(prose).collect()
}

/// Names that the schema leaves open, but that follow a rule elsewhere.
fn name(rule: &Rule, literal: &EntityUid) -> Option<PolicyError> {
    let name = literal.id().unescaped();
    let (kind, exists) = match literal.type_name().basename() {
        "Country" => ("Country", Country::parse(name).is_ok_and(|known| known.as_str() == name)),
        "Partner" => ("Partner", NodeName::parse(name).is_ok()),
        "Purpose" => ("Purpose", is_term(name)),
        "Record" => ("Record", name.parse::<RecordId>().is_ok()),
        _ => return None,
    };
    let (rule, line, name) = (rule.name.clone(), rule.line, name.to_owned());
    (!exists).then_some(PolicyError::Name { rule, line, kind, name })
}

/// As agreements write purposes.
fn is_term(name: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
    (1..=symbolon_trust::limits::TERM_BYTES_MAX).contains(&name.len()) && name.bytes().all(letter)
}

/// The source fields that a deciding permit may show to `partner`: those that it names, if it
/// names the partner. Asked at every decision, whatever the check of the text has said.
pub(crate) fn opens_source(rule: &Rule, field: Field, partner: &str) -> bool {
    let names_partner = rule.partner.as_deref() == Some(partner);
    names_partner && rule.fields.as_ref().is_some_and(|fields| fields.contains(&field))
}
