//! Suite 1: HPKE in base mode with X-Wing, SHAKE256 and ChaCha20-Poly1305; no other is enabled.
//!
//! Implements spec/envelope.md#suite. Auth modes are not used: the signatures inside name sender
//! and recipient, and the modes leave the standard and do not exist for this KEM.

use std::fmt;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::KdfShake256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use symbolon_codec::sha256;
use symbolon_trust::{EnvelopeKey, Mode, SUITE_X_WING, key_id};
use zeroize::Zeroizing;

use crate::{DisclosureError, label};

/// Length of an X-Wing encapsulated key, in bytes.
pub(crate) const ENC_BYTES: usize = 1120;
/// Length of the authentication tag, in bytes.
pub(crate) const AEAD_TAG_BYTES: usize = 16;

/// A recipient's secret X-Wing key; wiped when dropped.
pub struct RecipientSecret {
    secret: <XWing as Kem>::PrivateKey,
    public: Vec<u8>,
    kid: [u8; 8],
    mode: Mode,
}

impl RecipientSecret {
    /// The key pair that `DeriveKeyPair` (RFC 9180 §7.1.3) gives for `seed`. Whoever keeps the
    /// seed keeps the key; to destroy the key is to destroy every copy of the seed.
    #[must_use]
    pub fn generate(seed: [u8; 32], mode: Mode) -> Self {
        let seed = Zeroizing::new(seed);
        let (secret, public) = XWing::derive_keypair(&*seed);
        let public = public.to_bytes().to_vec();
        Self { secret, kid: key_id(&public), public, mode }
    }

    /// Whether what is sealed to it is real.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Names the key in an envelope's header.
    #[must_use]
    pub fn kid(&self) -> [u8; 8] {
        self.kid
    }

    /// The public key, for a node card.
    #[must_use]
    pub fn envelope_key(&self, not_before: u64, not_after: u64) -> EnvelopeKey {
        EnvelopeKey::new(self.public.clone(), self.mode, not_before, not_after)
    }

    pub(crate) fn open(
        &self,
        header: &[u8],
        enc: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DisclosureError> {
        let enc =
            <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| DisclosureError::Open)?;
        hpke::single_shot_open::<ChaCha20Poly1305, KdfShake256, XWing>(
            &OpModeR::Base,
            &self.secret,
            &enc,
            &info(header, self.mode),
            ciphertext,
            header,
        )
        .map(Zeroizing::new)
        .map_err(|_| DisclosureError::Open)
    }
}

impl fmt::Debug for RecipientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientSecret([redacted])")
    }
}

/// Seals `plaintext` to `key`; gives the encapsulated key and the ciphertext.
///
/// The encapsulation randomness is made of the seed and of everything that is sealed: a seed that
/// is used twice by mistake still never meets one key and nonce with two plaintexts.
pub(crate) fn seal(
    key: &EnvelopeKey,
    header: &[u8],
    plaintext: &[u8],
    seed: &[u8; 32],
) -> Result<(Vec<u8>, Vec<u8>), DisclosureError> {
    if key.suite != SUITE_X_WING {
        return Err(DisclosureError::Suite { suite: key.suite });
    }
    let public = <XWing as Kem>::PublicKey::from_bytes(&key.public)
        .map_err(|_| DisclosureError::RecipientKey)?;
    let (header_hash, plaintext_hash) = (sha256("", &[header]), sha256("", &[plaintext]));
    let seed = Zeroizing::new(sha256(label::ENCAPSULATION, &[seed, &header_hash, &plaintext_hash]));
    let (enc, ciphertext) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, KdfShake256, XWing>(
            &OpModeS::Base,
            &public,
            &info(header, key.mode),
            plaintext,
            header,
            &mut ChaCha20Rng::from_seed(*seed),
        )
        .map_err(|_| DisclosureError::Library)?;
    Ok((enc.to_bytes().to_vec(), ciphertext))
}

/// `info = "symbolon/1 envelope" ‖ SHA-256(header)`; a drill has a label of its own.
fn info(header: &[u8], mode: Mode) -> Vec<u8> {
    let label = match mode {
        Mode::Live => label::ENVELOPE,
        Mode::Exercise => label::EXERCISE_ENVELOPE,
    };
    [label.as_bytes(), &sha256("", &[header])].concat()
}
