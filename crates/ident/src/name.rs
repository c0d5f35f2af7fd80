//! Names of people, organisations and vessels: several exact keys of declared strength each.
//!
//! Implements spec/identifiers.md#names.
//!
//! A name passes a fixed line of steps: fold → transliterate → drop what says little → sort. Its
//! keys are made of these words or of their sounds; too common a name has fewer, and says why.

use std::fmt::Write as _;

use crate::canonical::{Draft, Input};
use crate::date::span;
use crate::key::{KeyForm, MatchKey, Strength};
use crate::lexicon::role;
use crate::limits::{
    ENDS_CONSONANTS_MIN, HEAD_CONSONANTS_MIN, HEAD_LETTERS_MIN, NAME_WEIGHT_MIN,
    ORGANISATION_WEIGHT_MIN, SOUNDS_ALONE_CONSONANTS_MIN, SOUNDS_CONSONANTS_MIN,
    SOUNDS_COUNTRY_CONSONANTS_MIN, SOUNDS_YEAR_CONSONANTS_MIN, WORD_CONSONANTS_MIN,
    WORD_WEIGHT_MAX,
};
use crate::romanise::{Han, romanise, undivided};
use crate::{Country, IdentError, Kind, PartialDate, organisation, person, sounds};

/// The words of a name and what keys are made of.
struct Name {
    /// The words in their order.
    words: Vec<String>,
    /// A person's name in its own characters, if these are Han or Hangul.
    characters: Option<String>,
    /// A person's father, where the name says who that is.
    father: Option<String>,
    /// The words, each once, sorted.
    sorted: String,
    /// The sounds of one word.
    word_sounds: fn(&str) -> String,
    /// The sounds of one word of a name too short for consonants.
    short_sounds: fn(&str) -> String,
    /// How many consonants all words have.
    consonants: usize,
    /// How many words are no numbers.
    spoken: usize,
    /// How much the words tell: their letters, common words less.
    weight: usize,
}

impl Name {
    fn new(
        words: Vec<String>,
        [word_sounds, short_sounds]: [fn(&str) -> String; 2],
        common_weight: impl Fn(&str) -> Option<usize>,
    ) -> Result<Self, IdentError> {
        if words.is_empty() {
            return Err(IdentError::Empty);
        }
        let mut sorted: Vec<&str> = words.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        let weight = |word: &&str| common_weight(word).unwrap_or_else(|| own_weight(word));
        let consonants = |word: &&str| sounds::consonants(&word_sounds(word));
        Ok(Self {
            sorted: sorted.join(" "),
            word_sounds,
            short_sounds,
            consonants: sorted.iter().map(consonants).sum(),
            spoken: sorted.iter().filter(|word| !is_number(word)).count(),
            weight: sorted.iter().map(weight).sum(),
            words,
            characters: None,
            father: None,
        })
    }

    fn person(text: &str) -> Result<Self, IdentError> {
        let person::Words { words, father } = person::words(text);
        let name = Self::new(words, [sounds::of_word, sounds::with_vowels], |word| {
            role(word).common_person
        })?;
        Ok(Self { characters: undivided(text), father, ..name })
    }

    const fn is_telling(&self) -> bool {
        self.weight >= NAME_WEIGHT_MIN
    }

    /// Whether a key of more than the sounds takes the place of theirs.
    const fn is_narrowed(&self) -> bool {
        self.characters.is_some() || self.father.is_some()
    }

    /// Whether the consonants are too few to tell one name from another: short words tell
    /// themselves apart by vowels.
    const fn is_short(&self, consonants_min: usize) -> bool {
        self.consonants < consonants_min || self.consonants < WORD_CONSONANTS_MIN * self.spoken
    }

    /// The consonants of all words in one, or the words with their vowels, and the form of that
    /// key.
    fn in_one(&self, consonants_min: usize, words: KeyForm, sounds: KeyForm) -> (KeyForm, String) {
        if self.is_short(consonants_min) {
            return (words, self.each(self.short_sounds));
        }
        (sounds, sounds::of_all(self.sorted.split(' ')))
    }

    /// The consonants word by word, or the words with their vowels, and the form of that key:
    /// without a birth date the consonants of a name in one would be those of many others.
    fn by_word(&self, consonants_min: usize, words: KeyForm, sounds: KeyForm) -> (KeyForm, String) {
        if self.is_short(consonants_min) {
            return (words, self.each(self.short_sounds));
        }
        (sounds, self.each(self.word_sounds))
    }

    fn alone(&self) -> (KeyForm, String) {
        self.by_word(SOUNDS_ALONE_CONSONANTS_MIN, KeyForm::Tokens, KeyForm::Sounds)
    }

