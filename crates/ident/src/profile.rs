//! The name of these rules: two nodes that differ in it would silently stop matching.
//!
//! Implements spec/identifiers.md#profile.

use std::fmt;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::label;

/// Version of the rules in every match key; raised when a value's canonical form changes.
pub const PROFILE_VERSION: u8 = 1;

/// Release of Google's phone number metadata inside the pinned `phonenumber` crate.
pub const PHONE_METADATA: &str = "9.0.33";

/// Release of the pinned `any_ascii` crate, which has the letters of scripts without a table here.
pub const LETTER_TABLES: &str = "0.3.3";

/// SHA-256 over the version, the releases of phone metadata and letters, each vector and table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProfileId([u8; 32]);

impl ProfileId {
    /// The bytes, as they stand in a node card.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hex of the first 8 bytes.
impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The profile that this crate implements.
#[must_use]
pub fn profile_id() -> ProfileId {
    static ID: LazyLock<ProfileId> = LazyLock::new(|| {
        let mut hash = Sha256::new_with_prefix(label::PROFILE.as_bytes());
        hash.update([PROFILE_VERSION]);
        framed(&mut hash, PHONE_METADATA.as_bytes());
        framed(&mut hash, LETTER_TABLES.as_bytes());
        for (name, bytes) in VECTORS.iter().chain(TABLES) {
            framed(&mut hash, name.as_bytes());
            framed(&mut hash, bytes);
        }
        ProfileId(hash.finalize().into())
    });
    *ID
}

fn framed(hash: &mut Sha256, part: &[u8]) {
    hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(part);
}

macro_rules! vectors {
    ($($name:literal),+ $(,)?) => {
        /// Every vector file by name, sorted.
        const VECTORS: &[(&str, &[u8])] = &[
            $(($name, include_bytes!(concat!("../../../spec/vectors/identifiers/", $name))),)+
        ];
    };
}

vectors!(
    "account_number.json",
    "air_waybill.json",
    "aircraft_mode_s.json",
    "aircraft_msn.json",
    "aircraft_name.json",
    "aircraft_tail.json",
    "bic.json",
    "bik.json",
    "bill_of_lading.json",
    "call_sign.json",
    "company_registration.json",
    "container.json",
    "corpus.json",
    "denial_reference.json",
    "domain.json",
    "duns.json",
    "email.json",
    "eori.json",
    "export_licence.json",
    "iban.json",
    "imei.json",
    "imo_company.json",
    "imo_ship.json",
    "imsi.json",
    "ip.json",
    "isin.json",
    "lei.json",
    "mmsi.json",
    "mrn.json",
    "national_id.json",
    "organisation_name.json",
    "other_id.json",
    "passport.json",
    "person_name.json",
    "person_name_birth_date.json",
    "phone.json",
    "plate.json",
    "radioactive_source.json",
    "seal.json",
    "serial_number.json",
    "tax_id.json",
    "travel_document.json",
    "url.json",
    "vat.json",
    "vessel_name.json",
    "vin.json",
    "visa.json",
    "wallet.json",
);

/// The tables that names are read with, by name.
const TABLES: &[(&str, &[u8])] = &[
    ("legal_forms.tsv", include_bytes!("../../../spec/names/legal_forms.tsv")),
    ("letters.tsv", include_bytes!("../../../spec/names/letters.tsv")),
    ("words.tsv", include_bytes!("../../../spec/names/words.tsv")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_file_is_part_of_the_profile() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/identifiers");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".json"))
            .collect();
        names.sort();
        let known: Vec<&str> = VECTORS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, known);
    }

    #[test]
    fn metadata_and_letters_are_the_pinned_ones() {
        let manifest = include_str!("../../../Cargo.toml");
        assert!(manifest.contains(&format!("any_ascii = \"={LETTER_TABLES}\"")));
        assert!(manifest.contains("phonenumber = \"=0.3.10\""));
        let lock = include_str!("../../../Cargo.lock");
        assert!(lock.contains(&format!("version = \"0.3.10+{PHONE_METADATA}\"")));
    }
}
