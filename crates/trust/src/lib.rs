//! Node cards, agreements, identity keys and fingerprints in words; no transport and no storage.
//!
//! Implements spec/identity.md.
//!
//! A node is its root: two public keys, whose fingerprint two people compare by reading twelve
//! words aloud. Everything else follows by signatures, each of them double (Ed25519 and
//! ML-DSA-65), so that neither a broken curve nor a broken lattice alone lets anyone in.

mod agreement;
pub mod armor;
mod card;
mod error;
mod key;
mod label;
pub mod limits;
mod node_id;
mod validity;

pub use agreement::{Agreement, ClassTerms, Epoch, Mode, SignedAgreement, VerifiedAgreement};
pub use armor::ArmorFault;
pub use card::{
    DOCUMENT_VERSION, EnvelopeKey, NodeCard, NodeName, Replacement, SUITE_X_WING, SignedCard,
    TlsPin, VerifiedCard, key_id,
};
pub use error::{Document, Moment, Scheme, TrustError};
pub use key::{IdentityKey, IdentityPublic, Signatures, Verified};
pub use node_id::{FINGERPRINT_WORDS, NodeId};
