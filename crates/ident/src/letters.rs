//! The table of letters: what a letter of another script is in A–Z, one letter at a time.
//!
//! Implements spec/identifiers.md#transliteration.

use std::sync::LazyLock;

/// One row of `spec/names/letters.tsv`.
#[derive(Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) latin: &'static str,
    pub(crate) initial: &'static str,
}

const TABLE: &str = include_str!("../../../spec/names/letters.tsv");

/// Every letter of the table lies below.
const END: usize = 0x3100;

struct Letters {
    rows: Vec<Letter>,
    /// By code point: the number of its row and one, or 0.
    places: Vec<u16>,
}

static LETTERS: LazyLock<Letters> = LazyLock::new(|| {
    let mut letters = Letters { rows: Vec::with_capacity(1024), places: vec![0; END] };
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let Some(letter) = columns.next().and_then(|letter| letter.chars().next()) else {
            continue;
        };
        let latin = columns.next().unwrap_or_default();
        letters.rows.push(Letter { latin, initial: columns.next().unwrap_or(latin) });
        let place = usize::try_from(u32::from(letter)).ok();
        if let Some(slot) = place.and_then(|place| letters.places.get_mut(place)) {
            *slot = u16::try_from(letters.rows.len()).unwrap_or_default();
        }
    }
    letters
});

/// The row of a letter in lower case.
pub(crate) fn letter(c: char) -> Option<Letter> {
    let letters = &*LETTERS;
    let place = letters.places.get(usize::try_from(u32::from(c)).ok()?)?;
    letters.rows.get(usize::from(*place).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        let mut rows = 0;
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert!((2..=3).contains(&columns.len()), "{line}");
            let c = columns[0].chars().next().unwrap();
            assert_eq!(columns[0].chars().count(), 1, "{line}");
            assert!((0x80..END).contains(&(u32::from(c) as usize)), "{line}");
            assert!(columns[1..].iter().all(|text| text.bytes().all(|b| b.is_ascii_lowercase())));
            assert_eq!(letter(c).unwrap().latin, columns[1], "{line} stands twice");
            assert_eq!(letter(c).unwrap().initial, *columns.last().unwrap());
            rows += 1;
        }
        assert!(rows > 500);
        assert!(letter('a').is_none() && letter('習').is_none());
    }
}
