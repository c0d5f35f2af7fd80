//! Papers of people: travel documents, national and tax numbers, and numbers of unknown kind.
//!
//! Implements spec/identifiers.md#documents.
//!
//! Invariant: a number's keys follow from its letters and digits alone, never from its separators.

use crate::canonical::{Draft, Input};
use crate::key::{Check, KeyForm, Strength};
use crate::limits::{
    NUMBER_CHARS_MAX, NUMBER_WITHOUT_ISSUER_CHARS_MIN, SHORT_NUMBER_WITHOUT_ISSUER_CHARS_MIN,
};
use crate::{Class, Country, IdentError, Kind, Mrz, fold, national, placeholder};

/// A passport number with its issuer, or the lines of a machine-readable zone.
pub(crate) fn passport(input: &Input<'_>) -> Result<Draft, IdentError> {
    travel(Kind::Passport, input)
}

/// The number of another travel document; it has the keys of a passport's.
pub(crate) fn travel_document(input: &Input<'_>) -> Result<Draft, IdentError> {
    travel(Kind::TravelDocument, input)
}

/// The number of a visa, which names a permission and not the booklet that it is in.
pub(crate) fn visa(input: &Input<'_>) -> Result<Draft, IdentError> {
    travel(Kind::Visa, input)
}

/// The kind is the publisher's, also where a zone says another: both then meet on the weak key.
fn travel(kind: Kind, input: &Input<'_>) -> Result<Draft, IdentError> {
    let filed = |kind| if kind == Kind::Visa { Kind::Visa } else { Kind::Passport };
    // No number has 72 characters, and only a longer text is worth a second look.
    let zone = if input.text.len() < 60 { None } else { Mrz::parse(input.text).ok() };
    let Some(zone) = zone else {
        return keyed(number_draft(kind, input)?.keys_as(filed(kind)), Strength::Medium);
    };
    let number = fold::number(zone.expose_number());
    if number.is_empty() {
        return Err(IdentError::Empty);
    }
    if !number.chars().any(char::is_numeric) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    placeholder::refuse_number(&number)?;
    let country = zone.issuer().or_else(|| input.country());
    let draft = Draft::new(kind, number)
        .keys_as(filed(kind))
        .issuer(country.map(Country::as_str))
        .check(Check::of(zone.holds()), "ICAO Doc 9303 check digits");
    keyed(draft, Strength::Medium)
}

/// A number in a national scheme of people.
pub(crate) fn national_id(input: &Input<'_>) -> Result<Draft, IdentError> {
    numbered(Kind::NationalId, input)
}

/// A tax payer's number.
pub(crate) fn tax_id(input: &Input<'_>) -> Result<Draft, IdentError> {
    numbered(Kind::TaxId, input)
}

/// A number whose kind its publisher did not say.
pub(crate) fn other_id(input: &Input<'_>) -> Result<Draft, IdentError> {
    numbered(Kind::OtherId, input)
}

/// A number that is unique only per issuer, a country.
pub(crate) fn numbered(kind: Kind, input: &Input<'_>) -> Result<Draft, IdentError> {
    let draft = number_draft(kind, input)?;
    let finding = national::check(kind, draft.issuer_text(), draft.value());
    let Some(finding) = finding else {
        return keyed(draft, Strength::Medium);
    };
    let alone = finding.holds && finding.alone;
    let strength = if alone { Strength::Strong } else { Strength::Medium };
    keyed(draft.check(Check::of(finding.holds), finding.rule), strength)
}

/// The number without its label, and its country.
fn number_draft(kind: Kind, input: &Input<'_>) -> Result<Draft, IdentError> {
    let folded = fold::number(input.text);
    let (number, stated) = unlabelled(kind, &folded);
    usable(kind, number)?;
    let country = input.country().map(Country::as_str).or(stated);
    Ok(Draft::new(kind, number).issuer(country))
}

/// Refuses what is no number: nothing, too much, no digit, a placeholder.
pub(crate) fn usable(kind: Kind, number: &str) -> Result<(), IdentError> {
    if number.is_empty() {
        return Err(IdentError::Empty);
    }
    if number.chars().count() > NUMBER_CHARS_MAX {
        return Err(IdentError::TooLong);
    }
    if !number.chars().any(char::is_numeric) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    placeholder::refuse_number(number)
}

fn keyed(draft: Draft, strength: Strength) -> Result<Draft, IdentError> {
    without_issuer(draft.issuer_key(KeyForm::WithIssuer, strength))
}

