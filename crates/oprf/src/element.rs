//! Group elements that came over the wire or go there; an invalid one cannot exist.
//!
//! Implements spec/matching.md#elements.
//!
//! Invariant: the bytes are the canonical encoding of the point, and the point is not the identity.

use std::fmt;

use curve25519_dalek::{RistrettoPoint, ristretto::CompressedRistretto, traits::IsIdentity};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteArray;

use crate::OprfError;

/// A point with its encoding, so that neither is computed twice.
#[derive(Clone, Copy)]
pub(crate) struct Element {
    bytes: [u8; 32],
    point: RistrettoPoint,
}

impl Element {
    /// "DeserializeElement ... fails if the input is not a valid byte representation of an element
    /// of the group", or is the identity (RFC 9497 §2.1, §4.1).
    fn decode(bytes: &[u8]) -> Result<Self, OprfError> {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| OprfError::Length { bytes: 32 })?;
        let point = CompressedRistretto(bytes).decompress();
        let point = point.ok_or(OprfError::ElementNotCanonical)?;
        if point.is_identity() {
            Err(OprfError::ElementIdentity)
        } else {
            Ok(Self { bytes, point })
        }
    }

    /// The element of a point that is known not to be the identity.
    pub(crate) fn from_point(point: RistrettoPoint) -> Self {
        Self { bytes: point.compress().to_bytes(), point }
    }

    /// The elements 2·P for every P: one inversion for all encodings, where each alone costs one.
    pub(crate) fn from_halves(halves: &[RistrettoPoint]) -> Vec<Self> {
        RistrettoPoint::double_and_compress_batch(halves)
            .into_iter()
            .zip(halves)
            .map(|(encoding, half)| Self { bytes: encoding.to_bytes(), point: half + half })
            .collect()
    }
}

/// One kind of element: so that a blinded one is never taken for an evaluated one.
macro_rules! element {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub(crate) Element);

        impl $name {
            /// Decodes 32 bytes.
            ///
            /// # Errors
            /// [`OprfError`] where the bytes are not canonical or encode the identity.
            pub fn decode(bytes: &[u8]) -> Result<Self, OprfError> {
                Element::decode(bytes).map(Self)
            }

            /// The canonical encoding (RFC 9496 §4.3.2).
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0.bytes
            }

            pub(crate) fn point(&self) -> &RistrettoPoint {
                &self.0.point
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl Eq for $name {}

        /// Shows the kind only: keys and queries stay out of every text.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(self.as_bytes())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bytes = ByteArray::<32>::deserialize(deserializer)?.into_array();
                Self::decode(&bytes).map_err(serde::de::Error::custom)
            }
        }
    };
}

element! {
    /// An input under the receiver's blind, or padding; uniformly random to everyone else.
    BlindedElement
}

element! {
    /// A blinded element under the sender's key.
    EvaluatedElement
}

element! {
    /// The public half of the key of one (holder, asker, class, epoch).
    PublicKey
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;

    #[test]
    fn refuses_the_identity_and_everything_not_canonical() {
        let base = RISTRETTO_BASEPOINT_POINT.compress().to_bytes();
        let p_minus = |low: u8| {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = 0x7f;
            bytes
        };
        let mut high_bit = base;
        high_bit[31] |= 0x80;
        let mut one = [0; 32];
        one[0] = 1;
        let cases: [(&str, &[u8], OprfError); 8] = [
            ("identity", &[0; 32], OprfError::ElementIdentity),
            ("identity as the field prime", &p_minus(0xed), OprfError::ElementNotCanonical),
            ("field element above the prime", &p_minus(0xee), OprfError::ElementNotCanonical),
            ("negative field element", &one, OprfError::ElementNotCanonical),
            ("highest bit set", &high_bit, OprfError::ElementNotCanonical),
            ("all ones", &[0xff; 32], OprfError::ElementNotCanonical),
            ("a byte too few", &base[..31], OprfError::Length { bytes: 32 }),
            ("a byte too many", &[0; 33], OprfError::Length { bytes: 32 }),
        ];
        for (rule, bytes, expect) in cases {
            assert_eq!(BlindedElement::decode(bytes).err(), Some(expect), "{rule}");
            assert_eq!(EvaluatedElement::decode(bytes).err(), Some(expect), "{rule}");
            assert_eq!(PublicKey::decode(bytes).err(), Some(expect), "{rule}");
        }
        assert_eq!(PublicKey::decode(&base).unwrap().as_bytes(), &base);
    }

    #[test]
    fn travels_as_a_byte_string_and_is_checked_on_arrival() {
        let element = BlindedElement(Element::from_point(RISTRETTO_BASEPOINT_POINT));
        let bytes = symbolon_codec::encode(&element);
        assert_eq!(bytes.len(), 34);
        assert_eq!(symbolon_codec::decode::<BlindedElement>(&bytes, 64), Ok(element));
        let identity = [&[0x58, 0x20][..], &[0; 32]].concat();
        assert!(symbolon_codec::decode::<BlindedElement>(&identity, 64).is_err());
    }

    #[test]
    fn batched_encoding_is_the_ordinary_one() {
        let halves: Vec<_> = (1..20u64)
            .map(|n| RISTRETTO_BASEPOINT_POINT * curve25519_dalek::Scalar::from(n).div_by_2())
            .collect();
        for (n, element) in (1..20u64).zip(Element::from_halves(&halves)) {
            let point = RISTRETTO_BASEPOINT_POINT * curve25519_dalek::Scalar::from(n);
            assert_eq!(element.bytes, point.compress().to_bytes());
            assert_eq!(element.point, point);
        }
    }
}
