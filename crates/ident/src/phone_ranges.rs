//! Ranges of telephone numbers in use, compiled from the pinned metadata: the library's answers
//! without its cost, and a sign where only the library knows.
//!
//! Implements spec/identifiers.md#contacts.
//!
//! Invariant: an answer other than `Unknown` is the library's.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use crate::digit_pattern::DigitPattern;

/// What the metadata says about a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// In use, in E.164.
    InUse(String),
    /// In no range in use.
    Unused,
    /// A rule may change the number first: the library decides.
    Unknown,
}

/// A number behind its `+`.
pub(crate) fn international(digits: &[u8]) -> Answer {
    let mut code = 0;
    for (place, byte) in digits.iter().take(3).enumerate() {
        code = code * 10 + u16::from(byte.wrapping_sub(b'0'));
        if code == 0 {
            return Answer::Unused;
        }
        if let (Some(regions), Some(national)) = (regions(code), digits.get(place + 1..)) {
            return match regions.owner(national) {
                Owner::Region(region) if region.shortens(national) => Answer::Unknown,
                Owner::Region(region) if region.has(national) => answer(code, national),
                Owner::Region(_) | Owner::Nobody => Answer::Unused,
                Owner::Unknown => Answer::Unknown,
            };
        }
    }
    Answer::Unused
}

/// A number as it is dialled inside a region.
pub(crate) fn inside(region: &str, digits: &[u8]) -> Answer {
    let Some(Some(region)) = INSIDE.get(region) else {
        return Answer::Unknown;
    };
    if region.abroad.begins(digits) {
        return Answer::Unknown;
    }
    let code = region.code.to_string();
    // The library takes the region's own code away unless the whole may be a number of the region.
    let digits = match digits.strip_prefix(code.as_bytes()) {
        Some(rest) if region.general.lengths.is_empty() || !region.general.holds(digits) => rest,
        _ => digits,
    };
    let (Some(national), Some(regions)) = (region.without_prefix(digits), regions(region.code))
    else {
        return Answer::Unknown;
    };
    // The library keeps the prefix of what would be too short without it.
    let shortest = region.general.lengths.first().copied().map_or(0, usize::from);
    match regions.owner(national) {
        _ if national.len() < shortest => Answer::Unknown,
        Owner::Region(owner) if owner.has(national) => answer(region.code, national),
        Owner::Region(_) | Owner::Nobody => Answer::Unused,
        Owner::Unknown => Answer::Unknown,
    }
}

fn answer(code: u16, national: &[u8]) -> Answer {
    match std::str::from_utf8(national) {
        Ok(national) => Answer::InUse(format!("+{code}{national}")),
        Err(_) => Answer::Unknown,
    }
}

/// What is dialled in a region before a number.
struct Inside {
    code: u16,
    abroad: DigitPattern,
    general: Range,
    prefix: Vec<u8>,
    /// What is taken away before a number, and the part of it that is more than the prefix alone.
    trunk: Option<DigitPattern>,
    beyond: Option<DigitPattern>,
    /// Whether the prefix alone is taken away.
    plain: bool,
}

impl Inside {
    /// The number without the prefix, or `None` where more than that may be taken away.
    fn without_prefix<'a>(&self, digits: &'a [u8]) -> Option<&'a [u8]> {
        let begins = |trunk: &Option<DigitPattern>, digits| {
            trunk.as_ref().is_some_and(|trunk| trunk.begins(digits))
        };
        match digits.strip_prefix(self.prefix.as_slice()).filter(|_| !self.prefix.is_empty()) {
            Some(rest) => {
                let once = !rest.starts_with(&self.prefix);
                (self.plain && once && !begins(&self.beyond, digits)).then_some(rest)
            }
            None => (!begins(&self.trunk, digits)).then_some(digits),
        }
    }
}

static INSIDE: LazyLock<HashMap<&'static str, Option<Inside>>> = LazyLock::new(|| {
    let regions = DATABASE.iter().filter(|metadata| metadata.id() != "001");
    regions.map(|metadata| (metadata.id(), inside_of(metadata))).collect()
});

