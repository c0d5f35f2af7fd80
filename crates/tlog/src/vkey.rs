//! Verifier keys, and the verdict on a note by one key or by the two keys of a log.
//!
//! Implements spec/log.md#keys and spec/log.md#signatures (c2sp.org/signed-note, "Verifier keys").
//!
//! Invariant: [`VerifiedSignature`] and [`VerifiedCheckpoint`] exist only where every signature
//! that they stand for was verified.

use sha2::{Digest, Sha256};

use crate::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::cosignature::CosignatureVerifier;
use crate::error::{Format, TlogError};
use crate::limits::VKEY_BYTES_MAX;
use crate::note::{KeyName, SignedNote};
use crate::signature::{PublicKey, SignatureType};
use crate::text::{base64, parse_base64};

/// Evidence that a known key signed a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct VerifiedSignature {
    timestamp: Option<u64>,
}

impl VerifiedSignature {
    /// When the signer says that it signed, in Unix seconds, if it says so.
    #[must_use]
    pub const fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }
}

/// A verifier key (vkey).
#[derive(Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: KeyName,
    key: PublicKey,
}

impl NoteVerifier {
    pub(crate) const fn new(name: KeyName, key: PublicKey) -> Self {
        Self { name, key }
    }

    /// Reads "`<key name>+hex(32-bit key ID)+base64(signature type || public key)`".
    ///
    /// # Errors
    /// [`TlogError::Malformed`], also when the key id is not the one that the key has.
    pub fn parse(vkey: &str) -> Result<Self, TlogError> {
        let parts = VkeyParts::parse(vkey)?;
        let kind = SignatureType::from_code(parts.code).ok_or(TlogError::malformed(
            Format::VerifierKey,
            "the type is Ed25519 (0x01) or ML-DSA-44 (0x06)",
        ))?;
        Ok(Self::new(parts.name, PublicKey::decode(kind, &parts.public)?))
    }

    /// Name of the key.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Type of the signatures that it verifies.
    #[must_use]
    pub const fn signature_type(&self) -> SignatureType {
        self.key.kind()
    }

    /// "key ID = SHA-256(key name || 0x0A || signature type || public key)\[:4\]"
    #[must_use]
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, self.key.kind().code(), self.key.as_bytes())
    }

    /// The raw public key, which tells whether two verifier keys wrap the same.
    pub(crate) fn public_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// Verifies the signature lines of this key on `note`, however many; gives their number.
    pub(crate) fn verify_lines(&self, note: &SignedNote) -> Result<usize, TlogError> {
        let key_id = self.key_id();
        let mut verified = 0;
        for line in note.signatures_by(&self.name, key_id) {
            self.key.verify(&self.name, note.text(), line.signature())?;
            verified += 1;
        }
        Ok(verified)
    }

    /// Verifies that this key signed `note`, once.
    ///
    /// An ML-DSA-44 key signs the first three lines of a checkpoint, not the text: a note that is
    /// no checkpoint does not verify, and extension lines are not covered.
    ///
    /// # Errors
    /// [`TlogError::SignatureMissing`], [`TlogError::SignatureRepeated`],
    /// [`TlogError::SignatureInvalid`], or [`TlogError::Malformed`] where the signature, or the
    /// checkpoint under an ML-DSA-44 signature, breaks a rule.
    pub fn verify(&self, note: &SignedNote) -> Result<VerifiedSignature, TlogError> {
        let key_id = self.key_id();
        let mut lines = note.signatures_by(&self.name, key_id);
        let line = lines.next().ok_or(TlogError::SignatureMissing)?;
        if lines.next().is_some() {
            return Err(TlogError::SignatureRepeated);
        }
        let timestamp = self.key.verify(&self.name, note.text(), line.signature())?;
        Ok(VerifiedSignature { timestamp })
    }
}

impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_vkey(f, &self.name, self.key.kind().code(), self.key.as_bytes())
    }
}

impl std::fmt::Debug for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteVerifier({}+{:08x})", self.name, self.key_id())
    }
}

/// The parts of a verifier key, whose key id has been checked.
pub(crate) struct VkeyParts {
    pub(crate) name: KeyName,
    pub(crate) code: u8,
    pub(crate) public: Vec<u8>,
}

