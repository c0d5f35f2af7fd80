//! Pushing envelopes of an ordered stream, many in one request, and the one answer for all of them.
//!
//! Implements spec/transport.md#push.
//!
//! Invariant: what is pushed is made of [`Disclose`] alone, all of it for one node.

use serde::{Serialize, Serializer};
use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::{Mode, NodeId};

use crate::deliver::{Disclose, serialize_all};
use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::handshake::Established;
use crate::limits::{ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX, PUSH_BYTES_MAX, PUSH_ENVELOPES_MAX};
use crate::message::{Message, Outgoing, bound, sealed::Sealed};
use crate::serve::Served;

/// `push` on its way out.
#[derive(Debug, PartialEq, Eq)]
pub struct Push {
    envelopes: Vec<Disclose>,
    to: NodeId,
}

impl Push {
    /// Envelopes in the order of their stream; those that have no place in one stand anywhere.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] for none, or for envelopes to two nodes;
    /// [`ProtocolError::FieldTooLong`] for more than [`PUSH_ENVELOPES_MAX`] of them, or more than
    /// [`PUSH_BYTES_MAX`] bytes: the rest is for the next push.
    pub fn new(envelopes: Vec<Disclose>) -> Result<Self, ProtocolError> {
        let rule = "a push is of envelopes to one node, and of one at least";
        let to = envelopes.first().map(Disclose::to);
        let to = to.ok_or(ProtocolError::Misuse { rule })?;
        if envelopes.iter().any(|envelope| envelope.to() != to) {
            return Err(ProtocolError::Misuse { rule });
        }
        bound_all(envelopes.iter().map(Disclose::as_bytes))?;
        Ok(Self { envelopes, to })
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.envelopes.len()
    }

    /// The recipient.
    #[must_use]
    pub const fn to(&self) -> NodeId {
        self.to
    }

    pub(crate) fn into_parts(self) -> (Vec<Disclose>, NodeId) {
        (self.envelopes, self.to)
    }
}

/// As [`Pushing`].
impl Serialize for Push {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_all(&self.envelopes, serializer)
    }
}

/// `push` as it arrives: envelopes that nobody has opened yet.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Pushing {
    envelopes: Vec<ByteBuf>,
}

impl Pushing {
    /// The envelopes in their order, each for `disclosure::open`.
    pub fn envelopes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.envelopes.iter().map(|envelope| envelope.as_slice())
    }
}

/// `pushed` on its way out.
#[derive(Debug, PartialEq, Eq, Serialize_tuple)]
pub struct PushAnswer {
    #[serde(with = "serde_bytes")]
    envelope: Option<Vec<u8>>,
    next: [u64; 2],
}

impl PushAnswer {
    /// `acknowledgement` is for all that was applied or had been applied before, `next` the place
    /// that is awaited in the live stream and in the one of exercises: all durable by then.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when the acknowledgement is for another node,
    /// [`ProtocolError::Field`] for a place 0.
    pub fn new(
        acknowledgement: Option<Disclose>,
        next: [u64; 2],
        session: &Established,
    ) -> Result<Self, ProtocolError> {
        if let Some(acknowledgement) = &acknowledgement {
            acknowledgement.addressed(session)?;
        }
        places(next)?;
        Ok(Self { envelope: acknowledgement.map(Disclose::into_bytes), next })
    }
}

/// `pushed` as it arrives.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Pushed {
    #[serde(with = "serde_bytes")]
    envelope: Option<Vec<u8>>,
    next: [u64; 2],
}

impl Pushed {
    /// The partner's acknowledgement, for `disclosure::open`.
    #[must_use]
    pub fn envelope(&self) -> Option<&[u8]> {
        self.envelope.as_deref()
    }

    /// The place that the partner awaits in the stream of `mode`.
    #[must_use]
    pub const fn next(&self, mode: Mode) -> u64 {
        let [live, exercise] = self.next;
        match mode {
            Mode::Live => live,
            Mode::Exercise => exercise,
        }
    }
}

impl std::fmt::Debug for Pushing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pushing({} envelopes)", self.envelopes.len())
    }
}

impl std::fmt::Debug for Pushed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pushed({} bytes)", self.envelope.as_ref().map_or(0, Vec::len))
    }
}

impl Sealed for Push {}

impl Outgoing for Push {
    const NUMBER: u8 = Pushing::TYPE;
}

impl Request for Push {
    type Response = Pushed;

    fn permitted(&self, session: &Established) -> Result<(), ProtocolError> {
        self.envelopes.iter().try_for_each(|envelope| envelope.addressed(session))
    }
}

impl Sealed for Pushing {}

impl Message for Pushing {
    const TYPE: u8 = 24;
    const NAME: &'static str = "push";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        if self.envelopes.iter().any(|envelope| envelope.is_empty()) {
            return Err(ProtocolError::Field { field: "envelopes" });
        }
        bound_all(self.envelopes())
    }
}

impl Served for Pushing {
    type Answer = PushAnswer;
}

impl Sealed for PushAnswer {}

impl Outgoing for PushAnswer {
    const NUMBER: u8 = Pushed::TYPE;
}

impl Sealed for Pushed {}

impl Message for Pushed {
    const TYPE: u8 = 25;
    const NAME: &'static str = "pushed";
    const BYTES_MAX: usize = FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.envelope.as_ref().map_or(0, Vec::len), ENVELOPE_BYTES_MAX, "envelope")?;
        places(self.next)
    }
}

/// One envelope at least, no more than fit.
pub(crate) fn bound_all<'a>(
    envelopes: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Result<(), ProtocolError> {
    if envelopes.len() == 0 {
        return Err(ProtocolError::Field { field: "envelopes" });
    }
    bound(envelopes.len(), PUSH_ENVELOPES_MAX, "envelopes")?;
    bound(envelopes.map(<[u8]>::len).sum(), PUSH_BYTES_MAX, "envelopes")
}

/// Places are counted from 1.
fn places(next: [u64; 2]) -> Result<(), ProtocolError> {
    if next.contains(&0) { Err(ProtocolError::Field { field: "next" }) } else { Ok(()) }
}
