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
use crate::romanise::{Han, romanise};
use crate::{Country, IdentError, Kind, PartialDate, organisation, person, sounds};

/// The words of a name and what keys are made of.
struct Name {
    words: Vec<String>,
    /// The words, each once, sorted.
    sorted: String,
    /// The sounds of all words, and how many of them are consonants.
    sounds: String,
    consonants: usize,
    /// How much the words tell: their letters, common words less.
    weight: usize,
}

impl Name {
    fn new(
        words: Vec<String>,
        common_weight: impl Fn(&str) -> Option<usize>,
    ) -> Result<Self, IdentError> {
        if words.is_empty() {
            return Err(IdentError::Empty);
        }
        let mut sorted: Vec<&str> = words.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let sounds = sounds::of_all(sorted.iter().copied());
        let weight = |word: &&str| common_weight(word).unwrap_or_else(|| own_weight(word));
        Ok(Self {
            sorted: sorted.join(" "),
            consonants: sounds::consonants(&sounds),
            weight: sorted.iter().map(weight).sum(),
            sounds,
            words,
        })
    }

    fn person(text: &str) -> Result<Self, IdentError> {
        Self::new(person::words(text), |word| role(word).common_person)
    }

    fn organisation(text: &str) -> Result<Self, IdentError> {
        Self::new(organisation::words(text), organisation::common)
    }

    const fn is_telling(&self) -> bool {
        self.weight >= NAME_WEIGHT_MIN
    }

    /// Words or sounds, whichever tells one name from another, and the form of that key.
    fn value(&self, consonants_min: usize, words: KeyForm, sounds: KeyForm) -> (KeyForm, &str) {
        // Short words tell themselves apart by vowels.
        if self.consonants < consonants_min.max(WORD_CONSONANTS_MIN * self.words.len()) {
            (words, &self.sorted)
        } else {
            (sounds, &self.sounds)
        }
    }

    /// Without date or country the sounds are kept word by word: the consonants of a long name
    /// alone would be those of many others.
    fn alone(&self) -> (KeyForm, String) {
        let (words, sounds) = (KeyForm::Tokens, KeyForm::Sounds);
        if self.value(SOUNDS_ALONE_CONSONANTS_MIN, words, sounds).0 == words {
            return (words, self.sorted.clone());
        }
        let mut each: Vec<String> = self.sorted.split(' ').map(sounds::of_word).collect();
        each.sort_unstable();
        (sounds, each.join(" "))
    }
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

fn full_date_keys(draft: Draft, name: &Name, date: PartialDate) -> Draft {
    let kind = Kind::PersonNameBirthDate;
    let (form, value) =
        name.value(SOUNDS_CONSONANTS_MIN, KeyForm::FullNameFullDate, KeyForm::SoundsFullDate);
    let strength = if name.is_telling() { Strength::Medium } else { Strength::Weak };
    let value = format!("{value}|{date}");
    let draft = draft.push(MatchKey::new(kind, form, strength, "", &value));
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

fn year_keys(draft: Draft, name: &Name, date: PartialDate) -> Draft {
    let kind = Kind::PersonNameBirthDate;
    let year = date.year();
    let (form, value) =
        name.value(SOUNDS_YEAR_CONSONANTS_MIN, KeyForm::TokensYear, KeyForm::SoundsYear);
    let value = format!("{value}|{year}");
    let draft = draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value));
    let form = KeyForm::EndsYear;
    let [first, .., last] = name.words.as_slice() else {
        return draft.refuse(form, IdentError::TooFew);
    };
    let (one, other) = (sounds::of_word(first), sounds::of_word(last));
    if sounds::consonants(&one) + sounds::consonants(&other) < ENDS_CONSONANTS_MIN {
        return draft.refuse(form, IdentError::TooFew);
    }
    let (low, high) = if one <= other { (&one, &other) } else { (&other, &one) };
    let value = format!("{low} {high}|{year}");
    draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value))
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
    let name = Name::organisation(input.text)?;
    let country = input.country();
    let mut draft = Draft::new(kind, name.sorted.as_str()).issuer(country.map(Country::as_str));
    if let Some(country) = country {
        let (form, value) = name.value(
            SOUNDS_COUNTRY_CONSONANTS_MIN,
            KeyForm::TokensCountry,
            KeyForm::SoundsCountry,
        );
        let telling = name.weight >= ORGANISATION_WEIGHT_MIN;
        let strength = if telling { Strength::Medium } else { Strength::Weak };
        draft = draft.push(MatchKey::new(kind, form, strength, country.as_str(), value));
        draft = match head(&name) {
            Some(head) => {
                let form = KeyForm::HeadCountry;
                draft.push(MatchKey::new(kind, form, Strength::Weak, country.as_str(), &head))
            }
            None => draft.refuse(KeyForm::HeadCountry, IdentError::TooCommon),
        };
    }
    let (form, value) = name.alone();
    if name.is_telling() {
        return Ok(draft.push(MatchKey::new(kind, form, Strength::Weak, "", &value)));
    }
    let has_keys = draft.has_keys();
    let draft = draft.refuse(form, IdentError::TooCommon);
    if has_keys { Ok(draft) } else { Err(IdentError::TooCommon) }
}

/// The sounds of the longest word that is not common, the first of several in sorted order.
fn head(name: &Name) -> Option<String> {
    let telling = name.sorted.split(' ').filter(|word| organisation::common(word).is_none());
    let word = telling.rev().max_by_key(|word| word.len())?;
    let sounds = sounds::of_word(word);
    if sounds::consonants(&sounds) >= HEAD_CONSONANTS_MIN {
        return Some(sounds);
    }
    (word.len() >= HEAD_LETTERS_MIN).then(|| word.to_owned())
}

/// A vessel's name. Its flag changes, so it is no part of a key.
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
    Ok(Draft::new(Kind::VesselName, words.join(" ")).key(KeyForm::Tokens, Strength::Weak))
}
