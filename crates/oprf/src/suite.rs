//! The suite ristretto255-SHA512 in mode VOPRF: hashes of RFC 9497 §4.1; no protocol step.
//!
//! Implements spec/matching.md#suite.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use curve25519_dalek::{RistrettoPoint, Scalar, traits::IsIdentity};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::limits::INPUT_BYTES_MAX;
use crate::{OprfError, label};

/// Bytes of an encoded element, as the two bytes that stand before one in a hash.
pub(crate) const ELEMENT_LENGTH: [u8; 2] = 32u16.to_be_bytes();

/// Zeros of one SHA-512 block: `Z_pad` of RFC 9380 §5.3.1.
const Z_PAD: [u8; 128] = [0; 128];

/// `HashToGroup`, refusing the identity ("inputElement == G.Identity(): raise InvalidInputError",
/// RFC 9497 §3.3.2) and inputs that this project never makes.
pub(crate) fn hash_to_group(input: &[u8]) -> Result<RistrettoPoint, OprfError> {
    if input.is_empty() || input.len() > INPUT_BYTES_MAX {
        return Err(OprfError::InputLength);
    }
    let element = RistrettoPoint::from_uniform_bytes(&expand(&[input], label::HASH_TO_GROUP));
    if element.is_identity() { Err(OprfError::Degenerate) } else { Ok(element) }
}

/// `HashToScalar`: 64 bytes "interpreted as a 512-bit integer in little-endian format" modulo the
/// group order (RFC 9497 §4.1).
pub(crate) fn hash_to_scalar(parts: &[&[u8]], dst: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(parts, dst))
}

/// The last hash of `Finalize` and `Evaluate` (RFC 9497 §3.3.2).
pub(crate) fn output_hash(input: &[u8], element: &[u8; 32]) -> [u8; 64] {
    let input_length = u16::try_from(input.len()).unwrap_or(u16::MAX).to_be_bytes();
    Sha512::new()
        .chain_update(input_length)
        .chain_update(input)
        .chain_update(ELEMENT_LENGTH)
        .chain_update(element)
        .chain_update(label::FINALIZE)
        .finalize()
        .into()
}

/// `DeriveKeyPair` without its last line: the secret scalar (RFC 9497 §3.2.1).
pub(crate) fn derive_key(seed: &[u8; 32], info: &[u8]) -> Result<Scalar, OprfError> {
    let info_length = u16::try_from(info.len()).map_err(|_| OprfError::InputLength)?.to_be_bytes();
    (0..=u8::MAX)
        .map(|counter| {
            hash_to_scalar(&[seed, &info_length, info, &[counter]], label::DERIVE_KEY_PAIR)
        })
        .find(|scalar| *scalar != Scalar::ZERO)
        .ok_or(OprfError::Degenerate)
}

/// `RandomScalar`: uniform and not zero.
pub(crate) fn random_scalar(random: &mut ChaCha20Rng) -> Scalar {
    loop {
        let mut wide = Zeroizing::new([0; 64]);
        random.fill_bytes(wide.as_mut_slice());
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        if scalar != Scalar::ZERO {
            return scalar;
        }
    }
}

/// `expand_message_xmd` with SHA-512 for 64 bytes (RFC 9380 §5.3.1): one block, so `b_1` is all.
fn expand(parts: &[&[u8]], dst: &[u8]) -> Zeroizing<[u8; 64]> {
    // Every DST is a constant of `label.rs`, far below the 255 bytes that one length byte can say.
    let dst_length = [u8::try_from(dst.len()).unwrap_or(u8::MAX)];
    let mut message = Sha512::new_with_prefix(Z_PAD);
    for part in parts {
        message.update(part);
    }
    let b_0 = message
        .chain_update(64u16.to_be_bytes())
        .chain_update([0])
        .chain_update(dst)
        .chain_update(dst_length)
        .finalize();
    let b_1 = Sha512::new()
        .chain_update(b_0)
        .chain_update([1])
        .chain_update(dst)
        .chain_update(dst_length)
        .finalize();
    Zeroizing::new(b_1.into())
}
