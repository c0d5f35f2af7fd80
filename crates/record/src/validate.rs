//! Checks every part of a record or view against its limit and its rule; changes nothing.
//!
//! Implements spec/record.md#limits.

use symbolon_ident::PartialDate;

use crate::limits::*;
use crate::{
    CodeScheme, Content, ControlCode, Dispute, Event, Handling, Identifier, Item, Place, Quantity,
    RecordError, Source, Subject,
};

/// Checks all of a record's content.
pub(crate) fn content(content: &Content) -> Result<(), RecordError> {
    mandatory("title", &content.title, TITLE_BYTES_MAX)?;
    text("narrative", &content.narrative, NARRATIVE_BYTES_MAX)?;
    each("subjects", &content.subjects, SUBJECTS_COUNT_MAX, subject)?;
    each("items", &content.items, ITEMS_COUNT_MAX, item)?;
    each("events", &content.events, EVENTS_COUNT_MAX, event)?;
    handling(&content.handling)?;
    source(&content.source)?;
    mandatory("legal basis", &content.legal_basis, REFERENCE_BYTES_MAX)?;
    option("case reference", content.case_reference.as_deref(), REFERENCE_BYTES_MAX)?;
    validity(content.review_on, content.expires_on)?;
    content.dispute.as_ref().map_or(Ok(()), dispute)
}

fn subject(subject: &Subject) -> Result<(), RecordError> {
    names(&subject.names)?;
    dates(&subject.dates)?;
    countries(&subject.countries)?;
    each("subject identifiers", &subject.identifiers, IDENTIFIERS_COUNT_MAX, identifier)?;
    // A subject of which nothing is known is left out, not written down.
    let blank = subject.names.is_empty()
        && subject.dates.is_empty()
        && subject.countries.is_empty()
        && subject.identifiers.is_empty();
    if blank { Err(RecordError::Blank { part: "a subject" }) } else { Ok(()) }
}

pub(crate) fn names(names: &[String]) -> Result<(), RecordError> {
    each("subject names", names, NAMES_COUNT_MAX, |name| {
        mandatory("a subject name", name, NAME_BYTES_MAX)
    })
}

pub(crate) fn dates(dates: &[PartialDate]) -> Result<(), RecordError> {
    each("subject dates", dates, DATES_COUNT_MAX, |_| Ok(()))
}

pub(crate) fn countries(countries: &[symbolon_ident::Country]) -> Result<(), RecordError> {
    each("subject countries", countries, COUNTRIES_COUNT_MAX, |_| Ok(()))
}

pub(crate) fn identifier(identifier: &Identifier) -> Result<(), RecordError> {
    mandatory("an identifier", &identifier.text, IDENTIFIER_BYTES_MAX)?;
    option("an identifier's issuer", identifier.issuer.as_deref(), ISSUER_BYTES_MAX)?;
    option("an identifier's date", identifier.date.as_deref(), DATE_BYTES_MAX)
}

fn item(item: &Item) -> Result<(), RecordError> {
    codes(&item.codes)?;
    text("an item description", &item.description, DESCRIPTION_BYTES_MAX)?;
    if item.codes.is_empty() && item.description.is_empty() {
        return Err(RecordError::Blank { part: "an item" });
    }
    item.quantity.as_ref().map_or(Ok(()), quantity)
}

pub(crate) fn codes(codes: &[ControlCode]) -> Result<(), RecordError> {
    each("item codes", codes, CODES_COUNT_MAX, code)
}

fn code(code: &ControlCode) -> Result<(), RecordError> {
    mandatory("an item code", &code.code, CODE_BYTES_MAX)?;
    if shaped(code.scheme, &code.code) {
        Ok(())
    } else {
        Err(RecordError::Code { scheme: code.scheme.as_str() })
    }
}

/// Whether a code has the shape of its list; whether the list has the entry is not asked, because
/// lists change every year.
fn shaped(scheme: CodeScheme, code: &str) -> bool {
    match scheme {
        CodeScheme::EuDualUse => control_entry(code),
        CodeScheme::Eccn => code == "EAR99" || control_entry(code),
        CodeScheme::Nsg => {
            code.starts_with(|c: char| c.is_ascii_digit())
                && code
                    .split('.')
                    .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric()))
        }
        CodeScheme::Hs => {
            let digits = code.bytes().filter(u8::is_ascii_digit).count();
            matches!(digits, 4 | 6 | 8 | 10)
                && code.bytes().all(|c| c.is_ascii_digit() || c == b'.')
        }
    }
}

