//! What the log keeps of an alert: what became of it, and that its content is gone.
//!
//! Implements spec/accountability.md#entries.
//!
//! Invariant: a drill has entries of a class of its own.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_record::{RecordId, RecordVersion};
use symbolon_trust::{Mode, NodeId};

use crate::AuditError;

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertAct {
    /// Taken from an officer or a hotline, durably.
    Accepted,
    /// A second officer said yes.
    Approved,
    /// A second officer said no.
    Declined,
    /// A new version.
    Updated,
    /// Taken back.
    Withdrawn,
    /// Fewer recipients than before.
    Narrowed,
    /// Disputed.
    Contested,
    /// Its time is over.
    Expired,
    /// Nobody answered in time, so it went to somebody else.
    Escalated,
    /// An officer saw it.
    Read,
    /// An officer acted on it.
    Acted,
}

/// An alert. Which class the entry has follows from the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AlertEvent {
    /// What became of it.
    pub act: AlertAct,
    /// Its id.
    pub alert: RecordId,
    /// Its version.
    pub version: RecordVersion,
    /// Real or a drill.
    pub mode: Mode,
    /// How many nodes shall have it; 0 for one from a partner.
    pub recipients: u32,
}

/// The secret under which the content of an alert lay is gone, and the content with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct DeletedEvent {
    /// Its id.
    pub alert: RecordId,
    /// Whose alert it was.
    pub origin: NodeId,
    /// Hash of the newest signed statement of it; zeros for an own one that never left.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// Real or a drill.
    pub mode: Mode,
}

impl AlertEvent {
    /// A drill never stands among the real ones.
    pub(crate) const fn check(&self, mode: Mode) -> Result<(), AuditError> {
        match (self.mode, mode) {
            (Mode::Live, Mode::Live) | (Mode::Exercise, Mode::Exercise) => Ok(()),
            _ => Err(AuditError::Mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn a_drill_never_stands_among_the_real_alerts() {
        let alert = RecordId::generate(1, [1; 32]);
        let version = RecordVersion::from_bytes([2; 32]);
        let event = |mode| AlertEvent { act: AlertAct::Read, alert, version, mode, recipients: 0 };
        let (live, drill) = (event(Mode::Live), event(Mode::Exercise));
        assert_eq!(Event::Alert(live).validate(), Ok(()));
        assert_eq!(Event::Exercise(drill).validate(), Ok(()));
        assert_eq!(Event::Alert(drill).validate(), Err(AuditError::Mode));
        assert_eq!(Event::Exercise(live).validate(), Err(AuditError::Mode));
    }
}
