//! Things with a number on them that a standard or a state gave: containers, seals, vehicles.
//!
//! Implements spec/identifiers.md#goods.

use crate::canonical::{Draft, Input};
use crate::check_digit::{alphanumeric, is_digits};
use crate::company::folded;
use crate::document::without_issuer;
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::serial::maker;
use crate::{Country, IdentError, Kind, fold};

/// ISO 6346: owner code of three letters, category U, J or Z, six digits, a check digit. Lists
/// leave the check digit out, which then is computed.
pub(crate) fn container(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Container;
    let mut number = folded(kind, input.text, "CONTAINER")?;
    let letters = number.bytes().take(3).all(|byte| byte.is_ascii_uppercase());
    let category = matches!(number.as_bytes().get(3), Some(b'U' | b'J' | b'Z'));
    let digits = number.get(4..).unwrap_or_default();
    if !letters || !category || !(is_digits(digits, 6) || is_digits(digits, 7)) {
        let rule = "three letters, U, J or Z, six digits and a check digit";
        return Err(IdentError::NotThisKind { kind, rule });
    }
    let check = char::from_digit(iso_6346(number.bytes().take(10)), 10).unwrap_or('0');
    let draft = if digits.len() == 6 {
        number.push(check);
        Draft::new(kind, number)
    } else {
        let holds = number.ends_with(check);
        Draft::new(kind, number).check(Check::of(holds), "ISO 6346 check digit")
    };
    Ok(draft.key(KeyForm::Exact, Strength::Strong))
}

/// ISO 6346 annex A: letters from 10 on without the multiples of 11, weights 2⁰, 2¹ …, "modulo 11",
/// of which 10 is written 0.
pub(crate) fn iso_6346(characters: impl Iterator<Item = u8>) -> u32 {
    let mut weight = 1;
    let mut sum = 0;
    for byte in characters {
        let value = match alphanumeric(byte).unwrap_or(0) {
            letter @ 10.. => letter + (letter - 1) / 10,
            digit => digit,
        };
        sum = (sum + value * weight) % 11;
        weight = weight * 2 % 11;
    }
    sum % 10
}

/// A seal's number, unique at best for whoever made or fixed it (ISO 17712).
pub(crate) fn seal(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Seal;
    let number = folded(kind, input.text, "SEAL")?;
    let number = number.strip_prefix("NO").unwrap_or(&number);
    if !number.chars().any(char::is_numeric) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    let issuer = input.issuer.map(maker);
    without_issuer(
        Draft::new(kind, number)
            .issuer(issuer.as_deref())
            .issuer_key(KeyForm::WithIssuer, Strength::Weak),
    )
}

/// ISO 3779: seventeen characters without I, O and Q, which are read as 1 and 0. The check digit
/// in place 9 is law in North America (49 CFR 565) and China (GB 16735) only.
pub(crate) fn vin(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Vin;
    let number = folded(kind, input.text, "VIN")?;
    let number: String = number
        .chars()
        .map(|c| match c {
            'I' => '1',
            'O' | 'Q' => '0',
            other => other,
        })
        .collect();
    let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let serial = number.get(13..).unwrap_or_default();
    if number.len() != 17 || !plain || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
        // The last four are digits for every maker.
        let rule = "seventeen characters, the last four digits";
        return Err(IdentError::NotThisKind { kind, rule });
    }
    let checked = number.starts_with(['1', '2', '3', '4', '5', 'L']);
    let holds = vin_holds(number.as_bytes());
    let mut draft = Draft::new(kind, number);
    if checked {
        draft = draft.check(Check::of(holds), "49 CFR 565 check digit");
    }
    Ok(draft.key(KeyForm::Exact, Strength::Strong))
}

/// 49 CFR 565.15: letters by the column they have on a card, weights by place, modulo 11, X for 10.
fn vin_holds(number: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => 0,
    };
    let sum: u32 = number.iter().zip(WEIGHTS).map(|(byte, weight)| value(*byte) * weight).sum();
    let expect = b"0123456789X".get(usize::try_from(sum % 11).unwrap_or_default());
    expect.is_some() && expect == number.get(8)
}

/// A plate's letters and digits, with its country. Letters that cannot be told apart on a plate
/// (О and O) are one after folding; O and 0 are not, and meet on a weak key only.
pub(crate) fn plate(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Plate;
    let number = folded(kind, input.text, "")?;
    if number.chars().count() > 12 {
        return Err(IdentError::NotThisKind { kind, rule: "twelve characters at most" });
    }
    if !number.chars().any(char::is_numeric) && number.chars().count() < 2 {
        return Err(IdentError::TooShort);
    }
    let country = input.country().map(Country::as_str);
    let draft =
        Draft::new(kind, number).issuer(country).issuer_key(KeyForm::WithIssuer, Strength::Medium);
    without_issuer(look_alike(draft))
}

/// Adds the weak key over issuer and value in which letters that are mistaken for digits are
/// these, if the issuer is known.
pub(crate) fn look_alike(draft: Draft) -> Draft {
    let Some(issuer) = draft.issuer_text() else {
        return draft;
    };
    let value = fold::look_alike_digits(draft.value());
    let form = KeyForm::LookAlike;
    let key = MatchKey::new(draft.key_kind(), form, Strength::Weak, issuer, &value);
    draft.push(key)
}
