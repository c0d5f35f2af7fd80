//! What has been said so far, as one running hash, and the public values drawn from it.
//!
//! Implements spec/psi.md#transcript.
//!
//! Invariant: a value drawn after a message depends on every byte of it and of all before it.

use crate::label;

/// What a drawn value is for; the number is part of what is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Keys of the doubler of a small tree.
    SmallTree = 1,
    /// Key of the leaf hash of the small trees.
    SmallLeaf = 2,
    /// Point of the hash that checks the extension.
    ExtensionCheck = 3,
    /// Key of the hash of the extended transfers.
    TransferHash = 4,
    /// Keys of the doubler of a noise tree.
    NoiseTree = 5,
    /// Seed of the code.
    Code = 6,
}

/// The running hash of one session, the same on both sides while nothing was altered.
#[derive(Clone)]
pub(crate) struct Transcript([u8; 32]);

impl Transcript {
    /// `terms` is what both sides must agree on before the first message.
    pub(crate) fn new(session: &[u8; 32], terms: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(label::VOLE_TRANSCRIPT);
        hasher.update(session);
        for term in terms {
            hasher.update(&term.to_le_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    pub(crate) fn absorb(&mut self, message: &[u8]) {
        let mut hasher = blake3::Hasher::new_derive_key(label::VOLE_TRANSCRIPT);
        hasher.update(&self.0).update(&(message.len() as u64).to_le_bytes()).update(message);
        self.0 = *hasher.finalize().as_bytes();
    }

    /// A value that nobody could know before the last message was fixed.
    pub(crate) fn derive(&self, purpose: Purpose, index: usize) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(label::VOLE_DERIVE);
        hasher.update(&self.0).update(&[purpose as u8]).update(&(index as u64).to_le_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The state itself, for a hash that is to cover all messages.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_and_purpose_matters() {
        let base = Transcript::new(&[1; 32], &[5]);
        let mut split = base.clone();
        split.absorb(b"ab");
        split.absorb(b"c");
        let mut other = base.clone();
        other.absorb(b"a");
        other.absorb(b"bc");
        let draws = [
            base.derive(Purpose::Code, 0),
            base.derive(Purpose::Code, 1),
            base.derive(Purpose::NoiseTree, 0),
            split.derive(Purpose::Code, 0),
            other.derive(Purpose::Code, 0),
            Transcript::new(&[2; 32], &[5]).derive(Purpose::Code, 0),
            Transcript::new(&[1; 32], &[6]).derive(Purpose::Code, 0),
        ];
        for (i, left) in draws.iter().enumerate() {
            assert!(draws.iter().skip(i + 1).all(|right| left != right));
        }
    }
}
