//! What stands in a list where an identifier is not known.
//!
//! Implements spec/identifiers.md#placeholders.

use crate::IdentError;

/// Words that say "not known", letters only, in upper case.
const WORDS: [&str; 18] = [
    "NA",
    "NAN",
    "NIL",
    "NO",
    "NONE",
    "NONEIDENTIFIED",
    "NOTAPPLICABLE",
    "NOTAVAILABLE",
    "NOTKNOWN",
    "NOTPROVIDED",
    "NULL",
    "PENDING",
    "TBA",
    "TBC",
    "TBD",
    "UNDEFINED",
    "UNKNOWN",
    "UNSPECIFIED",
];

/// Refuses a text whose letters are one of the words and that has no digit.
pub(crate) fn refuse_words(text: &str) -> Result<(), IdentError> {
    const LONGEST: usize = 14;
    let mut letters = [0; LONGEST];
    let mut count = 0;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_punctuation() && *byte != b' ') {
        match letters.get_mut(count) {
            Some(slot) if byte.is_ascii_alphabetic() => *slot = byte.to_ascii_uppercase(),
            _ => return Ok(()),
        }
        count += 1;
    }
    let word = letters.get(..count).unwrap_or_default();
    if WORDS.iter().any(|placeholder| placeholder.as_bytes() == word) {
        return Err(IdentError::Placeholder);
    }
    Ok(())
}

/// Refuses a folded number that is one character repeated, or its digits counting up or down.
pub(crate) fn refuse_number(number: &str) -> Result<(), IdentError> {
    let bytes = number.as_bytes();
    let step = |wanted: u8| {
        bytes.len() >= 5
            && bytes.iter().all(u8::is_ascii_digit)
            && bytes.windows(2).all(|pair| match pair {
                // Counting goes on from 9 to 0.
                [a, b] => (a - b'0' + wanted) % 10 == b - b'0',
                _ => false,
            })
    };
    let repeated = match bytes {
        [first, .., _] => bytes.len() >= 3 && bytes.iter().all(|byte| byte == first),
        _ => false,
    };
    if repeated || step(1) || step(9) { Err(IdentError::Placeholder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_refused() {
        for text in ["N/A", "unknown", "n.a.", " None ", "Not available", "NIL", "?none?"] {
            assert_eq!(refuse_words(text), Err(IdentError::Placeholder), "{text}");
        }
        for text in ["Noah", "NA12345", "N", "نعم", "", "NOTAPPLICABLEATALL"] {
            assert_eq!(refuse_words(text), Ok(()), "{text}");
        }
        for number in ["000", "0000000", "11111111", "12345678", "1234567890", "98765", "XXXX"] {
            assert_eq!(refuse_number(number), Err(IdentError::Placeholder), "{number}");
        }
        for number in ["00", "1234", "12345679", "A1111111", "0012345"] {
            assert_eq!(refuse_number(number), Ok(()), "{number}");
        }
    }
}
