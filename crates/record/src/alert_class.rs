//! How fast an alert must be read and acted on.
//!
//! Implements spec/alerts.md#classes.

use std::fmt;
use std::str::FromStr;

use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::RecordError;

/// The class of an alert, the fastest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize_repr, Deserialize_repr,
)]
#[repr(u8)]
pub enum AlertClass {
    /// Now, at any hour.
    Flash = 1,
    /// Within hours.
    Urgent = 2,
    /// Within days.
    Routine = 3,
}

impl AlertClass {
    /// Every class.
    pub const ALL: &'static [Self] = &[Self::Flash, Self::Urgent, Self::Routine];

    /// The name in rules and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flash => "flash",
            Self::Urgent => "urgent",
            Self::Routine => "routine",
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The class with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.code() == code)
    }
}

impl fmt::Display for AlertClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AlertClass {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let named = Self::ALL.iter().copied().find(|class| class.as_str() == text);
        named.ok_or(RecordError::UnknownName { what: "alert class" })
    }
}
