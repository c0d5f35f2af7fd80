//! The machine-readable zone of travel documents: its fields, every check digit, and what in it is
//! an identifier; repairs nothing.
//!
//! Implements spec/identifiers.md#mrz.
//!
//! Invariant: a zone has one of the five layouts of ICAO Doc 9303 parts 4 to 7.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::canonical::{Canonical, Input};
use crate::check_digit::{digit, weights_731};
use crate::key::Check;
use crate::limits::TEXT_BYTES_MAX;
use crate::{Country, IdentError, Kind, PartialDate, fold};

/// Layout of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MrzFormat {
    /// Three lines of 30: cards (Doc 9303-5).
    Td1,
    /// Two lines of 36: larger cards (Doc 9303-6).
    Td2,
    /// Two lines of 44: passports (Doc 9303-4).
    Td3,
    /// Two lines of 44 that begin with V: visas (Doc 9303-7).
    MrvA,
    /// Two lines of 36 that begin with V: small visas (Doc 9303-7).
    MrvB,
}

/// A field of a zone that has a check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MrzField {
    /// The document's number.
    Number,
    /// The birth date.
    Birth,
    /// The date of expiry.
    Expiry,
    /// The personal number or other optional data.
    Optional,
    /// All fields that have a check digit, together.
    Composite,
}

impl MrzField {
    /// The field in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "document number",
            Self::Birth => "birth date",
            Self::Expiry => "date of expiry",
            Self::Optional => "optional data",
            Self::Composite => "whole zone",
        }
    }
}

/// A zone that was read.
pub struct Mrz {
    format: MrzFormat,
    code: Zeroizing<String>,
    issuer: Zeroizing<String>,
    nationality: Zeroizing<String>,
    number: Zeroizing<String>,
    primary: Zeroizing<String>,
    secondary: Zeroizing<String>,
    birth: Zeroizing<String>,
    expiry: Zeroizing<String>,
    optional: Zeroizing<String>,
    sex: Option<char>,
    checks: [(MrzField, Check); 5],
}

/// An identifier that a zone holds, as an importer takes it.
pub struct MrzIdentifier {
    kind: Kind,
    text: Zeroizing<String>,
    issuer: Option<&'static str>,
    date: Option<PartialDate>,
}

