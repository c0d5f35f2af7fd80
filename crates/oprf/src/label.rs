//! Domain-separation strings: those of RFC 9497 and our own; none is built elsewhere.
//!
//! Implements spec/matching.md#labels.

/// DST of `HashToGroup`; ends in the contextString of mode 0x01 (RFC 9497 §3.1).
pub(crate) const HASH_TO_GROUP: &[u8] = b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512";
/// DST of `HashToScalar`.
pub(crate) const HASH_TO_SCALAR: &[u8] = b"HashToScalar-OPRFV1-\x01-ristretto255-SHA512";
/// DST of `DeriveKeyPair`; the RFC has no hyphen after the word.
pub(crate) const DERIVE_KEY_PAIR: &[u8] = b"DeriveKeyPairOPRFV1-\x01-ristretto255-SHA512";
/// `seedDST` of the composites.
pub(crate) const SEED: &[u8] = b"Seed-OPRFV1-\x01-ristretto255-SHA512";
/// Ends the input of a composite's weight.
pub(crate) const COMPOSITE: &[u8] = b"Composite";
/// Ends the input of the proof's challenge.
pub(crate) const CHALLENGE: &[u8] = b"Challenge";
/// Ends the input of the output hash.
pub(crate) const FINALIZE: &[u8] = b"Finalize";

/// Begins the `info` of a key pair.
pub(crate) const KEY: &str = "symbolon/1 oprf";
/// Nonce of a proof; local to the sender, seen by nobody.
pub(crate) const PROOF_NONCE: &str = "symbolon/1 oprf proof";
/// Tag of an output.
pub(crate) const TAG: &str = "symbolon/1 tag";
/// Confirm code of an output.
pub(crate) const CONFIRM: &str = "symbolon/1 confirm";
/// Record commitment.
pub(crate) const RECORD: &str = "symbolon/1 record";
/// Salt of one tag set; local to the holder, seen by nobody.
pub(crate) const SET_SALT: &str = "symbolon/1 set salt";
/// Salt of one entry, from the salt of its set.
pub(crate) const RECORD_SALT: &str = "symbolon/1 record salt";
