//! Every domain-separation label of this crate.

/// Under both signatures over a statement.
pub(crate) const STATEMENT: &str = "symbolon/1 statement";
/// Under both signatures over a statement of a drill.
pub(crate) const EXERCISE_STATEMENT: &str = "symbolon/1 exercise statement";
/// Before the header's hash, as HPKE `info`.
pub(crate) const ENVELOPE: &str = "symbolon/1 envelope";
/// The same for an envelope of a drill.
pub(crate) const EXERCISE_ENVELOPE: &str = "symbolon/1 exercise envelope";
/// Before what the encapsulation randomness is made of.
pub(crate) const ENCAPSULATION: &str = "symbolon/1 encapsulation";
/// Before the seed of a statement's random bits.
pub(crate) const STATEMENT_ID: &str = "symbolon/1 statement id";