impl VkeyParts {
    pub(crate) fn parse(vkey: &str) -> Result<Self, TlogError> {
        let malformed = |rule| TlogError::malformed(Format::VerifierKey, rule);
        if vkey.len() > VKEY_BYTES_MAX {
            return Err(malformed("a verifier key has at most 2048 bytes"));
        }
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("a verifier key has a name, a key id and a key"));
        };
        let key = parse_base64(key).ok_or(malformed("the key is canonical base64"))?;
        let (code, public) = key.split_first().ok_or(malformed("the key has a type"))?;
        let name = KeyName::parse(name)?;
        if format!("{:08x}", key_id(&name, *code, public)) != id {
            return Err(malformed("the key id is that of the name and key, in lowercase hex"));
        }
        Ok(Self { name, code: *code, public: public.to_vec() })
    }
}

/// "key ID = SHA-256(key name || 0x0A || signature type || public key)\[:4\]"
pub(crate) fn key_id(name: &KeyName, code: u8, public: &[u8]) -> u32 {
    let mut hash = Sha256::new_with_prefix(name.as_str());
    hash.update([0x0a, code]);
    hash.update(public);
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    u32::from_be_bytes([a, b, c, d])
}

pub(crate) fn write_vkey(
    f: &mut std::fmt::Formatter<'_>,
    name: &KeyName,
    code: u8,
    public: &[u8],
) -> std::fmt::Result {
    let key = [&[code], public].concat();
    write!(f, "{name}+{:08x}+{}", key_id(name, code, public), base64(&key))
}

/// The two keys of a log, which both must have signed its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointVerifier {
    ed25519: NoteVerifier,
    ml_dsa_44: NoteVerifier,
}

impl CheckpointVerifier {
    pub(crate) const fn new(ed25519: NoteVerifier, ml_dsa_44: NoteVerifier) -> Self {
        Self { ed25519, ml_dsa_44 }
    }

    /// Reads the two verifier keys of a log: Ed25519 first, then ML-DSA-44, of one name.
    ///
    /// # Errors
    /// [`TlogError::Malformed`].
    pub fn parse<S: AsRef<str>>(vkeys: &[S]) -> Result<Self, TlogError> {
        let [ed25519, ml_dsa_44] = vkeys else {
            return Err(TlogError::malformed(Format::VerifierKey, "a log has two keys"));
        };
        let ed25519 = NoteVerifier::parse(ed25519.as_ref())?;
        let ml_dsa_44 = NoteVerifier::parse(ml_dsa_44.as_ref())?;
        if ed25519.signature_type() != SignatureType::Ed25519
            || ml_dsa_44.signature_type() != SignatureType::MlDsa44
            || ed25519.name != ml_dsa_44.name
        {
            let rule = "a log has an Ed25519 and an ML-DSA-44 key of one name, in this order";
            return Err(TlogError::malformed(Format::VerifierKey, rule));
        }
        Ok(Self::new(ed25519, ml_dsa_44))
    }

    /// The two verifier keys as text, in the order that [`Self::parse`] reads.
    #[must_use]
    pub fn vkeys(&self) -> [String; 2] {
        [self.ed25519.to_string(), self.ml_dsa_44.to_string()]
    }

    /// The ML-DSA-44 key as that of a cosigner of other logs, under the name of this one.
    #[must_use]
    pub fn cosigner(&self) -> CosignatureVerifier {
        CosignatureVerifier::new(self.ml_dsa_44.name.clone(), self.ml_dsa_44.key.clone())
    }

    /// Origin of the log's checkpoints, which is the name of both keys.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.ed25519.name.as_str()
    }

    /// Verifies both signatures of a checkpoint of this log.
    ///
    /// # Errors
    /// [`TlogError::OriginMismatch`] for another log, [`TlogError::ExtensionUnsigned`] if there are
    /// extension lines, or why one of the signatures does not verify.
    pub fn verify(&self, signed: &SignedCheckpoint) -> Result<VerifiedCheckpoint, TlogError> {
        if signed.checkpoint().origin() != self.origin() {
            return Err(TlogError::OriginMismatch);
        }
        if !signed.checkpoint().extensions().is_empty() {
            return Err(TlogError::ExtensionUnsigned);
        }
        let _ed25519 = self.ed25519.verify(signed.note())?;
        let ml_dsa_44 = self.ml_dsa_44.verify(signed.note())?;
        Ok(VerifiedCheckpoint::new(signed.clone(), ml_dsa_44.timestamp()))
    }

    /// Reads the text of a signed checkpoint and verifies it.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::parse`] and [`Self::verify`].
    pub fn verify_text(&self, text: &str) -> Result<VerifiedCheckpoint, TlogError> {
        self.verify(&SignedCheckpoint::parse(text)?)
    }
}
