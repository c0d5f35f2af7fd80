//! An identifier in its one canonical form: the only way from text to match keys.
//!
//! Implements spec/identifiers.md#canonical.
//!
//! Invariants: [`Canonical::parse`] is the only constructor; there are one to five keys, each at
//! most 256 bytes; an identifier whose check fails has only weak keys.

use std::fmt;

use zeroize::Zeroizing;

use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::limits::{ISSUER_BYTES_MAX, KEY_ISSUER_BYTES_MAX, KEYS_MAX, TEXT_BYTES_MAX};
use crate::{Class, Country, IdentError, Kind};
use crate::{account, aircraft, company, contact, device, document, goods, name, network};
use crate::{placeholder, reference, registry, serial, vat, wallet};

/// What was typed or published.
#[derive(Clone, Copy, Default)]
pub struct Input<'a> {
    /// The identifier as written.
    pub text: &'a str,
    /// Who issued it, as written: a country for papers and registers, the default region for a
    /// phone number, the maker for a serial number, the network for a wallet.
    pub issuer: Option<&'a str>,
    /// The date that belongs to it, as written: the birth date for a name, the date of observation
    /// for a number that is handed on.
    pub date: Option<&'a str>,
}

impl<'a> From<&'a str> for Input<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, issuer: None, date: None }
    }
}

/// Shows that there is an identifier, never which.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Input([redacted])")
    }
}

/// A key that an identifier of this kind would have, and why this one has it not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refused {
    /// The form of the key that is missing.
    pub form: KeyForm,
    /// Why, for the report of an import.
    pub reason: IdentError,
}

/// A canonical identifier.
#[derive(Clone)]
pub struct Canonical {
    kind: Kind,
    value: Zeroizing<String>,
    issuer: Option<Zeroizing<String>>,
    check: Check,
    rule: Option<&'static str>,
    keys: Vec<MatchKey>,
    refused: Vec<Refused>,
}

impl Canonical {
    /// Brings `input` into the canonical form of `kind`, checks it and derives its match keys.
    ///
    /// An issuer that cannot be read counts as unknown: lists say `00`, `-0-` or the name of a
    /// town, and the number is still worth comparing.
    ///
    /// # Errors
    /// [`IdentError`] for what is empty, too long or short, a placeholder, or cannot be of this
    /// kind. A failed check digit is no error: see [`Canonical::check`].
    pub fn parse<'a>(kind: Kind, input: impl Into<Input<'a>>) -> Result<Self, IdentError> {
        let input = bounded(input.into())?;
        placeholder::refuse_words(input.text)?;
        let draft = match kind {
            Kind::Passport => document::passport(&input),
            Kind::NationalId => document::national_id(&input),
            Kind::TaxId => document::tax_id(&input),
            Kind::OtherId => document::other_id(&input),
            Kind::PersonNameBirthDate => name::person_with_birth_date(&input),
            Kind::PersonName => name::person(&input),
            Kind::OrganisationName => name::organisation(&input),
            Kind::CompanyRegistration => company::company_registration(&input),
            Kind::Lei => company::lei(&input),
            Kind::Duns => company::duns(&input),
            Kind::Isin => company::isin(&input),
            Kind::ImoShip => registry::imo_ship(&input),
            Kind::ImoCompany => registry::imo_company(&input),
            Kind::Mmsi => registry::mmsi(&input),
            Kind::VesselName => name::vessel(&input),
            Kind::AircraftTail => aircraft::tail(&input),
            Kind::AircraftMsn => aircraft::msn(&input),
            Kind::AircraftModeS => aircraft::mode_s(&input),
            Kind::AircraftName => aircraft::name(&input),
            Kind::Phone => contact::phone(&input),
            Kind::Email => contact::email(&input),
            Kind::Bic => account::bic(&input),
            Kind::Bik => account::bik(&input),
            Kind::Iban => account::iban(&input),
            Kind::Wallet => wallet::wallet(&input),
            Kind::Vat => vat::vat(&input),
            Kind::Eori => vat::eori(&input),
            Kind::CallSign => registry::call_sign(&input),
            Kind::Domain => network::domain(&input),
            Kind::Url => network::url(&input),
            Kind::Ip => network::ip(&input),
            Kind::Imei => device::imei(&input),
            Kind::Imsi => device::imsi(&input),
            Kind::AccountNumber => account::account_number(&input),
            Kind::Container => goods::container(&input),
            Kind::Seal => goods::seal(&input),
            Kind::AirWaybill => reference::air_waybill(&input),
            Kind::BillOfLading => reference::bill_of_lading(&input),
            Kind::Mrn => reference::mrn(&input),
            Kind::Vin => goods::vin(&input),
            Kind::Plate => goods::plate(&input),
            Kind::SerialNumber => serial::serial_number(&input),
            Kind::RadioactiveSource => serial::radioactive_source(&input),
            Kind::ExportLicence => reference::export_licence(&input),
            Kind::DenialReference => reference::denial_reference(&input),
            Kind::TravelDocument => document::travel_document(&input),
            Kind::Visa => document::visa(&input),
        }?;
        // Another script, a word that is dropped or another order may leave just such a word.
        placeholder::refuse_words(draft.value())?;
        Ok(draft.finish())
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The class whose key and budget it falls under.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.kind.class()
    }

    /// The strength of its strongest key.
    #[must_use]
    pub fn strength(&self) -> Strength {
        self.keys.iter().map(MatchKey::strength).max().unwrap_or(Strength::Weak)
    }

    /// What the check of its standard said.
    #[must_use]
    pub const fn check(&self) -> Check {
        self.check
    }

    /// Which check was applied (`INN 10`, `ISO 7064 mod 97-10`), for a warning on import.
    #[must_use]
    pub const fn check_rule(&self) -> Option<&'static str> {
        self.rule
    }

    /// The issuer in canonical form, where known: an alpha-3 code, a maker, a network.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.as_str())
    }

    /// The canonical value, for the officer's eyes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// Its one to five match keys, the strongest first.
    #[must_use]
    pub fn keys(&self) -> &[MatchKey] {
        &self.keys
    }

    /// Keys that would say too little to be compared: why a name has fewer than others.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

