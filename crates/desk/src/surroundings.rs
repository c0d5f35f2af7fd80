//! What the desk needs from outside: time, seeds, and a way to each partner. No sockets here.
//!
//! Implements spec/architecture.md#layers.

use symbolon_protocol::{
    AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Code, Collect,
    Collected, Cosign, Cosigned, Delivered, Disclose, Epochs, Evaluate, Evaluated, Leave, Left,
    Prove, Proved, Push, Pushed, TagSetEvent, TagSetProgress, VerifiedEpochCard,
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

    /// Asks the partner to cosign a checkpoint of the own log.
    ///
    /// # Errors
    /// [`LinkError`].
    fn cosign(&self, partner: &NodeId, request: &Cosign) -> Result<Cosigned, LinkError>;

    /// Asks for the partner's account of what passed.
    ///
    /// # Errors
    /// [`LinkError`].
    fn account(&self, partner: &NodeId, request: &AccountRequest) -> Result<Delivered, LinkError>;

    /// Begins the match of a whole set.
    ///
    /// # Errors
    /// [`LinkError`].
    fn bulk_begin(&self, partner: &NodeId, request: &BulkBegin) -> Result<BulkState, LinkError>;

    /// Asks whether the partner's set is there.
    ///
    /// # Errors
    /// [`LinkError`].
    fn bulk_wait(&self, partner: &NodeId, request: &BulkWait) -> Result<BulkState, LinkError>;

    /// Carries a piece of a match.
    ///
    /// # Errors
    /// [`LinkError`].
    fn bulk_carry(&self, partner: &NodeId, request: &BulkCarry) -> Result<BulkCarried, LinkError>;

    /// Pushes envelopes of an ordered stream.
    ///
    /// # Errors
    /// [`LinkError`].
    fn push(&self, partner: &NodeId, request: &Push) -> Result<Pushed, LinkError>;

    /// Leaves envelopes for a third node at a relay.
    ///
    /// # Errors
    /// [`LinkError`].
    fn leave(&self, relay: &NodeId, request: &Leave) -> Result<Left, LinkError>;

    /// Asks a relay for what lies there for this node.
    ///
    /// # Errors
    /// [`LinkError`].
    fn collect(&self, relay: &NodeId, request: &Collect) -> Result<Collected, LinkError>;

    /// Asks the partner to open leaves of its log.
    ///
    /// # Errors
    /// [`LinkError`].
    fn prove(&self, partner: &NodeId, request: &Prove) -> Result<Proved, LinkError>;

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
    #[error("the partner cannot be reached: {cause}")]
    Unreachable {
        /// Why, in one line.
        cause: String,
        /// The wire code that ended the attempt, where it came to one.
        code: Option<Code>,
    },
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

impl LinkError {
    /// Which side does what about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        let code = match self {
            Self::Unreachable { code, .. } => *code,
            Self::Refused { code, .. } => Some(*code),
            Self::Here(_) => return "here: look at the node's own output",
            Self::TimedOut => return "there: the node is slow or overloaded; try again",
            Self::Broken(_) => return "both: run versions that speak the same protocol",
        };
        match code {
            Some(Code::Clock) => "both: compare 'date -u', and set the clock that is off",
            Some(Code::Profile) => {
                "both: run versions with the same profile; 'status' shows each node's"
            }
            Some(Code::Version) => "both: run versions that speak the same protocol",
            Some(Code::CardOutdated | Code::CardExpired | Code::Hello) => {
                "both: exchange the newest cards: 'partner card' there, 'partner add' here, and back"
            }
            Some(Code::Log | Code::Stale) => {
                "both: was a backup restored? compare the logs with an auditor"
            }
            Some(Code::Agreement) => {
                "both: agree anew: 'partner agree' here, 'partner accept' there"
            }
            Some(Code::Busy | Code::Deadline | Code::Internal) => {
                "there: look at the node's own output; try again"
            }
            Some(Code::Unavailable) => "there: is this node suspended, or the other one stopping?",
            _ => "both: is the partner's node running, and does UDP pass between the nodes?",
        }
    }
}
