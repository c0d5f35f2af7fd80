//! Text form of a signed document, so that it survives the mail; proves nothing about its contents.
//!
//! Implements spec/identity.md#armor.
//!
//! Invariant: what [`unwrap`] returns, [`wrap`] turns into text that unwraps to the same bytes.

use base64ct::{Base64, Encoding};

use symbolon_codec::sha256;

use crate::label;
use crate::limits::ARMOR_TEXT_BYTES_MAX;

/// Characters of Base64 on one line; mailers begin to fold at 76.
const LINE_CHARS: usize = 64;

/// Why a text holds no readable document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmorFault {
    /// More text than anyone would paste.
    #[error("longer than the {ARMOR_TEXT_BYTES_MAX} bytes allowed here")]
    TooLong,
    /// The first line of the form is nowhere.
    #[error("the line that begins the document is missing")]
    NoBegin,
    /// The last line of the form is nowhere: the text was cut off.
    #[error("the line that ends the document is missing, so the text was cut off")]
    NoEnd,
    /// A second document follows the first.
    #[error("holds more than one document")]
    Several,
    /// Characters that are not Base64, or not its canonical form.
    #[error("holds characters that do not belong there")]
    Base64,
    /// The check digits do not fit: the text was changed on its way.
    #[error("the check digits do not fit, so the text was changed on its way")]
    CheckDigits,
}

/// Writes `bytes` as `symbolon-NAME-1:`, lines of Base64, and `symbolon-NAME-1-end:` with eight
/// check digits.
#[must_use]
pub fn wrap(name: &str, bytes: &[u8]) -> String {
    let mut text = format!("{}\n", begin(name));
    let encoded = Base64::encode_string(bytes);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE_CHARS).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&end(name));
    text.push_str(&check_digits(name, bytes));
    text.push('\n');
    text
}

/// Finds the one document called `name` in `text`, which may have other lines before and after it,
/// white space around each line, and either line ending.
///
/// # Errors
/// [`ArmorFault`].
pub fn unwrap(name: &str, text: &str) -> Result<Vec<u8>, ArmorFault> {
    if text.len() > ARMOR_TEXT_BYTES_MAX {
        return Err(ArmorFault::TooLong);
    }
    let (begin, end) = (begin(name), end(name));
    let mut lines = text.lines().map(str::trim);
    if !lines.any(|line| line == begin) {
        return Err(ArmorFault::NoBegin);
    }
    let mut encoded = String::new();
    let digits = loop {
        let line = lines.next().ok_or(ArmorFault::NoEnd)?;
        if let Some(digits) = line.strip_prefix(end.as_str()) {
            break digits;
        }
        encoded.push_str(line);
    };
    if lines.any(|line| line == begin) {
        return Err(ArmorFault::Several);
    }
    let bytes = Base64::decode_vec(&encoded).map_err(|_| ArmorFault::Base64)?;
    if digits != check_digits(name, &bytes) {
        return Err(ArmorFault::CheckDigits);
    }
    Ok(bytes)
}

fn begin(name: &str) -> String {
    format!("symbolon-{name}-1:")
}

fn end(name: &str) -> String {
    format!("symbolon-{name}-1-end:")
}

/// Against accidents only: whoever changes the bytes can also change the digits.
fn check_digits(name: &str, bytes: &[u8]) -> String {
    let [a, b, c, d, ..] = sha256(label::ARMOR, &[name.as_bytes(), bytes]);
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn survives_a_mail() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = wrap("card", &bytes);
        assert!(text.starts_with("symbolon-card-1:\nAAECAw"));
        assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
        let mailed = format!("Dear colleague,\r\n\r\n{}\r\nRegards", text.replace('\n', " \r\n  "));
        assert_eq!(unwrap("card", &mailed), Ok(bytes));
    }

    #[test]
    fn names_what_is_wrong() {
        let text = wrap("card", b"some bytes of a card");
        let check = |text: &str, expect| assert_eq!(unwrap("card", text), Err(expect));
        check("", ArmorFault::NoBegin);
        check(&wrap("agreement", b"x"), ArmorFault::NoBegin);
        check(text.split("symbolon-card-1-end").next().unwrap(), ArmorFault::NoEnd);
        check(&text.repeat(2), ArmorFault::Several);
        check(&text.replacen("c29t", "c*9t", 1), ArmorFault::Base64);
        check(&text.replacen("c29t", "c29u", 1), ArmorFault::CheckDigits);
        check(&"a".repeat(ARMOR_TEXT_BYTES_MAX + 1), ArmorFault::TooLong);
    }

    proptest! {
        #[test]
        fn every_document_comes_back(bytes: Vec<u8>) {
            prop_assert_eq!(unwrap("card", &wrap("card", &bytes)), Ok(bytes));
        }

        #[test]
        fn never_panics(text: String) {
            let _ = unwrap("card", &text);
            let _ = unwrap("card", &format!("symbolon-card-1:\n{text}\nsymbolon-card-1-end:"));
        }
    }
}
