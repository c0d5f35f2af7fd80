//! Seals cells so that each opens only in its own row and column, and draws the store's random
//! numbers.
//!
//! Implements spec/store.md#cells.
//!
//! Invariant: the first data key writes, all read; a nonce is 192 random bits and never repeats.

use std::sync::{Mutex, PoisonError, RwLock};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use symbolon_codec::Framed;
use zeroize::Zeroizing;

use crate::keyring::Secrets;
use crate::limits::CELL_BYTES_MAX;
use crate::{StoreError, label};

const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 4 + NONCE_BYTES;
const TAG_BYTES: usize = 16;
/// What a sealed cell has more than its plaintext, in bytes.
pub(crate) const SEALED_BYTES_MORE: usize = HEAD_BYTES + TAG_BYTES;

/// Where a cell lies.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) table: &'static str,
    pub(crate) key: &'a [u8],
    pub(crate) column: &'static str,
}

impl Cell<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let framed = Framed::new().part(self.table).part(self.key).part(self.column);
        [label::CELL.as_bytes(), framed.as_bytes()].concat()
    }
}

/// Seals and opens cells, and computes the keyed indexes.
pub(crate) struct Crypter {
    ciphers: RwLock<Vec<(u32, XChaCha20Poly1305)>>,
    random: Mutex<ChaCha20Rng>,
    index: Zeroizing<[u8; 32]>,
    external: Zeroizing<[u8; 32]>,
    pin: Zeroizing<[u8; 32]>,
    submitter: Zeroizing<[u8; 32]>,
    hotline: Zeroizing<[u8; 32]>,
}

impl Crypter {
    /// `seed` is fresh for every opening of the store.
    pub(crate) fn new(secrets: &Secrets, seed: &[u8; 32]) -> Self {
        let index = secrets.index_secret();
        // The secret is mixed in so that a caller with a weak seed still gets unguessable numbers.
        let random = derive(label::RANDOM, &[seed.as_slice(), index].concat());
        Self {
            ciphers: RwLock::new(ciphers(secrets)),
            random: Mutex::new(ChaCha20Rng::from_seed(*random)),
            index: derive(label::INDEX_KEY, index),
            external: derive(label::EXTERNAL_KEY, index),
            pin: derive(label::PIN_KEY, index),
            submitter: derive(label::SUBMITTER_KEY, index),
            hotline: derive(label::HOTLINE_KEY, index),
        }
    }

    /// Takes the keys of a keyring that was rotated.
    pub(crate) fn take_keys(&self, secrets: &Secrets) {
        *self.ciphers.write().unwrap_or_else(PoisonError::into_inner) = ciphers(secrets);
    }

    /// Thirty-two random bytes.
    pub(crate) fn random(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// key number ‖ nonce ‖ ciphertext.
    pub(crate) fn seal(&self, cell: &Cell<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        if plain.len() > CELL_BYTES_MAX {
            return Err(StoreError::TooLong { what: cell.table });
        }
        let mut nonce = [0; NONCE_BYTES];
        self.fill(&mut nonce);
        let aad = cell.associated_data();
        let ciphers = self.ciphers.read().unwrap_or_else(PoisonError::into_inner);
        let (number, cipher) = ciphers.first().ok_or(StoreError::Closed)?;
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| StoreError::TooLong { what: cell.table })?;
        Ok([number.to_be_bytes().as_slice(), &nonce, &sealed].concat())
    }

