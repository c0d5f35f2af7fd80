//! Text of any script to words of a–z and 0–9; knows letters, not what a name is made of.
//!
//! Implements spec/identifiers.md#transliteration.
//!
//! Invariants: the words hold a–z, 0–9 and, only where no table knows a letter, that letter; case,
//! width, diacritics, apostrophes and invisible characters never change them.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, compose, is_combining_mark};

use crate::fold;
use crate::letters::letter;

/// How Han characters, written without spaces, become words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Han {
    /// A name that is one word alone is family name and given name; any other word is one word.
    Person,
    /// Every character is a word.
    Syllables,
}

/// The words of `text` in a–z and 0–9, one space between them.
pub(crate) fn romanise(text: &str, han: Han) -> String {
    let composed: String;
    let mut text = text;
    if !text.is_ascii() && text.contains(APOSTROPHES) {
        composed = text.nfkc().collect();
        text = &composed;
    }
    let text = &*closed_up(text);
    let mut words = String::with_capacity(text.len() + 8);
    if text.is_ascii() {
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' => words.push(char::from(byte)),
                b'A'..=b'Z' => words.push(char::from(byte.to_ascii_lowercase())),
                b'\'' | b'`' => {}
                b'&' => words.push_str(" and "),
                _ => space(&mut words),
            }
        }
        return words;
    }
    let folded = folded(text);
    let language = Language::of(text, &folded);
    let mut parts = folded.split(|c| *c == ' ').filter(|part| !part.is_empty());
    let (first, second) = (parts.next(), parts.next());
    let alone = second.is_none() && han == Han::Person;
    for part in first.into_iter().chain(second).chain(parts) {
        space(&mut words);
        if alone && push_undivided_name(part, &mut words) {
            continue;
        }
        Word { letters: part, language, han }.push(&mut words);
    }
    words
}

/// `Jaza' ir` is typed for `Jaza'ir`: an apostrophe takes the space behind it with it where three
/// letters or fewer follow that are no particle, unless it ends a plural in s.
fn closed_up(text: &str) -> Cow<'_, str> {
    let typed = |(place, apostrophe): &(usize, &str)| {
        let (before, after) = text.split_at_checked(*place).unwrap_or_default();
        let rest = after.get(apostrophe.len()..).and_then(|after| after.strip_prefix(' '));
        let rest = rest.unwrap_or_default();
        let next = rest.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        (1..=3).contains(&next.chars().count())
            && !["al", "el", "ul", "bin", "ben", "ibn"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(next))
            && before.ends_with(char::is_alphabetic)
            && !before.ends_with(['s', 'S'])
    };
    let mut places = text.match_indices(APOSTROPHES).filter(typed).peekable();
    if places.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut closed = String::with_capacity(text.len());
    let mut start = 0;
    for (place, apostrophe) in places {
        closed.push_str(text.get(start..place).unwrap_or_default());
        start = place + apostrophe.len() + 1;
    }
    closed.push_str(text.get(start..).unwrap_or_default());
    Cow::Owned(closed)
}

/// As they are typed, the full-width one last.
const APOSTROPHES: [char; 11] = ['\'', '`', '‘', '’', 'ʻ', 'ʼ', 'ʽ', 'ʾ', 'ʿ', '′', '＇'];

fn space(words: &mut String) {
    if !words.is_empty() && !words.ends_with(' ') {
        words.push(' ');
    }
}

/// Letters and digits in lower case without marks, but with the marks of kana; spaces elsewhere.
fn folded(text: &str) -> Vec<char> {
    let mut folded: Vec<char> = Vec::with_capacity(text.len());
    for c in text.nfkd() {
        let mark = is_combining_mark(c);
        let voicing = matches!(c, '\u{3099}' | '\u{309a}');
        let softened = c == '\u{301}' && matches!(folded.last(), Some('г' | 'к'));
        // Vowel signs in two parts, the voicing of kana and Macedonian ѓ and ќ are letters.
        if mark
            && (voicing || softened || canonical_combining_class(c) == 0)
            && let Some(last) = folded.last_mut()
            && let Some(whole) = compose(*last, c)
        {
            *last = whole;
        } else if fold::closes_up(c)
            || canonical_combining_class(c) != 0
            || (mark && !c.is_alphanumeric())
        {
            // A mark, an apostrophe or nothing to see: the letters around close up.
        } else if c == '&' {
            folded.extend([' ', 'a', 'n', 'd', ' ']);
        } else if c.is_alphanumeric() {
            fold::lower_each(c, |c| folded.push(c));
        } else {
            folded.push(' ');
        }
    }
    folded
}

/// Languages whose letters read otherwise than in the table, told by a letter that only they have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Any,
    Ukrainian,
    Belarusian,
    Serbian,
    Macedonian,
}

