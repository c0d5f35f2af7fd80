//! The common form of all messages: `[type, body]`, bounded, deterministic.
//!
//! Implements spec/transport.md#frames.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::DecodeError;

use crate::code::{Code, Detail};
use crate::error::ProtocolError;
use crate::frame::frame;
use crate::limits::ERROR_BYTES_MAX;

/// A message that can be read from a frame. Implemented here only.
pub trait Message: Serialize + DeserializeOwned + sealed::Sealed {
    /// Number of the message.
    const TYPE: u8;
    /// Name in errors.
    const NAME: &'static str;
    /// Largest frame, in bytes.
    const BYTES_MAX: usize;

    /// Bounds what the encoding alone does not bound.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`], [`ProtocolError::Field`] or the message's own variant.
    fn validate(&self) -> Result<(), ProtocolError>;
}

/// A message that can be sent. Implemented here only, and apart from [`Message`]: what carries
/// evidence on its way out is another type than what comes in.
pub trait Outgoing: Serialize + sealed::Sealed {
    /// Number of the message: [`Message::TYPE`] of the form that arrives.
    const NUMBER: u8;
}

pub(crate) mod sealed {
    /// Keeps the traits closed.
    pub trait Sealed {}
}

/// Declares a message that is the same in both directions.
macro_rules! both_ways {
    ($message:ty) => {
        impl $crate::message::sealed::Sealed for $message {}

        impl $crate::message::Outgoing for $message {
            const NUMBER: u8 = <$message as $crate::message::Message>::TYPE;
        }
    };
}
pub(crate) use both_ways;

/// The frame of `message`, with its length.
#[must_use]
pub fn encode<M: Outgoing>(message: &M) -> Vec<u8> {
    frame(&symbolon_codec::encode(&(M::NUMBER, message)))
}

/// The message in `body`, a frame without its length.
///
/// # Errors
/// [`ProtocolError::PeerRefused`] when the peer answered with an error instead,
/// [`ProtocolError::Unexpected`] for any other type than `M`, and whatever decoding finds.
pub fn decode<M: Message>(body: &[u8]) -> Result<M, ProtocolError> {
    let number = type_of(body)?;
    if number == Failure::TYPE && M::TYPE != Failure::TYPE {
        let failure: Failure = decode_as(body)?;
        return Err(ProtocolError::PeerRefused { code: failure.code, detail: failure.detail });
    }
    if number != M::TYPE {
        return Err(ProtocolError::Unexpected { expected: M::NAME });
    }
    decode_as(body)
}

/// The type of the message in `body`, before anything else of it is looked at.
pub(crate) fn type_of(body: &[u8]) -> Result<u8, ProtocolError> {
    match body {
        [0x82, number @ 0..=23, ..] | [0x82, 0x18, number @ 24..=u8::MAX, ..] => Ok(*number),
        _ => Err(DecodeError::Shape.into()),
    }
}

fn decode_as<M: Message>(body: &[u8]) -> Result<M, ProtocolError> {
    let (_, message): (u8, M) = symbolon_codec::decode(body, M::BYTES_MAX)?;
    message.validate()?;
    Ok(message)
}

/// `error`: a code in place of any answer, and the last frame of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Failure {
    code: Code,
    detail: Option<u64>,
}

impl Failure {
    /// What the peer may know of `error`.
    #[must_use]
    pub fn new(error: &ProtocolError) -> Self {
        Self { code: error.code(), detail: error.detail() }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The number beside it.
    #[must_use]
    pub const fn detail(&self) -> Option<u64> {
        self.detail
    }
}

both_ways!(Failure);

impl Message for Failure {
    const TYPE: u8 = 0;
    const NAME: &'static str = "error";
    const BYTES_MAX: usize = ERROR_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        match (self.code.detail(), self.detail) {
            (Detail::None, Some(_)) => Err(ProtocolError::Field { field: "detail" }),
            _ => Ok(()),
        }
    }
}

/// Bounds the length of a field.
pub(crate) fn bound(
    length: usize,
    length_max: usize,
    field: &'static str,
) -> Result<(), ProtocolError> {
    if length > length_max { Err(ProtocolError::FieldTooLong { field }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn an_error_is_a_code_and_the_number_that_its_row_allows() {
        let busy = ProtocolError::Refused(Refusal::Busy { retry_seconds: 5 });
        let bytes = encode(&Failure::new(&busy));
        // 82 = array of two; 00 = type; 82 = array of two; 18 32 = 50; 05 = 5.
        assert_eq!(bytes, [0, 0, 0, 6, 0x82, 0x00, 0x82, 0x18, 0x32, 0x05]);
        let decoded: Failure = decode(&bytes[4..]).unwrap();
        assert_eq!((decoded.code(), decoded.detail()), (Code::Busy, Some(5)));
    }

    #[test]
    fn a_type_has_one_form() {
        let kind = |body: &[u8]| type_of(body).ok();
        assert_eq!((kind(&[0x82, 23, 0x80]), kind(&[0x82, 0x18, 24, 0x80])), (Some(23), Some(24)));
        assert_eq!(kind(&[0x82, 0x18, 0xff, 0x80]), Some(255));
        // 23 in two bytes, 24 in three, a type that is no number, an array of another length.
        let others: [&[u8]; 6] =
            [&[0x82, 0x18, 23], &[0x82, 0x19, 0, 24], &[0x82, 0x38, 24], &[0x83, 5], &[0x82], &[]];
        assert!(others.into_iter().all(|body| kind(body).is_none()));
    }

    #[test]
    fn a_number_without_meaning_is_refused() {
        let bytes = [0x82, 0x00, 0x82, 0x18, 0x28, 0x05];
        assert!(matches!(decode::<Failure>(&bytes), Err(ProtocolError::Field { .. })));
        let unknown = [0x82, 0x00, 0x82, 0x18, 0x63, 0xf6];
        assert!(matches!(decode::<Failure>(&unknown), Err(ProtocolError::Decode(_))));
    }
}
