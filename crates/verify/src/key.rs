//! Pairs of keys and of signatures: Ed25519 and ML-DSA-65, and both must verify.
//!
//! Implements spec/identity.md#signatures.

use aws_lc_rs::signature::{ML_DSA_65, UnparsedPublicKey};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::sha256;

use crate::label;

const ML_DSA_65_PUBLIC_BYTES: usize = 1952;
const ML_DSA_65_SIGNATURE_BYTES: usize = 3309;

/// The name of a node: the fingerprint of its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(ByteArray<32>);

impl NodeId {
    /// A fingerprint.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> NodeId {
        NodeId(ByteArray::new(bytes))
    }

    /// All 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::words::hex(*self.0))
    }
}

/// Both public keys of a root, or of a node's signing identity.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Identity {
    ed25519: ByteArray<32>,
    mldsa65: ByteBuf,
}

impl Identity {
    pub(crate) fn fingerprint(&self) -> NodeId {
        NodeId::new(sha256(label::ROOT, &[&*self.ed25519, &self.mldsa65]))
    }

    /// "A non-canonical encoding, of small order, or no point is refused when it is read."
    pub(crate) fn is_well_formed(&self) -> bool {
        let point = VerifyingKey::from_bytes(&self.ed25519);
        let is_point = point.is_ok_and(|point| {
            !point.is_weak() && point.to_edwards().compress().to_bytes() == *self.ed25519
        });
        is_point && self.mldsa65.len() == ML_DSA_65_PUBLIC_BYTES
    }

    /// Whether both signatures are over label ‖ SHA-256(bytes).
    #[must_use]
    pub(crate) fn signed(&self, label: &str, bytes: &[u8], signatures: &Signatures) -> bool {
        let message = [label.as_bytes(), &sha256("", &[bytes])].concat();
        let ed25519 = VerifyingKey::from_bytes(&self.ed25519)
            .and_then(|key| key.verify_strict(&message, &(*signatures.ed25519).into()));
        let key = UnparsedPublicKey::new(&ML_DSA_65, &*self.mldsa65);
        ed25519.is_ok() && key.verify(&message, &signatures.mldsa65).is_ok()
    }
}

/// Both signatures over one message.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Signatures {
    pub(crate) ed25519: ByteArray<64>,
    pub(crate) mldsa65: ByteBuf,
}

impl Signatures {
    pub(crate) fn is_well_formed(&self) -> bool {
        self.mldsa65.len() == ML_DSA_65_SIGNATURE_BYTES
    }
}

/// Bytes and the two signatures over them: the form of cards, epoch cards and statements.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Signed {
    pub(crate) bytes: ByteBuf,
    ed25519: ByteArray<64>,
    mldsa65: ByteBuf,
}

impl Signed {
    pub(crate) fn signatures(&self) -> Signatures {
        Signatures { ed25519: self.ed25519, mldsa65: self.mldsa65.clone() }
    }
}
