//! What each side has of a vector correlation `C = A'·Δ + B` over GF(2^128) when it is done.
//!
//! Implements spec/psi.md#correlation. The sender begins; five messages, of lengths that follow
//! from the vectors' length:
//!
//! ```text
//! sender  offer ─────────▶          8,192 bytes: base transfers
//!               ◀───── setup        receiver: base answer, extension, choices of the trees
//!         trees ─────────▶          masked level sums and corrections
//!               ◀───── challenge    receiver: 48 bytes
//!         proof ─────────▶          32 bytes
//! ```

use zeroize::Zeroizing;

use crate::field::Block;

/// The sender's part.
pub(crate) struct SenderPart {
    /// Δ.
    pub(crate) delta: Zeroizing<Block>,
    /// B.
    pub(crate) shares: Zeroizing<Vec<Block>>,
}

/// The receiver's part.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ReceiverPart {
    /// A'.
    pub(crate) masks: Zeroizing<Vec<Block>>,
    /// C.
    pub(crate) shares: Zeroizing<Vec<Block>>,
}
