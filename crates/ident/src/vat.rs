//! Numbers under which a business pays value added tax or passes customs.
//!
//! Implements spec/identifiers.md#vat.
//!
//! Invariant: the prefix becomes the issuer, so `DE 136695976` and `136695976` of Germany meet.

use crate::canonical::{Draft, Input};
use crate::document::without_issuer;
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::limits::{NUMBER_CHARS_MAX, NUMBER_WITHOUT_ISSUER_CHARS_MIN};
use crate::{Country, IdentError, Kind, fold, national, placeholder, scheme_europe as europe};
use crate::{scheme_vat as scheme, scheme_vat::britain};

/// A state's prefix, its alpha-3 code, and shape and check of its numbers.
struct State(&'static str, &'static str, fn(&[u8]) -> Option<bool>);

/// Directive 2006/112/EC article 215; `XI` numbers are the British ones; Norway and Switzerland by
/// their own law.
#[rustfmt::skip]
const STATES: [State; 32] = [
    State("AT", "AUT", scheme::austria), State("BE", "BEL", scheme::belgium),
    State("BG", "BGR", scheme::bulgaria), State("CHE", "CHE", europe::uid),
    State("CY", "CYP", scheme::cyprus), State("CZ", "CZE", scheme::czechia),
    State("DE", "DEU", scheme::germany), State("DK", "DNK", scheme::denmark),
    State("EE", "EST", scheme::estonia), State("EL", "GRC", scheme::greece),
    State("ES", "ESP", scheme::spain), State("FI", "FIN", scheme::finland),
    State("FR", "FRA", scheme::france), State("GB", "GBR", britain),
    State("GR", "GRC", scheme::greece), State("HR", "HRV", scheme::croatia),
    State("HU", "HUN", scheme::hungary), State("IE", "IRL", scheme::ireland),
    State("IT", "ITA", europe::partita_iva), State("LT", "LTU", scheme::lithuania),
    State("LU", "LUX", scheme::luxembourg), State("LV", "LVA", scheme::latvia),
    State("MT", "MLT", scheme::malta), State("NL", "NLD", scheme::netherlands),
    State("NO", "NOR", scheme::norway_organisation), State("PL", "POL", europe::nip),
    State("PT", "PRT", europe::nif_portugal), State("RO", "ROU", scheme::romania),
    State("SE", "SWE", scheme::sweden), State("SI", "SVN", scheme::slovenia),
    State("SK", "SVK", scheme::slovakia), State("XI", "GBR", britain),
];

/// A VAT number: issuer and the number behind its prefix.
pub(crate) fn vat(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Vat;
    let folded = fold::number(input.text);
    let text = ["VATNO", "VATID", "VAT", "USTIDNR", "TVA", "PIVA"]
        .iter()
        .find_map(|label| folded.strip_prefix(label).filter(|rest| rest.len() >= 8))
        .unwrap_or(&folded);
    let given = input.country().map(Country::as_str);
    let (country, number) = split(text, given);
    let number = country.map_or_else(|| number.to_owned(), |country| written(country, number));
    bounded(kind, &number)?;
    let check = match country {
        None => None,
        Some(country) => match state(country) {
            Some(state) => Some((state.2)(number.as_bytes()) == Some(true)),
            None => national::check(Kind::TaxId, Some(country), &number).map(|found| found.holds),
        },
    };
    let mut draft = Draft::new(kind, number).issuer(country);
    if let Some(holds) = check {
        draft = draft.check(Check::of(holds), "VAT number of its state");
    }
    draft = draft.issuer_key(KeyForm::WithIssuer, Strength::Medium);
    let company = company(country, draft.value());
    if company.len() < NUMBER_WITHOUT_ISSUER_CHARS_MIN {
        return without_issuer(draft);
    }
    // Many states number the company itself so: a list of companies has the same digits.
    let form = KeyForm::WithoutIssuer;
    let key = MatchKey::new(Kind::CompanyRegistration, form, Strength::Weak, "", company);
    Ok(draft.push(key))
}

fn state(country: &str) -> Option<&'static State> {
    STATES.iter().find(|state| state.1 == country)
}

