//! Who acts: a name that goes into the log and into committed queries.

use crate::DeskError;

const NAME_BYTES_MAX: usize = 64;

/// The name of an officer, or of the node itself where it acts by its own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer(String);

impl Officer {
    /// Reads a name: letters, digits and `.-_@`, 64 at most.
    ///
    /// # Errors
    /// [`DeskError`] for any other text.
    pub fn parse(name: &str) -> Result<Officer, DeskError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(allowed) {
            return Err(DeskError::invalid(
                "the officer's name is not usable",
                "use up to 64 letters, digits and .-_@",
            ));
        }
        Ok(Officer(name.to_owned()))
    }

    /// The node itself.
    #[must_use]
    pub fn node() -> Officer {
        Officer("node".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
