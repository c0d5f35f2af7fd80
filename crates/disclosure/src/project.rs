//! From a record and a grant to the part that leaves; the only place where a record is read for a
//! partner.
//!
//! Implements spec/envelope.md#disclosure.
//!
//! Invariant: a field that the grant does not name is not looked at.

use symbolon_oprf::CommitmentOpening;
use symbolon_policy::{Action, Grant};
use symbolon_record::Record;

use crate::payload::Disclosed;
use crate::{DisclosureError, StatementId};

/// The disclosure that `grant` allows of `record`.
pub(crate) fn project(
    grant: &Grant,
    record: &Record,
    in_reply_to: Option<StatementId>,
    opening: Option<CommitmentOpening>,
) -> Result<Disclosed, DisclosureError> {
    if grant.action() != Action::Disclose {
        return Err(DisclosureError::GrantOtherAction);
    }
    // The grant itself makes the view, so whoever explains a decision shows the same one.
    let view = grant.view(record).map_err(|_| DisclosureError::GrantOtherRecord)?;
    let disclosed = Disclosed { view, in_reply_to, opening };
    disclosed.validate()?;
    Ok(disclosed)
}
