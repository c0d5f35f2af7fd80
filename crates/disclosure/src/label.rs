//! Every domain-separation label of this crate.

/// Under both signatures over a statement.
pub(crate) const STATEMENT: &str = "symbolon/1 statement";
/// Before the header's hash, as HPKE `info`.
pub(crate) const ENVELOPE: &str = "symbolon/1 envelope";
/// Before what the encapsulation randomness is made of.
pub(crate) const ENCAPSULATION: &str = "symbolon/1 encapsulation";
/// Before the seed of a statement's random bits.
pub(crate) const STATEMENT_ID: &str = "symbolon/1 statement id";
