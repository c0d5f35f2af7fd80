//! The vector correlation as the session uses it: `C = A'·Δ + B` over GF(2^128).
//!
//! Implements spec/psi.md#correlation. The sender begins; each message is answered by one or ends
//! the side that it comes to. Five messages, of lengths that follow from the vectors' length:
//!
//! ```text
//! sender  offer ─────────▶          8,192 bytes: base transfers
//!               ◀───── setup        receiver: base answer, extension, choices of the trees
//!         trees ─────────▶          masked level sums and corrections
//!               ◀───── challenge    receiver: 48 bytes
//!         proof ─────────▶          32 bytes
//! ```

use zeroize::Zeroizing;

use crate::PsiError;
use crate::field::Block;
use crate::vole_layout::Setting;
use crate::{vole_receiver, vole_sender};

/// What a side does after it began or read a message.
pub(crate) enum Step<State, Output> {
    /// Sends the message and awaits the next.
    Await(State, Vec<u8>),
    /// Has its part; sends the message, if there is one, and reads no more.
    Done(Output, Option<Vec<u8>>),
}

/// The sender's part.
pub(crate) struct SenderPart {
    /// Δ.
    pub(crate) delta: Zeroizing<Block>,
    /// B.
    pub(crate) shares: Zeroizing<Vec<Block>>,
}

/// The receiver's part.
pub(crate) struct ReceiverPart {
    /// A'.
    pub(crate) masks: Zeroizing<Vec<Block>>,
    /// C.
    pub(crate) shares: Zeroizing<Vec<Block>>,
}

/// The sender: chooses Δ, learns B.
pub(crate) enum Sender {
    ExpectSetup(Box<vole_sender::ExpectSetup>),
    ExpectChallenge(Box<vole_sender::ExpectChallenge>),
}

/// The receiver: learns A' and C.
pub(crate) enum Receiver {
    ExpectOffer(Box<vole_receiver::ExpectOffer>),
    ExpectTrees(Box<vole_receiver::ExpectTrees>),
    ExpectProof(Box<vole_receiver::ExpectProof>),
}

impl Sender {
    /// The state and the first message. `session` is unique to this correlation; `seed` is fresh.
    ///
    /// # Errors
    /// [`PsiError::Count`] for a length of zero or beyond
    /// [`VOLE_LENGTH_MAX`](crate::VOLE_LENGTH_MAX).
    pub(crate) fn start(
        session: &[u8; 32],
        length: usize,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<(Self, Vec<u8>), PsiError> {
        let setting = Setting::new(*session, length, workers)?;
        let (state, offer) = vole_sender::ExpectSetup::begin(setting, seed);
        Ok((Self::ExpectSetup(Box::new(state)), offer))
    }

    /// Takes the receiver's next message.
    ///
    /// # Errors
    /// [`PsiError::Malformed`], [`PsiError::CheckFailed`], [`PsiError::WorkerLost`].
    pub(crate) fn handle(self, message: &[u8]) -> Result<Step<Self, SenderPart>, PsiError> {
        match self {
            Self::ExpectSetup(state) => {
                let (state, trees) = state.handle_setup(message)?;
                Ok(Step::Await(Self::ExpectChallenge(Box::new(state)), trees))
            }
            Self::ExpectChallenge(state) => {
                let (ready, proof) = state.handle_challenge(message)?;
                Ok(Step::Done(ready.encode()?, Some(proof)))
            }
        }
    }
}

impl Receiver {
    /// The state; the sender speaks first.
    ///
    /// # Errors
    /// As of [`Sender::start`].
    pub(crate) fn start(
        session: &[u8; 32],
        length: usize,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<Self, PsiError> {
        let setting = Setting::new(*session, length, workers)?;
        Ok(Self::ExpectOffer(Box::new(vole_receiver::ExpectOffer::begin(setting, seed))))
    }

    /// Takes the sender's next message.
    ///
    /// # Errors
    /// [`PsiError::Malformed`], [`PsiError::CheckFailed`], [`PsiError::WorkerLost`].
    pub(crate) fn handle(self, message: &[u8]) -> Result<Step<Self, ReceiverPart>, PsiError> {
        match self {
            Self::ExpectOffer(state) => {
                let (state, setup) = state.handle_offer(message)?;
                Ok(Step::Await(Self::ExpectTrees(Box::new(state)), setup))
            }
            Self::ExpectTrees(state) => {
                let (state, challenge) = state.handle_trees(message)?;
                Ok(Step::Await(Self::ExpectProof(Box::new(state)), challenge))
            }
            Self::ExpectProof(state) => Ok(Step::Done(state.handle_proof(message)?, None)),
        }
    }

    /// Does already what needs no further message. Worth calling while the proof, the last message,
    /// is on its way: it takes the receiver the most time. The result stays inside.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub(crate) fn prepare(self) -> Result<Self, PsiError> {
        match self {
            Self::ExpectProof(state) => Ok(Self::ExpectProof(Box::new(state.encode()?))),
            other => Ok(other),
        }
    }
}
