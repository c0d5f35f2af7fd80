//! The words of names that say little: titles, particles, legal forms; data tables, read once.
//!
//! Implements spec/identifiers.md#names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::romanise::{Han, romanise};
use crate::sounds;

/// Fewest letters of a legal form that is also known by its sounds.
const LONG_FORM_LETTERS_MIN: usize = 10;

const WORDS: &str = include_str!("../../../spec/names/words.tsv");
const LEGAL_FORMS: &str = include_str!("../../../spec/names/legal_forms.tsv");

/// What a word can be in a name; a word may be several of these.
#[derive(Clone, Copy, Default)]
pub(crate) struct Role {
    /// Dropped if another word remains: titles and the commonest particles.
    pub(crate) title: bool,
    /// Dropped if two other words remain: titles and particles that are names as well.
    pub(crate) rank: bool,
    /// Stands before the father's name.
    pub(crate) son_of: bool,
    /// Any of the spellings of Arabic *abd*.
    pub(crate) abd: bool,
    /// Dropped in the name of an organisation if another word remains.
    pub(crate) linking: bool,
    /// Dropped in the name of an organisation if a word remains that is not common.
    pub(crate) loose_linking: bool,
    /// A legal form of two letters that is never part of the name.
    pub(crate) sure_form: bool,
    /// A legal form of two letters that also stands before the name.
    pub(crate) start_form: bool,
    /// Dropped before the name of a vessel.
    pub(crate) ship: bool,
    /// Borne by so many people that it says little: what it weighs.
    pub(crate) common_person: Option<usize>,
    /// In the names of so many organisations that it says little: what it weighs.
    pub(crate) common_organisation: Option<usize>,
    /// What stands for it in the name of an organisation.
    pub(crate) instead: Option<&'static str>,
    /// The name of which it is a short or pet form, or another country's spelling.
    pub(crate) whole: Option<&'static str>,
}

/// The tables are fixed, so a plain hash (FNV-1a, 64 bits) is safe, and it is faster for words.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static ROLES: LazyLock<HashMap<&'static str, Role, BuildHasherDefault<Fnv>>> =
    LazyLock::new(|| {
        let mut roles = HashMap::<&'static str, Role, BuildHasherDefault<Fnv>>::default();
        for line in rows(WORDS) {
            let Some((role, words)) = line.split_once('\t') else { continue };
            for word in words.split(' ') {
                let (word, instead) =
                    word.split_once('=').map_or((word, None), |(a, b)| (a, Some(b)));
                let entry = roles.entry(word).or_default();
                match role {
                    "title" | "particle" => entry.title = true,
                    "rank" | "loose_particle" => entry.rank = true,
                    "abd" => entry.abd = true,
                    "son_of" => entry.son_of = true,
                    "linking" => entry.linking = true,
                    "loose_linking" => entry.loose_linking = true,
                    "sure_form" => entry.sure_form = true,
                    "start_form" => entry.start_form = true,
                    "common_person" => entry.common_person = Some(2),
                    "common_organisation" => entry.common_organisation = Some(2),
                    "generic_organisation" => entry.common_organisation = Some(1),
                    "ship" => entry.ship = true,
                    "pet_form" | "spelling" => entry.whole = instead,
                    _ => entry.instead = instead,
                }
            }
        }
        roles
    });

/// What is known about a word.
pub(crate) fn role(word: &str) -> Role {
    ROLES.get(word).copied().unwrap_or_default()
}

/// A legal form of a company as a sequence of words.
pub(crate) struct LegalForm {
    pub(crate) words: Vec<String>,
    /// What is left of it in the name: nothing, or the class of what is no company.
    pub(crate) class: Option<&'static str>,
}

