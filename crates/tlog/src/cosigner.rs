//! Signing keys of a witness: cosigns what is durable, and nothing else.
//!
//! Implements spec/log.md#cosignatures and spec/log.md#witness (c2sp.org/tlog-cosignature).
//!
//! Invariant: a cosignature is made only from a [`Durable`], so "the witness MUST persist the new
//! checkpoint before responding" holds by construction.

use aws_lc_rs::signature::{KeyPair, ML_DSA_44_SIGNING, PqdsaKeyPair};
use ed25519_dalek::{Signer, SigningKey};

use crate::cosignature::{CosignatureType, CosignatureVerifier, ed25519_message};
use crate::error::TlogError;
use crate::label;
use crate::note::{KeyName, SignatureLine};
use crate::signature::{ML_DSA_44_SIGNATURE_BYTES, PublicKey, cosigned_message};
use crate::signer::derive;
use crate::witness::Durable;

/// A key that cosigns checkpoints. Both libraries wipe it when it is dropped.
///
/// "A cosigner operator that operates multiple Ed25519 cosigners […] MUST use distinct public keys
/// for each cosigner."
pub struct CosignatureSigner {
    verifier: CosignatureVerifier,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<SigningKey>),
    MlDsa44(PqdsaKeyPair),
}

impl CosignatureSigner {
    /// The key that follows from a 32-byte secret: the Ed25519 secret key of RFC 8032, or the
    /// seed ξ of FIPS 204.
    ///
    /// # Errors
    /// [`TlogError::Signing`] if the library fails.
    pub fn from_seed(
        name: KeyName,
        kind: CosignatureType,
        seed: &[u8; 32],
    ) -> Result<Self, TlogError> {
        let (secret, public) = match kind {
            CosignatureType::Ed25519 => {
                let key = SigningKey::from_bytes(seed);
                let public = PublicKey::Ed25519(key.verifying_key());
                (Secret::Ed25519(Box::new(key)), public)
            }
            CosignatureType::MlDsa44 => {
                let key = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed)
                    .map_err(|_| TlogError::Signing)?;
                let public = PublicKey::decode(kind.algorithm(), key.public_key().as_ref())
                    .map_err(|_| TlogError::Signing)?;
                (Secret::MlDsa44(key), public)
            }
        };
        Ok(Self { verifier: CosignatureVerifier::new(name, public), secret })
    }

    /// The ML-DSA-44 key of the log with this `origin` and `seed`, which cosigns other logs under
    /// the name of its own: whoever has the keys of the log can verify it.
    ///
    /// # Errors
    /// As [`crate::CheckpointSigner::from_seed`].
    pub fn of_log(origin: &str, seed: &[u8; 32]) -> Result<Self, TlogError> {
        let seed = derive(label::LOG_ML_DSA_44, seed);
        Self::from_seed(KeyName::parse(origin)?, CosignatureType::MlDsa44, &seed)
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifier(&self) -> &CosignatureVerifier {
        &self.verifier
    }

    /// Cosigns a checkpoint that is durable, stating that it was the largest consistent tree of its
    /// log that this witness had observed at the time that the evidence holds.
    ///
    /// ML-DSA-44 signs hedged, with randomness of its library, so two lines over the same
    /// checkpoint differ.
    ///
    /// # Errors
    /// [`TlogError::OwnLog`] for a checkpoint of the log that has the cosigner's name;
    /// [`TlogError::TimestampMissing`] if that time is 0: "the timestamp MUST NOT be zero";
    /// [`TlogError::Malformed`] if it is beyond 2^63 - 1; [`TlogError::Signing`] if the library
    /// fails.
    pub fn cosign(&self, durable: &Durable) -> Result<SignatureLine, TlogError> {
        let now = durable.at();
        if now == 0 {
            return Err(TlogError::TimestampMissing);
        }
        let signed = durable.checkpoint().signed();
        // What a log says of itself is no second opinion.
        if signed.checkpoint().origin() == self.verifier.name().as_str() {
            return Err(TlogError::OwnLog);
        }
        let name = self.verifier.name().clone();
        let mut timestamped = now.to_be_bytes().to_vec();
        match &self.secret {
            Secret::Ed25519(key) => {
                let message = ed25519_message(signed.note().text(), now)?;
                timestamped.extend_from_slice(&key.sign(message.as_bytes()).to_bytes());
            }
            Secret::MlDsa44(key) => {
                let message = cosigned_message(&name, now, signed.checkpoint())?;
                let mut signature = vec![0; ML_DSA_44_SIGNATURE_BYTES];
                key.sign(&message, &mut signature).map_err(|_| TlogError::Signing)?;
                timestamped.append(&mut signature);
            }
        }
        Ok(SignatureLine::new(name, self.verifier.key_id(), timestamped))
    }
}
