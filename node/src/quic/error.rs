//! Why a partner gave no usable answer, told apart by what the officer must be shown.
//!
//! Implements spec/transport.md#dialling.
//!
//! Invariant: only [`LinkError::Refused`] is something the partner said; everything else means that
//! nothing is known, and is shown as *not asked*, never as *no hit*.

use symbolon_protocol::{Code, ProtocolError};

use super::config::ConfigError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The partner was not reached, or fell silent.
    #[error("the partner was not reached")]
    Unreachable(#[source] DialError),
    /// The partner is there and did not answer within the deadline.
    #[error("the partner did not answer in time")]
    TimedOut,
    /// The partner answered with a code.
    #[error("the partner refused: {code}")]
    Refused {
        /// The code.
        code: Code,
        /// The number that the code's row allows.
        detail: Option<u64>,
    },
    /// The partner's answer breaks the protocol.
    #[error("the partner's answer breaks the protocol")]
    Answer(#[source] ProtocolError),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// No card is held, or the partner is suspended.
    #[error("the node is not a partner at present")]
    NotAPartner,
    /// No address of the card resolves to one that this node can reach.
    #[error("no address of the partner's card can be used")]
    NoAddress,
    /// A dial failed a moment ago.
    #[error("the last attempt failed a moment ago: {cause}")]
    BackingOff {
        /// Why it failed, in one line.
        cause: String,
        /// Its wire code, if it had one.
        code: Option<Code>,
    },
    /// Nobody answered, or the connection was lost.
    #[error("nobody answers at the partner's addresses")]
    NoAnswer,
    /// Whoever answered has no key pinned in the partner's card, or cannot do the key exchange.
    #[error("the node that answers is not the partner of the card")]
    Identity,
    /// The partner does not accept this node's TLS key.
    #[error("the partner does not know this node's TLS key")]
    NotRecognised,
    /// The partner closed the connection with a code.
    #[error("the partner closed the connection: {}", .0.sentence())]
    Refused(Code),
    /// The hello failed.
    #[error("the hello failed")]
    Hello(#[source] ProtocolError),
    /// This node is stopping.
    #[error("this node is stopping")]
    Stopping,
    /// The settings cannot be made.
    #[error("cannot set up TLS and QUIC")]
    Config(#[from] ConfigError),
}

impl DialError {
    /// The wire code that ended the dial, on whichever side it arose.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(code) => Some(*code),
            Self::Hello(error) => Some(error.code()),
            Self::BackingOff { code, .. } => *code,
            _ => None,
        }
    }
}
