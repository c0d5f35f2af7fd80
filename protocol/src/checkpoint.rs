//! Checks the checkpoint that a partner shows against its card and against what was seen before.
//!
//! Implements spec/transport.md#hello.

use symbolon_audit::LogSeen;
use symbolon_tlog::{CheckpointVerifier, VerifiedCheckpoint};
use symbolon_trust::VerifiedCard;

use crate::error::ProtocolError;

/// Verifies a partner's signed checkpoint and that it does not contradict `seen`. That a larger
/// one continues `seen` needs a proof, which comes with the first query.
///
/// # Errors
/// [`ProtocolError::CheckpointInvalid`], [`ProtocolError::CheckpointStale`] for a smaller log,
/// [`ProtocolError::LogConflict`] for another one of the same size.
pub(crate) fn verify_checkpoint(
    card: &VerifiedCard,
    text: &str,
    seen: Option<&LogSeen>,
) -> Result<VerifiedCheckpoint, ProtocolError> {
    let checkpoint = CheckpointVerifier::parse(&card.card().log)
        .and_then(|verifier| verifier.verify_text(text))
        .map_err(ProtocolError::CheckpointInvalid)?;
    match seen {
        Some(seen) if checkpoint.size() < seen.size => Err(ProtocolError::CheckpointStale),
        Some(seen) if checkpoint.size() == seen.size && checkpoint.root() != seen.root => {
            Err(ProtocolError::LogConflict { shown: Box::new(checkpoint) })
        }
        _ => Ok(checkpoint),
    }
}