/// Category digit, product group letter, three digits, then the paragraph.
fn control_entry(code: &str) -> bool {
    let Some(([category, group, a, b, c], rest)) = code.as_bytes().split_first_chunk() else {
        return false;
    };
    category.is_ascii_digit()
        && matches!(group, b'A'..=b'E')
        && [a, b, c].into_iter().all(u8::is_ascii_digit)
        && rest.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'.')
}

pub(crate) fn quantity(quantity: &Quantity) -> Result<(), RecordError> {
    text("an item unit", &quantity.unit, QUANTITY_BYTES_MAX)?;
    mandatory("an item amount", &quantity.amount, QUANTITY_BYTES_MAX)?;
    let (whole, part) = quantity.amount.split_once('.').unwrap_or((&quantity.amount, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if digits(whole) && digits(part) { Ok(()) } else { Err(RecordError::Amount) }
}

fn event(event: &Event) -> Result<(), RecordError> {
    mandatory("an event", &event.what, DESCRIPTION_BYTES_MAX)?;
    event.place.as_ref().map_or(Ok(()), place)?;
    route(&event.route)
}

pub(crate) fn route(route: &[Place]) -> Result<(), RecordError> {
    each("route", route, ROUTE_COUNT_MAX, place)
}

pub(crate) fn place(place: &Place) -> Result<(), RecordError> {
    option("a place name", place.name.as_deref(), PLACE_BYTES_MAX)?;
    let blank = place.name.is_none() && place.country.is_none();
    if blank { Err(RecordError::Blank { part: "a place" }) } else { Ok(()) }
}

pub(crate) fn handling(handling: &Handling) -> Result<(), RecordError> {
    each("releasable-to countries", &handling.releasable_to, COUNTRIES_COUNT_MAX, |_| Ok(()))?;
    sorted("releasable-to countries", &handling.releasable_to)?;
    each("permitted purposes", &handling.purposes, PURPOSES_COUNT_MAX, |purpose| {
        mandatory("a permitted purpose", purpose, PURPOSE_BYTES_MAX)
    })?;
    sorted("permitted purposes", &handling.purposes)
}

fn source(source: &Source) -> Result<(), RecordError> {
    option("source description", source.description.as_deref(), DESCRIPTION_BYTES_MAX)?;
    option("source reference", source.reference.as_deref(), REFERENCE_BYTES_MAX)
}

pub(crate) fn dispute(dispute: &Dispute) -> Result<(), RecordError> {
    mandatory("dispute reason", &dispute.reason, DESCRIPTION_BYTES_MAX)
}

pub(crate) fn validity(review_on: u64, expires_on: u64) -> Result<(), RecordError> {
    match (review_on, expires_on) {
        (0, _) => Err(RecordError::Empty { part: "review date" }),
        (_, 0) => Err(RecordError::Empty { part: "expiry date" }),
        _ if review_on > expires_on => Err(RecordError::ReviewAfterExpiry),
        _ => Ok(()),
    }
}

/// Bounds a list, then checks each entry.
pub(crate) fn each<T>(
    part: &'static str,
    list: &[T],
    count_max: usize,
    check: impl Fn(&T) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    if list.len() > count_max {
        return Err(RecordError::TooMany { part, count_max });
    }
    list.iter().try_for_each(check)
}

/// A text that must say something.
pub(crate) fn mandatory(
    part: &'static str,
    value: &str,
    bytes_max: usize,
) -> Result<(), RecordError> {
    if value.trim().is_empty() {
        Err(RecordError::Empty { part })
    } else {
        text(part, value, bytes_max)
    }
}

/// A text that may be absent, but not present and empty: absence has one form.
pub(crate) fn option(
    part: &'static str,
    value: Option<&str>,
    bytes_max: usize,
) -> Result<(), RecordError> {
    value.map_or(Ok(()), |value| mandatory(part, value, bytes_max))
}

/// Line feeds and tabs belong to prose; other control characters change how a page looks.
pub(crate) fn text(part: &'static str, value: &str, bytes_max: usize) -> Result<(), RecordError> {
    if value.len() > bytes_max {
        return Err(RecordError::TooLong { part, bytes_max });
    }
    if value.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(RecordError::ControlCharacter { part });
    }
    Ok(())
}

/// A set has one order, so that one set has one hash.
fn sorted<T: Ord>(part: &'static str, set: &[T]) -> Result<(), RecordError> {
    if set.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(RecordError::NotSorted { part }) }
}