/// By first word, the longest first.
static FORMS: LazyLock<HashMap<String, Vec<LegalForm>, BuildHasherDefault<Fnv>>> =
    LazyLock::new(|| {
        let mut forms = HashMap::<String, Vec<LegalForm>, BuildHasherDefault<Fnv>>::default();
        for line in rows(LEGAL_FORMS) {
            let mut columns = line.split('\t');
            let (Some(class), Some(_), Some(list)) =
                (columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            let kept = matches!(class, "association" | "foundation" | "cooperative");
            for form in list.split(';') {
                let words = joined(romanise(form, Han::Syllables).split(' '));
                let Some(first) = words.first().cloned() else { continue };
                let form = LegalForm { words, class: kept.then_some(class) };
                forms.entry(first).or_default().push(form);
            }
        }
        for list in forms.values_mut() {
            list.sort_by(|a, b| {
                b.words.len().cmp(&a.words.len()).then_with(|| a.words.cmp(&b.words))
            });
            list.dedup_by(|a, b| a.words == b.words);
        }
        forms
    });

/// The forms that begin with this word, the longest first.
pub(crate) fn legal_forms(first: &str) -> &'static [LegalForm] {
    FORMS.get(first).map_or(&[], Vec::as_slice)
}

/// Legal forms of one long word by their sounds.
static LONG_FORMS: LazyLock<HashMap<String, &'static LegalForm, BuildHasherDefault<Fnv>>> =
    LazyLock::new(|| {
        let mut forms: Vec<&'static LegalForm> = FORMS.values().flatten().collect();
        forms.sort_by(|a, b| a.words.cmp(&b.words));
        let mut by_sounds = HashMap::default();
        for form in forms {
            if let [word] = form.words.as_slice()
                && word.len() >= LONG_FORM_LETTERS_MIN
            {
                by_sounds.entry(sounds::of_word(word)).or_insert(form);
            }
        }
        by_sounds
    });

/// A word that can only be a misspelled legal form: a long one that sounds like one.
pub(crate) fn misspelled_form(word: &str) -> Option<&'static LegalForm> {
    if word.len() < LONG_FORM_LETTERS_MIN || FORMS.contains_key(word) {
        return None;
    }
    LONG_FORMS.get(&sounds::of_word(word)).copied()
}

/// The words, every run of single letters as one word: `o o o` is `ooo`.
pub(crate) fn joined<'a>(text: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words = Vec::<String>::with_capacity(8);
    let mut open = false;
    for word in text.filter(|word| !word.is_empty()) {
        let single = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        match words.last_mut() {
            Some(last) if single && open => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        open = single;
    }
    words
}

/// Keeps each word once, where it first stands.
pub(crate) fn keep_first(words: &mut Vec<String>) {
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let twice = words.iter().take(place).any(|earlier| earlier == word);
        if twice {
            words.remove(place);
        } else {
            place += 1;
        }
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn the_tables_are_well_formed() {
        let mut stands = HashMap::<(&str, &str), usize>::new();
        for line in rows(WORDS) {
            let (role, words) = line.split_once('\t').unwrap();
            for word in words.split(' ') {
                let (word, instead) = word.split_once('=').unwrap_or((word, "a"));
                let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
                assert!(plain(word) && plain(instead) && !word.is_empty(), "{role} {word}");
                *stands.entry((role, word)).or_default() += 1;
            }
        }
        assert!(stands.values().all(|count| *count == 1), "{stands:?}");
        let classes: HashSet<&str> = [
            "limited",
            "stock",
            "company",
            "partnership",
            "sole",
            "state",
            "association",
            "foundation",
            "cooperative",
        ]
        .into();
        let mut languages = HashSet::new();
        for line in rows(LEGAL_FORMS) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [class, of, forms] = columns[..] else { panic!("{line}") };
            assert!(classes.contains(class), "{line}");
            languages.extend(of.split(','));
            for form in forms.split(';') {
                assert!(!joined(romanise(form, Han::Syllables).split(' ')).is_empty(), "{line}");
            }
        }
        assert!(languages.len() >= 60, "{}", languages.len());
    }
}
