//! Cosignatures: the statement of a cosigner about a checkpoint, its keys and its verdict; signing
//! is for [`crate::CosignatureSigner`].
//!
//! Implements spec/log.md#cosignatures (c2sp.org/tlog-cosignature).
//!
//! Invariant: a [`Cosigned`] exists only where every line of its key was verified.

use crate::Hash;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::{Format, TlogError};
use crate::note::{KeyName, SignatureLine};
use crate::signature::{
    ED25519_SIGNATURE_BYTES, PublicKey, SignatureType, check_timestamp, split_timestamped,
    wrong_length,
};
use crate::vkey::{VkeyParts, key_id, write_vkey};

/// Signature types of cosignatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosignatureType {
    /// "`0x04` — Timestamped Ed25519 checkpoint cosignatures, as specified by
    /// c2sp.org/tlog-cosignature."
    Ed25519 = 0x04,
    /// "`0x06` — Timestamped ML-DSA-44 (sub)tree cosignatures, as specified by
    /// c2sp.org/tlog-cosignature." These SHOULD be used for new deployments.
    MlDsa44 = 0x06,
}

impl CosignatureType {
    /// The signature type identifier byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x04 => Some(Self::Ed25519),
            0x06 => Some(Self::MlDsa44),
            _ => None,
        }
    }

    /// The algorithm under the statement.
    pub(crate) const fn algorithm(self) -> SignatureType {
        match self {
            Self::Ed25519 => SignatureType::Ed25519,
            Self::MlDsa44 => SignatureType::MlDsa44,
        }
    }
}

/// The verifier key of a cosigner.
///
/// Two are equal when their name, their type and their public key are.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignatureVerifier {
    name: KeyName,
    key: PublicKey,
}

impl CosignatureVerifier {
    pub(crate) const fn new(name: KeyName, key: PublicKey) -> Self {
        Self { name, key }
    }

    /// Reads a verifier key of signature type 0x04 or 0x06.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], also when the key id is not the one that the key has.
    pub fn parse(vkey: &str) -> Result<Self, TlogError> {
        let parts = VkeyParts::parse(vkey)?;
        let kind = CosignatureType::from_code(parts.code).ok_or(TlogError::malformed(
            Format::VerifierKey,
            "the type is that of a cosignature, Ed25519 (0x04) or ML-DSA-44 (0x06)",
        ))?;
        Ok(Self::new(parts.name, PublicKey::decode(kind.algorithm(), &parts.public)?))
    }

    /// Name of the cosigner.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Type of the cosignatures that it verifies.
    #[must_use]
    pub const fn cosignature_type(&self) -> CosignatureType {
        match self.key.kind() {
            SignatureType::Ed25519 => CosignatureType::Ed25519,
            SignatureType::MlDsa44 => CosignatureType::MlDsa44,
        }
    }

    /// "SHA-256(`<name>` || "\n" || 0x04 || 32-byte Ed25519 cosigner public key)\[:4\]", or the
    /// same with 0x06 and the 1312-byte ML-DSA-44 key.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, self.cosignature_type().code(), self.key.as_bytes())
    }

    /// The raw public key, which tells whether two verifier keys wrap the same.
    pub(crate) fn public_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// Verifies the cosignatures of this key on a checkpoint.
    ///
    /// Lines of other keys are ignored. "If the key name and ID match a known key, verifiers MUST
    /// verify the signature": of several lines of this key each must verify, and together they
    /// are one cosigner that speaks once, at the latest of their times.
    ///
    /// # Errors
    /// [`TlogError::SignatureMissing`] without a line of this key, [`TlogError::SignatureInvalid`]
    /// or [`TlogError::Malformed`] if one of its lines does not verify.
    pub fn verify(&self, signed: &SignedCheckpoint) -> Result<Cosigned, TlogError> {
        let mut latest = None;
        for line in signed.note().signatures_by(&self.name, self.key_id()) {
            latest = latest.max(Some(self.verify_line(signed.note().text(), line)?));
        }
        let timestamp = latest.ok_or(TlogError::SignatureMissing)?;
        Ok(Cosigned {
            name: self.name.clone(),
            key_id: self.key_id(),
            timestamp,
            checkpoint: signed.checkpoint().clone(),
        })
    }

    /// The time that a line of this key states.
    pub(crate) fn verify_line(&self, text: &str, line: &SignatureLine) -> Result<u64, TlogError> {
        match &self.key {
            PublicKey::Ed25519(key) => {
                let (timestamp, signature) =
                    split_timestamped(line.signature(), ED25519_SIGNATURE_BYTES)?;
                let signature: [u8; ED25519_SIGNATURE_BYTES] =
                    signature.try_into().map_err(|_| wrong_length())?;
                let message = ed25519_message(text, timestamp)?;
                key.verify_strict(
                    message.as_bytes(),
                    &ed25519_dalek::Signature::from_bytes(&signature),
                )
                .map_err(|_| TlogError::SignatureInvalid)?;
                Ok(timestamp)
            }
            key @ PublicKey::MlDsa44(_) => {
                Ok(key.verify(&self.name, text, line.signature())?.unwrap_or(0))
            }
        }
    }
}

impl std::fmt::Display for CosignatureVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_vkey(f, &self.name, self.cosignature_type().code(), self.key.as_bytes())
    }
}

impl std::fmt::Debug for CosignatureVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CosignatureVerifier({}+{:08x})", self.name, self.key_id())
    }
}

/// Evidence that a cosigner cosigned a checkpoint.
///
/// It says what the cosigner says of origin, size and root. About extension lines "no semantic
/// statement is made".
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Cosigned {
    name: KeyName,
    key_id: u32,
    timestamp: u64,
    checkpoint: Checkpoint,
}

impl Cosigned {
    /// Name of the cosigner.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Id of the key that cosigned.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// When the cosigner says that this was the largest tree that it had observed, in Unix
    /// seconds; `None` if it does not say so.
    #[must_use]
    pub const fn timestamp(&self) -> Option<u64> {
        if self.timestamp == 0 { None } else { Some(self.timestamp) }
    }

    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.checkpoint.root()
    }

    /// "Verifiers MAY reject cosignatures with timestamps in the future": after `latest`, which is
    /// the time in Unix seconds and as much more as clocks may differ.
    ///
    /// # Errors
    /// [`TlogError::TimestampInFuture`].
    pub fn stated_by(self, latest: u64) -> Result<Self, TlogError> {
        if self.timestamp > latest { Err(TlogError::TimestampInFuture) } else { Ok(self) }
    }
}

/// "The signed message MUST be two newline (U+000A) terminated lines (one header line and one
/// timestamp line) followed by the whole note body of the cosigned checkpoint".
pub(crate) fn ed25519_message(text: &str, timestamp: u64) -> Result<String, TlogError> {
    check_timestamp(timestamp)?;
    Ok(format!("cosignature/v1\ntime {timestamp}\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ed25519_message_is_that_of_the_specification() {
        let text = "example.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let expect = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(ed25519_message(text, 1_679_315_147).unwrap(), expect);
        assert!(ed25519_message(text, 1 << 63).is_err());
    }
}
