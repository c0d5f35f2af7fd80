//! Messages of bulk matching: a small deterministic CBOR header, then raw bytes.
//!
//! Implements spec/psi.md#messages.
//!
//! Invariants: one message has one encoding; nothing is allocated on the word of a header alone.

use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::PsiError;
use crate::limits::{BULK_BYTES_MAX, HEAD_BYTES_MAX};

/// What a message is; the number stands in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Either side ends the session; carries nothing.
    Stop = 0,
    /// Sender: digest of the terms, commitment to its half of the coin.
    Begin = 1,
    /// Either side: a message of the correlation, all of it raw.
    Correlation = 2,
    /// Receiver: seed of the store, its half of the coin; raw, the masked store.
    Store = 3,
    /// Sender: its half of the coin.
    Reveal = 4,
    /// Sender: raw, its outputs.
    Outputs = 5,
    /// Receiver: it has read the outputs; carries nothing.
    Done = 6,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Stop,
        Self::Begin,
        Self::Correlation,
        Self::Store,
        Self::Reveal,
        Self::Outputs,
        Self::Done,
    ];

    /// Lengths of the fields in the header.
    const fn field_bytes(self) -> &'static [usize] {
        match self {
            Self::Begin => &[32, 32],
            Self::Store => &[16, 16],
            Self::Reveal => &[16],
            Self::Stop | Self::Correlation | Self::Outputs | Self::Done => &[],
        }
    }
}

/// `[kind, fields, bulk bytes]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
struct Header {
    kind: u8,
    fields: Vec<ByteBuf>,
    bulk_bytes: u64,
}

/// The decoded head of a message whose raw bytes are still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    kind: Kind,
    header: Header,
}

impl Head {
    /// Decodes the CBOR of a header, without the four length bytes before it.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if it is not a header that this version writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, PsiError> {
        let header: Header =
            symbolon_codec::decode(bytes, HEAD_BYTES_MAX).map_err(|_| PsiError::Malformed)?;
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header.kind);
        let kind = kind.ok_or(PsiError::Malformed)?;
        let has_bulk = matches!(kind, Kind::Correlation | Kind::Store | Kind::Outputs);
        let is_fitting =
            header.fields.iter().map(|field| field.len()).eq(kind.field_bytes().iter().copied())
                && header.bulk_bytes <= BULK_BYTES_MAX
                && (has_bulk || header.bulk_bytes == 0);
        if is_fitting { Ok(Self { kind, header }) } else { Err(PsiError::Malformed) }
    }

    /// Raw bytes that follow the header.
    #[must_use]
    pub const fn bulk_bytes(&self) -> u64 {
        self.header.bulk_bytes
    }

    /// The message, with the raw bytes that followed.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if they are not as many as the header says.
    pub fn with_bulk(self, bulk: Vec<u8>) -> Result<Message, PsiError> {
        if bulk.len() as u64 == self.header.bulk_bytes {
            Ok(Message { head: self, bulk })
        } else {
            Err(PsiError::Malformed)
        }
    }
}

/// One message, to be sent or received.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    head: Head,
    bulk: Vec<u8>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.head.kind)
            .field("bulk_bytes", &self.bulk.len())
            .finish_non_exhaustive()
    }
}

impl Message {
    pub(crate) fn new(kind: Kind, fields: &[&[u8]], bulk: Vec<u8>) -> Self {
        let fields = fields.iter().map(|field| ByteBuf::from(*field)).collect();
        let header = Header { kind: kind as u8, fields, bulk_bytes: bulk.len() as u64 };
        Self { head: Head { kind, header }, bulk }
    }

    /// Tells the peer that this side stops, and nothing else: the same bytes for every reason.
    #[must_use]
    pub fn stop() -> Self {
        Self::new(Kind::Stop, &[], Vec::new())
    }

    /// Whether it is the masked store: the last message of a receiver that depends on what it drew
    /// or heard.
    #[must_use]
    pub fn is_store(&self) -> bool {
        self.head.kind == Kind::Store
    }

