//! What a finished evaluation gives: the secret output, its public tag and its confirm code.
//!
//! Implements spec/matching.md#outputs.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteArray;
use subtle::ConstantTimeEq;
use symbolon_codec::sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::TAG_BYTES;
use crate::{OprfError, label, suite};

/// The 64-byte PRF output of one input: whoever has it knows or holds the input's secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Output([u8; 64]);

impl Output {
    pub(crate) fn new(input: &[u8], element: &[u8; 32]) -> Self {
        Self(suite::output_hash(input, element))
    }

    /// The bytes, for a comparison with another implementation and nothing else.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 64] {
        &self.0
    }

    /// What stands for the input in a tag set.
    #[must_use]
    pub fn tag(&self) -> Tag {
        let [tag, _] = halves(sha256(label::TAG, &[&self.0]));
        Tag(tag)
    }

    /// What shows the holder that the asker evaluated this very input; not derivable from the tag.
    #[must_use]
    pub fn confirm_code(&self) -> ConfirmCode {
        ConfirmCode(sha256(label::CONFIRM, &[&self.0]))
    }

    /// Compares a partner's confirm code with this output's, in constant time.
    ///
    /// # Errors
    /// [`OprfError::ConfirmMismatch`].
    pub fn verify_confirm(&self, code: &ConfirmCode) -> Result<Confirmed, OprfError> {
        if self.confirm_code().0.ct_eq(&code.0).into() {
            Ok(Confirmed(()))
        } else {
            Err(OprfError::ConfirmMismatch)
        }
    }
}

/// Evidence that a confirm code matched.
#[derive(Debug)]
pub struct Confirmed(());

/// 128 bits that stand for one input under one key; random to everyone without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; TAG_BYTES]);

/// 256 bits that only one who evaluated the input can show; no `==`, so that no comparison leaks.
#[derive(Clone)]
pub struct ConfirmCode([u8; 32]);

fn halves(bytes: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    halves.as_flattened_mut().copy_from_slice(&bytes);
    halves
}

/// Bytes of a fixed length that travel as a byte string and never appear in a text.
macro_rules! bytes {
    ($name:ident, $length:expr) => {
        impl $name {
            /// Takes the bytes as they are stored or sent.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                ByteArray::deserialize(deserializer).map(|bytes| Self(bytes.into_array()))
            }
        }
    };
}
pub(crate) use bytes;

bytes!(Tag, TAG_BYTES);
bytes!(ConfirmCode, 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_and_confirm_are_the_labelled_hashes() {
        use sha2::{Digest, Sha256};
        let output = Output([9; 64]);
        let tag = Sha256::digest([b"symbolon/1 tag".as_slice(), &[9; 64]].concat());
        let confirm = Sha256::digest([b"symbolon/1 confirm".as_slice(), &[9; 64]].concat());
        assert_eq!(output.tag().as_bytes(), &tag[..16]);
        assert_eq!(output.confirm_code().as_bytes(), &confirm[..]);
    }

    #[test]
    fn a_confirm_code_differs_by_one_bit_and_fails() {
        let output = Output([9; 64]);
        assert!(output.verify_confirm(&output.confirm_code()).is_ok());
        for bit in 0..256 {
            let mut code = output.confirm_code();
            code.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(output.verify_confirm(&code).err(), Some(OprfError::ConfirmMismatch));
        }
    }

    #[test]
    fn no_text_shows_the_bytes() {
        let output = Output([9; 64]);
        let text = format!("{:?} {:?}", output.tag(), output.confirm_code());
        assert_eq!(text, "Tag([redacted]) ConfirmCode([redacted])");
    }
}
