//! One rule as the node understands it beyond Cedar: its name, its fields, its obligations.
//!
//! Implements spec/policy.md#rules.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicyId, PrincipalConstraint};
use symbolon_record::{Field, Transform};

use crate::limits::RULE_NAME_BYTES_MAX;
use crate::shape;
use crate::{Action, PolicyError};

/// Who besides the rule must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Nobody.
    None,
    /// Two officers, `@approval("two")`.
    Two,
}

/// Whether an alert that the rule permits waits for an officer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// It goes out at once, `@release("automatic")`.
    Automatic,
    /// It goes out after the yes of a duty officer.
    AfterYes,
}

/// What a rule's text says outside its conditions.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) effect: Effect,
    /// The partner in `principal == Partner::"..."`.
    pub(crate) partner: Option<String>,
    /// The fields to which its conditions confine it; none where they do not.
    pub(crate) fields: Option<BTreeSet<Field>>,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) approval: Approval,
    pub(crate) release: Release,
    pub(crate) discloses: bool,
}

impl Rule {
    /// Reads name, line and obligations of a policy of `text`.
    pub(crate) fn read(policy: &Policy, text: &str) -> Result<Rule, PolicyError> {
        let line = line_of(policy, text);
        let named = policy.annotation("id").filter(|name| is_name(name));
        let name = named.ok_or(PolicyError::Unnamed { line })?.to_owned();
        let at = Place { rule: &name, line };
        let transforms = transforms(policy, at)?;
        let approval = approval(policy, at)?;
        let release = release(policy, at)?;
        Ok(Rule {
            effect: policy.effect(),
            partner: partner(policy),
            fields: shape::fields(&policy.to_json().unwrap_or_default()),
            discloses: covers(policy, Action::Disclose),
            transforms,
            approval,
            release,
            line,
            name,
        })
    }

    /// The policy under the rule's own name.
    pub(crate) fn named(&self, policy: &Policy) -> Policy {
        policy.new_id(PolicyId::new(&self.name))
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    rule: &'a str,
    line: usize,
}

/// Names go into logs and file names.
fn is_name(name: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=RULE_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(letter)
}

fn transforms(policy: &Policy, at: Place<'_>) -> Result<Vec<Transform>, PolicyError> {
    let unknown = || PolicyError::AnnotationValue {
        rule: at.rule.to_owned(),
        line: at.line,
        annotation: "transform",
    };
    let Some(text) = policy.annotation("transform") else {
        return Ok(Vec::new());
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let mut transforms =
        words.map(|word| word.parse().map_err(|_| unknown())).collect::<Result<Vec<_>, _>>()?;
    transforms.sort_unstable();
    let repeats = transforms.windows(2).any(|pair| pair.first() == pair.last());
    // Month and year contradict each other.
    let both = transforms.starts_with(&[Transform::DateMonth, Transform::DateYear]);
    if transforms.is_empty() || repeats || both { Err(unknown()) } else { Ok(transforms) }
}

fn approval(policy: &Policy, at: Place<'_>) -> Result<Approval, PolicyError> {
    match policy.annotation("approval") {
        None => Ok(Approval::None),
        Some("two") => Ok(Approval::Two),
        Some(_) => Err(PolicyError::AnnotationValue {
            rule: at.rule.to_owned(),
            line: at.line,
            annotation: "approval",
        }),
    }
}

fn release(policy: &Policy, at: Place<'_>) -> Result<Release, PolicyError> {
    match policy.annotation("release") {
        None => Ok(Release::AfterYes),
        Some("automatic") => Ok(Release::Automatic),
        Some(_) => Err(PolicyError::AnnotationValue {
            rule: at.rule.to_owned(),
            line: at.line,
            annotation: "release",
        }),
    }
}

fn partner(policy: &Policy) -> Option<String> {
    match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid) => Some(uid.id().unescaped().to_owned()),
        _ => None,
    }
}

/// Whether the rule's scope includes `action`.
pub(crate) fn covers(policy: &Policy, action: Action) -> bool {
    let names = |uid: &EntityUid| uid.id().unescaped() == action.as_str();
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(uids) => uids.iter().any(names),
        ActionConstraint::Eq(uid) => names(&uid),
    }
}

/// The line where the rule begins, from one.
fn line_of(policy: &Policy, text: &str) -> usize {
    let own = policy.to_cedar().unwrap_or_default();
    line_at(text, text.find(own.trim()).unwrap_or_default())
}

/// The line of a byte offset, from one.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}
