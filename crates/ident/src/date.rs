//! A date known to the day, the month or the year; nothing about time zones or calendars.
//!
//! Implements spec/identifiers.md#dates.
//!
//! Invariant: a day comes only with a month, and only on a day that the month has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::IdentError;
use crate::limits::ISSUER_BYTES_MAX;

/// A date as far as it is known. Sorts by year, then month, then day, the unknown first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: u16,
    month: Option<u8>,
    day: Option<u8>,
}

impl PartialDate {
    /// A date of the year, month and day as far as given.
    ///
    /// # Errors
    /// [`IdentError::Date`] for a year outside 1000–2999, a month or day that does not exist, or a
    /// day without a month.
    pub fn new(year: u16, month: Option<u8>, day: Option<u8>) -> Result<Self, IdentError> {
        if !(1000..=2999).contains(&year) {
            return Err(IdentError::Date { rule: "the year has four digits" });
        }
        match (month, day) {
            (None, Some(_)) => Err(IdentError::Date { rule: "a day needs a month" }),
            (Some(month), _) if !(1..=12).contains(&month) => {
                Err(IdentError::Date { rule: "a year has twelve months" })
            }
            (Some(month), Some(day)) if !(1..=days(year, month)).contains(&day) => {
                Err(IdentError::Date { rule: "the month has no such day" })
            }
            _ => Ok(Self { year, month, day }),
        }
    }

    /// Reads the date styles of real lists: `1957`, `1957-03`, `1957-03-02`, `02 Mar 1957`,
    /// `Mar 1957`, `02/03/1957` (day first), `02.03.1957`, `March 2, 1957`; what follows `circa`
    /// counts as its year only; a range counts as what both of its ends share.
    ///
    /// # Errors
    /// [`IdentError::Date`] with the rule broken; a range over several years is refused.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let (from, to) = span(text)?;
        if from.year != to.year {
            return Err(IdentError::Date { rule: "a range over several years" });
        }
        let month = from.month.filter(|_| from.month == to.month);
        let day = from.day.filter(|_| month.is_some() && from.day == to.day);
        Self::new(from.year, month, day)
    }

    fn single(text: &str) -> Result<Self, IdentError> {
        let mut parts = [""; 3];
        let mut count = 0;
        for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty())
        {
            *parts.get_mut(count).ok_or(IdentError::Date { rule: "more than three parts" })? = part;
            count += 1;
        }
        match (count, parts) {
            (0, _) => Err(IdentError::Date { rule: "empty" }),
            (1, [year, ..]) => Self::compact(year),
            (2, [year, month, _]) if year.len() == 4 && is_number(year) => {
                Self::new(number(year)?, Some(month_of(month)?), None)
            }
            (2, [month, year, _]) => Self::new(year_of(year)?, Some(month_of(month)?), None),
            (_, [year, month, day]) if year.len() == 4 && is_number(year) => {
                Self::new(number(year)?, Some(month_of(month)?), Some(day_of(day)?))
            }
            (_, [month, day, year]) if month.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                Self::new(year_of(year)?, Some(month_of(month)?), Some(day_of(day)?))
            }
            (_, [day, month, year]) => {
                Self::new(year_of(year)?, Some(month_of(month)?), Some(day_of(day)?))
            }
        }
    }

    /// One run of digits: a year, or `yyyymmdd`.
    fn compact(text: &str) -> Result<Self, IdentError> {
        match (text.get(..4), text.get(4..6), text.get(6..)) {
            (Some(year), Some(month), Some(day)) if text.len() == 8 && is_number(text) => {
                Self::new(number(year)?, Some(month_of(month)?), Some(day_of(day)?))
            }
            _ => Self::new(year_of(text)?, None, None),
        }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1–12, where known.
    #[must_use]
    pub const fn month(self) -> Option<u8> {
        self.month
    }

    /// The day of the month, where known.
    #[must_use]
    pub const fn day(self) -> Option<u8> {
        self.day
    }

    /// Whether year, month and day are all known.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.day.is_some()
    }

    /// The same date without its day.
    #[must_use]
    pub const fn to_month(self) -> Self {
        Self { year: self.year, month: self.month, day: None }
    }

    /// The same date without month and day.
    #[must_use]
    pub const fn to_year(self) -> Self {
        Self { year: self.year, month: None, day: None }
    }
}

