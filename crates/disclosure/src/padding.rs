//! Padding to few sizes, so that a ciphertext's length says little.
//!
//! Implements spec/envelope.md#padding.
//!
//! Invariant: one content of one kind has one padded form.

use zeroize::Zeroizing;

use crate::DisclosureError;
use crate::limits::{BUCKETS_BYTES, PLAINTEXT_BYTES_MAX};

/// Bytes of the length before the content.
const LENGTH_BYTES: usize = 4;

/// `u32` length of `content`, big-endian, `content`, and zeros up to the size that its length and
/// `floor` give.
pub(crate) fn pad(content: &[u8], floor: usize) -> Result<Zeroizing<Vec<u8>>, DisclosureError> {
    let length = u32::try_from(content.len()).map_err(|_| DisclosureError::TooLong)?;
    let size = padded_bytes(content.len().saturating_add(LENGTH_BYTES)).max(floor);
    if size > PLAINTEXT_BYTES_MAX {
        return Err(DisclosureError::TooLong);
    }
    let mut padded = Zeroizing::new(Vec::with_capacity(size));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(content);
    padded.resize(size, 0);
    Ok(padded)
}

/// The content of `padded`; [`check_size`] is still to follow, once the floor is known.
pub(crate) fn unpad(padded: &[u8]) -> Result<&[u8], DisclosureError> {
    let (length, rest) =
        padded.split_first_chunk::<LENGTH_BYTES>().ok_or(DisclosureError::Padding)?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).map_err(|_| DisclosureError::Padding)?;
    let (content, zeros) = rest.split_at_checked(length).ok_or(DisclosureError::Padding)?;
    if zeros.iter().any(|&byte| byte != 0) {
        return Err(DisclosureError::Padding);
    }
    Ok(content)
}

/// Checks that `padded` has the size that [`pad`] gives `content` with `floor`.
pub(crate) fn check_size(
    padded: &[u8],
    content: &[u8],
    floor: usize,
) -> Result<(), DisclosureError> {
    let expect = padded_bytes(content.len().saturating_add(LENGTH_BYTES)).max(floor);
    if padded.len() == expect { Ok(()) } else { Err(DisclosureError::Padding) }
}

/// The smallest bucket that holds `bytes`; beyond the buckets Padmé (Nikitin et al., PoPETs 2019,
/// algorithm 1), which leaves the length's exponent and adds at most 12 %.
fn padded_bytes(bytes: usize) -> usize {
    if let Some(bucket) = BUCKETS_BYTES.into_iter().find(|&bucket| bytes <= bucket) {
        return bucket;
    }
    let exponent = bytes.ilog2();
    let kept_bits = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - kept_bits)) - 1;
    bytes.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_the_buckets_then_padme() {
        let cases = [
            (0, 1 << 10),
            (1 << 10, 1 << 10),
            ((1 << 10) + 1, 4 << 10),
            (4 << 10, 4 << 10),
            ((4 << 10) + 1, 16 << 10),
            ((64 << 10) + 1, 256 << 10),
            (256 << 10, 256 << 10),
            // 2^18 + 1: exponent 18, five bits kept, so multiples of 2^13.
            ((256 << 10) + 1, (256 << 10) + (8 << 10)),
            (300_000, 303_104),
            (512 << 10, 512 << 10),
        ];
        for (bytes, expect) in cases {
            assert_eq!(padded_bytes(bytes), expect, "{bytes}");
        }
    }

    #[test]
    fn one_content_has_one_form() {
        let padded = pad(b"text", 0).unwrap();
        assert_eq!(padded.len(), 1 << 10);
        assert_eq!(unpad(&padded), Ok(b"text".as_slice()));
        assert_eq!(check_size(&padded, b"text", 0), Ok(()));
        assert_eq!(check_size(&padded, b"text", 4 << 10), Err(DisclosureError::Padding));
        let mut other = padded.clone();
        other[1023] = 1;
        assert_eq!(unpad(&other), Err(DisclosureError::Padding));
        other.truncate(7);
        assert_eq!(unpad(&other), Err(DisclosureError::Padding));
        assert_eq!(unpad(&[0, 0, 0]), Err(DisclosureError::Padding));
        assert_eq!(unpad(&[0xff; 64]), Err(DisclosureError::Padding));
        assert_eq!(pad(&vec![1; PLAINTEXT_BYTES_MAX], 0), Err(DisclosureError::TooLong));
        assert_eq!(pad(b"text", 16 << 10).unwrap().len(), 16 << 10);
    }

    proptest! {
        #[test]
        fn every_content_comes_back(content in prop::collection::vec(any::<u8>(), 0..5000)) {
            let padded = pad(&content, 0).unwrap();
            prop_assert_eq!(unpad(&padded), Ok(content.as_slice()));
            prop_assert_eq!(check_size(&padded, &content, 0), Ok(()));
        }

        #[test]
        fn padding_never_shrinks_and_adds_little(bytes in (256_usize << 10)..(1 << 30)) {
            let padded = padded_bytes(bytes);
            prop_assert!(padded >= bytes);
            prop_assert!(padded as f64 <= bytes as f64 * 1.12);
            prop_assert_eq!(padded_bytes(padded), padded);
        }
    }
}
