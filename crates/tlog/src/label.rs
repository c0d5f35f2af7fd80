//! Domain-separation labels of this crate; those of the C2SP formats stand beside their use.
//!
//! Implements spec/log.md#keys.

/// Derives the Ed25519 seed of a log from the log's seed.
pub(crate) const LOG_ED25519: &str = "symbolon/1 log ed25519";

/// Derives the ML-DSA-44 seed of a log from the log's seed.
pub(crate) const LOG_ML_DSA_44: &str = "symbolon/1 log ml-dsa-44";

/// First line of the proof that a log showed two histories.
pub(crate) const SPLIT_VIEW: &str = "symbolon/1 split view";