/// First and last date of a text in any style of [`PartialDate::parse`]; equal but for a range.
pub(crate) fn span(text: &str) -> Result<(PartialDate, PartialDate), IdentError> {
    if text.len() > ISSUER_BYTES_MAX {
        return Err(IdentError::Date { rule: "too long" });
    }
    let lower = text.trim().to_ascii_lowercase();
    let about = ABOUT.iter().find_map(|word| lower.strip_prefix(word));
    let text = about.unwrap_or(&lower).trim();
    let ends = text.split_once(" to ").or_else(|| text.split_once(" and ")).or_else(|| {
        // "1979-1982" is a range; "1979-05" is a month.
        text.split_once(['-', '–']).filter(|(from, to)| from.len() == 4 && to.len() == 4)
    });
    let (from, to) = match ends {
        Some((from, to)) => (PartialDate::single(from)?, PartialDate::single(to)?),
        None => {
            let date = PartialDate::single(text)?;
            (date, date)
        }
    };
    if from.year > to.year {
        return Err(IdentError::Date { rule: "a range that ends before it begins" });
    }
    Ok(if about.is_some() { (from.to_year(), to.to_year()) } else { (from, to) })
}

/// What says that only the year is meant.
const ABOUT: [&str; 9] =
    ["circa", "approximately", "approx.", "approx", "about", "around", "between", "ca.", "c."];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const MONTH_NAMES: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const fn days(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number<N: FromStr>(text: &str) -> Result<N, IdentError> {
    text.parse().map_err(|_| IdentError::Date { rule: "not a number" })
}

fn year_of(text: &str) -> Result<u16, IdentError> {
    // Two digits would name two centuries.
    if text.len() == 4 {
        number(text)
    } else {
        Err(IdentError::Date { rule: "the year has four digits" })
    }
}

fn day_of(text: &str) -> Result<u8, IdentError> {
    number(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()))
}

fn month_of(text: &str) -> Result<u8, IdentError> {
    if is_number(text) {
        return number(text);
    }
    let found = MONTHS
        .iter()
        .position(|month| *month == text)
        .or_else(|| MONTH_NAMES.iter().position(|month| *month == text))
        .or_else(|| (text == "sept").then_some(8));
    found
        .and_then(|index| u8::try_from(index + 1).ok())
        .ok_or(IdentError::Date { rule: "not the English name of a month" })
}

impl FromStr for PartialDate {
    type Err = IdentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// ISO 8601, as far as known: `1957`, `1957-03` or `1957-03-02`.
impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.month, self.day) {
            (Some(month), Some(day)) => write!(f, "{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => write!(f, "{:04}-{month:02}", self.year),
            (None, _) => write!(f, "{:04}", self.year),
        }
    }
}

/// A birth date is part of an identifier, so it is not shown.
impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate([redacted])")
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    /// Only the text that [`Serialize`] writes: one value has one encoding.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok()
            .filter(|date| date.to_string() == text)
            .ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_styles_of_real_lists() {
        let cases = [
            ("24 May 1970", "1970-05-24"),
            ("1957", "1957"),
            ("Mar 1965", "1965-03"),
            ("1975-02-17", "1975-02-17"),
            ("17/02/1975", "1975-02-17"),
            ("17.2.1975", "1975-02-17"),
            ("17th September 1975", "1975-09-17"),
            ("19750217", "1975-02-17"),
            ("circa 1957", "1957"),
            ("circa 01 Jan 1961", "1961"),
            ("circa 1998-10-17", "1998"),
            ("between 1 Jan 1961 and 31 Dec 1961", "1961"),
            ("01 Jan 1949 to 19 Feb 1949", "1949"),
            ("01 Feb 1949 to 19 Feb 1949", "1949-02"),
            ("29 Feb 2000", "2000-02-29"),
        ];
        for (text, expect) in cases {
            assert_eq!(
                PartialDate::parse(text).map(|date| date.to_string()).as_deref(),
                Ok(expect)
            );
        }
        let refused = [
            "",
            "57",
            "02 Mar 57",
            "1965 to 1966",
            "circa 1979-1982",
            "29 Feb 1900",
            "31 Apr 1970",
            "13/13/1970",
            "Mai 1970",
            "1970-01-02-03",
            "99999",
            "unknown",
            "1966 to 1965",
        ];
        for text in refused {
            assert!(matches!(PartialDate::parse(text), Err(IdentError::Date { .. })), "{text}");
        }
        assert!(PartialDate::parse("1957").unwrap() < PartialDate::parse("1957-01").unwrap());
    }
}
