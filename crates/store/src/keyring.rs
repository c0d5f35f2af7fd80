//! The keyring file: the random keys of a store, sealed under a passphrase or a key file.
//!
//! Implements spec/store.md#keyring.
//!
//! Invariant: the file is replaced whole or not at all, and reading it never changes anything.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypter::derive;
use crate::limits::{
    DATA_KEYS_MAX, KDF_MEMORY_KIB_MAX, KDF_PASSES_MAX, KEY_FILE_BYTES_MAX, KEY_FILE_BYTES_MIN,
    KEYRING_BYTES_MAX, PASSPHRASE_BYTES_MAX,
};
use crate::{StoreError, label};

/// Name of the file in the data directory.
pub const KEYRING_FILE: &str = "keys.cbor";
/// Newest version of the file that this program knows.
const VERSION: u32 = 1;
const MAGIC: &str = "symbolon keyring";

/// What opens the keyring. Wiped when dropped.
pub struct Unlock(Way);

#[derive(Zeroize, ZeroizeOnDrop)]
enum Way {
    Passphrase(Vec<u8>),
    KeyFile(Vec<u8>),
}

/// What a guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory for Argon2id, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// The second recommended option of RFC 9106 §4 (64 MiB, three passes), on one lane.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3 }
    }
}

impl Cost {
    /// Next to nothing: for tests, where a keyring guards nothing.
    #[must_use]
    pub const fn dangerous_cheap() -> Self {
        Self { memory_kib: 8, passes: 1 }
    }
}

impl Unlock {
    /// A passphrase that a person types.
    ///
    /// # Errors
    /// [`StoreError::TooLong`].
    pub fn passphrase(text: String) -> Result<Self, StoreError> {
        let way = Way::Passphrase(text.into_bytes());
        match &way {
            Way::Passphrase(bytes) if bytes.len() > PASSPHRASE_BYTES_MAX => {
                Err(StoreError::TooLong { what: "passphrase" })
            }
            _ => Ok(Self(way)),
        }
    }

    /// The contents of a key file: at least 32 random bytes.
    ///
    /// # Errors
    /// [`StoreError::KeyFileLength`].
    pub fn key_file(bytes: Vec<u8>) -> Result<Self, StoreError> {
        let fits = (KEY_FILE_BYTES_MIN..=KEY_FILE_BYTES_MAX).contains(&bytes.len());
        let way = Way::KeyFile(bytes);
        if fits { Ok(Self(way)) } else { Err(StoreError::KeyFileLength) }
    }
}

/// The keys of a store.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secrets {
    #[zeroize(skip)]
    store: [u8; 16],
    index: [u8; 32],
    /// The first writes, all read.
    data: Vec<(u32, [u8; 32])>,
}

impl Secrets {
    /// Fresh keys.
    pub(crate) fn generate(seed: &[u8; 32]) -> Self {
        let draw = |part: &str| derive(part, seed);
        let mut store = [0; 16];
        store.iter_mut().zip(*draw(label::NEW_STORE)).for_each(|(to, from)| *to = from);
        Self { store, index: *draw(label::NEW_INDEX), data: vec![(1, *draw(label::NEW_DATA_KEY))] }
    }

    /// The same with a fresh data key that writes from now on.
    pub(crate) fn rotate(&self, seed: &[u8; 32]) -> Result<Self, StoreError> {
        if self.data.len() >= DATA_KEYS_MAX {
            return Err(StoreError::TooLong { what: "list of data keys" });
        }
        let number = self.data.iter().map(|(number, _)| *number).max().unwrap_or_default() + 1;
        let mut data = vec![(number, *derive(label::NEW_DATA_KEY, seed))];
        data.extend_from_slice(&self.data);
        Ok(Self { store: self.store, index: self.index, data })
    }

    /// Public name of the store: binds the database to its keyring.
    pub(crate) const fn store(&self) -> &[u8; 16] {
        &self.store
    }

    pub(crate) const fn index_secret(&self) -> &[u8; 32] {
        &self.index
    }

    pub(crate) fn data_keys(&self) -> impl Iterator<Item = (u32, &[u8; 32])> {
        self.data.iter().map(|(number, key)| (*number, key))
    }

    /// index secret ‖ (number ‖ key) for each data key: no other copy is left behind in memory.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + 36 * self.data.len()));
        bytes.extend_from_slice(&self.index);
        for (number, key) in &self.data {
            bytes.extend_from_slice(&number.to_be_bytes());
            bytes.extend_from_slice(key);
        }
        bytes
    }

    fn from_bytes(store: [u8; 16], bytes: &[u8]) -> Option<Self> {
        let (index, rest) = bytes.split_first_chunk::<32>()?;
        let (entries, rest) = rest.as_chunks::<36>();
        if !rest.is_empty() || entries.is_empty() || entries.len() > DATA_KEYS_MAX {
            return None;
        }
        let data = entries.iter().map(|entry| {
            let (number, key) = entry.split_first_chunk::<4>()?;
            Some((u32::from_be_bytes(*number), *key.first_chunk::<32>()?))
        });
        Some(Self { store, index: *index, data: data.collect::<Option<_>>()? })
    }
}

/// How the sealing key is derived.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kdf {
    Argon2id(Argon2id),
    KeyFile(serde_bytes::ByteArray<16>),
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Argon2id {
    memory_kib: u32,
    passes: u32,
    #[serde(with = "serde_bytes")]
    salt: [u8; 16],
}