impl Mrz {
    /// Reads a zone: two lines of 44 or 36, or three of 30. Line ends and spaces are ignored, case
    /// and width are free, a line of names may have lost the fillers at its end.
    ///
    /// # Errors
    /// [`IdentError::NotThisKind`] for a text that is no zone. A failed check digit is no error:
    /// see [`Mrz::checks`].
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let not = |rule| IdentError::NotThisKind { kind: Kind::Passport, rule };
        if text.len() > TEXT_BYTES_MAX {
            return Err(IdentError::TooLong);
        }
        let zone = lines(text).ok_or(not("two lines of 44 or 36, or three of 30"))?;
        let visa = zone.starts_with(b"V");
        let read = match zone.len() {
            90 => three_lines(&zone),
            72 if visa => two_lines(&zone, 36, MrzFormat::MrvB),
            88 if visa => two_lines(&zone, 44, MrzFormat::MrvA),
            72 => two_lines(&zone, 36, MrzFormat::Td2),
            88 => two_lines(&zone, 44, MrzFormat::Td3),
            _ => None,
        };
        read.ok_or(not("two lines of 44 or 36, or three of 30"))
    }

    /// The layout.
    #[must_use]
    pub const fn format(&self) -> MrzFormat {
        self.format
    }

    /// The document code of one or two letters: `P`, `V`, `ID` and the like.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The kind of its document.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.code.as_bytes() {
            [b'P', ..] => Kind::Passport,
            [b'V', ..] => Kind::Visa,
            _ => Kind::TravelDocument,
        }
    }

    /// The state or organisation that issued it; `None` for a code of none.
    #[must_use]
    pub fn issuer(&self) -> Option<Country> {
        Country::parse(&self.issuer).ok()
    }

    /// The holder's nationality; `None` for a code of none.
    #[must_use]
    pub fn nationality(&self) -> Option<Country> {
        Country::parse(&self.nationality).ok()
    }

    /// The document's number without fillers; of a long one the part in the optional data too.
    #[must_use]
    pub fn expose_number(&self) -> &str {
        &self.number
    }

    /// The primary name, its words separated by spaces.
    #[must_use]
    pub fn expose_primary_name(&self) -> &str {
        &self.primary
    }

    /// The secondary names, separated by spaces; may be empty.
    #[must_use]
    pub fn expose_secondary_name(&self) -> &str {
        &self.secondary
    }

    /// The optional data without fillers at its end; in a passport the personal number.
    #[must_use]
    pub fn expose_optional(&self) -> &str {
        &self.optional
    }

    /// `M`, `F` or `X`, where stated.
    #[must_use]
    pub const fn sex(&self) -> Option<char> {
        self.sex
    }

    /// The birth date as far as the zone states it. Its year has two digits: of the years that may
    /// be meant the last that is not after `reference_year` counts, so a holder of a hundred years
    /// or more is taken for a child.
    #[must_use]
    pub fn birth_date(&self, reference_year: u16) -> Option<PartialDate> {
        date(&self.birth, reference_year)
    }

    /// The date of expiry; of the years that may be meant the last that is less than fifty after
    /// `reference_year`.
    #[must_use]
    pub fn expiry_date(&self, reference_year: u16) -> Option<PartialDate> {
        date(&self.expiry, reference_year.saturating_add(49))
    }

    /// Every check digit: `not_checkable` where the layout has none or the field is empty.
    #[must_use]
    pub const fn checks(&self) -> &[(MrzField, Check)] {
        &self.checks
    }

    /// Whether no check digit of number, birth date and expiry fails.
    pub(crate) fn holds(&self) -> bool {
        let own = |field| matches!(field, MrzField::Number | MrzField::Birth | MrzField::Expiry);
        !self.checks.iter().any(|(field, check)| own(*field) && *check == Check::Invalid)
    }

    /// What in the zone is an identifier: the document, the holder's name with the birth date, and
    /// in a passport the personal number if its check digit holds.
    #[must_use]
    pub fn identifiers(&self, reference_year: u16) -> Vec<MrzIdentifier> {
        let issuer = self.issuer().map(Country::as_str);
        let mut found = Vec::with_capacity(3);
        let mut add = |kind, text: &str, issuer, date| {
            if !text.trim().is_empty() {
                found.push(MrzIdentifier { kind, text: Zeroizing::new(text.into()), issuer, date });
            }
        };
        add(self.kind(), &self.number, issuer, None);
        let name = Zeroizing::new(format!("{} {}", *self.primary, *self.secondary));
        match self.birth_date(reference_year) {
            Some(birth) => add(Kind::PersonNameBirthDate, &name, None, Some(birth)),
            None => add(Kind::PersonName, &name, None, None),
        }
        if self.format == MrzFormat::Td3 && self.check_of(MrzField::Optional) == Check::Valid {
            add(Kind::NationalId, &self.optional, issuer, None);
        }
        found
    }

    fn check_of(&self, wanted: MrzField) -> Check {
        let found = self.checks.iter().find(|(field, _)| *field == wanted);
        found.map_or(Check::NotCheckable, |(_, check)| *check)
    }
}

/// Layout and checks; never what the zone says.
impl fmt::Debug for Mrz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mrz({:?}, {:?}, [redacted])", self.format, self.checks)
    }
}

impl MrzIdentifier {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The text, for the officer's eyes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The issuer's alpha-3 code, for a document and a personal number.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'static str> {
        self.issuer
    }

    /// The birth date, for a name.
    #[must_use]
    pub const fn date(&self) -> Option<PartialDate> {
        self.date
    }

    /// The identifier in canonical form.
    ///
    /// # Errors
    /// As [`Canonical::parse`]: a zone can hold a placeholder like any other text.
    pub fn parse(&self) -> Result<Canonical, IdentError> {
        let date = self.date.map(|date| Zeroizing::new(date.to_string()));
        let date = date.as_ref().map(|date| date.as_str());
        Canonical::parse(self.kind, Input { text: &self.text, issuer: self.issuer, date })
    }
}