fn inside_of(metadata: &Metadata) -> Option<Inside> {
    let prefix = metadata.national_prefix().unwrap_or_default();
    let trunk = metadata.national_prefix_for_parsing().map_or(prefix, |pattern| pattern.as_str());
    let branches = branches(trunk);
    let beyond = branches.iter().filter(|branch| **branch != prefix);
    let beyond = beyond.copied().collect::<Vec<_>>().join("|");
    let compiled = |pattern: &str| match pattern {
        "" => Some(None),
        pattern => DigitPattern::compile(pattern).map(Some),
    };
    Some(Inside {
        code: metadata.country_code(),
        abroad: DigitPattern::compile(metadata.international_prefix()?.as_str())?,
        general: Range::new(metadata.descriptors().general())?,
        prefix: prefix.as_bytes().to_vec(),
        trunk: compiled(trunk)?,
        beyond: compiled(&beyond)?,
        plain: branches.contains(&prefix),
    })
}

/// The alternatives of a pattern that are in no group.
fn branches(pattern: &str) -> Vec<&str> {
    let mut depth = 0;
    let outside = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == '|' && depth == 0
    };
    pattern.split(outside).map(str::trim).collect()
}

/// The regions that share a country code, the main one first, as the library asks them.
struct Regions(Vec<Region>);

struct Region {
    /// Digits that say a number is of this region, where the code has several.
    leading: Option<DigitPattern>,
    /// What is dialled before a number inside the region and is not part of it.
    trunk: Option<DigitPattern>,
    prefix: Vec<u8>,
    general: Range,
    types: Vec<Range>,
}

struct Range {
    pattern: DigitPattern,
    lengths: Vec<u16>,
}

impl Range {
    fn new(descriptor: &Descriptor) -> Option<Self> {
        let pattern = DigitPattern::compile(descriptor.national_number().as_str())?;
        Some(Self { pattern, lengths: descriptor.possible_length().to_vec() })
    }

    fn holds(&self, national: &[u8]) -> bool {
        let length = |length: &u16| usize::from(*length) == national.len();
        (self.lengths.is_empty() || self.lengths.iter().any(length))
            && self.pattern.begins(national)
    }
}

impl Region {
    fn new(metadata: &Metadata) -> Option<Self> {
        let compiled = |pattern: Option<&str>| match pattern {
            Some(pattern) => DigitPattern::compile(pattern).map(Some),
            None => Some(None),
        };
        let all = metadata.descriptors();
        let types = [
            all.fixed_line(),
            all.mobile(),
            all.toll_free(),
            all.premium_rate(),
            all.shared_cost(),
            all.voip(),
            all.personal_number(),
            all.pager(),
            all.uan(),
            all.voicemail(),
        ];
        Some(Self {
            leading: compiled(metadata.leading_digits().map(|pattern| pattern.as_str()))?,
            trunk: compiled(metadata.national_prefix_for_parsing().map(|p| p.as_str()))?,
            prefix: metadata.national_prefix().unwrap_or_default().as_bytes().to_vec(),
            general: Range::new(all.general())?,
            types: types.into_iter().flatten().map(Range::new).collect::<Option<_>>()?,
        })
    }

    fn has(&self, national: &[u8]) -> bool {
        self.general.holds(national) && self.types.iter().any(|range| range.holds(national))
    }

    /// Whether the library would take digits away.
    fn shortens(&self, national: &[u8]) -> bool {
        (!self.prefix.is_empty() && national.starts_with(&self.prefix))
            || self.trunk.as_ref().is_some_and(|trunk| trunk.begins(national))
    }
}

/// Whose a number is.
enum Owner<'a> {
    Region(&'a Region),
    Nobody,
    Unknown,
}

