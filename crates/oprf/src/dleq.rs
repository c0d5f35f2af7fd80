//! One proof for a batch that every element was evaluated with the announced key.
//!
//! Implements spec/matching.md#proof (RFC 9497 §2.2). Weights, composites and challenge come from
//! public values, so they are computed in variable time; whatever touches the key is not.

use std::fmt;

use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteArray;
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::element::{BlindedElement, EvaluatedElement, PublicKey};
use crate::key::SecretKey;
use crate::suite::{ELEMENT_LENGTH, hash_to_scalar};
use crate::{OprfError, label, workers};

/// A proof of evaluation: challenge and response.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    challenge: Scalar,
    response: Scalar,
}

impl Proof {
    /// Decodes 64 bytes, challenge before response.
    ///
    /// # Errors
    /// [`OprfError::Length`], or [`OprfError::ScalarNotCanonical`] for a scalar that is not below
    /// the group order.
    pub fn decode(bytes: &[u8]) -> Result<Self, OprfError> {
        let length = OprfError::Length { bytes: 64 };
        let (challenge, response) = bytes.split_first_chunk::<32>().ok_or(length)?;
        let response = <[u8; 32]>::try_from(response).map_err(|_| length)?;
        let scalar = |bytes| {
            let scalar: Option<Scalar> = Scalar::from_canonical_bytes(bytes).into();
            scalar.ok_or(OprfError::ScalarNotCanonical)
        };
        Ok(Self { challenge: scalar(*challenge)?, response: scalar(response)? })
    }

    /// The 64 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (challenge, response) = bytes.split_at_mut(32);
        challenge.copy_from_slice(self.challenge.as_bytes());
        response.copy_from_slice(self.response.as_bytes());
        bytes
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.encode())
    }
}

impl<'de> Deserialize<'de> for Proof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = ByteArray::<64>::deserialize(deserializer)?;
        Self::decode(bytes.as_slice()).map_err(serde::de::Error::custom)
    }
}

/// The batch as one pair of elements, which the proof is about.
pub(crate) struct Composites {
    m: RistrettoPoint,
    z: RistrettoPoint,
}

/// A blinded element beside its evaluation.
pub(crate) struct Pair<'a> {
    blinded: &'a BlindedElement,
    evaluated: &'a EvaluatedElement,
}

/// Pairs two lists of the same length.
pub(crate) fn pairs<'a>(
    blinded: &'a [BlindedElement],
    evaluated: &'a [EvaluatedElement],
) -> Vec<Pair<'a>> {
    let pair = |(blinded, evaluated)| Pair { blinded, evaluated };
    blinded.iter().zip(evaluated).map(pair).collect()
}

