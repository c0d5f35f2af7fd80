//! What goes wrong at the desk: whose fault, one sentence, and what to do; never a value.

use symbolon_audit::AuditError;
use symbolon_disclosure::DisclosureError;
use symbolon_ident::IdentError;
use symbolon_interop::InteropError;
use symbolon_oprf::OprfError;
use symbolon_policy::PolicyError;
use symbolon_protocol::ProtocolError;
use symbolon_record::RecordError;
use symbolon_store::StoreError;
use symbolon_tlog::TlogError;
use symbolon_trust::TrustError;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's input is not usable.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// Policy, agreement, budget or state forbid it.
    Refused,
    /// Who asks is not known, or not admitted.
    Credentials,
    /// Too much was asked in too short a time.
    Busy,
    /// It may work later.
    Unavailable,
    /// A defect or a broken disk here.
    Internal,
}

impl Fault {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Invalid => "invalid",
            Fault::NotFound => "not_found",
            Fault::Refused => "refused",
            Fault::Credentials => "credentials",
            Fault::Busy => "busy",
            Fault::Unavailable => "unavailable",
            Fault::Internal => "internal",
        }
    }
}

/// A failure at the desk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeskError {
    fault: Fault,
    message: String,
    remedy: String,
    retry_seconds: Option<u64>,
}

impl DeskError {
    fn new(fault: Fault, message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        let (message, remedy) = (message.into(), remedy.into());
        DeskError { fault, message, remedy, retry_seconds: None }
    }

    /// The caller's input is not usable.
    #[must_use]
    pub fn invalid(message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        DeskError::new(Fault::Invalid, message, remedy)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        DeskError::new(Fault::NotFound, message, remedy)
    }

    /// Policy, agreement, budget or state forbid it.
    #[must_use]
    pub fn refused(message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        DeskError::new(Fault::Refused, message, remedy)
    }

    /// It may work later.
    #[must_use]
    pub fn unavailable(message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        DeskError::new(Fault::Unavailable, message, remedy)
    }

    /// Who asks is not known, or not admitted.
    #[must_use]
    pub fn credentials(message: impl Into<String>, remedy: impl Into<String>) -> DeskError {
        DeskError::new(Fault::Credentials, message, remedy)
    }

    /// Too much was asked; it is worth asking again after `retry_seconds`.
    #[must_use]
    pub fn busy(message: impl Into<String>, retry_seconds: u64) -> DeskError {
        let remedy = format!("try again in {retry_seconds} s");
        let error = DeskError::new(Fault::Busy, message, remedy);
        DeskError { retry_seconds: Some(retry_seconds), ..error }
    }

    /// A defect or a broken disk here.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> DeskError {
        DeskError::new(Fault::Internal, message, "look at the node's own output; report it")
    }

    /// Whose turn it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// When asking again is worth it, where that is known.
    #[must_use]
    pub fn retry_seconds(&self) -> Option<u64> {
        self.retry_seconds
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> DeskError {
        let message = chain(&error);
        match error {
            StoreError::Full => DeskError::unavailable(message, "free space on the node's disk"),
            StoreError::Exhausted { .. } => {
                DeskError::refused(message, "wait for the next epoch, or agree on a larger budget")
            }
            StoreError::Conflict => {
                DeskError::unavailable(message, "somebody changed it meanwhile; try again")
            }
            StoreError::Closed => DeskError::unavailable(message, "the node is stopping"),
            _ => DeskError::internal(message),
        }
    }
}

macro_rules! invalid {
    ($($error:ty => $remedy:literal;)+) => {$(
        impl From<$error> for DeskError {
            fn from(error: $error) -> DeskError {
                DeskError::invalid(chain(&error), $remedy)
            }
        }
    )+};
}

invalid! {
    IdentError => "look at the kind and the spelling";
    InteropError => "correct the mapping or the file";
    PolicyError => "correct the policy; the one in force stays";
    RecordError => "correct the record";
    TrustError => "get the file again from the partner";
}

macro_rules! internal {
    ($($error:ty),+) => {$(
        impl From<$error> for DeskError {
            fn from(error: $error) -> DeskError {
                DeskError::internal(chain(&error))
            }
        }
    )+};
}

internal!(AuditError, DisclosureError, OprfError, ProtocolError, TlogError);
