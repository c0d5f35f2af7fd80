//! What no rule can exceed: the agreement, the originator's handling and the record's life.
//!
//! Implements spec/policy.md#bounds. Asked before any rule, on every request, never remembered.

use symbolon_record::{Exercise, OriginatorControl};
use symbolon_trust::Mode;

use crate::{Action, Request};

/// The bound that a request lies outside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// The agreement has not begun or has ended.
    AgreementNotActive,
    /// The agreement is with somebody else.
    NotAParty,
    /// The agreement does not cover the purpose.
    Purpose,
    /// The agreement does not cover the kind of record.
    RecordKind,
    /// The agreement does not cover the class of identifiers, or the request names none.
    Class,
    /// Drill data under a live agreement, or live data under a drill.
    Exercise,
    /// The record has expired.
    Expired,
    /// The originator did not name the partner's country.
    Audience,
    /// The originator did not name the purpose.
    RecordPurpose,
    /// The originator keeps control over passing on.
    OriginatorControl,
}

impl Bound {
    /// In words, after "outside".
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Bound::AgreementNotActive => "the agreement is not in force",
            Bound::NotAParty => "the agreement is with another partner",
            Bound::Purpose => "the agreement does not cover this purpose",
            Bound::RecordKind => "the agreement does not cover this kind of record",
            Bound::Class => "the agreement does not cover this class of identifiers",
            Bound::Exercise => "drill and live data do not mix",
            Bound::Expired => "the record has expired",
            Bound::Audience => "the record is not releasable to this country",
            Bound::RecordPurpose => "the record does not permit this purpose",
            Bound::OriginatorControl => "the originator keeps control over passing on",
        }
    }
}

/// The first bound that the request lies outside of.
pub(crate) fn exceeded(request: &Request<'_>) -> Option<Bound> {
    let Request { action, partner, record, purpose, class, now, .. } = *request;
    let agreement = partner.agreement;
    let content = record.content();
    let class_covered = match class {
        Some(class) => agreement.terms(class).is_some(),
        None => !action.needs_class(),
    };
    let live = content.exercise == Exercise::Live;
    let controlled = content.handling.originator_control == OriginatorControl::Controlled;
    let bounds = [
        (agreement.active(now).is_ok(), Bound::AgreementNotActive),
        (agreement.agreement().parties.contains(&partner.node), Bound::NotAParty),
        (agreement.permits_purpose(purpose), Bound::Purpose),
        (agreement.permits_kind(content.kind.as_str()), Bound::RecordKind),
        (class_covered, Bound::Class),
        ((agreement.mode() == Mode::Live) == live, Bound::Exercise),
        (!record.is_expired(now), Bound::Expired),
        (content.handling.releasable(partner.country), Bound::Audience),
        (content.handling.serves(purpose), Bound::RecordPurpose),
        (!(controlled && action == Action::Onward), Bound::OriginatorControl),
    ];
    bounds.into_iter().find(|(within, _)| !within).map(|(_, bound)| bound)
}