/// The country and the number behind its prefix. A prefix of another country than the given one
/// counts where the number is not one of the given country's, or fails there and holds here.
fn split<'a>(text: &'a str, given: Option<&'static str>) -> (Option<&'static str>, &'a str) {
    let mut rest = text;
    while let Some(shorter) = given.and_then(|given| behind_prefix(given, rest)) {
        rest = shorter;
    }
    if rest.len() < text.len() {
        return (given, rest);
    }
    let stated = STATES.iter().find_map(|state| {
        let rest = text.strip_prefix(state.0)?;
        (state.2)(written(state.1, rest).as_bytes()).map(|holds| (state.1, rest, holds))
    });
    let fits = given.and_then(state).and_then(|own| (own.2)(text.as_bytes()));
    match (given, stated) {
        (Some(given), None) => (Some(given), text),
        (Some(given), Some((.., holds))) if fits == Some(true) || (fits.is_some() && !holds) => {
            (Some(given), text)
        }
        (_, Some((country, rest, _))) => (Some(country), rest),
        (None, None) => (None, text),
    }
}

/// The number behind the country's own prefix, unless the whole has the form of its numbers.
fn behind_prefix<'a>(country: &str, text: &'a str) -> Option<&'a str> {
    let whole = |state: &&State| (state.2)(text.as_bytes()).is_some();
    if state(country).filter(whole).is_some() {
        return None;
    }
    STATES
        .iter()
        .filter(|state| state.1 == country)
        .find_map(|state| text.strip_prefix(state.0))
        .or_else(|| text.strip_prefix(Country::parse(country).ok()?.alpha2()?))
        .filter(|rest| has_digit(rest))
}

/// The number as its state writes it: with the parts that lists leave out, without what only says
/// that it is a VAT number.
fn written(country: &str, number: &str) -> String {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let suffix = |suffixes: &[&str]| {
        suffixes.iter().find_map(|suffix| number.strip_suffix(suffix)).unwrap_or(number).to_owned()
    };
    match (country, number.len()) {
        ("AUT", 8) if digits => format!("U{number}"),
        ("BEL", 9) if digits => format!("0{number}"),
        ("CHE", _) => {
            let number = suffix(&["MWST", "TVA", "IVA"]);
            number.strip_prefix('E').map(str::to_owned).unwrap_or(number)
        }
        ("HUN", 11) if digits => number.get(..8).unwrap_or_default().to_owned(),
        ("NLD", 10..12) => format!("{number:0>12}"),
        ("NOR", _) => suffix(&["MVA"]),
        ("SWE", 10) if digits => format!("{number}01"),
        _ => number.to_owned(),
    }
}

/// What stands in the company's own number.
fn company<'a>(country: Option<&str>, number: &'a str) -> &'a str {
    match country {
        Some("FRA") => number.get(2..),
        Some("SWE") => number.get(..10),
        _ => Some(number),
    }
    .unwrap_or(number)
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn bounded(kind: Kind, number: &str) -> Result<(), IdentError> {
    if number.is_empty() {
        return Err(IdentError::Empty);
    }
    if number.chars().count() > NUMBER_CHARS_MAX {
        return Err(IdentError::TooLong);
    }
    if !has_digit(number) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    placeholder::refuse_number(number)
}

/// Annex 12-01 of Regulation (EU) 2015/2446: a country's two letters and up to fifteen characters,
/// which each state gives by its own rule and without a common check.
pub(crate) fn eori(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Eori;
    let folded = fold::number(input.text);
    let text = folded.strip_prefix("EORI").unwrap_or(&folded);
    let given = input.country();
    let country = given.or_else(|| prefix(text));
    // Lists write the code in a column of its own and once more before the number.
    let mut number = text;
    while country.is_some() && prefix(number) == country {
        number = number.get(2..).unwrap_or_default();
    }
    bounded(kind, number)?;
    if number.len() > 15 || !number.is_ascii() {
        return Err(IdentError::NotThisKind { kind, rule: "a country and 1 to 15 characters" });
    }
    let mut draft = Draft::new(kind, number).issuer(country.map(Country::as_str));
    let gives = |country: Country| {
        !matches!(country.as_str(), "CHE" | "NOR") && state(country.as_str()).is_some()
    };
    if country.is_some_and(|country| !gives(country)) {
        draft = draft.check(Check::Invalid, "EORI country");
    }
    without_issuer(draft.issuer_key(KeyForm::WithIssuer, Strength::Medium))
}

/// The country of a number's first two letters.
fn prefix(text: &str) -> Option<Country> {
    match text.get(..2)? {
        "XI" => Country::parse("GBR").ok(),
        "EL" => Country::parse("GRC").ok(),
        front if front.bytes().all(|byte| byte.is_ascii_uppercase()) => Country::parse(front).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_sorted_and_of_countries() {
        assert!(STATES.is_sorted_by_key(|state| state.0));
        for State(prefix, country, _) in STATES {
            assert_eq!(Country::parse(country).map(Country::as_str), Ok(country), "{prefix}");
        }
    }
}
