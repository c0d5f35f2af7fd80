//! Signing keys of a log: makes signature lines, decides nothing about what deserves them.
//!
//! Implements spec/log.md#keys and spec/log.md#signatures.
//!
//! Invariant: "A log MUST not sign any checkpoint which is inconsistent with any checkpoint it
//! previously signed" is the caller's to keep: sign only a tree that is durable.

use aws_lc_rs::signature::{KeyPair, ML_DSA_44_SIGNING, PqdsaKeyPair};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::TlogError;
use crate::label;
use crate::note::{KeyName, SignatureLine, SignedNote};
use crate::signature::{ML_DSA_44_SIGNATURE_BYTES, PublicKey, SignatureType, cosigned_message};
use crate::vkey::{CheckpointVerifier, NoteVerifier};

/// A key that signs checkpoints. Both libraries wipe it when it is dropped.
pub struct NoteSigner {
    verifier: NoteVerifier,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<SigningKey>),
    MlDsa44(PqdsaKeyPair),
}

impl NoteSigner {
    /// The key that follows from a 32-byte secret: the Ed25519 secret key of RFC 8032, or the
    /// seed ξ of FIPS 204.
    ///
    /// # Errors
    /// [`TlogError::Signing`] if the library fails.
    pub fn from_seed(
        name: KeyName,
        kind: SignatureType,
        seed: &[u8; 32],
    ) -> Result<Self, TlogError> {
        let (secret, public) = match kind {
            SignatureType::Ed25519 => {
                let key = SigningKey::from_bytes(seed);
                let public = PublicKey::Ed25519(key.verifying_key());
                (Secret::Ed25519(Box::new(key)), public)
            }
            SignatureType::MlDsa44 => {
                let key = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed)
                    .map_err(|_| TlogError::Signing)?;
                let public = PublicKey::decode(kind, key.public_key().as_ref())
                    .map_err(|_| TlogError::Signing)?;
                (Secret::MlDsa44(key), public)
            }
        };
        Ok(Self { verifier: NoteVerifier::new(name, public), secret })
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// A signature line under `checkpoint`. `now`, in Unix seconds, says that this is the largest
    /// tree that the signer has seen by then; 0 says nothing; an Ed25519 line has no place for it.
    ///
    /// ML-DSA-44 signs hedged, with randomness of its library, so two lines over the same
    /// checkpoint differ.
    ///
    /// # Errors
    /// [`TlogError::OriginMismatch`] if an ML-DSA-44 key is to sign a checkpoint of another log:
    /// that is a cosignature, which only [`crate::CosignatureSigner`] makes.
    /// [`TlogError::Malformed`] if `now` is beyond 2^63 - 1, [`TlogError::Signing`] if the library
    /// fails.
    pub fn sign(&self, checkpoint: &Checkpoint, now: u64) -> Result<SignatureLine, TlogError> {
        let name = self.verifier.name().clone();
        let signature = match &self.secret {
            Secret::Ed25519(key) => key.sign(checkpoint.to_string().as_bytes()).to_bytes().to_vec(),
            Secret::MlDsa44(_) if checkpoint.origin() != name.as_str() => {
                return Err(TlogError::OriginMismatch);
            }
            Secret::MlDsa44(key) => {
                let message = cosigned_message(&name, now, checkpoint)?;
                let mut timestamped = now.to_be_bytes().to_vec();
                let mut signature = vec![0; ML_DSA_44_SIGNATURE_BYTES];
                key.sign(&message, &mut signature).map_err(|_| TlogError::Signing)?;
                timestamped.append(&mut signature);
                timestamped
            }
        };
        Ok(SignatureLine::new(name, self.verifier.key_id(), signature))
    }
}

/// The two keys of a log, which both sign its checkpoints.
pub struct CheckpointSigner {
    ed25519: NoteSigner,
    ml_dsa_44: NoteSigner,
}

impl CheckpointSigner {
    /// The keys of the log with this `origin` that follow from `seed`.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the origin is no key name, [`TlogError::Signing`] if the library
    /// fails.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, TlogError> {
        let name = KeyName::parse(origin)?;
        let key = |kind, label| NoteSigner::from_seed(name.clone(), kind, &derive(label, seed));
        Ok(Self {
            ed25519: key(SignatureType::Ed25519, label::LOG_ED25519)?,
            ml_dsa_44: key(SignatureType::MlDsa44, label::LOG_ML_DSA_44)?,
        })
    }

    /// Origin of the log's checkpoints, which is the name of both keys.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.ed25519.verifier.name().as_str()
    }

    /// The keys that verify what this one signs.
    #[must_use]
    pub fn verifier(&self) -> CheckpointVerifier {
        CheckpointVerifier::new(self.ed25519.verifier.clone(), self.ml_dsa_44.verifier.clone())
    }

    /// Signs a checkpoint with both keys, without a time.
    ///
    /// # Errors
    /// As [`Self::sign_at`].
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<SignedCheckpoint, TlogError> {
        self.sign_at(checkpoint, 0)
    }

    /// Signs a checkpoint with both keys, stating that it was the log's largest at `now`, in Unix
    /// seconds.
    ///
    /// # Errors
    /// [`TlogError::OriginMismatch`] for another log's checkpoint, [`TlogError::ExtensionUnsigned`]
    /// if it has extension lines, [`TlogError::Malformed`] if `now` is beyond 2^63 - 1, or
    /// [`TlogError::Signing`].
    pub fn sign_at(
        &self,
        checkpoint: &Checkpoint,
        now: u64,
    ) -> Result<SignedCheckpoint, TlogError> {
        if checkpoint.origin() != self.origin() {
            return Err(TlogError::OriginMismatch);
        }
        if !checkpoint.extensions().is_empty() {
            return Err(TlogError::ExtensionUnsigned);
        }
        let lines =
            vec![self.ed25519.sign(checkpoint, now)?, self.ml_dsa_44.sign(checkpoint, now)?];
        SignedCheckpoint::from_note(SignedNote::new(checkpoint.to_string(), lines)?)
    }
}

pub(crate) fn derive(label: &str, seed: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new_with_prefix(label);
    hash.update(seed);
    Zeroizing::new(hash.finalize().into())
}