    /// What `sounds` makes of each word, sorted.
    fn each(&self, sounds: fn(&str) -> String) -> String {
        let mut each: Vec<String> = self.sorted.split(' ').map(sounds).collect();
        each.sort_unstable();
        each.join(" ")
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// One for a letter; else the letters and one.
fn own_weight(word: &str) -> usize {
    match word.chars().count() {
        letters @ ..=1 => letters,
        letters => (letters + 1).min(WORD_WEIGHT_MAX),
    }
}

/// A person's name with a birth date, in `date` or behind `|` in the text.
///
/// A date that spans two years counts for both; one that spans more leaves the name alone.
pub(crate) fn person_with_birth_date(input: &Input<'_>) -> Result<Draft, IdentError> {
    let (text, date) = match (input.date, input.text.rsplit_once('|')) {
        (Some(date), Some((text, _))) => (text, date),
        (Some(date), None) => (input.text, date),
        (None, Some((text, date))) => (text, date),
        (None, None) => return Err(IdentError::Date { rule: "empty" }),
    };
    let name = Name::person(text)?;
    let (from, to) = span(date)?;
    let mut value = name.sorted.clone();
    let _ = if from == to { write!(value, "|{from}") } else { write!(value, "|{from}/{to}") };
    let mut draft = Draft::new(Kind::PersonNameBirthDate, value);
    if from == to && from.is_full() {
        draft = full_date_keys(draft, &name, from);
    }
    if to.year() - from.year() <= 1 {
        draft = year_keys(draft, &name, from);
        if to.year() != from.year() {
            draft = year_keys(draft, &name, to);
        }
    }
    let (form, value) = name.alone();
    if name.is_telling() {
        return Ok(draft.push(MatchKey::new(Kind::PersonName, form, Strength::Weak, "", &value)));
    }
    let has_keys = draft.has_keys();
    let draft = draft.refuse(form, IdentError::TooCommon);
    if has_keys { Ok(draft) } else { Err(IdentError::TooCommon) }
}

fn full_date_keys(mut draft: Draft, name: &Name, date: PartialDate) -> Draft {
    let kind = Kind::PersonNameBirthDate;
    let (words, sounds) = (KeyForm::FullNameFullDate, KeyForm::SoundsFullDate);
    let strength = if name.is_telling() { Strength::Medium } else { Strength::Weak };
    let (form, value) = name.in_one(SOUNDS_CONSONANTS_MIN, words, sounds);
    let narrower = match (&name.characters, &name.father) {
        (Some(characters), _) => Some((words, characters.clone())),
        (None, Some(father)) => Some((form, format!("{value} {}", sounds::of_word(father)))),
        (None, None) => None,
    };
    let wider = if narrower.is_some() { Strength::Weak } else { strength };
    if let Some((form, value)) = narrower {
        let value = format!("{value}|{date}");
        draft = draft.push(MatchKey::new(kind, form, strength, "", &value));
    }
    let value = format!("{value}|{date}");
    let mut draft = draft.push(MatchKey::new(kind, form, wider, "", &value));
    if let Some(ends) = ends_of_three(name) {
        // The key of a partner's name that lacks the word between; to a name that has one it says
        // less, because the partner's may be another.
        let value = format!("{ends}|{date}");
        draft = draft.push(MatchKey::new(kind, sounds, Strength::Weak, "", &value));
    }
    let form = KeyForm::InitialsFullDate;
    let [first, .., last] = name.words.as_slice() else {
        return draft.refuse(form, IdentError::TooFew);
    };
    if date.month() == Some(1) && date.day() == Some(1) {
        // 1 January is what papers say where the day is not known.
        return draft.refuse(form, IdentError::TooCommon);
    }
    let (one, other) = (sounds::initial(first), sounds::initial(last));
    let value = format!("{}{}|{date}", one.min(other), one.max(other));
    draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value))
}

/// The sounds in one of the ends of a name of three words, of which neither is a common name.
fn ends_of_three(name: &Name) -> Option<String> {
    let [first, _, last] = name.words.as_slice() else { return None };
    let telling = |word: &String| role(word).common_person.is_none();
    if name.is_narrowed() || !telling(first) || !telling(last) {
        return None;
    }
    let ends = sounds::of_all([first.as_str(), last.as_str()]);
    (sounds::consonants(&ends) >= ENDS_CONSONANTS_MIN).then_some(ends)
}

fn year_keys(mut draft: Draft, name: &Name, date: PartialDate) -> Draft {
    let kind = Kind::PersonNameBirthDate;
    let year = date.year();
    let ends = ends_of(name);
    // The sounds without a date find what those with the year would.
    if !(draft.is_crowded() && ends.is_some() && name.is_telling()) {
        let (words, sounds) = (KeyForm::TokensYear, KeyForm::SoundsYear);
        let (form, value) = name.in_one(SOUNDS_YEAR_CONSONANTS_MIN, words, sounds);
        let value = format!("{value}|{year}");
        draft = draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value));
    }
    let form = KeyForm::EndsYear;
    match ends {
        Some(ends) => {
            let value = format!("{ends}|{year}");
            draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value))
        }
        None => draft.refuse(form, IdentError::TooFew),
    }
}

