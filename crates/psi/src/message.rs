//! Reads the fixed parts of a message; a message has exactly the length that its step knows.
//!
//! Implements spec/psi.md#messages.
//!
//! Invariant: no length is read from the message, so nothing is allocated that it could choose.

use crate::PsiError;
use crate::field::{self, Block};

/// What of a message has not been read yet.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], PsiError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(PsiError::Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], PsiError> {
        self.take(N)?.try_into().map_err(|_| PsiError::Malformed)
    }

    pub(crate) fn block(&mut self) -> Result<Block, PsiError> {
        Ok(Block::from_bytes(self.array()?))
    }

    pub(crate) fn blocks(&mut self, count: usize) -> Result<Vec<Block>, PsiError> {
        Ok(field::from_bytes(self.take(count * Block::BYTES)?))
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<(), PsiError> {
        if self.0.is_empty() { Ok(()) } else { Err(PsiError::Malformed) }
    }
}
