//! Marks and numbers of aircraft.
//!
//! Implements spec/identifiers.md#aircraft.

use crate::canonical::{Draft, Input};
use crate::company::folded;
use crate::document::without_issuer;
use crate::fold;
use crate::key::{KeyForm, Strength};
use crate::registry::with_year;
use crate::serial::maker;
use crate::{IdentError, Kind};

/// A registration mark without its hyphen. Marks are handed on, so only with the year or the
/// airframe's serial number (as issuer) is it more than weak.
pub(crate) fn tail(input: &Input<'_>) -> Result<Draft, IdentError> {
    mark(Kind::AircraftTail, input)
}

/// What a list calls an aircraft: nearly always its mark, whose keys it shares.
pub(crate) fn name(input: &Input<'_>) -> Result<Draft, IdentError> {
    mark(Kind::AircraftName, input)
}

fn mark(kind: Kind, input: &Input<'_>) -> Result<Draft, IdentError> {
    let mark = folded(kind, input.text, "")?;
    if mark.chars().count() < 3 {
        return Err(IdentError::TooShort);
    }
    let airframe = input.issuer.map(fold::number);
    let draft = Draft::new(kind, mark)
        .keys_as(Kind::AircraftTail)
        .issuer(airframe.as_deref())
        .issuer_key(KeyForm::WithIssuer, Strength::Medium);
    Ok(with_year(draft, input.date)?.key(KeyForm::Exact, Strength::Weak))
}

/// A manufacturer's serial number, unique per maker.
pub(crate) fn msn(input: &Input<'_>) -> Result<Draft, IdentError> {
    let number = folded(Kind::AircraftMsn, input.text, "MSN")?;
    let maker = input.issuer.map(maker);
    without_issuer(
        Draft::new(Kind::AircraftMsn, number)
            .issuer(maker.as_deref())
            .issuer_key(KeyForm::WithIssuer, Strength::Medium),
    )
}

/// Six hexadecimal digits (ICAO Annex 10, volume III).
pub(crate) fn mode_s(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::AircraftModeS;
    let address = folded(kind, input.text, "")?;
    if address.len() != 6 || !address.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(IdentError::NotThisKind { kind, rule: "six hexadecimal digits" });
    }
    Ok(Draft::new(kind, address).key(KeyForm::Exact, Strength::Medium))
}