/// `ComputeCompositesFast`: "an optimization ... since it knows the private key" (RFC 9497 §2.2.1).
pub(crate) fn composites_of_sender(
    key: &SecretKey,
    public: &PublicKey,
    pairs: &[Pair<'_>],
    workers: usize,
) -> Result<Composites, OprfError> {
    let seed = composite_seed(public);
    let sums = workers::map(pairs, workers, |offset, part| {
        let weights = weights(&seed, offset, part)?;
        let blinded = part.iter().map(|pair| pair.blinded.point());
        Ok(RistrettoPoint::vartime_multiscalar_mul(&weights, blinded))
    })?;
    let m: RistrettoPoint = sums.iter().sum();
    Ok(Composites { m, z: m * key.expose_secret() })
}

/// `ComputeComposites` (RFC 9497 §2.2.2).
fn composites_of_receiver(
    public: &PublicKey,
    pairs: &[Pair<'_>],
    workers: usize,
) -> Result<Composites, OprfError> {
    let seed = composite_seed(public);
    let sums = workers::map(pairs, workers, |offset, part| {
        let weights = weights(&seed, offset, part)?;
        let blinded = part.iter().map(|pair| pair.blinded.point());
        let evaluated = part.iter().map(|pair| pair.evaluated.point());
        Ok((
            RistrettoPoint::vartime_multiscalar_mul(&weights, blinded),
            RistrettoPoint::vartime_multiscalar_mul(&weights, evaluated),
        ))
    })?;
    let (m, z): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    Ok(Composites { m: m.iter().sum(), z: z.iter().sum() })
}

/// A nonce that differs whenever the statement does, even if `seed` should ever repeat: the same
/// nonce under two challenges would give the key away.
pub(crate) fn nonce(seed: [u8; 32], key: &SecretKey, composites: &Composites) -> Scalar {
    let seed = Zeroizing::new(seed);
    let wide: Zeroizing<[u8; 64]> = Zeroizing::new(
        Sha512::new_with_prefix(label::PROOF_NONCE)
            .chain_update(seed.as_slice())
            .chain_update(key.expose_secret().as_bytes())
            .chain_update(composites.m.compress().as_bytes())
            .chain_update(composites.z.compress().as_bytes())
            .finalize()
            .into(),
    );
    Scalar::from_bytes_mod_order_wide(&wide)
}

/// `GenerateProof` with its random scalar as an argument (RFC 9497 §2.2.1).
pub(crate) fn prove(
    key: &SecretKey,
    public: &PublicKey,
    composites: &Composites,
    nonce: &Zeroizing<Scalar>,
) -> Proof {
    let t2 = RistrettoPoint::mul_base(nonce);
    let t3 = composites.m * **nonce;
    let challenge = challenge(public, composites, &t2, &t3);
    Proof { challenge, response: **nonce - challenge * key.expose_secret() }
}

/// `VerifyProof` (RFC 9497 §2.2.2).
pub(crate) fn verify(
    public: &PublicKey,
    pairs: &[Pair<'_>],
    proof: &Proof,
    workers: usize,
) -> Result<(), OprfError> {
    let composites = composites_of_receiver(public, pairs, workers)?;
    let Proof { challenge: c, response: s } = proof;
    let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(c, public.point(), s);
    let t3 = RistrettoPoint::vartime_multiscalar_mul([s, c], [composites.m, composites.z]);
    let expected = challenge(public, &composites, &t2, &t3);
    if expected.ct_eq(c).into() { Ok(()) } else { Err(OprfError::ProofInvalid) }
}

/// `seed` of the composites.
fn composite_seed(public: &PublicKey) -> [u8; 64] {
    let dst_length = u16::try_from(label::SEED.len()).unwrap_or(u16::MAX).to_be_bytes();
    Sha512::new()
        .chain_update(ELEMENT_LENGTH)
        .chain_update(public.as_bytes())
        .chain_update(dst_length)
        .chain_update(label::SEED)
        .finalize()
        .into()
}

/// The weights `di` of the pairs from index `offset` on.
fn weights(seed: &[u8; 64], offset: usize, pairs: &[Pair<'_>]) -> Result<Vec<Scalar>, OprfError> {
    let weight = |(index, pair): (usize, &Pair<'_>)| {
        // "I2OSP(i, 2)": a batch larger than the RFC allows has no proof.
        let index = u16::try_from(offset + index).map_err(|_| OprfError::BatchSize)?;
        let parts: [&[u8]; 8] = [
            &64u16.to_be_bytes(),
            seed,
            &index.to_be_bytes(),
            &ELEMENT_LENGTH,
            pair.blinded.as_bytes(),
            &ELEMENT_LENGTH,
            pair.evaluated.as_bytes(),
            label::COMPOSITE,
        ];
        Ok(hash_to_scalar(&parts, label::HASH_TO_SCALAR))
    };
    pairs.iter().enumerate().map(weight).collect()
}

fn challenge(
    public: &PublicKey,
    composites: &Composites,
    t2: &RistrettoPoint,
    t3: &RistrettoPoint,
) -> Scalar {
    let [m, z, t2, t3] =
        [&composites.m, &composites.z, t2, t3].map(|point| point.compress().to_bytes());
    let parts: [&[u8]; 11] = [
        &ELEMENT_LENGTH,
        public.as_bytes(),
        &ELEMENT_LENGTH,
        &m,
        &ELEMENT_LENGTH,
        &z,
        &ELEMENT_LENGTH,
        &t2,
        &ELEMENT_LENGTH,
        &t3,
        label::CHALLENGE,
    ];
    hash_to_scalar(&parts, label::HASH_TO_SCALAR)
}
