//! Asking a partner for its account of what passed; it comes as a sealed envelope.
//!
//! Implements spec/transport.md#account.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::deliver::{Acknowledge, Delivered};
use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::limits::SMALL_REQUEST_BYTES_MAX;
use crate::message::{Message, both_ways};
use crate::serve::Served;

/// `account_request`: what passed between the two, as the receiver's log has it, please.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AccountRequest {
    from: u64,
}

impl AccountRequest {
    /// For the leaves from `from` on, of the receiver's log.
    #[must_use]
    pub const fn new(from: u64) -> Self {
        Self { from }
    }

    /// First leaf to look at.
    #[must_use]
    pub const fn from(&self) -> u64 {
        self.from
    }
}

both_ways!(AccountRequest);

impl Message for AccountRequest {
    const TYPE: u8 = 17;
    const NAME: &'static str = "account_request";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

impl Request for AccountRequest {
    type Response = Delivered;
}

impl Served for AccountRequest {
    type Answer = Acknowledge;
}
