//! The outcome of a decision, with its reasons; a grant cannot be made, copied or widened outside.
//!
//! Implements spec/policy.md#decision.

use std::fmt;

use symbolon_record::{Field, Record, RecordId, RecordVersion, Transform, View};
use symbolon_trust::NodeId;

use crate::rule::Release;
use crate::{Action, Bound, PolicyError};

/// What [`crate::PolicySet::decide`] answers.
#[derive(Debug)]
pub enum Decision {
    /// Go ahead, within the grant.
    Allow(Grant),
    /// Stop.
    Deny(Denial),
}

/// What a decision was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) action: Action,
    pub(crate) partner: NodeId,
    pub(crate) record: RecordId,
    pub(crate) version: RecordVersion,
    pub(crate) policy_digest: [u8; 32],
    pub(crate) decided_at: u64,
    pub(crate) purpose: String,
}

/// Permission for one action on one version of one record towards one partner.
///
/// Only [`crate::PolicySet::decide`] makes one. It is not `Clone`: `seal` consumes it.
#[derive(Debug)]
pub struct Grant {
    pub(crate) subject: Subject,
    pub(crate) fields: Vec<GrantedField>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) release: Release,
}

/// One field that may leave, and what must be blurred in it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedField {
    /// The field.
    pub field: Field,
    /// Applied before it leaves.
    pub transforms: Vec<Transform>,
}

/// A refusal. It is written to the log like a grant; the partner learns only the neutral code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    pub(crate) subject: Subject,
    pub(crate) reasons: Vec<Reason>,
}

/// Accessors that a grant and a denial share.
macro_rules! about {
    ($Outcome:ty) => {
        impl $Outcome {
            /// What was asked for.
            #[must_use]
            pub fn action(&self) -> Action {
                self.subject.action
            }

            /// With whom.
            #[must_use]
            pub fn partner(&self) -> NodeId {
                self.subject.partner
            }

            /// Which record.
            #[must_use]
            pub fn record(&self) -> RecordId {
                self.subject.record
            }

            /// Which version of it.
            #[must_use]
            pub fn version(&self) -> RecordVersion {
                self.subject.version
            }

            /// Digest of the policy that decided.
            #[must_use]
            pub fn policy_digest(&self) -> [u8; 32] {
                self.subject.policy_digest
            }

            /// When, in Unix seconds.
            #[must_use]
            pub fn decided_at(&self) -> u64 {
                self.subject.decided_at
            }

            /// What for.
            #[must_use]
            pub fn purpose(&self) -> &str {
                &self.subject.purpose
            }

            /// Why: for a disclosure one reason per field, unless a bound decided for all.
            #[must_use]
            pub fn explain(&self) -> &[Reason] {
                &self.reasons
            }
        }
    };
}
about!(Grant);
about!(Denial);

impl Grant {
    /// The fields that may leave, in the order of the record; empty unless for a disclosure.
    #[must_use]
    pub fn fields(&self) -> &[GrantedField] {
        &self.fields
    }

    /// Whether an alert goes out at once or waits for an officer.
    #[must_use]
    pub fn release(&self) -> Release {
        self.release
    }

    /// What the partner gets: the granted fields of `record`, blurred, and nothing else. The
    /// preview and the sealed message are both made from this.
    ///
    /// # Errors
    /// [`PolicyError::OtherRecord`] where the grant is for another record or version.
    pub fn view(&self, record: &Record) -> Result<View, PolicyError> {
        if (record.id(), record.version()) != (self.subject.record, self.subject.version) {
            return Err(PolicyError::OtherRecord);
        }
        let fields =
            self.fields.iter().map(|granted| (granted.field, granted.transforms.as_slice()));
        Ok(View::project(record, fields))
    }
}

impl Denial {
    /// The kind of refusal, for the own log and officer.
    #[must_use]
    pub fn code(&self) -> DenialCode {
        let causes = self.reasons.iter().map(|reason| reason.cause);
        // Where fields differ, the nearest to a permission tells the officer most.
        causes.map(DenialCode::of).max().unwrap_or(DenialCode::NoRule)
    }
}

/// Why nothing at all was granted, from the farthest from a permission to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenialCode {
    /// No rule permits it.
    NoRule,
    /// A rule forbids it.
    Forbidden,
    /// A second officer must approve first.
    NeedsApproval,
    /// A rule failed while it was evaluated.
    RuleError,
    /// Outside what the originator's marks allow.
    Handling,
    /// Outside the agreement.
    Agreement,
    /// The record has expired.
    Expired,
}

impl DenialCode {
    fn of(cause: Cause) -> DenialCode {
        match cause {
            Cause::Permitted | Cause::NoRule | Cause::SourceUnnamed | Cause::Prose => {
                DenialCode::NoRule
            }
            Cause::Forbidden => DenialCode::Forbidden,
            Cause::NeedsApproval => DenialCode::NeedsApproval,
            Cause::RuleError => DenialCode::RuleError,
            Cause::Outside(Bound::Expired) => DenialCode::Expired,
            Cause::Outside(Bound::Audience | Bound::RecordPurpose | Bound::OriginatorControl) => {
                DenialCode::Handling
            }
            Cause::Outside(_) => DenialCode::Agreement,
        }
    }

    /// The name in logs and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DenialCode::NoRule => "no_rule",
            DenialCode::Forbidden => "forbidden",
            DenialCode::NeedsApproval => "needs_approval",
            DenialCode::RuleError => "rule_error",
            DenialCode::Handling => "handling",
            DenialCode::Agreement => "agreement",
            DenialCode::Expired => "expired",
        }
    }
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a field leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It leaves.
    Granted,
    /// It stays.
    Withheld,
}

/// Why a field, or all of a request, was granted or withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The field; none where the reason holds for the whole request.
    pub field: Option<Field>,
    /// The outcome.
    pub effect: Effect,
    /// What decided.
    pub cause: Cause,
    /// The names of the deciding rules, sorted; empty where none applied.
    pub rules: Vec<String>,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The named rules permit it and none forbids.
    Permitted,
    /// The named rules forbid it.
    Forbidden,
    /// No rule permits it.
    NoRule,
    /// It is a source field, and no rule names this partner and this field.
    SourceUnnamed,
    /// The named rules permit it after a second approval only.
    NeedsApproval,
    /// The named rules demand a blurring that prose cannot have.
    Prose,
    /// The named rules failed while they were evaluated.
    RuleError,
    /// It lies outside what any rule may allow.
    Outside(Bound),
}

impl Cause {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Permitted => "permitted",
            Cause::Forbidden => "forbidden",
            Cause::NoRule => "no rule permits",
            Cause::SourceUnnamed => "no rule names this partner and this source field",
            Cause::NeedsApproval => "needs the approval of a second officer",
            Cause::Prose => "prose cannot be blurred as the rule demands",
            Cause::RuleError => "a rule failed",
            Cause::Outside(bound) => bound.as_str(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Granted => "granted",
            Effect::Withheld => "withheld",
        };
        let subject = self.field.map_or("request", Field::as_str);
        write!(f, "{subject}: {effect}, {}", self.cause.as_str())?;
        if self.rules.is_empty() { Ok(()) } else { write!(f, " ({})", self.rules.join(", ")) }
    }
}
