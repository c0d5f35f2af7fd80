//! The machine-readable zone of travel documents: number, issuer, and whether its digits agree.
//!
//! Implements spec/identifiers.md#mrz.

use crate::check_digit::{digit, weights_731};

/// What a zone says about its document.
pub(crate) struct Zone {
    /// Three characters, filled up with `<`.
    pub(crate) issuer: String,
    pub(crate) number: String,
    /// Whether the check digits of number, birth date and expiry hold.
    pub(crate) holds: bool,
}

/// Reads a zone of ICAO Doc 9303 parts 4 to 7: two lines of 44 (passport, visa A) or 36 (TD2,
/// visa B), or three of 30 (TD1); line ends and spaces are ignored. `None` if it is not one.
pub(crate) fn read(text: &str) -> Option<Zone> {
    if !text.contains('<') || !text.is_ascii() {
        return None;
    }
    let zone: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    if !zone.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'<') {
        return None;
    }
    match zone.len() {
        88 => two_lines(&zone, 44),
        72 => two_lines(&zone, 36),
        90 => three_lines(&zone),
        _ => None,
    }
}

/// Doc 9303-4 §4.2 and 9303-7 §4: number in places 1–9, birth date 14–19, expiry 22–27 of line 2.
fn two_lines(zone: &[u8], width: usize) -> Option<Zone> {
    let (first, second) = zone.split_at_checked(width)?;
    let fields = [(0, 9), (13, 6), (21, 6)];
    Some(Zone {
        issuer: text(first.get(2..5)?),
        number: text(second.get(..9)?),
        holds: fields.iter().all(|(start, length)| field_holds(second, *start, *length)),
    })
}

/// Doc 9303-5 §4.2: number in places 6–14 of line 1, continued in the optional data where it is
/// longer than nine characters; birth date and expiry in line 2.
fn three_lines(zone: &[u8]) -> Option<Zone> {
    let (first, rest) = zone.split_at_checked(30)?;
    let second = rest.get(..30)?;
    let mut number = first.get(5..14)?.to_vec();
    let mut number_holds = field_holds(first, 5, 9);
    // "the 9 principal characters … shall be followed by a filler character instead of a check
    // digit", the remainder and its check digit stand at the beginning of the optional data.
    if first.get(14) == Some(&b'<') {
        let more: Vec<u8> =
            first.get(15..)?.iter().copied().take_while(|byte| *byte != b'<').collect();
        if let Some((check, more)) = more.split_last() {
            number.extend_from_slice(more);
            number_holds = digit(*check) == Some(weights_731(&number));
        }
    }
    let holds = number_holds && field_holds(second, 0, 6) && field_holds(second, 8, 6);
    Some(Zone { issuer: text(first.get(2..5)?), number: text(&number), holds })
}

fn field_holds(line: &[u8], start: usize, length: usize) -> bool {
    let end = start + length;
    match (line.get(start..end), line.get(end)) {
        (Some(field), Some(check)) => {
            // An empty field may have a filler for its check digit.
            let given = if *check == b'<' { Some(0) } else { digit(*check) };
            given == Some(weights_731(field))
        }
        _ => false,
    }
}

fn text(field: &[u8]) -> String {
    field.iter().copied().map(char::from).collect()
}
