//! `symbolon init`: a new data directory, whole or not at all.
//!
//! Implements spec/node.md#commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_desk::{Birth, DeskError, identity_create};
use symbolon_ident::Country;
use symbolon_store::{Cost, Store, StoreError};
use symbolon_trust::NodeName;
use zeroize::Zeroizing;

use crate::cli::Init;
use crate::config::{Config, FILE_NAME};
use crate::entropy;
use crate::exit::{Exit, Failure};
use crate::quic::TlsKey;
use crate::unlock::{key_file_new, unlock};
use crate::wiring::{Machine, chain};

/// Makes the node; `policy` is the text to start from.
pub(crate) fn init(directory: &Path, init: &Init, policy: &str) -> Result<(), Failure> {
    if directory.join(FILE_NAME).exists() {
        return Err(Failure::new(
            Exit::Refused,
            format!("{} holds a node already", directory.display()),
            "name another folder with --data",
        ));
    }
    if directory.exists()
        && std::fs::read_dir(directory).is_ok_and(|mut list| list.next().is_some())
    {
        return Err(Failure::new(
            Exit::Refused,
            format!("{} is not empty", directory.display()),
            "name a new folder with --data",
        ));
    }
    let name = NodeName::parse(&init.name).map_err(|error| {
        Failure::invalid(
            error.to_string(),
            "give --name 1 to 32 lower-case letters, digits and hyphens",
        )
    })?;
    let country = Country::parse(&init.country).map_err(|_| {
        Failure::invalid("--country is no country", "give its ISO 3166-1 code or its English name")
    })?;
    // Everything is made beside the place and moved there at the end.
    let folder = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let work = directory.with_file_name(format!(".{folder}.new"));
    let _ = std::fs::remove_dir_all(&work);
    let key_file = key_file_new(&init.unlock)?;
    let made = make(&work, directory, init, (name, country), policy);
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&work);
        // Nothing is sealed under a key that was made for this node alone.
        if let Some(key_file) = key_file {
            let _ = std::fs::remove_file(key_file);
        }
    }
    made
}

fn make(
    work: &Path,
    place: &Path,
    init: &Init,
    (name, country): (NodeName, Country),
    policy: &str,
) -> Result<(), Failure> {
    let secret = unlock(&init.unlock, None)?;
    Store::create(work, &secret, Cost::default(), entropy::seed()).map_err(store_failure)?;
    // Reading it again proves that it opens with what the operator has.
    let secret = unlock(&init.unlock, None)?;
    let store = Arc::new(Store::open(work, &secret, entropy::seed()).map_err(store_failure)?);
    let tls = TlsKey::generate(entropy::seed())
        .map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
    let birth = Birth {
        name,
        country,
        addresses: init.addresses.clone(),
        tls_key: Zeroizing::new(tls.expose_secret().to_vec()),
        tls_pin: tls.pin().0,
    };
    identity_create(&store, birth, &Machine).map_err(|error| desk_failure(&error))?;
    drop(store);
    let key_file = init.unlock.key_file.as_deref().map(absolute);
    let config = Config::new(init.listen, key_file);
    write(&work.join(FILE_NAME), &config.to_text())?;
    write(&work.join(&config.policy_file), policy)?;
    // An empty folder may stand in the place.
    let _ = std::fs::remove_dir(place);
    std::fs::rename(work, place).map_err(|_| {
        Failure::invalid(
            format!("{} cannot be made", place.display()),
            "look at the parent folder's rights",
        )
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|_| {
        Failure::invalid(format!("{} cannot be written", path.display()), "free some space")
    })
}

/// What the operator can do about a store that does not open.
pub(crate) fn store_failure(error: StoreError) -> Failure {
    let message = chain(&error);
    let (exit, remedy) = match error {
        StoreError::WrongPassphrase | StoreError::WrongUnlock { .. } => {
            (Exit::Invalid, "give the passphrase or key file of this node; nothing was changed")
        }
        StoreError::NewerSchema { .. } | StoreError::NewerKeyring { .. } => {
            (Exit::Refused, "nothing was changed")
        }
        StoreError::InUse => (Exit::Refused, "stop the other process first"),
        StoreError::Full => (Exit::Unavailable, "free space; what was acknowledged is safe"),
        StoreError::Missing { .. } => (Exit::NotFound, "restore the folder from a backup"),
        _ => (Exit::Internal, "keep the folder as it is, and restore a backup elsewhere"),
    };
    Failure::new(exit, message, remedy)
}

pub(crate) fn desk_failure(error: &DeskError) -> Failure {
    Failure::from_code(error.fault().as_str(), error.to_string(), error.remedy().to_owned())
}
