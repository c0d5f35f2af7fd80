//! Leaving envelopes at a relay for a third node, and collecting what lies there for oneself.
//!
//! Implements spec/transport.md#leave-and-collect.
//!
//! Invariants: what is left is made of [`Disclose`] alone, all of it for one node; what a relay
//! hands out is what somebody left, for whoever opens it.

use serde::{Serialize, Serializer};
use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::NodeId;

use crate::deliver::{Disclose, serialize_all};
use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::limits::{
    COLLECTED_ENVELOPES_MAX, FRAME_BYTES_MAX, PUSH_BYTES_MAX, SMALL_REQUEST_BYTES_MAX,
};
use crate::message::{Message, Outgoing, both_ways, bound, sealed::Sealed};
use crate::push::{Push, bound_all};
use crate::serve::Served;

/// `leave` on its way out: to the relay, for somebody else.
#[derive(Debug, PartialEq, Eq)]
pub struct Leave {
    envelopes: Vec<Disclose>,
    to: NodeId,
}

impl Leave {
    /// Envelopes for one node, in the order of their stream.
    ///
    /// # Errors
    /// As [`Push::new`].
    pub fn new(envelopes: Vec<Disclose>) -> Result<Self, ProtocolError> {
        let (envelopes, to) = Push::new(envelopes)?.into_parts();
        Ok(Self { envelopes, to })
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.envelopes.len()
    }

    /// The recipient, which is not the relay.
    #[must_use]
    pub const fn to(&self) -> NodeId {
        self.to
    }
}

/// As [`Leaving`].
impl Serialize for Leave {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_all(&self.envelopes, serializer)
    }
}

/// `leave` as it arrives: envelopes of which the relay reads the header and no more.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Leaving {
    envelopes: Vec<ByteBuf>,
}

impl Leaving {
    /// The envelopes in their order, each for `disclosure::address`.
    pub fn envelopes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.envelopes.iter().map(|envelope| envelope.as_slice())
    }
}

/// `left`: so many of the envelopes, from the first on, are durable at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Left {
    /// How many.
    pub taken: u64,
}

/// `collect`: what lies at the relay for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Collect {
    /// What lies at or below this position is durably with the sender and may go; 0 for nothing.
    pub after: u64,
}

/// `collected`: what lies behind, as much as one frame holds.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Collected {
    entries: Vec<(u64, ByteBuf)>,
    more: u64,
}

impl Collected {
    /// Envelopes with their positions, which ascend, and how many lie behind them.
    ///
    /// # Errors
    /// [`ProtocolError::Field`] for positions that do not ascend or an empty envelope,
    /// [`ProtocolError::FieldTooLong`] for more than a frame holds.
    pub fn new(entries: Vec<(u64, Vec<u8>)>, more: u64) -> Result<Self, ProtocolError> {
        let entries = entries.into_iter().map(|(position, one)| (position, ByteBuf::from(one)));
        let collected = Self { entries: entries.collect(), more };
        collected.validate()?;
        Ok(collected)
    }

    /// The envelopes in the order of their positions, each for `disclosure::open`.
    pub fn envelopes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.entries.iter().map(|(_, envelope)| envelope.as_slice())
    }

    /// How many lie behind these.
    #[must_use]
    pub const fn more(&self) -> u64 {
        self.more
    }

    /// The last position, for the next `collect`; nothing where nothing lies there.
    ///
    /// # Errors
    /// [`ProtocolError::Field`] where the relay hands out what was not asked for: at or below
    /// `after`.
    pub fn last(&self, after: u64) -> Result<Option<u64>, ProtocolError> {
        match (self.entries.first(), self.entries.last()) {
            (Some((first, _)), Some(_)) if *first <= after => {
                Err(ProtocolError::Field { field: "position" })
            }
            (_, last) => Ok(last.map(|(position, _)| *position)),
        }
    }
}

impl std::fmt::Debug for Leaving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaving({} envelopes)", self.envelopes.len())
    }
}

impl std::fmt::Debug for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Collected({} envelopes, {} more)", self.entries.len(), self.more)
    }
}

impl Sealed for Leave {}

impl Outgoing for Leave {
    const NUMBER: u8 = Leaving::TYPE;
}

/// To any partner: what it can do with an envelope for somebody else is to keep it.
impl Request for Leave {
    type Response = Left;
}

impl Sealed for Leaving {}

impl Message for Leaving {
    const TYPE: u8 = 26;
    const NAME: &'static str = "leave";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        if self.envelopes.iter().any(|envelope| envelope.is_empty()) {
            return Err(ProtocolError::Field { field: "envelopes" });
        }
        bound_all(self.envelopes())
    }
}

impl Served for Leaving {
    type Answer = Left;
}

both_ways!(Left);

impl Message for Left {
    const TYPE: u8 = 27;
    const NAME: &'static str = "left";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

both_ways!(Collect);

impl Request for Collect {
    type Response = Collected;
}

impl Message for Collect {
    const TYPE: u8 = 28;
    const NAME: &'static str = "collect";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

impl Served for Collect {
    type Answer = Collected;
}

both_ways!(Collected);

impl Message for Collected {
    const TYPE: u8 = 29;
    const NAME: &'static str = "collected";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.entries.len(), COLLECTED_ENVELOPES_MAX, "entries")?;
        bound(self.envelopes().map(<[u8]>::len).sum(), PUSH_BYTES_MAX, "entries")?;
        if self.envelopes().any(<[u8]>::is_empty) {
            return Err(ProtocolError::Field { field: "entries" });
        }
        let positions = self.entries.iter().map(|(position, _)| *position);
        let ascend = std::iter::once(0).chain(positions.clone()).zip(positions);
        if ascend.clone().any(|(one, next)| one >= next) {
            return Err(ProtocolError::Field { field: "position" });
        }
        if self.entries.is_empty() && self.more > 0 {
            return Err(ProtocolError::Field { field: "more" });
        }
        Ok(())
    }
}
