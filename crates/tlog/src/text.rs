//! Base64 and decimals as they stand in notes: one value, one text.

use base64ct::{Base64, Encoding};

use crate::hash::Hash;

/// "The standard Base 64 encoding specified in RFC 4648, Section 4."
pub(crate) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes of a base64 text, if it is the text that [`base64`] gives for them.
pub(crate) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    // The decoder may be lenient about the unused bits of the last character; we are not.
    Base64::decode_vec(text).ok().filter(|bytes| base64(bytes) == text)
}

/// One hash, "base64-encoded […], one SHA-256 hash per line".
pub(crate) fn parse_hash(line: &str) -> Option<Hash> {
    parse_base64(line).and_then(|bytes| bytes.try_into().ok()).map(Hash)
}

/// "ASCII decimal representation […] with no leading zeroes".
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// "Signed notes […] MUST NOT contain any ASCII control characters (those below U+0020) other than
/// newline", and newline ends the line that this is asked of.
pub(crate) fn has_control(line: &str) -> bool {
    line.bytes().any(|byte| byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_text_per_value() {
        assert_eq!(parse_base64("YQ=="), Some(b"a".to_vec()));
        assert_eq!(parse_base64(""), Some(Vec::new()));
        for text in ["YQ", "YR==", "YQ=", "YQ===", " YQ==", "YQ==\n", "Y-==", "="] {
            assert_eq!(parse_base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn decimals_have_one_text_per_value() {
        assert_eq!(parse_decimal("0"), Some(0));
        assert_eq!(parse_decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "１"] {
            assert_eq!(parse_decimal(text), None, "{text:?}");
        }
    }
}