/// The kind alone.
impl fmt::Debug for MrzIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MrzIdentifier({}, [redacted])", self.kind)
    }
}

/// The characters of a zone in one run, or `None` for a text that is none.
fn lines(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut rows: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(3);
    for line in text.lines() {
        // NFKC leaves ASCII as it is.
        let row = if line.is_ascii() { row(line.chars()) } else { row(line.nfkc()) }?;
        if !row.is_empty() {
            rows.push(row);
        }
    }
    let width = match rows.as_slice() {
        [_, second] if matches!(second.len(), 36 | 44) => second.len(),
        [_, _, _] => 30,
        _ => 0,
    };
    // The line of names: first of two, last of three.
    let names = if rows.len() == 2 { rows.first_mut() } else { rows.last_mut() };
    if let Some(names) = names.filter(|names| width > 0 && names.contains(&b'<')) {
        while names.len() < width {
            names.push(b'<');
        }
    }
    let length = rows.iter().map(|row| row.len()).sum();
    let mut zone = Zeroizing::new(Vec::with_capacity(length));
    rows.iter().for_each(|row| zone.extend_from_slice(row));
    // A run of 72 letters and digits without any filler is something else.
    (matches!(zone.len(), 72 | 88 | 90) && zone.contains(&b'<')).then_some(zone)
}

/// The characters of one line, or `None` if one of them cannot stand in a zone.
fn row(line: impl Iterator<Item = char>) -> Option<Zeroizing<Vec<u8>>> {
    let mut row = Zeroizing::new(Vec::with_capacity(90));
    for c in line.filter(|c| !c.is_whitespace() && !fold::is_invisible(*c)) {
        match c {
            // What text recognition makes of two fillers, or of one.
            '«' => row.extend(b"<<"),
            '‹' => row.push(b'<'),
            '<' | '0'..='9' | 'A'..='Z' | 'a'..='z' => {
                row.push(u8::try_from(c).ok()?.to_ascii_uppercase());
            }
            _ => return None,
        }
    }
    Some(row)
}

/// Doc 9303-4 §4.2, 9303-6 §4.2, 9303-7 §4.2: names in line 1; in line 2 number, nationality, birth
/// date, sex, expiry and optional data.
fn two_lines(zone: &[u8], width: usize, format: MrzFormat) -> Option<Mrz> {
    let (first, second) = zone.split_at_checked(width)?;
    let end = match format {
        MrzFormat::Td3 => 42,
        MrzFormat::Td2 => 35,
        _ => width,
    };
    let optional = second.get(28..end)?;
    // Only cards continue a long number in the optional data.
    let number = number(second.get(..9)?, second.get(9)?, optional, format == MrzFormat::Td2);
    let composite = match format {
        MrzFormat::Td3 => check(
            &[second.get(..10)?, second.get(13..20)?, second.get(21..43)?].concat(),
            second.get(43)?,
        ),
        MrzFormat::Td2 => check(
            &[second.get(..10)?, second.get(13..20)?, second.get(21..35)?].concat(),
            second.get(35)?,
        ),
        _ => Check::NotCheckable,
    };
    let optional_check = match format {
        MrzFormat::Td3 => check(optional, second.get(42)?),
        _ => Check::NotCheckable,
    };
    let (primary, secondary) = names(first.get(5..)?);
    Some(Mrz {
        format,
        code: text(first.get(..2)?),
        issuer: text(first.get(2..5)?),
        nationality: text(second.get(10..13)?),
        birth: raw(second.get(13..19)?),
        expiry: raw(second.get(21..27)?),
        sex: sex(*second.get(20)?),
        checks: [
            (MrzField::Number, number.check),
            (MrzField::Birth, check(second.get(13..19)?, second.get(19)?)),
            (MrzField::Expiry, check(second.get(21..27)?, second.get(27)?)),
            (MrzField::Optional, optional_check),
            (MrzField::Composite, composite),
        ],
        number: number.text,
        optional: number.rest,
        primary,
        secondary,
    })
}

