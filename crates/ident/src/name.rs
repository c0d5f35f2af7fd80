//! Names of people, organisations and vessels: words in any order, compared exactly.
//!
//! Implements spec/identifiers.md#names.
//!
//! A name passes a fixed line of steps: words → fold → sort. Transliteration, honorifics and legal
//! forms are steps of their own between folding and sorting; phonetic families are further keys.

use std::fmt::Write as _;

use crate::canonical::{Draft, Input};
use crate::date::span;
use crate::fold;
use crate::key::{KeyForm, MatchKey, Strength};
use crate::{IdentError, Kind, PartialDate};

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
    let words = words(text)?;
    let (from, to) = span(date)?;
    let mut value = words.clone();
    let _ = if from == to { write!(value, "|{from}") } else { write!(value, "|{from}/{to}") };
    let kind = Kind::PersonNameBirthDate;
    let mut draft = Draft::new(kind, value);
    if from == to && from.is_full() {
        let value = format!("{words}|{from}");
        let form = KeyForm::FullNameFullDate;
        draft = draft.push(MatchKey::new(kind, form, Strength::Medium, "", &value));
    }
    if to.year() - from.year() <= 1 {
        let closed = closed_words(text);
        draft = draft.push(tokens_year(&closed, from));
        if to.year() != from.year() {
            draft = draft.push(tokens_year(&closed, to));
        }
    }
    Ok(draft.push(MatchKey::new(Kind::PersonName, KeyForm::Tokens, Strength::Weak, "", &words)))
}

fn tokens_year(words: &str, date: PartialDate) -> MatchKey {
    let value = format!("{words}|{}", date.year());
    MatchKey::new(Kind::PersonNameBirthDate, KeyForm::TokensYear, Strength::Weak, "", &value)
}

/// A person's name alone.
pub(crate) fn person(input: &Input<'_>) -> Result<Draft, IdentError> {
    Ok(Draft::new(Kind::PersonName, words(input.text)?).key(KeyForm::Tokens, Strength::Weak))
}

/// An organisation's name, with its country where known.
pub(crate) fn organisation(input: &Input<'_>) -> Result<Draft, IdentError> {
    let words = words(input.text)?;
    Ok(Draft::new(Kind::OrganisationName, words)
        .issuer(input.country().map(crate::Country::as_str))
        .issuer_key(KeyForm::TokensCountry, Strength::Weak)
        .key(KeyForm::Tokens, Strength::Weak))
}

/// A vessel's name. Its flag changes, so it is no part of a key.
pub(crate) fn vessel(input: &Input<'_>) -> Result<Draft, IdentError> {
    Ok(Draft::new(Kind::VesselName, words(input.text)?).key(KeyForm::Tokens, Strength::Weak))
}

/// The folded words of a name, each once, sorted.
fn words(text: &str) -> Result<String, IdentError> {
    let mut folded = String::with_capacity(text.len());
    fold::push_name(text, &mut folded);
    let sorted = sorted(&folded);
    if sorted.is_empty() { Err(IdentError::Empty) } else { Ok(sorted) }
}

/// As [`words`], with apostrophes closed up.
fn closed_words(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold::push_name_closed(text, &mut folded);
    sorted(&folded)
}

fn sorted(folded: &str) -> String {
    let mut words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}
