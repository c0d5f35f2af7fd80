//! Check digits of schemes of the Americas and of Africa: arithmetic by shape, no country logic.
//!
//! Implements spec/identifiers.md#schemes. Each answers `None` for a number of another shape.

use crate::check_digit::{alphanumeric, digit, luhn_ascii, weighted, weighted_from_right};
use crate::scheme_europe::{at, digits, leading};

/// The value of a character in Mexico's tables: 0–9, A–N from 10, one place kept free, O–Z from 25.
fn mexican(byte: u8) -> Option<u32> {
    alphanumeric(byte).map(|value| if value >= 24 { value + 1 } else { value })
}

/// Mexican population number: 4 letters, 6 digits, 6 letters, a letter or digit, a check digit.
pub(crate) fn curp(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    let shape = body.iter().enumerate().all(|(place, byte)| match place {
        0..=3 | 10..=15 => byte.is_ascii_uppercase(),
        16 => byte.is_ascii_alphanumeric(),
        _ => byte.is_ascii_digit(),
    });
    if body.len() != 17 || !shape {
        return None;
    }
    let check = digit(*last)?;
    let sum: u32 = body.iter().zip((2..=18).rev()).map(|(b, w)| mexican(*b).unwrap_or(0) * w).sum();
    Some((10 - sum % 10) % 10 == check)
}

/// Mexican tax number with its three-character homoclave; a company's counts a blank in front.
pub(crate) fn rfc(number: &[u8]) -> Option<bool> {
    const BLANK: u32 = 37;
    let letters = match number.len() {
        12 => 3,
        13 => 4,
        _ => return None,
    };
    let (name, rest) = number.split_at_checked(letters)?;
    let (date, clave) = rest.split_at_checked(6)?;
    if !name.iter().all(u8::is_ascii_uppercase) || !date.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (last, body) = number.split_last()?;
    if !clave.iter().all(u8::is_ascii_alphanumeric) || !(last.is_ascii_digit() || *last == b'A') {
        return None;
    }
    let blank = (letters == 3).then_some(BLANK);
    let values = blank.into_iter().chain(body.iter().filter_map(|byte| mexican(*byte)));
    let sum: u32 = values.zip((2..=13).rev()).map(|(value, weight)| value * weight).sum();
    Some((11 - sum % 11) % 11 == alphanumeric(*last)?)
}

/// Colombian tax number of nine digits and a check digit.
pub(crate) fn nit_colombia(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    let rest = weighted(number, &[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
    Some((if rest < 2 { rest } else { 11 - rest }) == at(number, 9))
}

/// Guatemalan tax number: weights from 2 rising leftwards, K for ten.
pub(crate) fn nit_guatemala(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    if !(4..=11).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let given = if *last == b'K' { 10 } else { digit(*last)? };
    Some((11 - weighted_from_right(body, 2) % 11) % 11 == given)
}

/// Venezuelan tax number: a letter, eight digits and a check digit.
pub(crate) fn rif(number: &[u8]) -> Option<bool> {
    let (letter, rest) = number.split_first()?;
    digits::<9>(rest)?;
    let front = match letter {
        b'V' => 4,
        b'E' => 8,
        b'J' | b'C' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return None,
    };
    let rest_of = 11 - (front + weighted(rest, &[3, 2, 7, 6, 5, 4, 3, 2])) % 11;
    Some((if rest_of > 9 { 0 } else { rest_of }) == at(rest, 8))
}

/// Argentine tax number.
pub(crate) fn cuit(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let check = match 11 - weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => 0,
        10 => 9,
        rest => rest,
    };
    Some(check == at(number, 10))
}

/// Peruvian tax number.
pub(crate) fn ruc_peru(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let sum = weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    Some((11 - sum % 11) % 10 == at(number, 10))
}

/// Paraguayan tax number: weights from 2 rising leftwards.
pub(crate) fn ruc_paraguay(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    if !(6..=8).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let rest = 11 - weighted_from_right(body, 2) % 11;
    Some((if rest > 9 { 0 } else { rest }) == digit(*last)?)
}

/// Brazilian number of a person: two check digits.
pub(crate) fn cpf(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let check = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    let first = check(weighted(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = check(weighted(number, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
    Some(first == at(number, 9) && second == at(number, 10))
}

/// Brazilian number of a company: two check digits.
pub(crate) fn cnpj(number: &[u8]) -> Option<bool> {
    digits::<14>(number)?;
    let check = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    let first = check(weighted(number, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = check(weighted(number, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
    Some(first == at(number, 12) && second == at(number, 13))
}

/// Chilean number: weights 2 to 7 rising leftwards, K for ten.
pub(crate) fn rut(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    if !(7..=8).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let given = if *last == b'K' { 10 } else { digit(*last)? };
    let weights = [2, 3, 4, 5, 6, 7].into_iter().cycle();
    let sum: u32 = body.iter().rev().zip(weights).map(|(b, w)| digit(*b).unwrap_or(0) * w).sum();
    Some((11 - sum % 11) % 11 == given)
}

/// Dominican number of a person: Luhn over eleven digits.
pub(crate) fn luhn_11(number: &[u8]) -> Option<bool> {
    digits::<11>(number).map(|_| luhn_ascii(number))
}

/// Dominican tax number of nine digits.
pub(crate) fn rnc(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let check = match weighted(number, &[7, 9, 8, 6, 5, 4, 3, 2]) % 11 {
        0 => 2,
        1 => 1,
        rest => 11 - rest,
    };
    Some(check == at(number, 8))
}

/// Ecuadorian number of a person, alone or with the three digits of a tax number.
pub(crate) fn ecuador(number: &[u8]) -> Option<bool> {
    let person = match number.len() {
        10 => number,
        13 => number.get(..10)?,
        _ => return None,
    };
    digits::<10>(person)?;
    // Companies have 6 or 9 in the third place and other check digits.
    (at(person, 2) < 6).then(|| luhn_ascii(person))
}

/// United States social security number: areas, groups and serials that are never issued.
pub(crate) fn ssn(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let (area, group) = (leading(number, 3), leading(number.get(3..)?, 2));
    let serial = leading(number.get(5..)?, 4);
    Some(!matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0)
}

/// South African identity number: Luhn over thirteen digits.
pub(crate) fn south_africa(number: &[u8]) -> Option<bool> {
    digits::<13>(number).map(|_| luhn_ascii(number))
}
