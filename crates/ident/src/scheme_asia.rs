//! Check digits of Asian schemes: arithmetic by shape, no country logic.
//!
//! Implements spec/identifiers.md#schemes. Each answers `None` for a number of another shape.

use crate::check_digit::{alphanumeric, digit, luhn_ascii, verhoeff, weighted};
use crate::scheme_europe::{at, digits, leading};

/// Chinese resident number (GB 11643), ISO 7064 mod 11-2 with X for ten.
pub(crate) fn resident(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    digits::<17>(body)?;
    let sum = weighted(body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let expect = b"10X98765432".get(usize::try_from(sum % 11).ok()?);
    (last.is_ascii_digit() || *last == b'X').then_some(expect == Some(last))
}

/// Chinese unified social credit code (GB 32100): base 31, weights 3ⁱ.
pub(crate) fn uscc(number: &[u8]) -> Option<bool> {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    // A code has the register's digits in places 3 to 8.
    if number.len() != 18 || !number.get(2..8)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (mut sum, mut weight) = (0, 1);
    for byte in number.iter().take(17) {
        sum += ALPHABET.iter().position(|c| c == byte)? * weight;
        weight = weight * 3 % 31;
    }
    let expect = ALPHABET.get((31 - sum % 31) % 31);
    Some(expect == number.last())
}

/// Iranian number of a person: weights 10 to 2.
pub(crate) fn iran_person(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    let rest = weighted(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    Some((if rest < 2 { rest } else { 11 - rest }) == at(number, 9))
}

/// Iranian number of a legal entity: every digit raised by the tenth plus two.
pub(crate) fn iran_company(number: &[u8]) -> Option<bool> {
    let all = digits::<11>(number)?;
    let raise = at(number, 9) + 2;
    let weights = [29, 27, 23, 19, 17, 29, 27, 23, 19, 17];
    let sum: u32 = all.iter().zip(weights).map(|(digit, weight)| (digit + raise) * weight).sum();
    Some(sum % 11 % 10 == at(number, 10))
}

/// Turkish number of a person: two check digits.
pub(crate) fn tckn(number: &[u8]) -> Option<bool> {
    let [first, ..] = digits::<11>(number)?;
    let odd = weighted(number, &[7, 0, 7, 0, 7, 0, 7, 0, 7]);
    let even = weighted(number, &[0, 1, 0, 1, 0, 1, 0, 1]);
    // 9 · even is −even modulo 10.
    let tenth = (odd + 9 * even) % 10;
    let last = weighted(number, &[1; 10]) % 10;
    Some(first != 0 && tenth == at(number, 9) && last == at(number, 10))
}

/// Turkish tax number.
pub(crate) fn vkn(number: &[u8]) -> Option<bool> {
    let all = digits::<10>(number)?;
    let sum: u32 = all
        .iter()
        .take(9)
        .zip((1..=9).rev())
        .map(|(digit, place)| match (digit + place) % 10 {
            0 => 0,
            raised => match raised * 2_u32.pow(place) % 9 {
                0 => 9,
                rest => rest,
            },
        })
        .sum();
    Some((10 - sum % 10) % 10 == at(number, 9))
}

/// Emirates identity number: begins with 784, Luhn.
pub(crate) fn emirates(number: &[u8]) -> Option<bool> {
    digits::<15>(number)?;
    (leading(number, 3) == 784).then(|| luhn_ascii(number))
}

/// Thai citizen number: weights 13 to 2.
pub(crate) fn thailand(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let sum = weighted(number, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    Some((11 - sum % 11) % 10 == at(number, 12))
}

/// Hong Kong identity number: one or two letters, six digits, a check digit or A.
pub(crate) fn hkid(number: &[u8]) -> Option<bool> {
    const BLANK: u32 = 36;
    let letters = number.len().checked_sub(7).filter(|letters| matches!(letters, 1 | 2))?;
    let (front, rest) = number.split_at_checked(letters)?;
    let (body, check) = rest.split_at_checked(6)?;
    if !front.iter().all(u8::is_ascii_uppercase) || !body.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let check = match check {
        [b'A'] => 10,
        [byte] => digit(*byte)?,
        _ => return None,
    };
    let blank = (letters == 1).then_some(BLANK);
    let values = blank.into_iter().chain(front.iter().chain(body).filter_map(|b| alphanumeric(*b)));
    let sum: u32 = values.zip((2..=9).rev()).map(|(value, weight)| value * weight).sum();
    Some((sum + check).is_multiple_of(11))
}

/// Indian identity number: never begins with 0 or 1, Verhoeff.
pub(crate) fn aadhaar(number: &[u8]) -> Option<bool> {
    digits::<12>(number).map(|[first, ..]| first > 1 && verhoeff(number))
}

/// Israeli identity number: Luhn over nine digits.
pub(crate) fn israel(number: &[u8]) -> Option<bool> {
    digits::<9>(number).map(|_| luhn_ascii(number))
}

/// Kazakh number of a person or company: a second round where the first gives ten.
pub(crate) fn kazakhstan(number: &[u8]) -> Option<bool> {
    digits::<12>(number)?;
    let mut rest = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    if rest == 10 {
        rest = weighted(number, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
    }
    Some(rest == at(number, 11))
}

/// South Korean resident number.
pub(crate) fn korea(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let sum = weighted(number, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    Some((11 - sum % 11) % 10 == at(number, 12))
}

/// Taiwanese national number: a letter for the place of registration, nine digits.
pub(crate) fn taiwan(number: &[u8]) -> Option<bool> {
    // Places of registration in the order of their numbers 10 to 35.
    const PLACES: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let (letter, rest) = number.split_first()?;
    let [sex, ..] = digits::<9>(rest)?;
    let place = PLACES.iter().position(|c| c == letter)? + 10;
    let front = u32::try_from(place / 10 + place % 10 * 9).ok()?;
    let sum = front + weighted(rest, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(sex, 1 | 2 | 8 | 9).then(|| sum.is_multiple_of(10))
}
