//! The two signature types of this house: what is signed, and how it is laid out in a line.
//!
//! Implements spec/log.md#signatures (c2sp.org/signed-note and c2sp.org/tlog-cosignature).

use aws_lc_rs::signature::{ML_DSA_44, UnparsedPublicKey};
use ed25519_dalek::VerifyingKey;

use crate::checkpoint::Checkpoint;
use crate::error::{Format, TlogError};
use crate::limits::{KEY_NAME_BYTES_MAX, ORIGIN_BYTES_MAX, TIMESTAMP_SECONDS_MAX};
use crate::note::KeyName;

pub(crate) const ED25519_SIGNATURE_BYTES: usize = 64;
pub(crate) const ML_DSA_44_PUBLIC_BYTES: usize = 1312;
pub(crate) const ML_DSA_44_SIGNATURE_BYTES: usize = 2420;

/// Signature types of c2sp.org/signed-note that this house reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureType {
    /// "`0x01` — Ed25519 signatures as specified by this document."
    Ed25519 = 0x01,
    /// "`0x06` — Timestamped ML-DSA-44 (sub)tree cosignatures, as specified by
    /// c2sp.org/tlog-cosignature."
    MlDsa44 = 0x06,
}

impl SignatureType {
    /// The signature type identifier byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x01 => Some(Self::Ed25519),
            0x06 => Some(Self::MlDsa44),
            _ => None,
        }
    }
}

/// A public key that can verify.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Ed25519(VerifyingKey),
    MlDsa44(Box<[u8; ML_DSA_44_PUBLIC_BYTES]>),
}

impl PublicKey {
    pub(crate) fn decode(kind: SignatureType, bytes: &[u8]) -> Result<Self, TlogError> {
        let malformed = |rule| TlogError::malformed(Format::VerifierKey, rule);
        match kind {
            SignatureType::Ed25519 => {
                let rule = "an Ed25519 key is 32 bytes, a canonical point of large order";
                let bytes = bytes.try_into().map_err(|_| malformed(rule))?;
                let key = VerifyingKey::from_bytes(bytes).map_err(|_| malformed(rule))?;
                let canonical = key.to_edwards().compress().as_bytes() == bytes;
                if canonical && !key.is_weak() {
                    Ok(Self::Ed25519(key))
                } else {
                    Err(malformed(rule))
                }
            }
            SignatureType::MlDsa44 => {
                // The length also keeps the library from reading an X.509 structure here.
                let bytes: [u8; ML_DSA_44_PUBLIC_BYTES] =
                    bytes.try_into().map_err(|_| malformed("an ML-DSA-44 key is 1312 bytes"))?;
                Ok(Self::MlDsa44(Box::new(bytes)))
            }
        }
    }

    pub(crate) const fn kind(&self) -> SignatureType {
        match self {
            Self::Ed25519(_) => SignatureType::Ed25519,
            Self::MlDsa44(_) => SignatureType::MlDsa44,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.as_bytes(),
            Self::MlDsa44(key) => key.as_slice(),
        }
    }

    /// Verifies the bytes after the key id of a line by `name`; gives the time that they state.
    pub(crate) fn verify(
        &self,
        name: &KeyName,
        text: &str,
        signature: &[u8],
    ) -> Result<Option<u64>, TlogError> {
        match self {
            // "Ed25519 signatures are generated according to RFC 8032 over the note text."
            Self::Ed25519(key) => {
                let signature: [u8; ED25519_SIGNATURE_BYTES] =
                    signature.try_into().map_err(|_| wrong_length())?;
                let signature = ed25519_dalek::Signature::from_bytes(&signature);
                key.verify_strict(text.as_bytes(), &signature)
                    .map_err(|_| TlogError::SignatureInvalid)?;
                Ok(None)
            }
            Self::MlDsa44(key) => {
                let (timestamp, signature) =
                    split_timestamped(signature, ML_DSA_44_SIGNATURE_BYTES)?;
                let message = cosigned_message(name, timestamp, &Checkpoint::parse(text)?)?;
                UnparsedPublicKey::new(&ML_DSA_44, key.as_slice())
                    .verify(&message, signature)
                    .map_err(|_| TlogError::SignatureInvalid)?;
                Ok((timestamp != 0).then_some(timestamp))
            }
        }
    }
}

