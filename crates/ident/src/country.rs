//! Countries as they stand in papers: ISO 3166-1 alpha-3 codes and ICAO's own; no geography.
//!
//! Implements spec/identifiers.md#countries.
//!
//! Invariant: a [`Country`] is one of the codes of `country_table`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::IdentError;
use crate::country_table::{ALIASES, COUNTRIES, SPECIAL};
use crate::fold::push_name;
use crate::limits::ISSUER_BYTES_MAX;

/// A country or other issuer of travel documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Reads an alpha-2 or alpha-3 code, ICAO's codes (`D`, `UNO`, `XXA` …), a former code, or an
    /// English name in any word order (`Korea, North`), whatever its case.
    ///
    /// # Errors
    /// [`IdentError::UnknownCountry`], also for what only says that the country is not known
    /// (`00`, `-0-`, `None Identified`).
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let text = text.trim();
        if text.is_empty() || text.len() > ISSUER_BYTES_MAX {
            return Err(IdentError::UnknownCountry);
        }
        let mut code = [0; 3];
        let found = match (text.len(), code.get_mut(..text.len())) {
            (1..=3, Some(code)) if text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                code.copy_from_slice(text.as_bytes());
                code.make_ascii_uppercase();
                std::str::from_utf8(code).ok().and_then(|code| TABLE.codes.get(code))
            }
            _ => None,
        };
        found
            .or_else(|| TABLE.names.get(name_key(text).as_str()))
            .map(|code| Self(code))
            .ok_or(IdentError::UnknownCountry)
    }

    /// The alpha-3 code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The alpha-2 code, where there is one.
    #[must_use]
    pub fn alpha2(self) -> Option<&'static str> {
        TABLE.alpha2.get(self.0).copied()
    }

    /// Every country of ISO 3166-1, by alpha-3 code, with its English short name.
    pub fn all() -> impl Iterator<Item = (Self, &'static str)> {
        COUNTRIES.iter().map(|(code, _, name)| (Self(code), *name))
    }
}

struct Table {
    codes: HashMap<&'static str, &'static str>,
    names: HashMap<String, &'static str>,
    alpha2: HashMap<&'static str, &'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { codes: HashMap::new(), names: HashMap::new(), alpha2: HashMap::new() };
    for (code, alpha2, name) in COUNTRIES.iter().chain(SPECIAL) {
        table.codes.insert(code, code);
        table.names.insert(name_key(name), code);
        if !alpha2.is_empty() {
            table.codes.insert(alpha2, code);
            table.alpha2.insert(code, alpha2);
        }
    }
    for (alias, code) in ALIASES {
        if alias.len() <= 3 && alias.bytes().all(|byte| byte.is_ascii_uppercase()) {
            table.codes.insert(alias, code);
        } else {
            table.names.insert(name_key(alias), code);
        }
    }
    table
});

/// The words of a name, sorted, without those that only join.
fn name_key(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    push_name(text, &mut folded);
    let mut words: Vec<&str> = folded
        .split(' ')
        .filter(|word| !matches!(*word, "" | "the" | "of" | "and" | "region"))
        .map(|word| if word == "st" { "saint" } else { word })
        .collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

impl FromStr for Country {
    type Err = IdentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    /// Only the alpha-3 code in upper case: one value has one encoding.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok()
            .filter(|country| country.0 == text)
            .ok_or_else(|| serde::de::Error::custom("not an alpha-3 country code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_one_code_and_one_name() {
        assert_eq!(COUNTRIES.len(), 249);
        let codes = COUNTRIES.len() * 2
            + SPECIAL
                .iter()
                .map(|(_, alpha2, _)| 1 + usize::from(!alpha2.is_empty()))
                .sum::<usize>();
        let short =
            |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        let aliases: std::collections::BTreeSet<_> =
            ALIASES.iter().map(|(alias, _)| alias).collect();
        assert_eq!(aliases.len(), ALIASES.len());
        let short_aliases =
            ALIASES.iter().filter(|(alias, code)| short(alias) && alias != code).count();
        assert_eq!(TABLE.codes.len(), codes + short_aliases);
        for (code, alpha2, name) in COUNTRIES {
            assert_eq!(Country::parse(code).unwrap().as_str(), *code);
            assert_eq!(Country::parse(alpha2).unwrap().as_str(), *code);
            assert_eq!(Country::parse(name).unwrap().as_str(), *code, "{name}");
        }
        for (alias, code) in ALIASES {
            assert_eq!(Country::parse(alias).unwrap().as_str(), *code, "{alias}");
        }
    }

    #[test]
    fn reads_what_lists_and_papers_say() {
        let cases = [
            ("D", "DEU"),
            ("ru", "RUS"),
            ("Russia", "RUS"),
            ("RUSSIA ", "RUS"),
            ("Korea, North", "PRK"),
            ("Korea, South", "KOR"),
            ("North Macedonia, The Republic of", "MKD"),
            ("Congo, Democratic Republic of the", "COD"),
            ("Côte d’Ivoire", "CIV"),
            ("Cabo Verde", "CPV"),
            ("St. Kitts & Nevis", "KNA"),
            ("The Gambia", "GMB"),
            ("Burma", "MMR"),
            ("XXA", "XXA"),
            ("CS", "SCG"),
            ("XK", "RKS"),
        ];
        for (text, expect) in cases {
            assert_eq!(Country::parse(text).map(Country::as_str), Ok(expect), "{text}");
        }
        for text in ["", "00", "-0-", "None Identified", "Bogota", "ZZ", "Q", "RUSS"] {
            assert_eq!(Country::parse(text), Err(IdentError::UnknownCountry), "{text}");
        }
    }

    #[test]
    fn travels_as_its_code() {
        let country = Country::parse("Germany").unwrap();
        assert_eq!(serde_json::to_string(&country).unwrap(), "\"DEU\"");
        assert_eq!(serde_json::from_str::<Country>("\"DEU\"").unwrap(), country);
        assert!(serde_json::from_str::<Country>("\"de\"").is_err());
    }
}