impl Language {
    fn of(text: &str, folded: &[char]) -> Self {
        if !folded.iter().any(|c| matches!(c, '\u{400}'..='\u{52f}')) {
            return Self::Any;
        }
        let letters: Vec<char> = text.nfkc().flat_map(char::to_lowercase).collect();
        let has = |any: &[char]| letters.iter().any(|c| any.contains(c));
        if has(&['є', 'ґ', 'ї']) {
            Self::Ukrainian
        } else if has(&['ў']) {
            Self::Belarusian
        } else if has(&['ѓ', 'ќ', 'ѕ']) {
            Self::Macedonian
        } else if has(&['ђ', 'ћ', 'ј', 'љ', 'њ', 'џ']) {
            Self::Serbian
        } else if !has(&['і']) || has(&['қ', 'ғ', 'ң', 'ө', 'ү', 'ұ', 'һ', 'ә', 'ҳ', 'ҷ'])
        {
            // Kazakh has і as well, and so has Belarusian, with ы and э.
            Self::Any
        } else if has(&['ы', 'э']) {
            Self::Belarusian
        } else {
            Self::Ukrainian
        }
    }

    /// Where ICAO Doc 9303-3 makes an exception for a language.
    const fn exception(self, c: char) -> Option<&'static str> {
        match (self, c) {
            (Self::Ukrainian | Self::Belarusian, 'г') => Some("h"),
            (Self::Ukrainian, 'и') => Some("y"),
            (Self::Serbian | Self::Macedonian, 'х') => Some("h"),
            (Self::Serbian | Self::Macedonian, 'ц') => Some("c"),
            (Self::Macedonian, 'џ') => Some("dj"),
            (Self::Serbian, 'ж') => Some("z"),
            (Self::Serbian, 'ч') => Some("c"),
            (Self::Serbian, 'ш') => Some("s"),
            _ => None,
        }
    }
}

struct Word<'a> {
    letters: &'a [char],
    language: Language,
    han: Han,
}

impl Word<'_> {
    fn at(&self, place: usize) -> char {
        self.letters.get(place).copied().unwrap_or(' ')
    }

    fn push(&self, words: &mut String) {
        // The Arabic article is written together with its word.
        let article = self.letters.starts_with(&['ا', 'ل']) && self.letters.len() >= 5;
        let start = if article { 2 } else { 0 };
        if article {
            words.push_str("al ");
        }
        let mut place = start;
        while let Some(c) = self.letters.get(place) {
            place += self.push_letter(*c, place, place == start, words);
        }
    }

    /// Appends what stands at `place`; how many letters that took.
    fn push_letter(&self, c: char, place: usize, initial: bool, words: &mut String) -> usize {
        if c.is_ascii() {
            words.push(c);
            return 1;
        }
        if let Some(text) = self.language.exception(c) {
            words.push_str(text);
            return 1;
        }
        if let Some((text, taken)) = pair(c, self.at(place + 1), self.at(place + 2), initial) {
            words.push_str(text);
            return taken;
        }
        match c {
            // Bulgarian has it between consonants, Russian before a soft vowel.
            'ъ' if !matches!(self.at(place + 1), 'е' | 'ю' | 'я' | 'и' | 'ё') => {
                words.push('a')
            }
            // Thai vowels that stand before the consonant after which they are spoken.
            'เ' | 'แ' | 'โ' | 'ใ' | 'ไ' if THAI_CONSONANTS.contains(&self.at(place + 1)) =>
            {
                self.push_letter(self.at(place + 1), place + 1, initial, words);
                self.push_plain(c, false, words);
                return 2;
            }
            'っ' | 'ッ' => {
                let next = letter(self.at(place + 1)).and_then(|row| row.latin.chars().next());
                words.extend(next.filter(|c| c.is_ascii_alphabetic()));
            }
            'ゃ' | 'ゅ' | 'ょ' | 'ャ' | 'ュ' | 'ョ' => push_small_kana(c, words),
            _ => self.push_plain(c, initial, words),
        }
        1
    }

    fn push_plain(&self, c: char, initial: bool, words: &mut String) {
        if let Some(row) = letter(c) {
            words.push_str(if initial { row.initial } else { row.latin });
            return;
        }
        let before = words.len();
        if is_han(c) && self.han == Han::Syllables {
            space(words);
        }
        let start = words.len();
        let latin = any_ascii::any_ascii_char(c).chars().filter(char::is_ascii_alphanumeric);
        words.extend(latin.map(|c| c.to_ascii_lowercase()));
        if words.len() == start {
            // No table knows it: two names that differ in it must still stay apart.
            words.truncate(before);
            words.push(c);
        } else if is_han(c) && self.han == Han::Syllables {
            words.push(' ');
        }
    }
}

const THAI_CONSONANTS: RangeInclusive<char> = 'ก'..='ฮ';

