//! The words of an organisation's name that tell it from others, without its legal form.
//!
//! Implements spec/identifiers.md#names-of-organisations.

use std::ops::{Range, RangeInclusive};

use crate::lexicon::{LegalForm, joined, keep_first, legal_forms, misspelled_form, role};
use crate::romanise::{Han, romanise};

/// A legal form of fewer letters counts only at the end of a name, a few at its start.
const INSIDE_LETTERS_MIN: usize = 3;

/// Fewer letters are those of too many names, more are hardly ever used.
const ACRONYM_LETTERS: RangeInclusive<usize> = 3..=6;

/// With which the pairs of words begin that are one word.
const PAIRED: [&str; 3] = ["united", "import", "export"];

/// Steps after which a name that still changes is taken as it is; each takes a word at least.
const ROUNDS_MAX: usize = 64;

/// The telling words of a name, each once: in their order, and sorted.
pub(crate) struct Words {
    pub(crate) in_order: Vec<String>,
    pub(crate) sorted: Vec<String>,
}

pub(crate) fn words(text: &str) -> Words {
    let mut words = joined(romanise(text, Han::Syllables).split(' '));
    let mut classes = Vec::new();
    strip_legal_forms(&mut words, &mut classes);
    let before = words.len();
    if words.iter().any(|word| !role(word).linking) {
        words.retain(|word| !role(word).linking);
    }
    if words.len() < before {
        strip_legal_forms(&mut words, &mut classes);
    }
    words.extend(classes.into_iter().map(str::to_owned));
    let mut in_order = words.clone();
    expand(&mut in_order);
    words = step(words);
    words.sort_unstable();
    for _ in 0..ROUNDS_MAX {
        // Sorting can bring words together that are a legal form or a number.
        let before = words.clone();
        words = step(joined(words.iter().map(String::as_str)));
        words.sort_unstable();
        if words == before {
            break;
        }
    }
    in_order.retain(|word| role(word).loose_linking || words.contains(word));
    Words { in_order, sorted: words }
}

fn step(mut words: Vec<String>) -> Vec<String> {
    let mut classes = Vec::new();
    strip_legal_forms(&mut words, &mut classes);
    if words.iter().any(|word| role(word).linking || role(word).loose_linking) {
        drop_linking(&mut words);
        strip_legal_forms(&mut words, &mut classes);
    }
    words.extend(classes.into_iter().map(str::to_owned));
    expand(&mut words);
    words
}

/// Writes abbreviations, pairs and numbers as one word, each word once.
fn expand(words: &mut Vec<String>) {
    for word in words.iter_mut() {
        if let Some(instead) = role(word).instead {
            *word = instead.to_owned();
        }
    }
    pairs(words);
    tens_and_ones(words);
    keep_first(words);
}

fn drop_linking(words: &mut Vec<String>) {
    if words.iter().any(|word| !role(word).linking) {
        words.retain(|word| !role(word).linking);
    }
    let telling = |word: &String| !role(word).loose_linking && common(word).is_none();
    if words.iter().any(telling) {
        words.retain(|word| !role(word).loose_linking);
    }
}

/// What a word weighs that is in the names of very many organisations.
pub(crate) fn common(word: &str) -> Option<usize> {
    role(word).common_organisation
}

/// The initials of three to six words, or the one word of as many letters that may be such.
pub(crate) fn acronym(words: &[String]) -> Option<String> {
    let mut telling = words.iter().filter(|word| common(word).is_none());
    let letters = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    if let (Some(word), None) = (telling.next(), telling.next())
        && ACRONYM_LETTERS.contains(&word.len())
        && letters(word)
    {
        return Some(word.clone());
    }
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    (ACRONYM_LETTERS.contains(&initials.len()) && letters(&initials)).then_some(initials)
}

/// Takes legal forms off both ends, then out of the middle, while a word remains: first those of
/// three letters and more, then the others, which are often part of the name itself.
fn strip_legal_forms(words: &mut Vec<String>, classes: &mut Vec<&'static str>) {
    for short in [false, true] {
        let mut place = 0;
        while place < words.len() {
            match legal_form_at(words, place, short) {
                Some(form) => {
                    words.drain(place..place + form.words.len());
                    classes.extend(form.class);
                    // What stands before may be at the end now.
                    place = 0;
                }
                None => place += 1,
            }
        }
    }
}

fn legal_form_at(words: &[String], place: usize, short: bool) -> Option<&'static LegalForm> {
    let rest = words.get(place..)?;
    let first = rest.first()?;
    if !short
        && words.len() > 1
        && let Some(form) = misspelled_form(first)
    {
        return Some(form);
    }
    legal_forms(first).iter().find(|form| {
        let letters: usize = form.words.iter().map(String::len).sum();
        let taken = place..place + form.words.len();
        let fits = if letters >= INSIDE_LETTERS_MIN {
            !short
        } else {
            let at_end = form.words.len() == rest.len();
            let at_start = place == 0 && role(first).start_form;
            // `IS Bank` is not a bank of the form I/S.
            let form_only = role(first).sure_form || remains_telling(words, &taken);
            short && (at_end || at_start) && form_only
        };
        fits && form.words.len() < words.len() && rest.starts_with(&form.words)
    })
}

/// Whether a word that is not common is left besides those at `taken`.
fn remains_telling(words: &[String], taken: &Range<usize>) -> bool {
    words.iter().enumerate().any(|(place, word)| !taken.contains(&place) && common(word).is_none())
}

/// `united states` is `us`, `import export` is `impex`.
fn pairs(words: &mut Vec<String>) {
    let mut place = 0;
    while let Some([one, other]) = words.get(place..place + 2) {
        if PAIRED.contains(&one.as_str())
            && let Some(instead) = role(&format!("{one}{other}")).instead
        {
            words.splice(place..place + 2, [instead.to_owned()]);
        }
        place += 1;
    }
}

/// `forty four` is `44`.
fn tens_and_ones(words: &mut Vec<String>) {
    let mut place = 0;
    while let Some([tens, ones]) = words.get(place..place + 2) {
        let tens_only = tens.len() == 2 && tens.ends_with('0');
        if tens_only && ones.len() == 1 && ones.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = format!("{}{ones}", tens.get(..1).unwrap_or_default());
            words.splice(place..place + 2, [number]);
        }
        place += 1;
    }
}