/// Adds the weak key without issuer where the number is long enough for it.
///
/// Lists disagree on what kind of paper a number is from, so papers of all kinds share this key.
pub(crate) fn without_issuer(draft: Draft) -> Result<Draft, IdentError> {
    let any = match draft.key_kind().class() {
        Class::Document => Kind::OtherId,
        _ => draft.key_kind(),
    };
    match draft.value().chars().count() {
        NUMBER_WITHOUT_ISSUER_CHARS_MIN.. => {
            Ok(draft.keys_as(any).key(KeyForm::WithoutIssuer, Strength::Weak))
        }
        SHORT_NUMBER_WITHOUT_ISSUER_CHARS_MIN.. => {
            Ok(draft.key(KeyForm::ShortWithoutIssuer, Strength::Weak))
        }
        2.. if draft.has_keys() => Ok(draft),
        _ => Err(IdentError::TooShort),
    }
}

/// The number without the words that lists write before or behind it, and the issuer that such a
/// word states. Works on folded text, so `SSN 156-92-9858` and `SSN156929858` stay equal.
fn unlabelled(kind: Kind, folded: &str) -> (&str, Option<&'static str>) {
    let mut number = folded;
    let mut stated = None;
    for label in labels(kind) {
        let rest = number.strip_prefix(label.text).or_else(|| number.strip_suffix(label.text));
        if let Some(rest) = rest.filter(|rest| label.fits(rest)) {
            number = rest;
            stated = label.issuer;
            break;
        }
    }
    (number, stated)
}

struct Label {
    /// As folded: Cyrillic letters that look Latin are Latin.
    text: &'static str,
    /// Digits that must be all of what remains; anything with a digit if empty.
    digits: &'static [usize],
    /// The country that the word states.
    issuer: Option<&'static str>,
}

impl Label {
    fn fits(&self, rest: &str) -> bool {
        if self.digits.is_empty() {
            return rest.len() >= 4 && rest.bytes().any(|byte| byte.is_ascii_digit());
        }
        self.digits.contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
    }
}

const fn label(text: &'static str, digits: &'static [usize], issuer: &'static str) -> Label {
    Label { text, digits, issuer: if issuer.is_empty() { None } else { Some(issuer) } }
}

fn labels(kind: Kind) -> &'static [Label] {
    match kind {
        Kind::Passport | Kind::TravelDocument => PASSPORT,
        Kind::Visa => VISA,
        Kind::NationalId => NATIONAL,
        Kind::TaxId => TAX,
        Kind::CompanyRegistration => COMPANY,
        _ => &[],
    }
}

const PASSPORT: &[Label] =
    &[label("PASSPORTNO", &[], ""), label("PASSPORT", &[], ""), label("BOOKLET", &[], "")];

const VISA: &[Label] = &[label("VISANO", &[], ""), label("VISA", &[], "")];

const NATIONAL: &[Label] = &[
    label("SSN", &[9], "USA"),
    label("CNIC", &[13], "PAK"),
    label("NIC", &[11, 13], ""),
    label("JMBG", &[13], ""),
    label("JMB", &[13], ""),
    label("PESEL", &[11], "POL"),
    label("CEDULA", &[], ""),
    label("BPANR", &[10], ""),
];

#[rustfmt::skip]
const TAX: &[Label] = &[
    label("INN", &[10, 12], "RUS"), label("ИHH", &[10, 12], "RUS"),
    label("UNP", &[9], "BLR"), label("YHП", &[9], "BLR"),
    label("NIT", &[9, 10], ""), label("TIN", &[], ""),
    // VAT prefixes before national tax numbers of digits alone.
    label("AT", &[9], "AUT"), label("BE", &[9, 10], "BEL"), label("BG", &[9, 10], "BGR"),
    label("CZ", &[8, 9, 10], "CZE"), label("DE", &[9], "DEU"), label("DK", &[8], "DNK"),
    label("EE", &[9], "EST"), label("EL", &[9], "GRC"), label("FI", &[8], "FIN"),
    label("HR", &[11], "HRV"), label("HU", &[8], "HUN"), label("IT", &[11], "ITA"),
    label("LT", &[9, 12], "LTU"), label("LU", &[8], "LUX"), label("LV", &[11], "LVA"),
    label("MT", &[8], "MLT"), label("PL", &[10], "POL"), label("PT", &[9], "PRT"),
    label("SE", &[12], "SWE"), label("SI", &[8], "SVN"), label("SK", &[10], "SVK"),
    label("CHE", &[9], "CHE"),
];

const COMPANY: &[Label] = &[
    label("OGRN", &[13, 15], "RUS"),
    label("OГPH", &[13, 15], "RUS"),
    label("INN", &[10, 12], "RUS"),
    label("ИHH", &[10, 12], "RUS"),
    label("UNP", &[9], "BLR"),
    label("YHП", &[9], "BLR"),
    label("TIN", &[], ""),
    label("GROUPID", &[], ""),
];
