//! How the data directory is opened: a passphrase or a key file, read once and wiped.
//!
//! Implements spec/store.md#keyring.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use symbolon_store::Unlock;
use zeroize::Zeroizing;

use crate::cli;
use crate::entropy;
use crate::exit::Failure;

const PASSPHRASE_BYTES_MIN: usize = 12;

/// Reads what `given` names; `kept` is the key file of the configuration.
pub(crate) fn unlock(given: &cli::Unlock, kept: Option<&Path>) -> Result<Unlock, Failure> {
    if let Some(path) = &given.passphrase_file {
        return passphrase(path);
    }
    match given.key_file.as_deref().or(kept) {
        Some(path) => key_file(path),
        None => Err(Failure::invalid(
            "the data directory is sealed",
            "give --passphrase-file or --key-file",
        )),
    }
}

/// Makes the key file of a new node where there is none; gives what it made.
pub(crate) fn key_file_new(given: &cli::Unlock) -> Result<Option<&Path>, Failure> {
    let Some(path) = given.key_file.as_deref().filter(|path| !path.exists()) else {
        return Ok(None);
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let key = Zeroizing::new(entropy::seed());
    made.and_then(|mut file| file.write_all(&*key).and_then(|()| file.sync_all())).map_err(
        |_| {
            Failure::invalid(
                format!("the key file {} cannot be made", path.display()),
                "look at the folder's rights and space",
            )
        },
    )?;
    Ok(Some(path))
}

fn passphrase(path: &Path) -> Result<Unlock, Failure> {
    let text = Zeroizing::new(cli::read_text(path)?);
    let line = text.lines().next().unwrap_or_default();
    if line.len() < PASSPHRASE_BYTES_MIN {
        return Err(Failure::invalid(
            format!("the passphrase is shorter than {PASSPHRASE_BYTES_MIN} characters"),
            "use several words",
        ));
    }
    Unlock::passphrase(line.to_owned())
        .map_err(|error| Failure::invalid(error.to_string(), "use a shorter one"))
}

fn key_file(path: &Path) -> Result<Unlock, Failure> {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut bytes));
    read.map_err(|_| {
        Failure::invalid(
            format!("the key file {} cannot be read", path.display()),
            "look at its name and rights",
        )
    })?;
    Unlock::key_file(bytes).map_err(|error| {
        Failure::invalid(error.to_string(), "a key file is 32 to 4,096 random bytes")
    })
}
