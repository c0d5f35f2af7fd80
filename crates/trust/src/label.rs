//! Every domain-separation label of this crate.

/// Before both root keys, for the fingerprint that names a node.
pub(crate) const ROOT: &str = "symbolon/1 root";
/// Under the root's signatures over a node card.
pub(crate) const CARD: &str = "symbolon/1 card";
/// Before a card's bytes, for the digest that nodes compare.
pub(crate) const CARD_DIGEST: &str = "symbolon/1 card digest";
/// Under both roots' signatures over an agreement.
pub(crate) const AGREEMENT: &str = "symbolon/1 agreement";
/// Before an agreement's bytes, for its digest.
pub(crate) const AGREEMENT_DIGEST: &str = "symbolon/1 agreement digest";
/// Before armoured bytes, for the check digits against damage in the mail.
pub(crate) const ARMOR: &str = "symbolon/1 armor";
