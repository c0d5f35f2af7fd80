//! Ranges of telephone numbers in use, compiled from the pinned metadata; a short cut past the
//! library's reading, never another answer.
//!
//! Implements spec/identifiers.md#contacts.
//!
//! Invariant: what is accepted here the library accepts too, as the same number. What is not may
//! still be a number: then the library decides.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use crate::digit_pattern::DigitPattern;

/// The country code at the beginning of an international number without `+`, and how many digits
/// it has, if the rest is a number in use that no rule would shorten.
pub(crate) fn in_use(digits: &[u8]) -> Option<usize> {
    let mut code = 0_u16;
    for (place, byte) in digits.iter().take(3).enumerate() {
        code = code * 10 + u16::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        if code == 0 {
            return None;
        }
        if let Some(regions) = regions(code) {
            let national = digits.get(place + 1..)?;
            return regions.in_use(national).then_some(place + 1);
        }
    }
    None
}

/// A number as it is dialled inside a region, in E.164, if it is in use and no rule but the plain
/// prefix for calls inside the country would change it.
pub(crate) fn inside(region: &str, digits: &[u8]) -> Option<String> {
    let region = INSIDE.get(region)?.as_ref()?;
    if region.abroad.begins(digits) {
        return None;
    }
    let code = region.code.to_string();
    // The library takes the region's own code away unless the whole may be a number of the region.
    let digits = match digits.strip_prefix(code.as_bytes()) {
        Some(rest) if region.general.lengths.is_empty() || !region.general.holds(digits) => rest,
        _ => digits,
    };
    let national = region.without_prefix(digits)?;
    // The library keeps the prefix of what would be too short without it.
    let long = region.general.lengths.first().is_none_or(|l| usize::from(*l) <= national.len());
    let text = std::str::from_utf8(national).ok().filter(|_| long)?;
    regions(region.code)?.in_use(national).then(|| format!("+{code}{text}"))
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

impl Regions {
    fn in_use(&self, national: &[u8]) -> bool {
        let alone = self.0.len() == 1;
        // The library drops zeros before it asks whose number it is.
        if !alone && national.starts_with(b"0") {
            return false;
        }
        // The first region that claims the number decides, as in the library.
        let claims = |region: &&Region| match &region.leading {
            _ if alone => true,
            Some(leading) => leading.begins(national),
            None => region.has(national),
        };
        let owner = self.0.iter().find(claims);
        owner.is_some_and(|region| region.has(national) && !region.shortens(national))
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

    /// Numbers around every example of the metadata: what is accepted here, the library reads as
    /// the same digits.
    #[test]
    fn the_library_agrees() {
        let mut accepted = 0;
        for code in 1..1000_u16 {
            for metadata in DATABASE.by_code(&code).into_iter().flatten() {
                let all = metadata.descriptors();
                let examples = [all.fixed_line(), all.mobile(), all.toll_free(), all.voip()];
                for example in examples.into_iter().flatten().filter_map(Descriptor::example) {
                    for (place, digit) in [(0, '0'), (1, '3'), (2, '7'), (4, '1'), (99, '0')] {
                        let varied: String = example
                            .chars()
                            .enumerate()
                            .map(|(at, c)| if at == place { digit } else { c })
                            .collect();
                        let number = format!("{code}{varied}");
                        if in_use(number.as_bytes()).is_none() {
                            continue;
                        }
                        accepted += 1;
                        let read = phonenumber::parse(None, format!("+{number}")).unwrap();
                        assert!(read.is_valid(), "{number}");
                        let national = read.national();
                        let zeros = "0".repeat(usize::from(national.zeros()));
                        let again = format!("{}{zeros}{}", read.code().value(), national.value());
                        assert_eq!(again, number);
                        nationally(metadata, &varied);
                    }
                }
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }
    /// As dialled inside the region, with and without its prefix.
    fn nationally(metadata: &Metadata, national: &str) {
        let code = metadata.country_code().to_string();
        for prefix in ["", metadata.national_prefix().unwrap_or_default(), &code] {
            let dialled = format!("{prefix}{national}");
            let Some(short) = inside(metadata.id(), dialled.as_bytes()) else { continue };
            let region = metadata.id().parse().unwrap();
            let read = phonenumber::parse(Some(region), &dialled).unwrap();
            assert!(read.is_valid(), "{dialled}");
            let national = read.national();
            let zeros = "0".repeat(usize::from(national.zeros()));
            assert_eq!(short, format!("+{}{zeros}{}", read.code().value(), national.value()));
        }
    }
}
