//! Who acts, and in which role: what goes into the log and into committed queries.
//!
//! Implements spec/accountability.md#roles.
//!
//! Invariant: the role is that of the door that somebody came through, never a claim.

use crate::DeskError;

const NAME_BYTES_MAX: usize = 64;
/// What the log puts before the name of a hotline.
const HOTLINE_PREFIX: &str = "hotline/";

/// What somebody may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Works with records, queries and hits.
    Officer,
    /// Sees counts, proofs and metadata, and contents only where they were opened to it.
    Auditor,
    /// Hands in alerts from a machine without a node, and sees its own alone.
    Hotline,
}

/// The name of an officer or auditor, or of the node itself where it acts by its own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// As it goes into the log: an auditor's begins with `auditor/` and a hotline's with
    /// `hotline/`, which no name can.
    actor: String,
    role: Role,
}

/// Evidence that somebody may be shown contents.
pub(crate) struct Sight<'a>(&'a Officer);

impl Officer {
    /// Reads a name: letters, digits and `.-_@`, 64 at most. The role is that of the router.
    ///
    /// # Errors
    /// [`DeskError`] for any other text.
    pub fn parse(name: &str, role: Role) -> Result<Officer, DeskError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(allowed) {
            return Err(DeskError::invalid(
                "the officer's name is not usable",
                "use up to 64 letters, digits and .-_@",
            ));
        }
        let actor = match role {
            Role::Officer => name.to_owned(),
            Role::Auditor => format!("auditor/{name}"),
            Role::Hotline => format!("{HOTLINE_PREFIX}{name}"),
        };
        Ok(Officer { actor, role })
    }

    /// The node itself.
    #[must_use]
    pub fn node() -> Officer {
        Officer { actor: "node".to_owned(), role: Role::Officer }
    }

    /// The name as it goes into the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.actor
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The name of the hotline that acts, where it is one.
    #[must_use]
    pub fn hotline(&self) -> Option<&str> {
        match self.role {
            Role::Hotline => self.actor.strip_prefix(HOTLINE_PREFIX),
            Role::Officer | Role::Auditor => None,
        }
    }

    /// May see contents: an officer may, and what is seen is logged. For an auditor,
    /// `opening.rs` makes the evidence, query by query. A hotline sees none: what it handed in, it
    /// has. Titles of its own alerts are shown without this.
    pub(crate) fn sight(&self) -> Result<Sight<'_>, DeskError> {
        match self.role {
            Role::Officer => Ok(Sight(self)),
            Role::Auditor => Err(DeskError::refused(
                "auditors see no contents but those of queries that were opened to them",
                "ask an officer for 'symbolon audit grant'",
            )),
            Role::Hotline => Err(DeskError::refused(
                "a hotline sees no contents but the titles of what it handed in",
                "ask an officer of the node",
            )),
        }
    }

    /// May see what an opening in force covers; only `opening.rs` asks for it.
    pub(crate) fn dangerous_sight_of_opened(&self) -> Sight<'_> {
        Sight(self)
    }
}

impl Sight<'_> {
    /// Who sees.
    pub(crate) fn officer(&self) -> &Officer {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_officer_can_pass_for_an_auditor_nor_see_as_one() {
        assert!(Officer::parse("auditor/ada", Role::Officer).is_err());
        let auditor = Officer::parse("ada", Role::Auditor).unwrap();
        assert_eq!(auditor.as_str(), "auditor/ada");
        assert!(auditor.sight().is_err());
        let officer = Officer::parse("ada", Role::Officer).unwrap();
        assert!(officer.sight().is_ok() && officer != auditor);
    }

    #[test]
    fn no_officer_can_pass_for_a_hotline_nor_a_hotline_see() {
        assert!(Officer::parse("hotline/harbour", Role::Officer).is_err());
        let hotline = Officer::parse("harbour", Role::Hotline).unwrap();
        assert_eq!((hotline.as_str(), hotline.hotline()), ("hotline/harbour", Some("harbour")));
        assert!(hotline.sight().is_err());
        assert_eq!(Officer::parse("harbour", Role::Officer).unwrap().hotline(), None);
    }
}
