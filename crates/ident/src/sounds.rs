//! What is left of a name when only its consonants count, in classes that spellings share.
//!
//! Implements spec/identifiers.md#sounds.
//!
//! Invariant: the order of the words and where they are joined or split hardly count, because the
//! sounds of all words are sorted as one.

use crate::limits::PLURAL_LETTERS_MIN;

/// Up to this length a word may be made of initials.
const ACRONYM_LETTERS: usize = 4;

/// The sounds of all words, sorted: a capital for each consonant, digits, an `a` for each ending.
pub(crate) fn of_all<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut sounds = String::with_capacity(24);
    for word in words {
        push_consonants(word, &mut sounds);
    }
    let mut letters: Vec<char> = sounds.chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

/// The sounds of one word in their order.
pub(crate) fn of_word(word: &str) -> String {
    let mut sounds = String::with_capacity(word.len());
    push_consonants(word, &mut sounds);
    sounds
}

/// The sounds of a word in the name of an organisation: singular and plural are one, and a final
/// `a` tells nobody's sex.
pub(crate) fn of_stem(word: &str) -> String {
    let plural = word.len() >= PLURAL_LETTERS_MIN && !word.ends_with("ss");
    let mut sounds = of_word(word.strip_suffix('s').filter(|_| plural).unwrap_or(word));
    if sounds.ends_with('a') {
        sounds.pop();
    }
    sounds
}

/// A short word in the name of an organisation: of four letters or fewer it may be an acronym.
pub(crate) fn of_short(word: &str) -> String {
    if word.len() <= ACRONYM_LETTERS { word.to_owned() } else { with_vowels(word) }
}

/// The sounds of a word with its vowels in three classes, for words too short for consonants.
pub(crate) fn with_vowels(word: &str) -> String {
    let mut sounds = String::with_capacity(word.len());
    push(word, Vowels::Kept, &mut sounds);
    sounds
}

/// The class of the first sound; `A` for a vowel, for h and kh, and where there is none.
pub(crate) fn initial(word: &str) -> char {
    let silent = word.starts_with("kh") || word.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'h']);
    let first = of_word(word).chars().next().unwrap_or('a');
    if silent || first == 'a' { 'A' } else { first }
}

/// How many consonants there are.
pub(crate) fn consonants(sounds: &str) -> usize {
    sounds.bytes().filter(u8::is_ascii_uppercase).count()
}

fn push_consonants(word: &str, sounds: &mut String) {
    push(word, Vowels::Dropped, sounds);
    let end = word.strip_suffix('h').unwrap_or(word);
    let sexless = SEXLESS.iter().any(|ending| word.ends_with(ending));
    if word.chars().count() > 2 && end.ends_with('a') && !sexless {
        sounds.push('a');
    }
}