impl Regions {
    /// The first region that claims the number, as in the library.
    fn owner(&self, national: &[u8]) -> Owner<'_> {
        if !(3..=16).contains(&national.len()) {
            // Below and above, the library has limits of its own.
            return Owner::Unknown;
        }
        match self.0.as_slice() {
            [] => Owner::Unknown,
            [only] => Owner::Region(only),
            // The library drops zeros before it asks whose number it is.
            _ if national.starts_with(b"0") => Owner::Unknown,
            several => {
                let claims = |region: &&Region| match &region.leading {
                    Some(leading) => leading.begins(national),
                    None => region.has(national),
                };
                several.iter().find(claims).map_or(Owner::Nobody, Owner::Region)
            }
        }
    }
}

fn regions(code: u16) -> Option<&'static Regions> {
    static TABLE: [OnceLock<Option<Regions>>; 1000] = [const { OnceLock::new() }; 1000];
    let cell = TABLE.get(usize::from(code))?;
    cell.get_or_init(|| {
        let metadata = DATABASE.by_code(&code)?;
        // A pattern that is not compiled leaves the whole code to the library.
        let regions = metadata.into_iter().map(Region::new).collect::<Option<Vec<_>>>();
        Some(Regions(regions.unwrap_or_default()))
    })
    .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_metadata_compiles() {
        let codes = (1..1000).filter(|code| DATABASE.by_code(code).is_some());
        let compiled = |code: &u16| regions(*code).is_some_and(|regions| !regions.0.is_empty());
        assert!(codes.clone().all(|code| compiled(&code)));
        assert_eq!(codes.count(), 215);
        for (id, inside) in INSIDE.iter() {
            assert!(inside.is_some(), "{id}");
        }
    }

    /// The library's answer, as ours.
    fn library(region: Option<&str>, text: &str) -> Answer {
        let region = region.map(|region| region.parse().unwrap());
        match phonenumber::parse(region, text) {
            Ok(read) if read.is_valid() => {
                let national = read.national();
                let zeros = "0".repeat(usize::from(national.zeros()));
                Answer::InUse(format!("+{}{zeros}{}", read.code().value(), national.value()))
            }
            _ => Answer::Unused,
        }
    }

    /// Numbers around every example of the metadata, in use and not, in every way to dial them.
    #[test]
    fn the_library_agrees() {
        let mut known = [0, 0];
        let mut agrees = |ours: Answer, region: Option<&str>, text: &str| {
            if ours != Answer::Unknown {
                known[usize::from(ours == Answer::Unused)] += 1;
                assert_eq!(ours, library(region, text), "{region:?} {text}");
            }
        };
        for code in 1..1000_u16 {
            for metadata in DATABASE.by_code(&code).into_iter().flatten() {
                let all = metadata.descriptors();
                let examples = [all.fixed_line(), all.mobile(), all.toll_free(), all.voip()];
                let region = metadata.id();
                for example in examples.into_iter().flatten().filter_map(Descriptor::example) {
                    for varied in varied(example) {
                        let number = format!("{code}{varied}");
                        let plus = format!("+{number}");
                        agrees(international(number.as_bytes()), None, &plus);
                        let prefix = metadata.national_prefix().unwrap_or_default();
                        for dialled in [&varied, &number, &format!("{prefix}{varied}")] {
                            if region != "001" {
                                agrees(inside(region, dialled.as_bytes()), Some(region), dialled);
                            }
                        }
                    }
                }
            }
        }
        assert!(known[0] > 4000 && known[1] > 4000, "{known:?}");
    }

    /// The example itself, with other digits, longer and shorter.
    fn varied(example: &str) -> Vec<String> {
        let places = [(0, '0'), (0, '5'), (1, '3'), (2, '7'), (4, '1'), (99, '0')];
        let replaced = places.map(|(place, digit)| {
            example.chars().enumerate().map(|(at, c)| if at == place { digit } else { c }).collect()
        });
        let longer = [format!("{example}7"), format!("0{example}")];
        let shorter = [example[1..].to_owned(), example[..example.len() - 1].to_owned()];
        replaced.into_iter().chain(longer).chain(shorter).collect()
    }
}
