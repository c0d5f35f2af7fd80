//! Asking a partner to cosign a checkpoint of the own log; the bodies are those of C2SP.
//!
//! Implements spec/transport.md#cosign (c2sp.org/tlog-witness, "add-checkpoint", over a stream).

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::AddCheckpoint;

use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::limits::{COSIGN_BYTES_MAX, COSIGNED_BYTES_MAX};
use crate::message::{Message, both_ways, bound};
use crate::serve::Served;

/// `cosign`: a checkpoint of the sender's log and the proof that it continues the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Cosign {
    body: String,
}

impl Cosign {
    /// The request.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`].
    pub fn new(request: &AddCheckpoint) -> Result<Self, ProtocolError> {
        let body = request.to_string();
        bound(body.len(), COSIGN_BYTES_MAX, "body")?;
        Ok(Self { body })
    }

    /// The body of the add-checkpoint call, of which nothing has been verified.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// `cosigned`: what a witness answers over HTTP, as status and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Cosigned {
    status: u16,
    body: String,
}

impl Cosigned {
    /// The answer.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`] or [`ProtocolError::Field`] for what no witness answers.
    pub fn new(status: u16, body: String) -> Result<Self, ProtocolError> {
        let answer = Self { status, body };
        answer.validate()?;
        Ok(answer)
    }

    /// The HTTP status: 200, 400, 403, 404, 409 or 422.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Cosignature lines with 200, the known size with 409, nothing otherwise.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}

both_ways!(Cosign);

impl Message for Cosign {
    const TYPE: u8 = 15;
    const NAME: &'static str = "cosign";
    const BYTES_MAX: usize = COSIGN_BYTES_MAX + 16;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.body.len(), COSIGN_BYTES_MAX, "body")
    }
}

impl Request for Cosign {
    type Response = Cosigned;
}

impl Served for Cosign {
    type Answer = Cosigned;
}

both_ways!(Cosigned);

impl Message for Cosigned {
    const TYPE: u8 = 16;
    const NAME: &'static str = "cosigned";
    const BYTES_MAX: usize = COSIGNED_BYTES_MAX + 16;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.body.len(), COSIGNED_BYTES_MAX, "body")?;
        match self.status {
            200 | 409 if !self.body.is_empty() => Ok(()),
            400 | 403 | 404 | 422 if self.body.is_empty() => Ok(()),
            _ => Err(ProtocolError::Field { field: "status" }),
        }
    }
}
