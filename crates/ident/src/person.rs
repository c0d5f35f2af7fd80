//! The words of a person's name that tell it from others, in their order.
//!
//! Implements spec/identifiers.md#names-of-persons.

use crate::lexicon::role;
use crate::romanise::{Han, romanise};

/// The telling words of a name; given names first where a comma says which these are.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::<String>::with_capacity(8);
    match text.split_once([',', '，', '،']) {
        Some((family, given)) => {
            push(given, &mut words);
            push(family, &mut words);
        }
        None => push(text, &mut words),
    }
    let mut place = 0;
    // Each word once, where it first stands.
    while let Some(word) = words.get(place) {
        let twice = words.iter().take(place).any(|earlier| earlier == word);
        if twice {
            words.remove(place);
        } else {
            place += 1;
        }
    }
    drop_unless_alone(&mut words, 1, |word| role(word).title);
    drop_unless_alone(&mut words, 2, |word| role(word).rank);
    words
}

fn push(text: &str, words: &mut Vec<String>) {
    for word in romanise(text, Han::Person).split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        while let Some(rest) = abd(word) {
            words.push("abd".to_owned());
            word = rest;
        }
        if !word.is_empty() {
            words.push(word.to_owned());
        }
    }
}

/// Arabic *abd*, alone or with the article, and what is written together with it:
/// `Abd al-Rahman`, `Abdul Rahman`, `Abdulrahman` and `Abdurrahman` are the same two words.
fn abd(word: &str) -> Option<&str> {
    if role(word).abd {
        return Some("");
    }
    let rest = word.strip_prefix("abd")?.strip_prefix(['u', 'e', 'a', 'o'])?;
    let mut letters = rest.chars();
    let (article, next) = (letters.next()?, letters.next()?);
    let rest = rest.get(1..)?;
    let joined = article == 'l' || article == next;
    // `Abdullah` is one name.
    (joined && rest.len() >= 4 && !rest.starts_with("lah")).then_some(rest)
}

fn drop_unless_alone(words: &mut Vec<String>, left: usize, drops: impl Fn(&str) -> bool) {
    if words.iter().filter(|word| !drops(word)).count() >= left {
        words.retain(|word| !drops(word));
    }
}
