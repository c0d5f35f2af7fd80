//! Check digits of European and post-Soviet schemes: arithmetic by shape, no country logic.
//!
//! Implements spec/identifiers.md#schemes. Each answers `None` for a number of another shape.

use crate::check_digit::{alphanumeric, digit, luhn_ascii, mod_11_10, weighted};

/// The digits of a number that has exactly `N`.
pub(crate) fn digits<const N: usize>(number: &[u8]) -> Option<[u32; N]> {
    let mut digits = [0; N];
    if number.len() != N {
        return None;
    }
    for (slot, byte) in digits.iter_mut().zip(number) {
        *slot = digit(*byte)?;
    }
    Some(digits)
}

/// The `index`-th digit from the left, counted from 0.
pub(crate) fn at(number: &[u8], index: usize) -> u32 {
    number.get(index).copied().and_then(digit).unwrap_or(0)
}

/// The leading `count` digits as a number.
pub(crate) fn leading(number: &[u8], count: usize) -> u64 {
    number
        .iter()
        .take(count)
        .fold(0, |value, byte| value * 10 + u64::from(digit(*byte).unwrap_or(0)))
}

/// Russian INN of a company: one check digit.
pub(crate) fn inn_10(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    Some(weighted(number, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == at(number, 9))
}

/// Russian INN of a person: two check digits.
pub(crate) fn inn_12(number: &[u8]) -> Option<bool> {
    digits::<12>(number)?;
    let first = weighted(number, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    let second = weighted(number, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    Some(first == at(number, 10) && second == at(number, 11))
}

/// OGRN: the first 12 digits mod 11, mod 10.
pub(crate) fn ogrn(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    Some(leading(number, 12) % 11 % 10 == u64::from(at(number, 12)))
}

/// OGRNIP: the first 14 digits mod 13, mod 10.
pub(crate) fn ogrnip(number: &[u8]) -> Option<bool> {
    digits::<15>(number)?;
    Some(leading(number, 14) % 13 % 10 == u64::from(at(number, 14)))
}

/// Belarusian personal number: 7 digits, a letter, 3 digits, 2 letters, weights 7-3-1.
pub(crate) fn belarus_person(number: &[u8]) -> Option<bool> {
    let (body, check) = number.split_at_checked(13)?;
    let shape = body.iter().enumerate().all(|(place, byte)| match place {
        7 | 11 | 12 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    });
    match check {
        [check] if shape && check.is_ascii_digit() => {
            Some(digit(*check) == Some(crate::check_digit::weights_731(body)))
        }
        _ => None,
    }
}

/// Belarusian tax payer's number: nine digits, or of a person two letters and seven digits, of
/// which the first letter counts from A = 10 and the second by its place in a row of ten.
pub(crate) fn unp(number: &[u8]) -> Option<bool> {
    let mut plain: [u8; 9] = number.try_into().ok()?;
    let [first, second, ..] = &mut plain;
    let mut lead = digit(*first);
    if let b'A' | b'B' | b'C' | b'E' | b'H' | b'K' | b'M' = *first {
        let place = b"ABCEHKMOPT".iter().position(|letter| *letter == *second)?;
        lead = alphanumeric(*first);
        *first = b'0';
        *second = b'0' + u8::try_from(place).ok()?;
    }
    digits::<9>(&plain)?;
    let rest = weighted(plain.get(1..)?, &[23, 19, 17, 13, 7, 5, 3]) + 29 * lead?;
    Some(rest % 11 == at(&plain, 8))
}

/// Ukrainian tax number of a person.
pub(crate) fn rnokpp(number: &[u8]) -> Option<bool> {
    let [first, ..] = digits::<10>(number)?;
    // The first weight is −1; 11 − 1 keeps the sum positive.
    let sum = weighted(number.get(1..)?, &[5, 7, 9, 4, 6, 10, 5, 7]) + 10 * first;
    Some(sum % 11 % 10 == at(number, 9))
}

/// Ukrainian company number, weights by range, a second round where the first gives ten.
pub(crate) fn edrpou(number: &[u8]) -> Option<bool> {
    digits::<8>(number)?;
    let middle = matches!(leading(number, 8), 30_000_000..=60_000_000);
    let mut weights = if middle { [7, 1, 2, 3, 4, 5, 6] } else { [1, 2, 3, 4, 5, 6, 7] };
    let mut rest = weighted(number, &weights) % 11;
    if rest == 10 {
        weights = weights.map(|weight| weight + 2);
        rest = weighted(number, &weights) % 11 % 10;
    }
    Some(rest == at(number, 7))
}

/// Bulgarian EIK of nine digits.
pub(crate) fn eik(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let mut rest = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
    if rest == 10 {
        rest = weighted(number, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10;
    }
    Some(rest == at(number, 8))
}

/// Bulgarian personal number.
pub(crate) fn egn(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    Some(weighted(number, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == at(number, 9))
}

/// Personal number of the former Yugoslavia.
pub(crate) fn jmbg(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let rest = 11 - weighted(number, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    Some((if rest > 9 { 0 } else { rest }) == at(number, 12))
}

/// Serbian tax number, ISO 7064 mod 11,10.
pub(crate) fn pib(number: &[u8]) -> Option<bool> {
    digits::<9>(number).map(|_| mod_11_10(number))
}

/// German tax number of a person, ISO 7064 mod 11,10.
pub(crate) fn steuer_id(number: &[u8]) -> Option<bool> {
    digits::<11>(number).map(|[first, ..]| first != 0 && mod_11_10(number))
}

/// Swiss UID without its `CHE`.
pub(crate) fn uid(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    Some((11 - weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == at(number, 8))
}

/// Belgian enterprise number: 97 minus the first eight digits mod 97; nine digits want a zero.
pub(crate) fn belgian_enterprise(number: &[u8]) -> Option<bool> {
    let number = match number.len() {
        9 => [b"0", number].concat(),
        10 => number.to_vec(),
        _ => return None,
    };
    digits::<10>(&number)?;
    Some(97 - leading(&number, 8) % 97 == leading(number.get(8..)?, 2))
}

/// Belgian number of a person: 97 minus the first nine digits mod 97, from 2000 on with a 2 in
/// front.
pub(crate) fn belgian_person(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let check = leading(number.get(9..)?, 2);
    let body = leading(number, 9);
    Some([body, 2_000_000_000 + body].iter().any(|body| 97 - body % 97 == check))
}

/// Spanish DNI or NIE with its letter.
pub(crate) fn nif(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    let (front, rest) = body.split_first()?;
    if number.len() != 9 || !last.is_ascii_uppercase() || !rest.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let front = match front {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        byte => u64::from(digit(*byte)?),
    };
    let value = front * 10_000_000 + leading(rest, 7);
    let letter = b"TRWAGMYFPDXBNJZSQVHLCKE".get(usize::try_from(value % 23).ok()?);
    Some(letter == Some(last))
}

/// Estonian and Lithuanian personal number: a second round where the first gives ten.
pub(crate) fn isikukood(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let mut rest = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    if rest == 10 {
        rest = weighted(number, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    }
    Some(rest == at(number, 10))
}

/// Finnish personal number; the sign of its century, dropped as a separator, may be a letter.
pub(crate) fn hetu(number: &[u8]) -> Option<bool> {
    let (date, rest) = number.split_at_checked(6)?;
    let rest = match rest {
        [b'A'..=b'F' | b'U'..=b'Y', rest @ ..] if rest.len() == 4 => rest,
        rest => rest,
    };
    let (serial, check) = rest.split_at_checked(3)?;
    let [check] = check else { return None };
    if !date.iter().chain(serial).all(u8::is_ascii_digit) {
        return None;
    }
    let value = leading(date, 6) * 1000 + leading(serial, 3);
    let expect = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(usize::try_from(value % 31).ok()?);
    Some(expect == Some(check))
}

/// French personal number: 97 minus the first thirteen digits mod 97; Corsica's 2A and 2B count as
/// 19 and 18.
pub(crate) fn nir(number: &[u8]) -> Option<bool> {
    let mut number = number.to_vec();
    let corsica = match number.get(5..7)? {
        b"2A" => Some(b"19"),
        b"2B" => Some(b"18"),
        _ => None,
    };
    if let Some(digits) = corsica {
        number.splice(5..7, *digits);
    }
    digits::<15>(&number)?;
    Some(97 - leading(&number, 13) % 97 == leading(number.get(13..)?, 2))
}

/// French company number.
pub(crate) fn siren(number: &[u8]) -> Option<bool> {
    digits::<9>(number).map(|_| luhn_ascii(number))
}

/// French establishment number.
pub(crate) fn siret(number: &[u8]) -> Option<bool> {
    digits::<14>(number).map(|_| luhn_ascii(number))
}

/// Italian VAT number.
pub(crate) fn partita_iva(number: &[u8]) -> Option<bool> {
    digits::<11>(number).map(|_| luhn_ascii(number))
}

/// Italian tax code of a person: odd places by table, even places by value, mod 26.
pub(crate) fn codice_fiscale(number: &[u8]) -> Option<bool> {
    // Values of 0–9 and of A–Z in odd places (decree of 23 December 1976).
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let (last, body) = number.split_last()?;
    let letters = |place| matches!(place, 0..=5 | 8 | 11);
    let shape = body.iter().enumerate().all(|(place, byte)| match letters(place) {
        true => byte.is_ascii_uppercase(),
        // Where two people would share a code, digits become letters.
        false => byte.is_ascii_digit() || matches!(byte, b'L'..=b'N' | b'P'..=b'V'),
    });
    if body.len() != 15 || !shape || !last.is_ascii_uppercase() {
        return None;
    }
    let mut sum = 0;
    for (place, byte) in body.iter().enumerate() {
        let value = digit(*byte).unwrap_or_else(|| u32::from(byte.wrapping_sub(b'A')));
        sum += if place % 2 == 0 { *ODD.get(usize::try_from(value).ok()?)? } else { value };
    }
    Some(sum % 26 == u32::from(last - b'A'))
}

/// Dutch personal number: weights 9 to 2 and −1, divisible by 11.
pub(crate) fn bsn(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    Some((weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * at(number, 8)).is_multiple_of(11))
}

/// Norwegian personal number: two check digits.
pub(crate) fn norway(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let first = weighted(number, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11;
    let second = weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11;
    Some(first == 0 && second == 0)
}

/// Polish personal number.
pub(crate) fn pesel(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    Some((weighted(number, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1])).is_multiple_of(10))
}

/// Polish tax number.
pub(crate) fn nip(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    Some(weighted(number, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == at(number, 9))
}

/// Portuguese tax number.
pub(crate) fn nif_portugal(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let rest = 11 - weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    Some((if rest > 9 { 0 } else { rest }) == at(number, 8))
}

/// Romanian personal number.
pub(crate) fn cnp(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let rest = weighted(number, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    Some((if rest == 10 { 1 } else { rest }) == at(number, 12))
}

/// Swedish personal number, with or without its century.
pub(crate) fn personnummer(number: &[u8]) -> Option<bool> {
    let number = if number.len() == 12 { number.get(2..)? } else { number };
    digits::<10>(number).map(|_| luhn_ascii(number))
}