    /// The plaintext of a cell that was sealed for this very place.
    pub(crate) fn open(
        &self,
        cell: &Cell<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let altered = || StoreError::Altered { table: cell.table };
        let (head, sealed) = sealed.split_first_chunk::<HEAD_BYTES>().ok_or_else(altered)?;
        let (number, nonce) = head.split_first_chunk::<4>().ok_or_else(altered)?;
        let number = u32::from_be_bytes(*number);
        let nonce = XNonce::try_from(nonce).map_err(|_| altered())?;
        let aad = cell.associated_data();
        let ciphers = self.ciphers.read().unwrap_or_else(PoisonError::into_inner);
        let (_, cipher) = ciphers.iter().find(|(own, _)| *own == number).ok_or_else(altered)?;
        cipher
            .decrypt(&nonce, Payload { msg: sealed, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| altered())
    }

    /// nonce ‖ ciphertext, under the secret of one alert: whoever wipes the secret wipes this.
    pub(crate) fn seal_under(
        &self,
        secret: &[u8; 32],
        cell: &Cell<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        if plain.len() > CELL_BYTES_MAX {
            return Err(StoreError::TooLong { what: cell.table });
        }
        let mut nonce = [0; NONCE_BYTES];
        self.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: &cell.associated_data() };
        let sealed = under(secret).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| StoreError::TooLong { what: cell.table })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed under the secret of an alert for this very place.
    pub(crate) fn open_under(
        secret: &[u8; 32],
        cell: &Cell<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let altered = || StoreError::Altered { table: cell.table };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(altered)?;
        let payload = Payload { msg: sealed, aad: &cell.associated_data() };
        let plain = under(secret).decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| altered())
    }

    /// What stands in the local index for a match key.
    pub(crate) fn index_mark(&self, match_key: &[u8]) -> [u8; 16] {
        mark(&self.index, match_key)
    }

    /// What stands in the local index for an external reference.
    pub(crate) fn external_mark(&self, reference: &[u8]) -> [u8; 16] {
        mark(&self.external, reference)
    }

    /// What stands in the local index for a TLS pin.
    pub(crate) fn pin_mark(&self, pin: &[u8]) -> [u8; 16] {
        mark(&self.pin, pin)
    }

    /// What stands in the local index for who submitted an alert.
    pub(crate) fn submitter_mark(&self, actor: &[u8]) -> [u8; 16] {
        mark(&self.submitter, actor)
    }

    /// What stands in the local index for a hotline, or for one of its submissions.
    pub(crate) fn hotline_mark(&self, framed: &Framed) -> [u8; 16] {
        mark(&self.hotline, framed.as_bytes())
    }
}

fn under(secret: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*derive(label::ALERT_KEY, secret)).into())
}

fn ciphers(secrets: &Secrets) -> Vec<(u32, XChaCha20Poly1305)> {
    let keys = secrets.data_keys();
    keys.map(|(number, key)| {
        let key = derive(label::CELL_KEY, key);
        (number, XChaCha20Poly1305::new((&*key).into()))
    })
    .collect()
}

/// HKDF-SHA256 with the label as info (RFC 5869).
pub(crate) fn derive(info: &str, secret: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are far below the 8,160 that HKDF-SHA256 can give, its only cause of failure.
    let _ = Hkdf::<Sha256>::new(None, secret).expand(info.as_bytes(), key.as_mut_slice());
    key
}

/// The first sixteen bytes of HMAC-SHA256.
fn mark(key: &[u8; 32], value: &[u8]) -> [u8; 16] {
    let mut mark = [0; 16];
    // HMAC takes a key of any length.
    if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) {
        mac.update(value);
        mark.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Cell<'static> = Cell { table: "record", key: b"row", column: "value" };

    fn crypter(seed: u8) -> (Crypter, Secrets) {
        let secrets = Secrets::generate(&[seed; 32]);
        (Crypter::new(&secrets, &[9; 32]), secrets)
    }

    #[test]
    fn a_cell_opens_only_where_it_was_sealed() {
        let (crypter, _) = crypter(1);
        let sealed = crypter.seal(&HERE, b"text").unwrap();
        assert_eq!(**crypter.open(&HERE, &sealed).unwrap(), *b"text");
        let moved = [
            Cell { table: "hit", ..HERE },
            Cell { key: b"another", ..HERE },
            Cell { column: "other", ..HERE },
            // The same bytes, cut elsewhere.
            Cell { table: "recordr", key: b"ow", ..HERE },
        ];
        for cell in moved {
            assert!(matches!(crypter.open(&cell, &sealed), Err(StoreError::Altered { .. })));
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(crypter.open(&HERE, &altered).is_err(), "byte {at}");
        }
        assert!(crypter.open(&HERE, &sealed[..27]).is_err());
    }

    #[test]
    fn the_first_key_writes_and_all_read() {
        let (crypter, secrets) = crypter(1);
        let before = crypter.seal(&HERE, b"before").unwrap();
        crypter.take_keys(&secrets.rotate(&[2; 32]).unwrap());
        let after = crypter.seal(&HERE, b"after").unwrap();
        assert_eq!(**crypter.open(&HERE, &before).unwrap(), *b"before");
        assert_eq!(**crypter.open(&HERE, &after).unwrap(), *b"after");
        assert_eq!((&before[..4], &after[..4]), (&[0, 0, 0, 1][..], &[0, 0, 0, 2][..]));
        let (stranger, _) = self::crypter(3);
        assert!(stranger.open(&HERE, &before).is_err());
    }

    #[test]
    fn marks_differ_by_store_and_by_index() {
        let ((one, _), (other, _)) = (crypter(1), crypter(2));
        assert_eq!(one.index_mark(b"key"), one.index_mark(b"key"));
        assert_ne!(one.index_mark(b"key"), other.index_mark(b"key"));
        assert_ne!(one.index_mark(b"key"), one.external_mark(b"key"));
    }
}