/// The part of the file that is not secret, and is authenticated with the rest.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct Header {
    #[serde(with = "serde_bytes")]
    store: [u8; 16],
    kdf: Kdf,
    #[serde(with = "serde_bytes")]
    nonce: [u8; 24],
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Keyring {
    magic: String,
    version: u32,
    #[serde(with = "serde_bytes")]
    header: Vec<u8>,
    #[serde(with = "serde_bytes")]
    sealed: Vec<u8>,
}

/// Writes the keyring, in place of an earlier one. `seed` is fresh.
pub(crate) fn write(
    directory: &Path,
    secrets: &Secrets,
    unlock: &Unlock,
    cost: Cost,
    seed: &[u8; 32],
) -> Result<(), StoreError> {
    let drawn = derive(label::KEYRING_SALT, seed);
    let salt = *drawn.first_chunk::<16>().ok_or(StoreError::Closed)?;
    let nonce =
        *derive(label::KEYRING_NONCE, seed).first_chunk::<24>().ok_or(StoreError::Closed)?;
    let kdf = match &unlock.0 {
        Way::Passphrase(_) => {
            Kdf::Argon2id(Argon2id { memory_kib: cost.memory_kib, passes: cost.passes, salt })
        }
        Way::KeyFile(_) => Kdf::KeyFile(salt.into()),
    };
    let cipher = cipher(unlock, &kdf)?;
    let header = encode(&Header { store: *secrets.store(), kdf, nonce });
    let aad = [label::KEYRING.as_bytes(), &header].concat();
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: &secrets.to_bytes(), aad: &aad })
        .map_err(|_| StoreError::TooLong { what: "keyring" })?;
    let file = Keyring { magic: MAGIC.into(), version: VERSION, header, sealed };
    replace(directory, KEYRING_FILE, &encode(&file))
}

/// Reads and opens the keyring; changes nothing.
pub(crate) fn read(directory: &Path, unlock: &Unlock) -> Result<Secrets, StoreError> {
    const FOREIGN: StoreError = StoreError::Foreign { file: "keyring" };
    let bytes = read_bounded(&directory.join(KEYRING_FILE))?;
    let (magic, version) = magic_and_version(&bytes).ok_or(FOREIGN)?;
    if magic != MAGIC {
        return Err(FOREIGN);
    }
    if version > VERSION {
        return Err(StoreError::NewerKeyring { found: version, known: VERSION });
    }
    let file: Keyring = decode(&bytes, KEYRING_BYTES_MAX).map_err(|_| FOREIGN)?;
    let header: Header = decode(&file.header, KEYRING_BYTES_MAX).map_err(|_| FOREIGN)?;
    let aad = [label::KEYRING.as_bytes(), &file.header].concat();
    let opened = cipher(unlock, &header.kdf)?
        .decrypt(&XNonce::from(header.nonce), Payload { msg: &file.sealed, aad: &aad })
        .map(Zeroizing::new)
        .map_err(|_| StoreError::WrongPassphrase)?;
    Secrets::from_bytes(header.store, &opened).ok_or(FOREIGN)
}

/// Reads the first two fields alone: a newer version may have any number of others.
fn magic_and_version(bytes: &[u8]) -> Option<(&str, u32)> {
    let (head, rest) = bytes.split_at_checked(2)?;
    let [0x80..=0x97, text @ 0x60..=0x77] = head else {
        return None;
    };
    let (magic, rest) = rest.split_at_checked(usize::from(text - 0x60))?;
    let version = match rest {
        [small @ 0..=23, ..] => u32::from(*small),
        [24, value, ..] => u32::from(*value),
        [25, high, low, ..] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => return None,
    };
    Some((std::str::from_utf8(magic).ok()?, version))
}

fn cipher(unlock: &Unlock, kdf: &Kdf) -> Result<XChaCha20Poly1305, StoreError> {
    let key = match (&unlock.0, kdf) {
        (Way::Passphrase(passphrase), Kdf::Argon2id(kdf)) => {
            let foreign = |_| StoreError::Foreign { file: "keyring" };
            if kdf.memory_kib > KDF_MEMORY_KIB_MAX || kdf.passes > KDF_PASSES_MAX {
                return Err(StoreError::Foreign { file: "keyring" });
            }
            let params = Params::new(kdf.memory_kib, kdf.passes, 1, Some(32)).map_err(foreign)?;
            let mut key = Zeroizing::new([0; 32]);
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(passphrase, &kdf.salt, key.as_mut_slice())
                .map_err(foreign)?;
            key
        }
        (Way::KeyFile(contents), Kdf::KeyFile(salt)) => {
            let secret = Zeroizing::new([salt.as_slice(), contents].concat());
            derive(label::KEY_FILE, &secret)
        }
        (_, Kdf::Argon2id(_)) => {
            return Err(StoreError::WrongUnlock { wanted: "passphrase" });
        }
        (_, Kdf::KeyFile(_)) => return Err(StoreError::WrongUnlock { wanted: "key file" }),
    };
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, StoreError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { file: "keyring" },
        _ => StoreError::Io { what: "read the keyring", source },
    })?;
    let mut bytes = Vec::new();
    let read = file.take(KEYRING_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(StoreError::io("read the keyring"))?;
    if bytes.len() > KEYRING_BYTES_MAX {
        return Err(StoreError::Foreign { file: "keyring" });
    }
    Ok(bytes)
}

/// Writes beside the file, makes that durable, then renames it into place.
fn replace(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let written = directory.join(format!("{name}.new"));
    let wrote = || StoreError::io("write the keyring");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&written)
        .map_err(wrote())?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(wrote())?;
    std::fs::rename(&written, directory.join(name)).map_err(wrote())?;
    sync_directory(directory)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(StoreError::io("make the data directory durable"))
}
