//! The words of a person's name that tell it from others, in their order.
//!
//! Implements spec/identifiers.md#names-of-persons.

use crate::lexicon::{keep_first, role};
use crate::romanise::{Han, romanise};
use crate::sounds;

const ABD: &str = "abd";
const BEN: &str = "ben";
const BENJAMIN: &str = "benjamin";

/// Fewest consonants of a word behind the article that is written together with it.
const ARTICLE_CONSONANTS_MIN: usize = 2;

/// What may follow *abd* with a space before it, so that both are one name.
const GOD: [&str; 4] = ["allah", "ullah", "llah", "lah"];

/// The telling words of a name in their order, and which of them is the father.
pub(crate) struct Words {
    pub(crate) words: Vec<String>,
    pub(crate) father: Option<String>,
}

/// The telling words of a name; given names first where a comma says which these are.
pub(crate) fn words(text: &str) -> Words {
    let mut words = Vec::<String>::with_capacity(8);
    match text.split_once([',', '，', '،']) {
        Some((family, given)) => {
            push(given, &mut words);
            push(family, &mut words);
        }
        None => push(text, &mut words),
    }
    let mut father = father(&words);
    keep_first(&mut words);
    if let [_, _] = words.as_slice()
        && let Some(given) = words.iter_mut().find(|word| *word == BEN)
    {
        // A particle stands before a name and behind another; here it would be the given name.
        BENJAMIN.clone_into(given);
    }
    drop_unless_alone(&mut words, 1, |word| role(word).title);
    drop_unless_alone(&mut words, 2, |word| role(word).rank);
    drop_unless_alone(&mut words, 2, |word| word == ABD);
    for word in &mut words {
        if let Some(whole) = role(word).whole {
            *word = whole.to_owned();
        }
    }
    keep_first(&mut words);
    // Of two words both orders are usual.
    father = father.filter(|father| words.len() > 2 && words.contains(father));
    Words { words, father }
}

/// The word behind the first *bin* that stands between two words.
fn father(words: &[String]) -> Option<String> {
    let mut places = words.windows(3).filter_map(|place| match place {
        [_, son_of, father] if role(son_of).son_of && !role(father).title => Some(father),
        _ => None,
    });
    places.next().cloned()
}

fn push(text: &str, words: &mut Vec<String>) {
    for word in romanise(text, Han::Person).split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        while let Some(rest) = abd(word) {
            words.push(ABD.to_owned());
            word = rest;
        }
        if GOD.contains(&word) && words.last().is_some_and(|last| last == ABD) {
            words.pop();
            words.push("abdallah".to_owned());
        } else if !word.is_empty() {
            words.push(without_article(word).to_owned());
        }
    }
}

/// `Alrawi` is `al-Rawi`: the article is written together with its word in many papers.
fn without_article(word: &str) -> &str {
    let rest = word.strip_prefix("bin").filter(|rest| rest.starts_with("al")).unwrap_or(word);
    let Some(rest) = rest.strip_prefix("al").or_else(|| rest.strip_prefix("el")) else {
        return word;
    };
    let vowel = rest.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'l']);
    let long = sounds::consonants(&sounds::of_word(rest)) >= ARTICLE_CONSONANTS_MIN;
    if vowel || !long { word } else { rest }
}

/// Arabic *abd*, alone or with the article, and what is written together with it:
/// `Abd al-Rahman`, `Abdul Rahman`, `Abdulrahman` and `Abdurrahman` are the same two words.
fn abd(word: &str) -> Option<&str> {
    if role(word).abd {
        return Some("");
    }
    let rest = word.strip_prefix("abd")?;
    let joined = rest.strip_prefix(['u', 'e', 'a', 'o'])?;
    let mut letters = joined.chars();
    let (article, next) = (letters.next()?, letters.next()?);
    let after = joined.get(article.len_utf8()..)?;
    if article == 'l' || article == next {
        // `Abdullah` is one name.
        return (after.len() >= 4 && !after.starts_with("lah")).then_some(after);
    }
    // `Abdurahman`, `Abdukarim`.
    let consonant = !matches!(article, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let written = rest.starts_with('u') || article == 'r';
    (written && consonant && joined.len() >= 5).then_some(joined)
}

fn drop_unless_alone(words: &mut Vec<String>, left: usize, drops: impl Fn(&str) -> bool) {
    if words.iter().filter(|word| !drops(word)).count() >= left {
        words.retain(|word| !drops(word));
    }
}
