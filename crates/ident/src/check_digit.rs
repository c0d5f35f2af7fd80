//! Arithmetic of check digits; knows no kind and no country.
//!
//! Implements spec/identifiers.md#check-digits.

/// The value of an ASCII digit.
pub(crate) fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(10)
}

/// 0–9 and A–Z as 0–35, as ISO 7064, ICAO and ISO 6166 count them.
pub(crate) fn alphanumeric(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(36).filter(|_| !byte.is_ascii_lowercase())
}

/// Whether `text` is exactly `count` ASCII digits.
pub(crate) fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits times weights, from the left, summed; as far as the shorter of both goes.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(byte, weight)| digit(*byte).unwrap_or(0) * weight).sum()
}

/// As [`weighted`], from the right: `first` for the last digit, one more for each before.
pub(crate) fn weighted_from_right(digits: &[u8], first: u32) -> u32 {
    digits.iter().rev().zip(first..).map(|(byte, weight)| digit(*byte).unwrap_or(0) * weight).sum()
}

/// Luhn (ISO/IEC 7812-1 annex B) over digits, the last being the check digit.
pub(crate) fn luhn(digits: impl DoubleEndedIterator<Item = u32>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| match digit * 2 {
            _ if place.is_multiple_of(2) => digit,
            doubled if doubled > 9 => doubled - 9,
            doubled => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// [`luhn`] over ASCII digits.
pub(crate) fn luhn_ascii(digits: &[u8]) -> bool {
    luhn(digits.iter().filter_map(|byte| digit(*byte)))
}

/// ISO 7064 mod 97-10: the alphanumeric text as a decimal number, modulo 97.
pub(crate) fn mod_97(text: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for byte in text {
        let value = alphanumeric(byte)?;
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    Some(rest)
}

/// ISO 7064 mod 11,10 over digits, the last being the check digit.
pub(crate) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, digits)) = digits.split_last() else {
        return false;
    };
    let product = digits.iter().fold(10, |product, byte| {
        let sum = (product + digit(*byte).unwrap_or(0)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    digit(*check).is_some_and(|check| (product + check) % 10 == 1)
}

/// ICAO Doc 9303-3 §4.9: weights 7, 3, 1; digits as they are, A–Z as 10–35, `<` as 0.
pub(crate) fn weights_731(text: &[u8]) -> u32 {
    let weights = [7, 3, 1].into_iter().cycle();
    text.iter()
        .zip(weights)
        .map(|(byte, weight)| alphanumeric(*byte).unwrap_or(0) * weight)
        .sum::<u32>()
        % 10
}

/// Verhoeff's dihedral check over digits, the last being the check digit.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    // Multiplication in the dihedral group D5: i·j by rotation and reflection.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    // One round of Verhoeff's permutation.
    let turn = |digit: u32| match digit {
        0 => 1,
        1 => 5,
        2 => 7,
        3 => 6,
        4 => 2,
        5 => 8,
        6 => 3,
        7 => 0,
        8 => 9,
        _ => 4,
    };
    let sum = digits.iter().rev().enumerate().fold(0, |sum, (place, byte)| {
        let turned = (0..place % 8).fold(digit(*byte).unwrap_or(0), |digit, _| turn(digit));
        times(sum, turned)
    });
    sum == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        // ICAO Doc 9303-4, specimen MRZ.
        assert_eq!(weights_731(b"L898902C3"), 6);
        assert_eq!(weights_731(b"740812"), 2);
        assert_eq!(weights_731(b"120415"), 9);
        // 3GPP 23.003, annex B.
        assert!(luhn_ascii(b"490154203237518"));
        assert!(!luhn_ascii(b"490154203237519"));
        // ISO 17442 and ISO 13616 examples.
        assert_eq!(mod_97("2594007XIACKNMUAW223".bytes()), Some(1));
        assert_eq!(mod_97("WEST12345698765432GB82".bytes()), Some(1));
        // ISO 7064, mod 11,10: 0794 has the check digit 5.
        assert!(mod_11_10(b"07945"));
        assert!(!mod_11_10(b"07946"));
        // Verhoeff 1969: 236 has the check digit 3.
        assert!(verhoeff(b"2363"));
        assert!((0..10).filter(|last| verhoeff(format!("236{last}").as_bytes())).count() == 1);
    }
}