/// Kind, check and number of keys; never the value.
impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.len();
        write!(f, "Canonical({}, {}, {keys} keys, [redacted])", self.kind, self.check)
    }
}

fn bounded(input: Input<'_>) -> Result<Input<'_>, IdentError> {
    let bytes = |text: Option<&str>| text.map_or(0, str::len);
    if input.text.len() > TEXT_BYTES_MAX
        || bytes(input.issuer) > ISSUER_BYTES_MAX
        || bytes(input.date) > ISSUER_BYTES_MAX
    {
        return Err(IdentError::TooLong);
    }
    Ok(input)
}

impl Input<'_> {
    /// The issuer as a country; what cannot be read is unknown.
    pub(crate) fn country(&self) -> Option<Country> {
        self.issuer.and_then(|issuer| Country::parse(issuer).ok())
    }
}

/// A canonical form in the making.
pub(crate) struct Draft {
    kind: Kind,
    key_kind: Kind,
    value: Zeroizing<String>,
    issuer: Option<Zeroizing<String>>,
    check: Check,
    rule: Option<&'static str>,
    keys: Vec<MatchKey>,
    refused: Vec<Refused>,
}

impl Draft {
    pub(crate) fn new(kind: Kind, value: impl Into<String>) -> Self {
        Self {
            kind,
            key_kind: kind,
            value: Zeroizing::new(value.into()),
            issuer: None,
            check: Check::NotCheckable,
            rule: None,
            keys: Vec::with_capacity(KEYS_MAX),
            refused: Vec::new(),
        }
    }

    /// Files the keys that follow under another kind, to meet identifiers of that kind.
    pub(crate) fn keys_as(mut self, kind: Kind) -> Self {
        self.key_kind = kind;
        self
    }

    /// The kind of its keys.
    pub(crate) const fn key_kind(&self) -> Kind {
        self.key_kind
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// The issuer as it stands in keys.
    pub(crate) fn issuer_text(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.as_str())
    }

    /// Shows another value than the keys are made of: of several parts all.
    pub(crate) fn with_value(mut self, value: String) -> Self {
        self.value = Zeroizing::new(value);
        self
    }

    pub(crate) const fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether it has so many keys that two more are the last.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.keys.len() + 2 >= KEYS_MAX
    }

    /// The issuer as it stands in keys, at most `KEY_ISSUER_BYTES_MAX` bytes.
    pub(crate) fn issuer(mut self, issuer: Option<&str>) -> Self {
        self.issuer = issuer.filter(|issuer| !issuer.is_empty()).map(|issuer| {
            let mut end = issuer.len().min(KEY_ISSUER_BYTES_MAX);
            while !issuer.is_char_boundary(end) {
                end -= 1;
            }
            Zeroizing::new(issuer.get(..end).unwrap_or_default().to_owned())
        });
        self
    }

    pub(crate) fn check(mut self, check: Check, rule: &'static str) -> Self {
        self.check = check;
        self.rule = Some(rule);
        self
    }

    /// Adds a key of the draft's kind over its whole value, without issuer.
    pub(crate) fn key(self, form: KeyForm, strength: Strength) -> Self {
        let key = MatchKey::new(self.key_kind, form, strength, "", &self.value);
        self.push(key)
    }

    /// Adds a key of the draft's kind over issuer and value, if the issuer is known.
    pub(crate) fn issuer_key(self, form: KeyForm, strength: Strength) -> Self {
        let Some(issuer) = &self.issuer else {
            return self;
        };
        let key = MatchKey::new(self.key_kind, form, strength, issuer, &self.value);
        self.push(key)
    }

    /// Adds a key made by hand.
    pub(crate) fn push(mut self, key: MatchKey) -> Self {
        if self.keys.len() < KEYS_MAX {
            self.keys.push(key);
        }
        self
    }

    /// Tells that the identifier has no key of this form.
    pub(crate) fn refuse(mut self, form: KeyForm, reason: IdentError) -> Self {
        self.refused.push(Refused { form, reason });
        self
    }

    /// A failed check leaves nothing but weak keys.
    fn finish(mut self) -> Canonical {
        if self.check == Check::Invalid {
            self.keys = self.keys.drain(..).map(MatchKey::weakened).collect();
        }
        let Self { kind, value, issuer, check, rule, keys, refused, .. } = self;
        Canonical { kind, value, issuer, check, rule, keys, refused }
    }
}
