//! Handing over an envelope, and the answer; the only way in which anything sealed leaves.
//!
//! Implements spec/transport.md#deliver.
//!
//! Invariant: [`Disclose`] is the only form of an envelope that can be sent, and it takes what
//! `disclosure` sealed and the receipt of its entry in the log.

use serde::{Serialize, Serializer};
use serde_bytes::Bytes;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::Receipt;
use symbolon_disclosure::{Resealed, Sealed as SealedEnvelope};
use symbolon_trust::NodeId;

use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::handshake::Established;
use crate::limits::{ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX};
use crate::message::{Message, Outgoing, bound, sealed::Sealed};
use crate::serve::Served;

/// An envelope on its way out, sealed and logged: by itself it is `deliver`.
#[derive(Debug, PartialEq, Eq)]
pub struct Disclose {
    envelope: Vec<u8>,
    to: NodeId,
}

impl Disclose {
    /// Makes a sealed envelope fit to be sent; `receipt` is that of its entry in the own log,
    /// which is durable by then.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`] for an envelope that fits no frame; it is for a courier.
    pub fn new(sealed: SealedEnvelope, receipt: Receipt) -> Result<Self, ProtocolError> {
        let to = sealed.to();
        Self::restore_from_own_store(sealed.into_bytes(), to, receipt)
    }

    /// Makes a statement that was sealed again fit to be sent; `receipt` is that of its entry.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn resealed(resealed: Resealed, receipt: Receipt) -> Result<Self, ProtocolError> {
        let to = resealed.to();
        Self::restore_from_own_store(resealed.into_bytes(), to, receipt)
    }

    /// Takes back what [`Self::as_bytes`] gave and the own store kept, to send it again after a
    /// restart. Bytes from anywhere else would leave the node around policy.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn restore_from_own_store(
        envelope: Vec<u8>,
        to: NodeId,
        _receipt: Receipt,
    ) -> Result<Self, ProtocolError> {
        bound(envelope.len(), ENVELOPE_BYTES_MAX, "envelope")?;
        Ok(Self { envelope, to })
    }

    /// The envelope, for the own store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.envelope
    }

    /// The recipient.
    #[must_use]
    pub const fn to(&self) -> NodeId {
        self.to
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.envelope
    }

    pub(crate) fn addressed(&self, session: &Established) -> Result<(), ProtocolError> {
        if self.to == session.partner() {
            Ok(())
        } else {
            Err(ProtocolError::Misuse { rule: "an envelope goes to its recipient" })
        }
    }
}

/// As [`Delivery`].
impl Serialize for Disclose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [Bytes::new(&self.envelope)].serialize(serializer)
    }
}

/// Many of them in one message: a list of one field.
pub(crate) fn serialize_all<S: Serializer>(
    envelopes: &[Disclose],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let envelopes: Vec<_> =
        envelopes.iter().map(|envelope| Bytes::new(&envelope.envelope)).collect();
    [envelopes].serialize(serializer)
}

/// `deliver` as it arrives: an envelope that nobody has opened yet.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Delivery {
    #[serde(with = "serde_bytes")]
    envelope: Vec<u8>,
}

impl Delivery {
    /// The envelope, for `disclosure::open`.
    #[must_use]
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }
}

/// `delivered` on its way out.
#[derive(Debug, PartialEq, Eq, Serialize_tuple)]
pub struct Acknowledge {
    #[serde(with = "serde_bytes")]
    envelope: Option<Vec<u8>>,
}

impl Acknowledge {
    /// The envelope is durably here, now or since an earlier delivery; an answer comes later or
    /// never.
    #[must_use]
    pub const fn taken() -> Self {
        Self { envelope: None }
    }

    /// The envelope is durably here, and this answers it.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when the answer is for another node.
    pub fn with(answer: Disclose, session: &Established) -> Result<Self, ProtocolError> {
        answer.addressed(session)?;
        Ok(Self { envelope: Some(answer.envelope) })
    }
}

/// `delivered` as it arrives: the partner has the envelope, and may answer it at once.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Delivered {
    #[serde(with = "serde_bytes")]
    envelope: Option<Vec<u8>>,
}

impl Delivered {
    /// The answering envelope, for `disclosure::open`.
    #[must_use]
    pub fn envelope(&self) -> Option<&[u8]> {
        self.envelope.as_deref()
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivery({} bytes)", self.envelope.len())
    }
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivered({} bytes)", self.envelope.as_ref().map_or(0, Vec::len))
    }
}

impl Sealed for Disclose {}

impl Outgoing for Disclose {
    const NUMBER: u8 = Delivery::TYPE;
}

impl Request for Disclose {
    type Response = Delivered;

    fn permitted(&self, session: &Established) -> Result<(), ProtocolError> {
        self.addressed(session)
    }
}

impl Sealed for Delivery {}

impl Message for Delivery {
    const TYPE: u8 = 13;
    const NAME: &'static str = "deliver";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.envelope.len(), ENVELOPE_BYTES_MAX, "envelope")
    }
}

impl Served for Delivery {
    type Answer = Acknowledge;
}

impl Sealed for Acknowledge {}

impl Outgoing for Acknowledge {
    const NUMBER: u8 = Delivered::TYPE;
}

impl Sealed for Delivered {}

impl Message for Delivered {
    const TYPE: u8 = 14;
    const NAME: &'static str = "delivered";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.envelope.as_ref().map_or(0, Vec::len), ENVELOPE_BYTES_MAX, "envelope")
    }
}
