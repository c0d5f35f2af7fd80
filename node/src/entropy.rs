//! The only place where operating-system randomness enters the process; makes seeds, keeps none.
//!
//! Implements spec/architecture.md#layers.
//!
//! Invariant: one seed per call, used by exactly one operation of a lower layer.

/// A fresh seed.
///
/// # Panics
/// When the operating system has no randomness to give: every key and blind made after that point
/// would be guessable, so the process must not go on.
#[must_use]
#[expect(clippy::expect_used, reason = "a node without randomness must stop, not answer weakly")]
pub(crate) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).expect("the operating system gives randomness");
    seed
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_differ() {
        assert_ne!(super::seed(), super::seed());
    }
}