/// Endings in a that men bear: *Abdullah*, in Somali *Cabdullaah*, *Narendra*, also *Narender*, and
/// Belarusian *-enka*, in Russian *-enko*.
const SEXLESS: [&str; 7] = ["ullah", "bdallah", "aah", "ulla", "bdalla", "endra", "enka"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Vowels {
    Dropped,
    Kept,
}

fn push(word: &str, vowels: Vowels, sounds: &mut String) {
    let bytes = word.as_bytes();
    let spoken = bytes.iter().any(u8::is_ascii_alphabetic);
    let mut last = None;
    let mut place = 0;
    while let Some(rest) = bytes.get(place..).filter(|rest| !rest.is_empty()) {
        let before = place.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        let (sound, taken) = sound(rest, before, spoken);
        for class in sound.chars() {
            // Korean j and ch, Chinese zh and ch: two spellings of one sound.
            let class = if class == 'J' && vowels == Vowels::Kept { 'S' } else { class };
            if last != Some(class) || class.is_ascii_digit() {
                sounds.push(class);
            }
            last = Some(class);
        }
        if sound.is_empty() {
            last = None;
            if vowels == Vowels::Kept {
                push_vowel(rest, before, sounds);
            }
        }
        place += taken;
    }
    if !word.is_ascii() {
        sounds.extend(word.chars().filter(|c| !c.is_ascii()));
    }
}

/// The class of a vowel: `a`; `e` for e, i, y; `o` for o and u, and for the Korean eo and eu; `y`
/// for i and y before another vowel.
fn push_vowel(rest: &[u8], before: Option<u8>, sounds: &mut String) {
    let other = |c: &u8| matches!(c, b'a' | b'e' | b'o' | b'u');
    let class = match rest.first() {
        Some(b'a') => 'a',
        Some(b'i' | b'y') if rest.get(1).is_some_and(other) => 'y',
        Some(b'e' | b'i' | b'y') => 'e',
        Some(b'o' | b'u') => 'o',
        _ => return,
    };
    if class == 'o' && before == Some(b'e') && sounds.ends_with('e') {
        sounds.pop();
    }
    if !sounds.ends_with(class) {
        sounds.push(class);
    }
}

/// The classes at the start of `rest`, and how many letters they take.
fn sound(rest: &[u8], before: Option<u8>, spoken: bool) -> (&'static str, usize) {
    let group = GROUPS.iter().find(|(group, _)| rest.starts_with(group.as_bytes()));
    if let Some((group, class)) = group {
        return (class, group.len());
    }
    let next = rest.get(1).copied();
    let before_vowel = next.is_some_and(is_vowel);
    let letter = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let inside = letter(before) && letter(next);
    let class = match rest.first().copied().unwrap_or_default() {
        b'n' if next == Some(b'g') && !rest.get(2).is_some_and(|c| carries_g(*c)) => {
            return ("N", 2);
        }
        b'c' if matches!(next, Some(b'e' | b'i' | b'y')) => "S",
        b'x' if before.is_none() => "S",
        b'x' => "KS",
        b'j' if before.is_some_and(is_vowel) && !before_vowel => "",
        b'j' => "J",
        b'b' | b'p' => "B",
        b'f' | b'v' | b'w' => "V",
        b't' | b'd' => "T",
        b'c' | b'k' | b'q' | b'g' => "K",
        b's' | b'z' => "S",
        b'l' => "L",
        b'm' => "M",
        b'n' => "N",
        b'r' => "R",
        // Digits that are typed for the letters o, i and s, and inside a word for others.
        b'0' | b'1' if spoken => "",
        b'5' if spoken => "S",
        digit @ b'2'..=b'9' if inside => typed_for(digit),
        digit @ b'0'..=b'9' => DIGITS.get(usize::from(digit - b'0')).copied().unwrap_or_default(),
        _ => "",
    };
    (class, 1)
}

/// The sound of the letter that a digit between two letters is typed for.
const fn typed_for(digit: u8) -> &'static str {
    match digit {
        b'2' => "S",
        b'3' | b'4' => "",
        b'7' => "T",
        b'8' => "B",
        _ => "K",
    }
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Letters that are one sound, the longest first.
const GROUPS: [(&str, &str); 25] = [
    ("tsch", "S"),
    ("shch", "S"),
    ("sjtj", "S"),
    ("dzj", "J"),
    ("sch", "S"),
    ("tch", "S"),
    ("dzh", "J"),
    ("sh", "S"),
    ("sj", "S"),
    ("ch", "S"),
    ("tj", "S"),
    ("cz", "S"),
    ("sz", "S"),
    ("ts", "S"),
    ("tz", "S"),
    ("tc", "S"),
    ("dz", "S"),
    ("zh", "J"),
    ("zj", "J"),
    ("dj", "J"),
    ("kh", ""),
    ("gh", "K"),
    ("ph", "V"),
    ("ck", "K"),
    ("cq", "K"),
];

const fn is_vowel(c: u8) -> bool {
    matches!(c, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Before these the g of `ng` is spoken.
const fn carries_g(c: u8) -> bool {
    is_vowel(c) || matches!(c, b'h' | b'r' | b'l' | b'w')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_sound_alike() {
        let alike = [
            ("shcherbakov", "schtscherbakow"),
            ("mueller", "muller"),
            ("wladimir", "vladimir"),
            ("mohammed", "muhamad"),
            ("khasan", "hassan"),
            ("zelenskii", "selenskyj"),
            ("qaddafi", "gathafi"),
            ("jinping", "jinpin"),
            ("barack", "barak"),
        ];
        for (one, other) in alike {
            assert_eq!(of_word(one), of_word(other), "{one} {other}");
        }
        for (one, other) in [("olga", "oleg"), ("barkan", "barman"), ("jin", "chang")] {
            assert_ne!(of_word(one), of_word(other), "{one} {other}");
        }
        assert_eq!(of_word("alexandra"), "LKSNTRa");
        assert_eq!(of_word("sech1n"), "SSN");
        assert_eq!(of_word("2000"), "2000");
        assert_eq!(of_all(["anna", "belko"]), of_all(["belkoanna"]));
        assert_eq!((initial("ali"), initial("khan"), initial("zoe")), ('A', 'A', 'S'));
    }
}