/// The sounds of the first and the last word, sorted.
fn ends_of(name: &Name) -> Option<String> {
    let [first, .., last] = name.words.as_slice() else { return None };
    let (one, other) = (sounds::of_word(first), sounds::of_word(last));
    if sounds::consonants(&one) + sounds::consonants(&other) < ENDS_CONSONANTS_MIN {
        return None;
    }
    let (low, high) = if one <= other { (&one, &other) } else { (&other, &one) };
    Some(format!("{low} {high}"))
}

/// A person's name alone.
pub(crate) fn person(input: &Input<'_>) -> Result<Draft, IdentError> {
    let name = Name::person(input.text)?;
    if !name.is_telling() {
        return Err(IdentError::TooCommon);
    }
    let (form, value) = name.alone();
    let key = MatchKey::new(Kind::PersonName, form, Strength::Weak, "", &value);
    Ok(Draft::new(Kind::PersonName, name.sorted.as_str()).push(key))
}

/// An organisation's name, with its country where known.
pub(crate) fn organisation(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::OrganisationName;
    let organisation::Words { in_order, sorted } = organisation::words(input.text);
    let name = Name::new(sorted, [sounds::of_stem, sounds::of_short], organisation::common)?;
    let country = input.country();
    let mut draft = Draft::new(kind, name.sorted.as_str()).issuer(country.map(Country::as_str));
    if let Some(country) = country {
        draft = country_keys(draft, &name, &in_order, country);
    }
    let (form, value) = name.alone();
    if name.is_telling() {
        return Ok(draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value)));
    }
    let has_keys = draft.has_keys();
    let draft = draft.refuse(form, IdentError::TooCommon);
    if has_keys { Ok(draft) } else { Err(IdentError::TooCommon) }
}

fn country_keys(mut draft: Draft, name: &Name, in_order: &[String], country: Country) -> Draft {
    let key = |form, strength, value: &str| {
        MatchKey::new(Kind::OrganisationName, form, strength, country.as_str(), value)
    };
    let telling = name.weight >= ORGANISATION_WEIGHT_MIN;
    let strength = if telling { Strength::Medium } else { Strength::Weak };
    let (words, sounds) = (KeyForm::TokensCountry, KeyForm::SoundsCountry);
    let (form, value) = name.by_word(SOUNDS_COUNTRY_CONSONANTS_MIN, words, sounds);
    draft = draft.push(key(form, strength, &value));
    if form == sounds {
        let joined = sounds::of_stem(&in_one_word(in_order));
        draft = draft.push(key(KeyForm::JoinedCountry, strength, &joined));
    }
    draft = match head(name) {
        Some(head) => draft.push(key(KeyForm::HeadCountry, Strength::Weak, &head)),
        None => draft.refuse(KeyForm::HeadCountry, IdentError::TooCommon),
    };
    match organisation::acronym(in_order) {
        Some(acronym) => draft.push(key(KeyForm::AcronymCountry, Strength::Weak, &acronym)),
        None => draft,
    }
}

/// All words in one, but for numbers, which stay by themselves.
fn in_one_word(words: &[String]) -> String {
    let mut joined = String::with_capacity(32);
    for word in words {
        if is_number(word) {
            joined.extend([" ", word, " "]);
        } else {
            joined.push_str(word);
        }
    }
    joined
}

/// The sounds of the longest word that is not common, the first of several in sorted order.
fn head(name: &Name) -> Option<String> {
    let telling = name.sorted.split(' ').filter(|word| organisation::common(word).is_none());
    let word = telling.rev().max_by_key(|word| word.len())?;
    let sounds = sounds::of_stem(word);
    if sounds::consonants(&sounds) >= HEAD_CONSONANTS_MIN {
        return Some(sounds);
    }
    (word.len() >= HEAD_LETTERS_MIN).then(|| word.to_owned())
}

/// A vessel's name, with its flag where known.
pub(crate) fn vessel(input: &Input<'_>) -> Result<Draft, IdentError> {
    let romanised = romanise(input.text, Han::Syllables);
    let mut words: Vec<&str> = romanised.split(' ').filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| !role(word).ship) {
        words.retain(|word| !role(word).ship);
    }
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        return Err(IdentError::Empty);
    }
    let country = input.country();
    let draft = Draft::new(Kind::VesselName, words.join(" "));
    // A register refuses a second ship of one name.
    let draft = draft.issuer(country.map(Country::as_str));
    let draft = draft.issuer_key(KeyForm::TokensCountry, Strength::Medium);
    Ok(draft.key(KeyForm::Tokens, Strength::Weak))
}
