//! A match key: the exact bytes that two states compare blindly, and how much a hit on it says.
//!
//! Implements spec/identifiers.md#match-keys.
//!
//! Invariant: equal bytes mean the same profile, kind, form, issuer and value, because every part
//! is behind its length; at most `KEY_BYTES_MAX` bytes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::label;
use crate::limits::KEY_VALUE_BYTES_MAX;
use crate::named::named;
use crate::profile::PROFILE_VERSION;
use crate::{Class, Kind};

named! {
    /// How much agreement on a key says.
    Strength, UnknownForm, {
        /// Never alerts alone: needs a second agreeing field.
        Weak = 1, "weak";
        /// Strong with its issuer or date.
        Medium = 2, "medium";
        /// Strong alone.
        Strong = 3, "strong";
    }
}

named! {
    /// What a check digit, structure or table said about a value.
    Check, UnknownForm, {
        /// The standard's check holds.
        Valid = 1, "valid";
        /// The standard's check fails: kept, because traffickers' papers are often wrong, but weak.
        Invalid = 2, "invalid";
        /// No check applies.
        NotCheckable = 3, "not_checkable";
    }
}

named! {
    /// Which parts of an identifier a key is made of.
    KeyForm, UnknownForm, {
        /// A value that is unique in the world.
        Exact = 1, "exact";
        /// Issuer and number.
        WithIssuer = 2, "with_issuer";
        /// A number of 8 characters or more, whoever issued it.
        WithoutIssuer = 3, "without_issuer";
        /// A number of 4 to 7 characters, whoever issued it: the weakest key there is.
        ShortWithoutIssuer = 4, "short_without_issuer";
        /// Number and year, for numbers that are handed on.
        WithYear = 5, "with_year";
        /// All names with their vowels, or the characters of the name, and the full birth date.
        FullNameFullDate = 6, "full_name_full_date";
        /// All names with their vowels, and the year of birth.
        TokensYear = 7, "tokens_year";
        /// All names with their vowels, in any order.
        Tokens = 8, "tokens";
        /// All names with their vowels, in any order, and the country.
        TokensCountry = 9, "tokens_country";
        /// An e-mail address as its provider delivers it.
        ProviderFold = 10, "provider_fold";
        /// The sounds of all names, or of the first and the last, and the full birth date.
        SoundsFullDate = 11, "sounds_full_date";
        /// The sounds of all names and the year of birth.
        SoundsYear = 12, "sounds_year";
        /// The sounds of the first and the last name, and the year of birth.
        EndsYear = 13, "ends_year";
        /// The initials of the first and the last name, and the full birth date.
        InitialsFullDate = 14, "initials_full_date";
        /// The sounds of all words of a name.
        Sounds = 15, "sounds";
        /// The sounds of all words of a name, and the country.
        SoundsCountry = 16, "sounds_country";
        /// The sounds of the first telling word of a name, and the country.
        HeadCountry = 17, "head_country";
        /// The sounds of a name as one word, and the country.
        JoinedCountry = 18, "joined_country";
        /// The initials of a name, or the short word that may be these, and the country.
        AcronymCountry = 19, "acronym_country";
        /// Maker, model and serial number, for a source also its isotope.
        ModelSerial = 20, "model_serial";
        /// Issuer and number, with the letters that are mistaken for digits folded into these.
        LookAlike = 21, "look_alike";
        /// Country, authority and number.
        WithAuthority = 22, "with_authority";
        /// Serial number and isotope, whoever made the source.
        SerialIsotope = 23, "serial_isotope";
    }
}

impl Check {
    pub(crate) const fn of(holds: bool) -> Self {
        if holds { Self::Valid } else { Self::Invalid }
    }
}

/// One exact key of one identifier: the input of the OPRF.
///
/// Two keys are equal when their bytes are; strength is each side's own knowledge.
#[derive(Clone)]
pub struct MatchKey {
    kind: Kind,
    form: KeyForm,
    strength: Strength,
    bytes: Vec<u8>,
}

impl MatchKey {
    pub(crate) fn new(
        kind: Kind,
        form: KeyForm,
        strength: Strength,
        issuer: &str,
        value: &str,
    ) -> Self {
        let mut bytes =
            Vec::with_capacity(23 + issuer.len() + value.len().min(KEY_VALUE_BYTES_MAX));
        frame(&mut bytes, &[PROFILE_VERSION]);
        frame(&mut bytes, &[kind.code()]);
        frame(&mut bytes, &[form.code()]);
        frame(&mut bytes, issuer.as_bytes());
        if value.len() > KEY_VALUE_BYTES_MAX {
            let mut hash = Sha256::new_with_prefix(label::LONG_VALUE.as_bytes());
            hash.update(value.as_bytes());
            frame(&mut bytes, &hash.finalize());
        } else {
            frame(&mut bytes, value.as_bytes());
        }
        Self { kind, form, strength, bytes }
    }

    /// The same key after a failed check.
    pub(crate) fn weakened(mut self) -> Self {
        self.strength = Strength::Weak;
        self
    }

    /// The class whose key and budget this key falls under.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.kind.class()
    }

    /// The kind in the key's bytes, which need not be the identifier's: a name with a birth date
    /// also has a key of kind [`Kind::PersonName`], papers of all kinds share keys without issuer
    /// of kind [`Kind::OtherId`], and what a list calls an aircraft has those of its mark.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How much agreement on this key says.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        self.strength
    }

    /// Which parts of the identifier it is made of.
    #[must_use]
    pub const fn form(&self) -> KeyForm {
        self.form
    }

    /// profile ‖ kind ‖ form ‖ issuer ‖ value, each behind its length as four bytes big-endian;
    /// at most 256 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn frame(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

impl PartialEq for MatchKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for MatchKey {}

impl PartialOrd for MatchKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MatchKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl Hash for MatchKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl Drop for MatchKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Kind, form and strength; never the bytes.
impl fmt::Debug for MatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatchKey({}, {}, {}, [redacted])", self.kind, self.form, self.strength)
    }
}