/// Two letters that are read together.
const fn pair(c: char, next: char, third: char, initial: bool) -> Option<(&'static str, usize)> {
    Some(match (c, next) {
        ('ο', 'υ') => ("ou", 2),
        ('α', 'υ') => (if is_voiced_greek(third) { "av" } else { "af" }, 2),
        ('ε', 'υ') => (if is_voiced_greek(third) { "ev" } else { "ef" }, 2),
        ('η', 'υ') => (if is_voiced_greek(third) { "iv" } else { "if" }, 2),
        ('γ', 'γ') => ("ng", 2),
        ('γ', 'ξ') => ("nx", 2),
        ('γ', 'χ') => ("nch", 2),
        ('μ', 'π') if initial => ("b", 2),
        ('ո', 'ւ') => ("u", 2),
        _ => return None,
    })
}

const fn is_voiced_greek(c: char) -> bool {
    matches!(
        c,
        'α' | 'ε' | 'η' | 'ι' | 'ο' | 'υ' | 'ω' | 'β' | 'γ' | 'δ' | 'ζ' | 'λ' | 'μ' | 'ν' | 'ρ'
    )
}

/// `ki` and a small `ya` are `kya`, `shi` and a small `ya` are `sha`.
fn push_small_kana(c: char, words: &mut String) {
    let latin = letter(c).map_or("", |row| row.latin);
    let softened = words.ends_with('i');
    if softened {
        words.pop();
    }
    let hushed =
        softened && (words.ends_with("sh") || words.ends_with("ch") || words.ends_with('j'));
    words.push_str(if hushed { latin.trim_start_matches('y') } else { latin });
}

/// The characters of a text in Han characters or Hangul alone, with kana between them: what their
/// romanisation makes of it is that of many others.
pub(crate) fn undivided(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut characters = String::with_capacity(text.len());
    let mut seen = false;
    for c in text.nfkc().filter(|c| c.is_alphanumeric()) {
        let syllable = is_han(c) || ('\u{ac00}'..='\u{d7a3}').contains(&c);
        let kana = ('\u{3041}'..='\u{30ff}').contains(&c);
        if !syllable && !kana {
            return None;
        }
        seen |= syllable;
        characters.push(c);
    }
    seen.then_some(characters)
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Family names of two characters, Chinese and Korean.
const COMPOUND_FAMILIES: [[char; 2]; 22] = [
    ['欧', '阳'],
    ['歐', '陽'],
    ['司', '马'],
    ['司', '馬'],
    ['诸', '葛'],
    ['諸', '葛'],
    ['上', '官'],
    ['夏', '侯'],
    ['皇', '甫'],
    ['尉', '迟'],
    ['尉', '遲'],
    ['公', '孙'],
    ['公', '孫'],
    ['慕', '容'],
    ['令', '狐'],
    ['司', '徒'],
    ['司', '空'],
    ['东', '方'],
    ['東', '方'],
    ['端', '木'],
    ['独', '孤'],
    ['獨', '孤'],
];

/// How the bearers of a Korean family name mostly spell it.
const KOREAN_FAMILIES: [(&str, &str); 12] = [
    ("gim", "kim"),
    ("i", "lee"),
    ("bak", "park"),
    ("choe", "choi"),
    ("jeong", "jung"),
    ("gang", "kang"),
    ("jo", "cho"),
    ("yun", "yoon"),
    ("im", "lim"),
    ("sin", "shin"),
    ("yu", "yoo"),
    ("u", "woo"),
];

/// A person's name in Han or Hangul written without a space: family name first.
fn push_undivided_name(part: &[char], words: &mut String) -> bool {
    let hangul = |c: &char| matches!(c, '\u{1100}'..='\u{11ff}');
    let plain = |letters: &[char], words: &mut String| {
        Word { letters, language: Language::Any, han: Han::Person }.push(words);
    };
    if (2..=4).contains(&part.len()) && part.iter().all(|c| is_han(*c)) {
        let compound =
            part.len() > 2 && COMPOUND_FAMILIES.iter().any(|family| part.starts_with(family));
        let (family, given) = part.split_at(if compound { 2 } else { 1 });
        plain(family, words);
        words.push(' ');
        plain(given, words);
        return true;
    }
    let starts = |c: &char| matches!(c, '\u{1100}'..='\u{1112}');
    let second = part.iter().skip(1).position(starts).map(|place| place + 1);
    let syllables = part.iter().filter(|c| starts(c)).count();
    if let Some(second) = second.filter(|_| (2..=4).contains(&syllables))
        && part.iter().all(hangul)
    {
        let (family, given) = part.split_at(second);
        let mut spelled = String::with_capacity(8);
        plain(family, &mut spelled);
        let custom = KOREAN_FAMILIES.iter().find(|(revised, _)| *revised == spelled);
        words.push_str(custom.map_or(spelled.as_str(), |(_, custom)| custom));
        words.push(' ');
        plain(given, words);
        return true;
    }
    false
}
