//! Texts for people out of bytes that a stranger wrote: nothing in them moves a cursor or hides.
//!
//! Implements spec/evidence.md#texts.

use bip39::Language;

/// Words shown for one fingerprint; 11 bits each.
const FINGERPRINT_WORDS: usize = 12;

/// The text with every character that could steer a terminal or a reader's eye replaced.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) { replacement(c) } else { c }).collect()
}

fn replacement(c: char) -> char {
    if matches!(c, '\n' | '\t') { ' ' } else { '\u{fffd}' }
}

/// Controls, marks of direction, characters without width, separators of lines, tags.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal text of either case.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// A UUID in its usual groups.
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    let text = hex(bytes);
    let group = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
}

/// The first 132 bits of a fingerprint as words of the English BIP-39 list.
pub(crate) fn fingerprint_words(bytes: &[u8; 32]) -> Vec<&'static str> {
    let list = Language::English.word_list();
    let word = |index: usize| {
        let number = (index * 11..index * 11 + 11).fold(0_usize, |number, bit| {
            let byte = bytes.get(bit / 8).copied().unwrap_or_default();
            number << 1 | usize::from(byte >> (7 - bit % 8) & 1)
        });
        list.get(number).copied().unwrap_or_default()
    };
    (0..FINGERPRINT_WORDS).map(word).collect()
}

/// `2026-11-21 18:03:07 UTC`. Days to a civil date after H. Hinnant, "chrono-compatible low-level
/// date algorithms", with years counted from March.
pub(crate) fn time(seconds: u64) -> String {
    if seconds > crate::limits::TIME_SECONDS_MAX {
        return "beyond the calendar".to_owned();
    }
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leaps = day_of_era / 36_524 - day_of_era / 146_096;
    let year_of_era = (day_of_era - day_of_era / 1_460 + leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + later;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_reader() {
        let hostile = "a\u{1b}[2J\u{9b}b\u{202e}c\u{200b}d\r\ne\u{7f}";
        let shown = plain(hostile);
        assert_eq!(shown, "a\u{fffd}[2J\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd} e\u{fffd}");
        assert_eq!(plain("Düsseldorf, 北京 — 'x'"), "Düsseldorf, 北京 — 'x'");
    }

    #[test]
    fn times_and_ids_are_the_usual_ones() {
        assert_eq!(time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(time(951_868_799), "2000-02-29 23:59:59 UTC");
        assert_eq!(time(1_735_689_599), "2024-12-31 23:59:59 UTC");
        assert_eq!(uuid(&[0xab; 16]), "abababab-abab-abab-abab-abababababab");
        assert_eq!(unhex("0aFf"), Some(vec![10, 255]));
        assert_eq!((unhex("0"), unhex("0g")), (None, None));
    }

    /// The BIP-39 vector of 128 bits of 0x7f with its check bits in front of zeros.
    #[test]
    fn words_are_those_of_bip39() {
        let mut bytes = [0x7f; 32];
        bytes[16] = 0x80;
        let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(fingerprint_words(&bytes).join(" "), words);
    }
}
