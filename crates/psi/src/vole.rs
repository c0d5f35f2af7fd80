//! The vector correlation as the session uses it: `C = A'·Δ + B` over GF(2^128).
//!
//! Implements spec/psi.md#correlation. The sender begins; each message is answered by one or ends
//! the side that it comes to.

use zeroize::Zeroizing;

use crate::field::Block;

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

// Wanted from the correlation (each consumes its state; `length` is that of the vectors):
//
//   Sender::start(session: &[u8; 32], length: usize, seed: [u8; 32], workers: usize)
//       -> Result<(Sender, Vec<u8>), PsiError>
//   Sender::handle(self, message: &[u8]) -> Result<Step<Sender, SenderPart>, PsiError>
//   Receiver::start(session: &[u8; 32], length: usize, seed: [u8; 32], workers: usize)
//       -> Result<Receiver, PsiError>
//   Receiver::handle(self, message: &[u8]) -> Result<Step<Receiver, ReceiverPart>, PsiError>
