//! The name of a node: the fingerprint of its root keys, also as words to be read aloud.
//!
//! Implements spec/identity.md#fingerprint.

use std::fmt;

use bip39::Language;
use serde::{Deserialize, Serialize};

/// Words shown for one fingerprint; 11 bits each, so 132 bits in all.
pub const FINGERPRINT_WORDS: usize = 12;

/// Fingerprint of a root key pair, and the only name of a node that two nodes agree on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(#[serde(with = "serde_bytes")] [u8; 32]);

impl NodeId {
    /// Takes a fingerprint that was read from somewhere; says nothing about who holds the key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 132 bits as twelve words of the English BIP-39 list, most significant bit first.
    #[must_use]
    pub fn words(&self) -> [&'static str; FINGERPRINT_WORDS] {
        let list = Language::English.word_list();
        std::array::from_fn(|index| {
            let word = (index * 11..index * 11 + 11).fold(0_usize, |word, bit| {
                let byte = self.0.get(bit / 8).copied().unwrap_or_default();
                word << 1 | usize::from(byte >> (7 - bit % 8) & 1)
            });
            // Eleven bits are at most 2047, the last of the list's 2048 words.
            list.get(word).copied().unwrap_or_default()
        })
    }
}

/// The first eight bytes in hexadecimal: enough to tell partners apart on a screen, too little to
/// trust.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the BIP-39 test vectors are the entropy's bits followed by a check sum; with
    /// 128 bits of entropy and its four check bits in front, the twelve words are the same.
    /// Source: <https://github.com/trezor/python-mnemonic/blob/master/vectors.json>.
    #[test]
    fn words_are_those_of_bip39() {
        let cases = [
            (
                "00000000000000000000000000000000",
                0x30,
                "abandon abandon abandon abandon abandon \
                abandon abandon abandon abandon abandon abandon about",
            ),
            (
                "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
                0x80,
                "legal winner thank year wave sausage \
                worth useful legal winner thank yellow",
            ),
            (
                "ffffffffffffffffffffffffffffffff",
                0x50,
                "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo \
                zoo wrong",
            ),
            (
                "9e885d952ad362caeb4efe34a8e91bd2",
                0x10,
                "ozone drill grab fiber curtain grace \
                pudding thank cruise elder eight picnic",
            ),
        ];
        for (entropy, check, expect) in cases {
            let mut bytes = [0; 32];
            bytes[..16].copy_from_slice(&hex::decode(entropy).unwrap());
            bytes[16] = check;
            assert_eq!(NodeId::from_bytes(bytes).words().join(" "), expect);
        }
    }

    #[test]
    fn shows_eight_bytes() {
        let id = NodeId::from_bytes([0xab; 32]);
        assert_eq!(id.to_string(), "abababababababab");
        assert_eq!(format!("{id:?}"), "NodeId(abababababababab)");
    }
}
