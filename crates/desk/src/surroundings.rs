//! What the desk needs from outside: time, seeds, and a way to each partner. No sockets here.
//!
//! Implements spec/architecture.md#layers.

use symbolon_protocol::{
    Code, Delivered, Disclose, Epochs, Evaluate, Evaluated, TagSetEvent, TagSetProgress,
    VerifiedEpochCard,
};
use symbolon_trust::NodeId;

/// Time and randomness. The node reads the clock and the operating system; tests say what is.
pub trait Surroundings: Send + Sync {
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;

    /// A fresh seed, used once.
    fn seed(&self) -> [u8; 32];

    /// Unix seconds.
    fn now(&self) -> u64 {
        self.now_ms() / 1000
    }
}

/// The way to partners. Every call blocks until its answer, its refusal or its deadline.
pub trait Link: Send + Sync {
    /// Asks for the partner's epoch cards.
    ///
    /// # Errors
    /// [`LinkError`].
    fn epochs(&self, partner: &NodeId) -> Result<Epochs, LinkError>;

    /// Asks for the evaluation of a batch.
    ///
    /// # Errors
    /// [`LinkError`].
    fn evaluate(&self, partner: &NodeId, request: &Evaluate) -> Result<Evaluated, LinkError>;

    /// Hands over an envelope.
    ///
    /// # Errors
    /// [`LinkError`].
    fn deliver(&self, partner: &NodeId, envelope: &Disclose) -> Result<Delivered, LinkError>;

    /// Fetches the tag set of `card` from where `progress` left off, and hands over its events as
    /// they come, with the progress that counts them.
    ///
    /// # Errors
    /// [`LinkError`]; what was handed over before stays good.
    fn tag_set(
        &self,
        partner: &NodeId,
        card: &VerifiedEpochCard,
        progress: &TagSetProgress,
        events: &mut dyn FnMut(Vec<TagSetEvent>, Option<&TagSetProgress>) -> Result<(), LinkError>,
    ) -> Result<(), LinkError>;

    /// The size of the own log that the partner last verified, where a session told it.
    fn seen_by(&self, partner: &NodeId) -> Option<u64>;

    /// The same, asked anew: what an earlier session told may be overtaken.
    fn seen_anew(&self, partner: &NodeId) -> Option<u64>;
}

/// Why a partner was not asked, or gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No connection.
    #[error("the partner cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("the partner did not answer in time")]
    TimedOut,
    /// The partner refused.
    #[error("the partner refused: {}", code.sentence())]
    Refused {
        /// The wire code.
        code: Code,
        /// The number beside it.
        detail: Option<u64>,
    },
    /// The answer breaks the protocol.
    #[error("the partner's answer breaks the protocol: {0}")]
    Broken(String),
    /// This side could not go on.
    #[error("this node could not go on: {0}")]
    Here(String),
}