/// The time and the signature of a `timestamped_signature` whose signature has `length` bytes.
pub(crate) fn split_timestamped(
    signature: &[u8],
    length: usize,
) -> Result<(u64, &[u8]), TlogError> {
    let (timestamp, signature) = signature.split_first_chunk::<8>().ok_or_else(wrong_length)?;
    if signature.len() != length {
        return Err(wrong_length());
    }
    let timestamp = u64::from_be_bytes(*timestamp);
    check_timestamp(timestamp)?;
    Ok((timestamp, signature))
}

/// "It MUST NOT exceed 2^63 - 1".
pub(crate) fn check_timestamp(timestamp: u64) -> Result<(), TlogError> {
    if timestamp > TIMESTAMP_SECONDS_MAX {
        return Err(TlogError::malformed(Format::Signature, "a timestamp is below 2^63"));
    }
    Ok(())
}

pub(crate) const fn wrong_length() -> TlogError {
    TlogError::malformed(Format::Signature, "a signature has the length of its type")
}

/// "The signed message MUST be a `cosigned_message` structure":
///
/// ```text
/// struct {
///     uint8 label[12] = "subtree/v1\n\0";
///     opaque cosigner_name<1..2^8-1>;
///     uint64 timestamp;
///     opaque log_origin<1..2^8-1>;
///     uint64 start;
///     uint64 end;
///     uint8 hash[32];
/// } cosigned_message;
/// ```
///
/// For a checkpoint, `start` "MUST be zero" and `end` "is the size of the tree". Extension lines
/// "are not included in the signed message".
pub(crate) fn cosigned_message(
    name: &KeyName,
    timestamp: u64,
    checkpoint: &Checkpoint,
) -> Result<Vec<u8>, TlogError> {
    check_timestamp(timestamp)?;
    let mut message =
        Vec::with_capacity(12 + 1 + KEY_NAME_BYTES_MAX + 8 + 1 + ORIGIN_BYTES_MAX + 48);
    message.extend_from_slice(b"subtree/v1\n\0");
    opaque8(&mut message, name.as_str())?;
    message.extend_from_slice(&timestamp.to_be_bytes());
    opaque8(&mut message, checkpoint.origin())?;
    message.extend_from_slice(&0u64.to_be_bytes());
    message.extend_from_slice(&checkpoint.size().to_be_bytes());
    message.extend_from_slice(checkpoint.root().as_bytes());
    Ok(message)
}

/// An `opaque<1..2^8-1>` (RFC 8446 §3.4); names and origins are bounded where they are parsed.
fn opaque8(message: &mut Vec<u8>, text: &str) -> Result<(), TlogError> {
    let length = u8::try_from(text.len())
        .map_err(|_| TlogError::malformed(Format::Signature, "a name is 1 to 255 bytes"))?;
    message.push(length);
    message.extend_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn the_signed_message_is_laid_out_as_specified() {
        let name = KeyName::parse("w.example/1").unwrap();
        let checkpoint = Checkpoint::new("a.example/log", 0x0102, leaf_hash("root")).unwrap();
        let message = cosigned_message(&name, 0x0a0b_0c0d, &checkpoint).unwrap();
        let expect = [
            "737562747265652f76310a00",        // "subtree/v1\n\0"
            "0b772e6578616d706c652f31",        // cosigner_name
            "000000000a0b0c0d",                // timestamp
            "0d612e6578616d706c652f6c6f67",    // log_origin
            "0000000000000000",                // start
            "0000000000000102",                // end
            &hex::encode(leaf_hash("root").0), // hash
        ];
        assert_eq!(hex::encode(message), expect.concat());
        assert!(cosigned_message(&name, TIMESTAMP_SECONDS_MAX, &checkpoint).is_ok());
        assert!(cosigned_message(&name, TIMESTAMP_SECONDS_MAX + 1, &checkpoint).is_err());
    }
}
