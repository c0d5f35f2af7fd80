//! Length framing: parts joined for a hash so that no two lists of parts give the same bytes.

use sha2::{Digest, Sha256};

/// Parts, each behind its length as four bytes big-endian.
#[derive(Clone, Default)]
pub struct Framed(Vec<u8>);

impl Framed {
    /// No parts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one part, at most `u32::MAX` bytes; what lies beyond is hashed away by nobody, because
    /// every caller's parts are bounded far below.
    #[must_use]
    pub fn part(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// The framed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Framed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// SHA-256 over `label` followed by `parts`, without framing: for the fixed-length parts that the
/// specification writes as `label ‖ a ‖ b`.
#[must_use]
pub fn sha256(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(label.as_bytes());
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
