//! Folding of single characters: what spelling, script style and typing leave open.
//!
//! Implements spec/identifiers.md#folding.
//!
//! Invariant: texts that are equal after NFKD, removal of diacritics, case folding and removal of
//! everything but letters and digits are equal here.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Appends the folded `text`: letters and digits of any script in lower case, every run of
/// anything else as one space. Diacritics vanish.
pub(crate) fn push_name(text: &str, folded: &mut String) {
    if text.is_ascii() {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() {
                folded.push(char::from(byte.to_ascii_lowercase()));
            } else {
                space(folded);
            }
        }
    } else {
        for c in text.nfkd() {
            if canonical_combining_class(c) != 0 {
                // A mark above or below a letter: the letter stays.
            } else if c.is_alphanumeric() {
                lower(c, folded);
            } else {
                space(folded);
            }
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
}

fn space(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with(' ') {
        folded.push(' ');
    }
}

fn lower(c: char, folded: &mut String) {
    lower_each(c, |c| folded.push(c));
}

/// Full case folding: lower, upper, lower, so that `ẞ`, `ß` and `SS` meet, and `ς` and `σ`.
pub(crate) fn lower_each(c: char, mut push: impl FnMut(char)) {
    if c.is_ascii() {
        push(c.to_ascii_lowercase());
        return;
    }
    for c in c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        // Case mapping can bring marks back (U+0130 in lower case).
        for c in c.nfkd().filter(|c| canonical_combining_class(*c) == 0) {
            push(digit(c).unwrap_or(c));
        }
    }
}

/// Whether the letters on both sides close up: apostrophes and what cannot be seen.
pub(crate) fn closes_up(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{00ad}'
            | '\u{02b0}'..='\u{02ff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2018}'..='\u{201b}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2032}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The letters and digits of a number in upper case, everything else dropped: decimal digits of
/// any script as ASCII, Cyrillic and Greek capitals that look like Latin ones as Latin.
pub(crate) fn number(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        folded.extend(kept.map(|byte| char::from(byte.to_ascii_uppercase())));
        return folded;
    }
    for c in text.nfkd().filter(|c| canonical_combining_class(*c) == 0 && c.is_alphanumeric()) {
        for c in c.to_lowercase().flat_map(char::to_uppercase).nfkd() {
            if canonical_combining_class(c) == 0 {
                folded.push(digit(c).unwrap_or_else(|| look_alike(c)));
            }
        }
    }
    folded
}

/// A decimal digit of another script as ASCII.
fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let code = u32::from(c);
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    char::from_digit(code - zero, 10)
}

/// Zeros of the decimal digits that papers use: Arabic-Indic, extended Arabic-Indic, Devanagari,
/// Bengali, Gurmukhi, Gujarati, Odia, Tamil, Telugu, Kannada, Malayalam, Thai, Lao, Tibetan,
/// Myanmar, Khmer, Mongolian. Full-width and mathematical digits are ASCII after NFKD.
const ZEROS: [u32; 17] = [
    0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810,
];

/// The Latin capital that a Cyrillic or Greek one cannot be told from on paper.
const fn look_alike(c: char) -> char {
    match c {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'Η' | 'Н' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        'Ζ' => 'Z',
        other => other,
    }
}

/// A text whose letters count as they are: full-width and the like as plain, nothing invisible, no
/// space at its ends.
pub(crate) fn plain_text(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text.trim());
    }
    let plain: String = text.nfkc().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    Cow::Owned(plain.trim().to_owned())
}

/// Marks that are not seen: soft hyphen, zero width, direction, byte order.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A folded number in which the letters that are mistaken for digits are these: O for 0, I for 1,
/// S for 5.
pub(crate) fn look_alike_digits(number: &str) -> String {
    number
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            'S' => '5',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        let mut folded = String::new();
        push_name(text, &mut folded);
        folded
    }

    #[test]
    fn names_fold() {
        let cases = [
            ("Domingo Hernández LÁRES", "domingo hernandez lares"),
            ("  AL-DAJANI, Sa'ad ", "al dajani sa ad"),
            ("STRASSE straße STRAẞE", "strasse strasse strasse"),
            ("ΣΊΣΥΦΟΣ Σίσυφος", "σισυφοσ σισυφοσ"),
            ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
            ("№5 ²³", "no5 23"),
            ("٣ مصنع", "3 مصنع"),
            ("ﻣﺤﻤﺪ", "محمد"),
        ];
        for (text, expect) in cases {
            assert_eq!(name(text), expect);
        }
    }

    #[test]
    fn numbers_fold() {
        let cases = [
            ("TR- P 582037", "TRP582037"),
            ("00ВС538164", "00BC538164"),
            ("Ф-718252", "Ф718252"),
            ("１２３-abc", "123ABC"),
            ("۱۲۳۴", "1234"),
            ("é1", "E1"),
        ];
        for (text, expect) in cases {
            assert_eq!(number(text), expect);
        }
    }
}
