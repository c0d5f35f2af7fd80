//! Numbers of organisations and their securities: company registers, LEI, D-U-N-S, ISIN.
//!
//! Implements spec/identifiers.md#organisations.

use crate::canonical::{Draft, Input};
use crate::check_digit::{alphanumeric, is_digits, luhn, mod_97};
use crate::document::numbered;
use crate::key::{Check, KeyForm, Strength};
use crate::{IdentError, Kind, fold, placeholder};

/// A number in a company register, with the register's country.
pub(crate) fn company_registration(input: &Input<'_>) -> Result<Draft, IdentError> {
    numbered(Kind::CompanyRegistration, input)
}

/// ISO 17442: "18 alphanumeric characters followed by two check digits", mod 97-10.
pub(crate) fn lei(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Lei;
    let folded = folded(kind, input.text, "LEI")?;
    let (body, check) = folded.split_at_checked(18).unwrap_or_default();
    if !body.is_ascii() || !is_digits(check, 2) {
        return Err(IdentError::NotThisKind { kind, rule: "18 characters and 2 check digits" });
    }
    let valid = mod_97(folded.bytes()) == Some(1);
    Ok(Draft::new(kind, folded)
        .check(Check::of(valid), "ISO 7064 mod 97-10")
        .key(KeyForm::Exact, Strength::Strong))
}

/// Nine digits; the check digit was given up in 2006.
pub(crate) fn duns(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Duns;
    let folded = folded(kind, input.text, "DUNS")?;
    if !is_digits(&folded, 9) {
        return Err(IdentError::NotThisKind { kind, rule: "nine digits" });
    }
    Ok(Draft::new(kind, folded).key(KeyForm::Exact, Strength::Medium))
}

/// ISO 6166: two letters, nine characters, one Luhn digit over all as decimal numbers.
pub(crate) fn isin(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Isin;
    let folded = folded(kind, input.text, "ISIN")?;
    let letters = folded.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    let last = folded.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    if folded.len() != 12 || !folded.is_ascii() || !letters || !last {
        let rule = "two letters, nine characters and a check digit";
        return Err(IdentError::NotThisKind { kind, rule });
    }
    let mut digits = Vec::with_capacity(24);
    for value in folded.bytes().filter_map(alphanumeric) {
        if value > 9 {
            digits.push(value / 10);
        }
        digits.push(value % 10);
    }
    Ok(Draft::new(kind, folded)
        .check(Check::of(luhn(digits.into_iter())), "ISO 6166 Luhn")
        .key(KeyForm::Exact, Strength::Strong))
}

/// The folded number without the label that some lists put before it.
pub(crate) fn folded(kind: Kind, text: &str, label: &str) -> Result<String, IdentError> {
    let mut folded = fold::number(text);
    if folded.is_empty() {
        return Err(IdentError::Empty);
    }
    while let Some(rest) = folded.strip_prefix(label).filter(|_| !label.is_empty()) {
        folded = rest.to_owned();
    }
    if folded.len() > 64 {
        return Err(IdentError::NotThisKind { kind, rule: "too long" });
    }
    placeholder::refuse_number(&folded)?;
    Ok(folded)
}
