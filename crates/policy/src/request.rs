//! What is asked of a policy: who, what, for which purpose, when.
//!
//! Implements spec/policy.md#request.

use std::fmt;
use std::str::FromStr;

use symbolon_ident::{Class, Country};
use symbolon_record::{AlertClass, Record};
use symbolon_trust::{NodeId, VerifiedAgreement};

use crate::PolicyError;

/// What would be done with the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Its identifiers enter the partner's tag set.
    Match,
    /// A hit on it is acknowledged.
    Confirm,
    /// Fields of it are shown; asked once per field.
    Disclose,
    /// It is pushed as an alert.
    Alert,
    /// It is used in an answer to a request for information.
    Answer,
    /// It is passed on to a third state.
    Onward,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Action] = &[
        Action::Match,
        Action::Confirm,
        Action::Disclose,
        Action::Alert,
        Action::Answer,
        Action::Onward,
    ];

    /// The name in rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Match => "match",
            Action::Confirm => "confirm",
            Action::Disclose => "disclose",
            Action::Alert => "alert",
            Action::Answer => "answer",
            Action::Onward => "onward",
        }
    }

    /// Whether the action is about one class of identifiers, so that the request must name it.
    #[must_use]
    pub fn needs_class(self) -> bool {
        matches!(self, Action::Match | Action::Confirm)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Action, PolicyError> {
        let named = Action::ALL.iter().find(|action| action.as_str() == text);
        named.copied().ok_or(PolicyError::UnknownAction)
    }
}

/// The partner that would be told, and what both states signed.
#[derive(Debug, Clone, Copy)]
pub struct PartnerContext<'a> {
    /// Fingerprint of its root.
    pub node: NodeId,
    /// Name in its card; rules name it so. The caller holds no two partners of one name.
    pub name: &'a str,
    /// Country in its card.
    pub country: Country,
    /// The agreement with it.
    pub agreement: &'a VerifiedAgreement,
}

/// One question to [`crate::PolicySet::decide`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What would be done.
    pub action: Action,
    /// With whom.
    pub partner: &'a PartnerContext<'a>,
    /// Of which record.
    pub record: &'a Record,
    /// What for.
    pub purpose: &'a str,
    /// By which class of identifiers; needed for `match` and `confirm`.
    pub class: Option<Class>,
    /// How fast; needed for `alert`.
    pub urgency: Option<AlertClass>,
    /// The time, in Unix seconds.
    pub now: u64,
}