/// Doc 9303-5 §4.2: number and optional data in line 1, dates, nationality and more optional data
/// in line 2, names in line 3.
fn three_lines(zone: &[u8]) -> Option<Mrz> {
    let (first, rest) = zone.split_at_checked(30)?;
    let (second, third) = rest.split_at_checked(30)?;
    let number = number(first.get(5..14)?, first.get(14)?, first.get(15..)?, true);
    let all = [first.get(5..)?, second.get(..7)?, second.get(8..15)?, second.get(18..29)?].concat();
    let (primary, secondary) = names(third);
    let more = text(second.get(18..29)?);
    let optional = format!("{} {}", *number.rest, *more);
    Some(Mrz {
        format: MrzFormat::Td1,
        code: text(first.get(..2)?),
        issuer: text(first.get(2..5)?),
        nationality: text(second.get(15..18)?),
        birth: raw(second.get(..6)?),
        expiry: raw(second.get(8..14)?),
        sex: sex(*second.get(7)?),
        checks: [
            (MrzField::Number, number.check),
            (MrzField::Birth, check(second.get(..6)?, second.get(6)?)),
            (MrzField::Expiry, check(second.get(8..14)?, second.get(14)?)),
            (MrzField::Optional, Check::NotCheckable),
            (MrzField::Composite, check(&Zeroizing::new(all), second.get(29)?)),
        ],
        number: number.text,
        optional: Zeroizing::new(optional.trim().to_owned()),
        primary,
        secondary,
    })
}

struct Number {
    text: Zeroizing<String>,
    check: Check,
    rest: Zeroizing<String>,
}

/// Doc 9303-5 §4.2.4: of a number longer than nine characters "the 9 principal characters … shall
/// be followed by a filler character instead of a check digit", the remainder and its check digit
/// stand at the beginning of the optional data.
fn number(field: &[u8], given: &u8, optional: &[u8], overflows: bool) -> Number {
    let end = optional.iter().position(|byte| *byte == b'<').unwrap_or(optional.len());
    let (more, rest) = optional.split_at_checked(end).unwrap_or((optional, &[]));
    match more.split_last() {
        Some((last, more)) if overflows && *given == b'<' && !more.is_empty() => {
            let all = Zeroizing::new([field, more].concat());
            Number { check: check(&all, last), text: text(&all), rest: text(rest) }
        }
        _ => Number { check: check(field, given), text: text(field), rest: text(optional) },
    }
}

/// Whether the given digit is that of the field; an empty field may have a filler for it, and one
/// without any digit says nothing.
fn check(field: &[u8], given: &u8) -> Check {
    let empty = field.iter().all(|byte| *byte == b'<');
    match digit(*given) {
        None if empty && *given == b'<' => Check::NotCheckable,
        None => Check::Invalid,
        Some(given) => Check::of(given == weights_731(field)),
    }
}

/// Primary and secondary name: two fillers between them, one between words.
fn names(field: &[u8]) -> (Zeroizing<String>, Zeroizing<String>) {
    let split = field.windows(2).position(|pair| pair == b"<<").unwrap_or(field.len());
    let (primary, secondary) = field.split_at_checked(split).unwrap_or((field, &[]));
    (text(primary), text(secondary))
}

/// A field with its fillers as single spaces, none at its ends.
fn text(field: &[u8]) -> Zeroizing<String> {
    let mut text = String::with_capacity(field.len());
    for byte in field {
        if *byte != b'<' {
            text.push(char::from(*byte));
        } else if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }
    if text.ends_with(' ') {
        text.pop();
    }
    Zeroizing::new(text)
}

fn raw(field: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(field.iter().copied().map(char::from).collect())
}

const fn sex(byte: u8) -> Option<char> {
    match byte {
        b'M' => Some('M'),
        b'F' => Some('F'),
        b'X' => Some('X'),
        _ => None,
    }
}

/// Doc 9303-3 §4.8: YYMMDD, fillers for a part that is not known. The year is the last with these
/// two digits up to `latest`.
fn date(field: &str, latest: u16) -> Option<PartialDate> {
    let part = |from: usize| field.get(from..from + 2).and_then(|part| part.parse::<u8>().ok());
    let year = u16::from(part(0)?);
    let century = latest.checked_sub(year)? / 100 * 100;
    let month = part(2);
    let day = part(4).filter(|_| month.is_some());
    PartialDate::new(century + year, month, day).ok()
}
