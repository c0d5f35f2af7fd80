//! The exit codes of every command, and the error that carries one.
//!
//! Implements spec/node.md#exit-codes.

use std::fmt;

/// What a command ends with. `0` is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Something that should not happen, here or in the node.
    Internal = 1,
    /// The input is not usable. (The command line itself: also 2.)
    Invalid = 2,
    /// There is no such thing.
    NotFound = 3,
    /// Policy, agreement, budget or state forbid it.
    Refused = 4,
    /// The node is not running, or a partner was not asked.
    Unavailable = 5,
    /// A check found something that does not hold.
    CheckFailed = 6,
}

impl Exit {
    /// How bad it is, where one command has done several things: what goes on by itself first,
    /// then what a person must look at.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Unavailable => 0,
            Self::Invalid => 1,
            Self::NotFound => 2,
            Self::Refused => 3,
            Self::CheckFailed => 4,
            Self::Internal => 5,
        }
    }
}

/// A failure with its exit code and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Failure {
        Failure { exit, message: message.into(), remedy: remedy.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure::new(Exit::Invalid, message, remedy)
    }

    /// The words of `code` in an answer of the API.
    pub(crate) fn from_code(code: &str, message: String, remedy: String) -> Failure {
        let exit = match code {
            "invalid" => Exit::Invalid,
            "not_found" => Exit::NotFound,
            "refused" | "credentials" => Exit::Refused,
            "busy" | "unavailable" => Exit::Unavailable,
            _ => Exit::Internal,
        };
        Failure { exit, message, remedy }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, ": {}", self.remedy) }
    }
}

impl std::error::Error for Failure {}
