//! Numbers of papers about a transaction: carriage, customs, licences and their refusal.
//!
//! Implements spec/identifiers.md#references.

use crate::canonical::{Draft, Input};
use crate::check_digit::{digit, is_digits};
use crate::company::folded;
use crate::document::{usable, without_issuer};
use crate::goods::iso_6346;
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::limits::NUMBER_CHARS_MAX;
use crate::{Country, IdentError, Kind, fold, placeholder};

/// IATA resolution 600a: an airline's three digits, seven digits and these modulo 7.
pub(crate) fn air_waybill(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::AirWaybill;
    let number = folded(kind, input.text, "AWB")?;
    let number = number.strip_prefix("NO").unwrap_or(&number);
    if !is_digits(number, 11) {
        return Err(IdentError::NotThisKind { kind, rule: "three and eight digits" });
    }
    let (body, check) = number.split_at_checked(10).unwrap_or_default();
    let serial: u32 = body.get(3..).and_then(|serial| serial.parse().ok()).unwrap_or_default();
    let holds = check.bytes().next().and_then(digit) == Some(serial % 7);
    Ok(Draft::new(kind, number)
        .check(Check::of(holds), "IATA modulo 7")
        .key(KeyForm::Exact, Strength::Medium))
}

/// A carrier's code of four letters (SCAC), given or in front of the number, and the number.
pub(crate) fn bill_of_lading(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::BillOfLading;
    let folded = folded(kind, input.text, "")?;
    let mut number = without_label(&folded);
    if !number.chars().any(char::is_numeric) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    if number.chars().count() > NUMBER_CHARS_MAX {
        return Err(IdentError::TooLong);
    }
    let carrier = input.issuer.map(fold::number).filter(|code| is_carrier(code));
    let carrier = carrier.or_else(|| {
        let front = number.get(..4).filter(|front| is_carrier(front));
        front.map(str::to_owned)
    });
    // Lists write the code in a column of its own and once more before the number.
    while let Some(rest) = carrier.as_ref().and_then(|code| number.strip_prefix(code.as_str())) {
        number = without_label(rest);
    }
    placeholder::refuse_number(number)?;
    without_issuer(
        Draft::new(kind, number)
            .issuer(carrier.as_deref())
            .issuer_key(KeyForm::WithIssuer, Strength::Medium),
    )
}

fn without_label(mut number: &str) -> &str {
    let labels = ["BILLOFLADING", "BLNO", "BL"];
    while let Some(rest) =
        labels.iter().find_map(|label| number.strip_prefix(label).filter(|rest| rest.len() >= 8))
    {
        number = rest;
    }
    number
}

fn is_carrier(code: &str) -> bool {
    (2..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Annex B of Regulation (EU) 2015/2447: year, country, thirteen characters, and the check digit
/// of DG XXI/0879/99: ISO 6346 over the first seventeen.
pub(crate) fn mrn(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Mrn;
    let number = folded(kind, input.text, "MRN")?;
    let year = number.get(..2).unwrap_or_default();
    let country = number.get(2..4).unwrap_or_default();
    let check = number.bytes().last().and_then(digit);
    if number.len() != 18
        || !number.is_ascii()
        || !is_digits(year, 2)
        || !country.bytes().all(|byte| byte.is_ascii_uppercase())
        || check.is_none()
    {
        let rule = "a year, a country, 13 characters and a check digit";
        return Err(IdentError::NotThisKind { kind, rule });
    }
    // Northern Ireland's trade has a code of its own.
    let known = country == "XI" || Country::parse(country).is_ok();
    let holds = known && check == Some(iso_6346(number.bytes().take(17)));
    Ok(Draft::new(kind, number)
        .check(Check::of(holds), "DG XXI/0879/99 check digit")
        .key(KeyForm::Exact, Strength::Medium))
}

/// A licence to export; the issuer is `country`, `country authority` or `country|authority`.
pub(crate) fn export_licence(input: &Input<'_>) -> Result<Draft, IdentError> {
    authorised(Kind::ExportLicence, input)
}

/// The refusal of one, as its state or regime numbers it.
pub(crate) fn denial_reference(input: &Input<'_>) -> Result<Draft, IdentError> {
    authorised(Kind::DenialReference, input)
}

fn authorised(kind: Kind, input: &Input<'_>) -> Result<Draft, IdentError> {
    let folded = fold::number(input.text);
    let number = ["LICENCENO", "LICENSENO", "DENIALNO"]
        .iter()
        .find_map(|label| folded.strip_prefix(label))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(&folded);
    usable(kind, number)?;
    let (country, authority) = authority(input.issuer.unwrap_or_default());
    let country = country.map_or("", Country::as_str);
    let issuer = match (country, authority.as_str()) {
        (country, "") => country.to_owned(),
        (country, authority) => format!("{country}|{authority}"),
    };
    let mut draft = Draft::new(kind, number).issuer(Some(&issuer));
    if !authority.is_empty() {
        let strength = if country.is_empty() { Strength::Medium } else { Strength::Strong };
        draft = draft.issuer_key(KeyForm::WithAuthority, strength);
    }
    if !country.is_empty() {
        let form = KeyForm::WithIssuer;
        let key = MatchKey::new(kind, form, Strength::Medium, country, draft.value());
        draft = draft.push(key);
    }
    without_issuer(draft)
}

/// Country and authority of an issuer: a country alone, a country in front of an authority, or an
/// authority (a regime) alone.
fn authority(issuer: &str) -> (Option<Country>, String) {
    if let Ok(country) = Country::parse(issuer) {
        return (Some(country), String::new());
    }
    let (front, rest) = issuer
        .split_once('|')
        .or_else(|| issuer.trim().split_once([' ', '/', '-', ',', ':']))
        .unwrap_or(("", issuer));
    match Country::parse(front) {
        Ok(country) => (Some(country), fold::number(rest)),
        Err(_) => (None, fold::number(issuer)),
    }
}
