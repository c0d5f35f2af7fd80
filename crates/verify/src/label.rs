//! Every domain-separation label that a verifier needs.

/// Before both root keys, for the fingerprint that names a node.
pub(crate) const ROOT: &str = "symbolon/1 root";
/// Under the root's signatures over a card.
pub(crate) const CARD: &str = "symbolon/1 card";
/// Before a card's bytes.
pub(crate) const CARD_DIGEST: &str = "symbolon/1 card digest";
/// Under both roots' signatures over an agreement.
pub(crate) const AGREEMENT: &str = "symbolon/1 agreement";
/// Before an agreement's bytes.
pub(crate) const AGREEMENT_DIGEST: &str = "symbolon/1 agreement digest";
/// Under the holder's signatures over an epoch card.
pub(crate) const EPOCH_CARD: &str = "symbolon/1 epoch card";
/// Before an epoch card's bytes.
pub(crate) const EPOCH_CARD_DIGEST: &str = "symbolon/1 epoch card digest";
/// Under the sender's signatures over a statement.
pub(crate) const STATEMENT: &str = "symbolon/1 statement";
/// Under the sender's signatures over a statement of a drill.
pub(crate) const EXERCISE_STATEMENT: &str = "symbolon/1 exercise statement";
/// Under the builder's signatures over a manifest.
pub(crate) const EVIDENCE: &str = "symbolon/1 evidence";
/// Before kind and bytes of an item.
pub(crate) const ITEM: &str = "symbolon/1 evidence item";
/// Leaf of an entry.
pub(crate) const LEAF: &str = "symbolon/1 leaf";
/// Leaf of a query.
pub(crate) const QUERY: &str = "symbolon/1 query";
/// Private digest of a query.
pub(crate) const PRIVATE: &str = "symbolon/1 private";
/// Record commitment of a tag.
pub(crate) const RECORD: &str = "symbolon/1 record";
/// Before a node's fingerprint, in the origin of its log.
pub(crate) const LOG_ORIGIN: &str = "symbolon/1/log/";
