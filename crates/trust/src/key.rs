//! Identity keys: every signature here is two, Ed25519 and ML-DSA-65, and both must verify.
//!
//! Implements spec/identity.md#signatures.
//!
//! Invariant: a signature covers `label ‖ SHA-256(bytes)`, so no signature for one purpose serves
//! another.

use std::fmt;

use aws_lc_rs::signature::{
    KeyPair, ML_DSA_65, ML_DSA_65_SIGNING, PqdsaKeyPair, UnparsedPublicKey,
};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::sha256;
use zeroize::Zeroizing;

use crate::error::{Document, Scheme, TrustError};
use crate::label;
use crate::limits::{ED25519_SIGNATURE_BYTES, ML_DSA_65_PUBLIC_BYTES, ML_DSA_65_SIGNATURE_BYTES};
use crate::node_id::NodeId;

/// Both secret keys of a root or of a node's signing identity; wiped when dropped.
pub struct IdentityKey {
    ed25519: SigningKey,
    mldsa65: PqdsaKeyPair,
    public: IdentityPublic,
}

impl IdentityKey {
    /// Both keys from one secret seed: the first 32 bytes of its ChaCha20 stream are the Ed25519
    /// secret, the next 32 the ML-DSA-65 seed (FIPS 204, ξ). Whoever keeps the seed keeps the key.
    ///
    /// # Errors
    /// [`TrustError::Library`] when the library fails, which no seed is known to cause.
    pub fn generate(seed: [u8; 32]) -> Result<Self, TrustError> {
        let seed = Zeroizing::new(seed);
        let mut stream = ChaCha20Rng::from_seed(*seed);
        let mut secrets = Zeroizing::new([[0; 32]; 2]);
        secrets.iter_mut().for_each(|secret| stream.fill_bytes(secret));
        let [ed25519, mldsa65] = &*secrets;
        let ed25519 = SigningKey::from_bytes(ed25519);
        let mldsa65 = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, mldsa65)
            .map_err(|_| TrustError::Library)?;
        let public = IdentityPublic {
            ed25519: ed25519.verifying_key().to_bytes(),
            mldsa65: mldsa65.public_key().as_ref().to_vec(),
        };
        Ok(Self { ed25519, mldsa65, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &IdentityPublic {
        &self.public
    }

    /// Signs `bytes` for the purpose that `label` names.
    ///
    /// The Ed25519 signature is deterministic. The ML-DSA-65 one is hedged with the library's own
    /// randomness (FIPS 204 §3.4), so two signatures over the same bytes differ.
    ///
    /// # Errors
    /// [`TrustError::Library`] when the library fails.
    pub fn sign(&self, label: &'static str, bytes: &[u8]) -> Result<Signatures, TrustError> {
        let message = signed_message(label, bytes);
        let mut mldsa65 = vec![0; ML_DSA_65_SIGNATURE_BYTES];
        match self.mldsa65.sign(&message, &mut mldsa65) {
            Ok(ML_DSA_65_SIGNATURE_BYTES) => {}
            _ => return Err(TrustError::Library),
        }
        Ok(Signatures { ed25519: self.ed25519.sign(&message).to_bytes(), mldsa65 })
    }
}

/// Both public keys of a root or of a node's signing identity.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PublicWire", into = "PublicWire")]
pub struct IdentityPublic {
    ed25519: [u8; 32],
    mldsa65: Vec<u8>,
}

impl IdentityPublic {
    /// Takes two encoded public keys.
    ///
    /// # Errors
    /// [`TrustError::Field`] when the Ed25519 key is not a canonical point outside the small
    /// subgroup, or the ML-DSA-65 key has another length than FIPS 204 says.
    pub fn new(ed25519: [u8; 32], mldsa65: Vec<u8>) -> Result<Self, TrustError> {
        let field = |field| TrustError::Field { document: Document::Statement, field };
        let point = VerifyingKey::from_bytes(&ed25519).map_err(|_| field("ed25519"))?;
        if point.is_weak() || point.to_edwards().compress().to_bytes() != ed25519 {
            return Err(field("ed25519"));
        }
        if mldsa65.len() != ML_DSA_65_PUBLIC_BYTES {
            return Err(field("mldsa65"));
        }
        Ok(Self { ed25519, mldsa65 })
    }

    /// The Ed25519 key.
    #[must_use]
    pub fn ed25519(&self) -> &[u8; 32] {
        &self.ed25519
    }

    /// The ML-DSA-65 key.
    #[must_use]
    pub fn mldsa65(&self) -> &[u8] {
        &self.mldsa65
    }

    /// The name of the node whose root this is.
    #[must_use]
    pub fn fingerprint(&self) -> NodeId {
        NodeId::from_bytes(sha256(label::ROOT, &[&self.ed25519, &self.mldsa65]))
    }

    /// Checks both signatures over `bytes` for the purpose that `label` names.
    ///
    /// # Errors
    /// [`TrustError::Signature`], naming the first of the two that fails.
    pub fn verify(
        &self,
        label: &'static str,
        bytes: &[u8],
        signatures: &Signatures,
    ) -> Result<Verified, TrustError> {
        self.verify_document(Document::Statement, label, bytes, signatures)
    }

    pub(crate) fn verify_document(
        &self,
        document: Document,
        label: &'static str,
        bytes: &[u8],
        signatures: &Signatures,
    ) -> Result<Verified, TrustError> {
        let failed = |scheme| TrustError::Signature { document, scheme };
        let message = signed_message(label, bytes);
        // Strict: the cofactorless equation and no small-order point, so that all implementations
        // agree on what verifies.
        VerifyingKey::from_bytes(&self.ed25519)
            .and_then(|key| key.verify_strict(&message, &signatures.ed25519.into()))
            .map_err(|_| failed(Scheme::Ed25519))?;
        UnparsedPublicKey::new(&ML_DSA_65, &self.mldsa65)
            .verify(&message, &signatures.mldsa65)
            .map_err(|_| failed(Scheme::MlDsa65))?;
        Ok(Verified(()))
    }
}

impl fmt::Debug for IdentityPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityPublic({})", self.fingerprint())
    }
}

