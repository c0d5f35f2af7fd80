//! Identifier text to one canonical form, its check and its match keys; compares nothing itself.
//!
//! Implements spec/identifiers.md#canonical.
//!
//! Two states match blindly, on exact bytes. So every spelling of one identifier must become the
//! same bytes on both sides, and no two identifiers the same.

mod account;
mod aircraft;
mod canonical;
mod cashaddr;
mod check_digit;
mod company;
mod contact;
mod country;
mod country_table;
mod date;
mod document;
mod error;
mod fold;
mod key;
mod key_parts;
mod kind;
mod label;
mod letters;
mod lexicon;
pub mod limits;
mod monero;
mod mrz;
mod name;
mod named;
mod national;
mod organisation;
mod person;
mod placeholder;
mod profile;
mod registry;
mod romanise;
mod scheme_americas;
mod scheme_asia;
mod scheme_europe;
mod sounds;
mod wallet;

pub use canonical::{Canonical, Input, Refused};
pub use country::Country;
pub use date::PartialDate;
pub use error::IdentError;
pub use key::{Check, KeyForm, MatchKey, Strength};
pub use key_parts::KeyParts;
pub use kind::{Class, Kind};
pub use profile::{LETTER_TABLES, PHONE_METADATA, PROFILE_VERSION, ProfileId, profile_id};