    /// Four bytes, the header's length big-endian, and the header.
    #[must_use]
    pub fn encode_head(&self) -> Vec<u8> {
        let header = symbolon_codec::encode(&self.head.header);
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], &header].concat()
    }

    /// The raw bytes that follow the header.
    #[must_use]
    pub fn bulk(&self) -> &[u8] {
        &self.bulk
    }

    /// The encoded head, as [`Message::encode_head`] gives it, and the raw bytes, not copied.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.encode_head(), self.bulk)
    }

    /// The whole message: head and raw bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.encode_head()[..], &self.bulk].concat()
    }

    /// Decodes exactly one message.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] for anything that [`Message::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, PsiError> {
        let (length, rest) = bytes.split_first_chunk().ok_or(PsiError::Malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (header, bulk) = rest.split_at_checked(length).ok_or(PsiError::Malformed)?;
        let head = Head::decode(header)?;
        if bulk.len() as u64 != head.bulk_bytes() {
            return Err(PsiError::Malformed);
        }
        head.with_bulk(bulk.to_vec())
    }

    /// Bytes of the encoded message.
    #[must_use]
    pub fn encoded_bytes(&self) -> u64 {
        self.encode_head().len() as u64 + self.bulk.len() as u64
    }

    /// The raw bytes, if the message is of the awaited kind.
    pub(crate) fn expect_bulk(self, kind: Kind) -> Result<Vec<u8>, PsiError> {
        self.expect_kind(kind)?;
        Ok(self.bulk)
    }

    pub(crate) fn expect_kind(&self, kind: Kind) -> Result<(), PsiError> {
        match self.head.kind {
            own if own == kind => Ok(()),
            Kind::Stop => Err(PsiError::PeerStopped),
            _ => Err(PsiError::Unexpected),
        }
    }

    /// Field `number` of the header; its length is that of the kind.
    pub(crate) fn field<const N: usize>(&self, number: usize) -> Result<[u8; N], PsiError> {
        let field = self.head.header.fields.get(number).ok_or(PsiError::Malformed)?;
        field.as_slice().try_into().map_err(|_| PsiError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_come_back() {
        let messages = [
            Message::stop(),
            Message::new(Kind::Begin, &[&[1; 32], &[2; 32]], vec![]),
            Message::new(Kind::Store, &[&[1; 16], &[2; 16]], vec![3; 100]),
            Message::new(Kind::Outputs, &[], vec![3; 16]),
        ];
        for message in messages {
            let bytes = message.encode();
            assert_eq!(bytes.len() as u64, message.encoded_bytes());
            assert_eq!(Message::decode(&bytes).unwrap(), message);
            for end in 0..bytes.len() {
                assert!(Message::decode(&bytes[..end]).is_err(), "cut at {end}");
            }
            assert!(Message::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn refuses_fields_that_its_kind_does_not_have() {
        let wrong = [
            Message::new(Kind::Reveal, &[&[1; 15]], vec![]),
            Message::new(Kind::Reveal, &[&[1; 16], &[1; 16]], vec![]),
            Message::new(Kind::Done, &[&[]], vec![]),
            Message::new(Kind::Done, &[], vec![1]),
        ];
        for message in wrong {
            assert_eq!(Message::decode(&message.encode()), Err(PsiError::Malformed));
        }
        let mut foreign = Message::stop().encode();
        foreign[5] = 7;
        assert_eq!(Message::decode(&foreign), Err(PsiError::Malformed));
    }

    #[test]
    fn a_header_cannot_announce_more_than_the_bound() {
        let header = Header { kind: 5, fields: vec![], bulk_bytes: BULK_BYTES_MAX + 1 };
        assert!(Head::decode(&symbolon_codec::encode(&header)).is_err());
    }

    proptest! {
        #[test]
        fn decoding_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }

        #[test]
        fn a_flipped_bit_is_refused_or_read_as_it_is(
            position in 0_usize..170, bit in 0_u8..8
        ) {
            let mut bytes =
                Message::new(Kind::Store, &[&[1; 16], &[2; 16]], vec![3; 100]).encode();
            if let Some(byte) = bytes.get_mut(position) {
                *byte ^= 1 << bit;
            }
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