/// Evidence that both signatures over some bytes verified.
#[derive(Debug)]
#[must_use]
pub struct Verified(());

/// Both signatures over one message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SignaturesWire", into = "SignaturesWire")]
pub struct Signatures {
    ed25519: [u8; ED25519_SIGNATURE_BYTES],
    mldsa65: Vec<u8>,
}

impl Signatures {
    /// Takes two encoded signatures; says nothing about what they sign.
    ///
    /// # Errors
    /// [`TrustError::Field`] when the ML-DSA-65 signature has another length than FIPS 204 says.
    pub fn new(ed25519: [u8; 64], mldsa65: Vec<u8>) -> Result<Self, TrustError> {
        if mldsa65.len() != ML_DSA_65_SIGNATURE_BYTES {
            let (document, field) = (Document::Statement, "mldsa65 signature");
            return Err(TrustError::Field { document, field });
        }
        Ok(Self { ed25519, mldsa65 })
    }

    /// The Ed25519 signature.
    #[must_use]
    pub fn ed25519(&self) -> &[u8; 64] {
        &self.ed25519
    }

    /// The ML-DSA-65 signature.
    #[must_use]
    pub fn mldsa65(&self) -> &[u8] {
        &self.mldsa65
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signatures(..)")
    }
}

/// "symbolon/1 …" ‖ SHA-256(bytes). The hash has a fixed length, so two labels of different length
/// never give one message.
fn signed_message(label: &'static str, bytes: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &sha256("", &[bytes])].concat()
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct PublicWire {
    #[serde(with = "serde_bytes")]
    ed25519: [u8; 32],
    #[serde(with = "serde_bytes")]
    mldsa65: Vec<u8>,
}

impl TryFrom<PublicWire> for IdentityPublic {
    type Error = TrustError;

    fn try_from(wire: PublicWire) -> Result<Self, TrustError> {
        Self::new(wire.ed25519, wire.mldsa65)
    }
}

impl From<IdentityPublic> for PublicWire {
    fn from(public: IdentityPublic) -> Self {
        Self { ed25519: public.ed25519, mldsa65: public.mldsa65 }
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct SignaturesWire {
    #[serde(with = "serde_bytes")]
    ed25519: [u8; 64],
    #[serde(with = "serde_bytes")]
    mldsa65: Vec<u8>,
}

impl TryFrom<SignaturesWire> for Signatures {
    type Error = TrustError;

    fn try_from(wire: SignaturesWire) -> Result<Self, TrustError> {
        Self::new(wire.ed25519, wire.mldsa65)
    }
}

impl From<Signatures> for SignaturesWire {
    fn from(signatures: Signatures) -> Self {
        Self { ed25519: signatures.ed25519, mldsa65: signatures.mldsa65 }
    }
}
