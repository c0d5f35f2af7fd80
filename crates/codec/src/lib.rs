//! Deterministic CBOR and length framing; knows no word of the domain.
//!
//! Implements spec/transport.md#encoding. One value has one encoding: a decoder refuses bytes that
//! it would not itself have written, so a signature or a hash over bytes is one over the value.
//!
//! Structures travel as definite-length arrays in field order (derive `Serialize_tuple`).

mod check;
mod frame;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use check::{DEPTH_MAX, check};
pub use frame::{Framed, sha256};

/// Why bytes were refused. Never carries a part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input is larger than the caller's limit.
    #[error("longer than the {bytes_max} bytes allowed here")]
    TooLong {
        /// The caller's limit, in bytes.
        bytes_max: usize,
    },
    /// The input ends inside an item, or an item announces more than is there.
    #[error("ends before the value does")]
    Truncated,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
    /// Arrays and maps are nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Valid CBOR, but not the deterministic encoding (RFC 8949 §4.2.1), or a type that never
    /// occurs on this wire (tags, floats, indefinite lengths, undefined).
    #[error("not the deterministic encoding")]
    NotDeterministic,
    /// Well-formed, but not of the expected shape.
    #[error("not of the expected shape")]
    Shape,
}

/// Encodes `value`; the result always passes [`decode`] for the same type.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "the writer is a Vec and wire types have no failing Serialize; only memory can run out"
)]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(Vec::new(), value).expect("CBOR into memory")
}

/// Decodes exactly one value from `bytes`, at most `bytes_max` long.
///
/// The structure is walked before anything is allocated, and the decoded value is encoded again
/// and compared: what this accepts, [`encode`] produces (RFC 8949 §4.2.1).
///
/// # Errors
/// [`DecodeError`], by the first rule that the bytes break.
pub fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > bytes_max {
        return Err(DecodeError::TooLong { bytes_max });
    }
    check(bytes)?;
    let value: T = cbor4ii::serde::from_slice(bytes).map_err(|_| DecodeError::Shape)?;
    if encode(&value) == bytes { Ok(value) } else { Err(DecodeError::NotDeterministic) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_tuple::{Deserialize_tuple, Serialize_tuple};

    #[derive(Debug, Clone, PartialEq, Serialize_tuple, Deserialize_tuple)]
    struct Sample {
        number: u64,
        text: Option<String>,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        list: Vec<i32>,
    }

    #[test]
    fn structures_travel_as_arrays() {
        let sample = Sample { number: 24, text: None, bytes: vec![1, 2], list: vec![-1, 1000] };
        let bytes = encode(&sample);
        assert_eq!(hex::encode(&bytes), "841818f6420102822019 03e8".replace(' ', ""));
        assert_eq!(decode::<Sample>(&bytes, 64), Ok(sample));
    }

    #[test]
    fn refuses_what_it_would_not_write() {
        let cases: [(&str, &str, DecodeError); 9] = [
            ("long form of a short integer", "1817", DecodeError::NotDeterministic),
            ("indefinite array", "9f01ff", DecodeError::NotDeterministic),
            ("tag", "c101", DecodeError::NotDeterministic),
            ("float", "f93c00", DecodeError::NotDeterministic),
            ("trailing byte", "0000", DecodeError::Trailing),
            ("string that announces more than is there", "7a00ffffff61", DecodeError::Truncated),
            ("array that announces more than is there", "9affffffff", DecodeError::Truncated),
            ("empty input", "", DecodeError::Truncated),
            ("text where a number is due", "6161", DecodeError::Shape),
        ];
        for (rule, input, expect) in cases {
            let bytes = hex::decode(input).unwrap();
            assert_eq!(decode::<u64>(&bytes, 64), Err(expect), "{rule}");
        }
        let deep = [vec![0x81; DEPTH_MAX + 1], vec![0x00]].concat();
        assert_eq!(check(&deep), Err(DecodeError::TooDeep));
        assert_eq!(decode::<u64>(&[0; 65], 64), Err(DecodeError::TooLong { bytes_max: 64 }));
    }

    proptest! {
        #[test]
        fn accepts_only_its_own(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(sample) = decode::<Sample>(&bytes, 200) {
                prop_assert_eq!(encode(&sample), bytes);
            }
        }

        #[test]
        fn every_value_comes_back(
            number: u64, text: Option<String>, bytes: Vec<u8>, list: Vec<i32>
        ) {
            let sample = Sample { number, text, bytes, list };
            let encoded = encode(&sample);
            prop_assert_eq!(decode::<Sample>(&encoded, encoded.len()), Ok(sample));
        }
    }
}
