//! A watch rule: which received alerts it fits, and why. Knows no clock and no store.
//!
//! Implements spec/watch.md#fitting.
//!
//! Invariants: a drill never fits a rule for real alerts, nor the other way; an identifier stands
//! in a rule only as this node's keyed marks of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode};
use symbolon_ident::{Country, Kind, MatchKey, Strength};
use symbolon_record::{AlertClass, CodeScheme, Place, RecordKind, View};
use symbolon_store::Rings;
use symbolon_store::limits::WATCH_RULE_BYTES_MAX;
use symbolon_trust::Mode;

use crate::DeskError;

/// Which alerts a rule fits: those that meet every list that is not empty, in one place at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Rule {
    /// Real alerts or drills.
    pub(crate) mode: Mode,
    pub(crate) classes: Vec<AlertClass>,
    pub(crate) kinds: Vec<RecordKind>,
    pub(crate) items: Vec<ItemWatch>,
    pub(crate) countries: Vec<Country>,
    /// Places where something happened or that were passed.
    pub(crate) places: Vec<PlaceWatch>,
    pub(crate) identifiers: Vec<IdentifierWatch>,
    pub(crate) delivery: Delivery,
    pub(crate) targets: Vec<Target>,
}

/// A control code by its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct ItemWatch {
    /// Of one list only.
    pub(crate) scheme: Option<CodeScheme>,
    /// As [`folded_code`] gives it.
    pub(crate) prefix: String,
}

/// A place by a name, a country, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct PlaceWatch {
    pub(crate) name: Option<String>,
    pub(crate) country: Option<Country>,
}

/// An identifier: its kind, and the keyed mark of each of its match keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct IdentifierWatch {
    pub(crate) kind: Kind,
    pub(crate) marks: Vec<ByteArray<16>>,
}

/// When a rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    /// Once a day.
    Digest,
    /// At once for what is flash; once a day for the rest.
    Ring,
}

/// Where a rule speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The inbox of this node.
    Inbox,
    /// An HTTPS address.
    Webhook(String),
    /// The system's log.
    Syslog,
    /// The node's file of JSON lines.
    Lines,
}

impl Target {
    /// Whether it stays on this machine, or is a webhook at one of these hosts.
    #[must_use]
    pub fn is_at(&self, hosts: &[String]) -> bool {
        let Self::Webhook(address) = self else { return true };
        let behind = address.split_once("://").map_or("", |(_, rest)| rest);
        let authority = behind.split(['/', '?']).next().unwrap_or_default();
        hosts.iter().any(|host| host.eq_ignore_ascii_case(authority))
    }
}

/// Why a rule fits. Says what the rule says, never more of the alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    Class(AlertClass),
    Kind(RecordKind),
    Item(ItemWatch),
    Country(Country),
    Place(PlaceWatch),
    Identifier { kind: Kind, strength: Strength },
}

/// A received alert as rules see it.
pub(crate) struct Seen<'a> {
    view: &'a View,
    class: AlertClass,
    mode: Mode,
    /// The strongest key under each mark.
    marks: BTreeMap<[u8; 16], Strength>,
}

impl<'a> Seen<'a> {
    /// `mark` is this node's keyed mark of a match key.
    pub(crate) fn new(
        view: &'a View,
        class: AlertClass,
        mode: Mode,
        mark: impl Fn(&MatchKey) -> [u8; 16],
    ) -> Self {
        let mut marks = BTreeMap::new();
        let identifiers = view.subjects.iter().flat_map(|subject| &subject.identifiers);
        for canonical in identifiers.filter_map(|identifier| identifier.canonical().ok()) {
            for key in canonical.keys() {
                let strength = marks.entry(mark(key)).or_insert(key.strength());
                *strength = (*strength).max(key.strength());
            }
        }
        Self { view, class, mode, marks }
    }

    fn places(&self) -> impl Iterator<Item = &'a Place> {
        self.view.events.iter().flat_map(|event| event.place.iter().chain(&event.route))
    }

    fn has_country(&self, country: Country) -> bool {
        let subjects = self.view.subjects.iter().flat_map(|subject| &subject.countries);
        let places = self.places().filter_map(|place| place.country.as_ref());
        subjects.chain(places).any(|one| *one == country)
    }
}

impl Rule {
    /// Why the rule fits an alert; `None` where it does not. A list of the rule that asks for a
    /// part which the sender did not show is not met.
    pub(crate) fn fits(&self, seen: &Seen<'_>) -> Option<Vec<Why>> {
        if self.mode != seen.mode {
            return None;
        }
        let mut why = Vec::new();
        let (class, kind) = (seen.class, seen.view.kind);
        met(&self.classes, &mut why, |watched| (*watched == class).then_some(Why::Class(class)))?;
        met(&self.kinds, &mut why, |watched| {
            (Some(*watched) == kind).then_some(Why::Kind(*watched))
        })?;
        let codes = || seen.view.items.iter().flat_map(|item| &item.codes);
        met(&self.items, &mut why, |watched| {
            let begins = codes().any(|code| {
                watched.scheme.is_none_or(|scheme| scheme == code.scheme)
                    && folded_code(&code.code).starts_with(&watched.prefix)
            });
            begins.then(|| Why::Item(watched.clone()))
        })?;
        met(&self.countries, &mut why, |watched| {
            seen.has_country(*watched).then_some(Why::Country(*watched))
        })?;
        met(&self.places, &mut why, |watched| {
            let is_there = seen.places().any(|place| watched.is_met(place));
            is_there.then(|| Why::Place(watched.clone()))
        })?;
        met(&self.identifiers, &mut why, |watched| {
            let strengths = watched.marks.iter().filter_map(|mark| seen.marks.get(&**mark));
            let strength = strengths.max().copied()?;
            Some(Why::Identifier { kind: watched.kind, strength })
        })?;
        Some(why)
    }

    /// Whether what fits calls somebody at once: only flash does, and a weak key alone does not.
    pub(crate) fn rings(&self, class: AlertClass, why: &[Why]) -> Rings {
        let is_weak = |why: &Why| matches!(why, Why::Identifier { strength: Strength::Weak, .. });
        let mut identifiers =
            why.iter().filter(|why| matches!(why, Why::Identifier { .. })).peekable();
        let is_only_weak = identifiers.peek().is_some() && identifiers.all(is_weak);
        match self.delivery {
            Delivery::Ring if class == AlertClass::Flash && !is_only_weak => Rings::Rings,
            _ => Rings::Silent,
        }
    }

    /// Whether it asks for anything but the mode.
    pub(crate) fn is_blank(&self) -> bool {
        self.classes.is_empty()
            && self.kinds.is_empty()
            && self.items.is_empty()
            && self.countries.is_empty()
            && self.places.is_empty()
            && self.identifiers.is_empty()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DeskError> {
        decode(bytes, WATCH_RULE_BYTES_MAX)
            .map_err(|_| DeskError::internal("a watch rule is damaged"))
    }
}

/// What of a list is met; `None` where the list asks for something and nothing of it is.
fn met<T>(list: &[T], why: &mut Vec<Why>, reason: impl Fn(&T) -> Option<Why>) -> Option<()> {
    let before = why.len();
    why.extend(list.iter().filter_map(reason));
    (list.is_empty() || why.len() > before).then_some(())
}

impl PlaceWatch {
    fn is_met(&self, place: &Place) -> bool {
        let is_country = self.country.is_none_or(|country| place.country == Some(country));
        let is_name = self.name.as_deref().is_none_or(|name| {
            place.name.as_deref().is_some_and(|place| holds_words(&words(place), &words(name)))
        });
        is_country && is_name
    }
}

/// A code without what lists write differently: case and white space.
pub(crate) fn folded_code(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// Whether all `wanted` words stand in `text`, side by side.
fn holds_words(text: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty() && text.windows(wanted.len()).any(|window| window == wanted)
}

impl fmt::Display for ItemWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Some(scheme) => write!(f, "{scheme}:{}", self.prefix),
            None => f.write_str(&self.prefix),
        }
    }
}

impl fmt::Display for PlaceWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.country) {
            (Some(name), Some(country)) => write!(f, "{name}, {}", country.as_str()),
            (Some(name), None) => f.write_str(name),
            (None, Some(country)) => f.write_str(country.as_str()),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => write!(f, "class {class}"),
            Self::Kind(kind) => write!(f, "kind {kind}"),
            Self::Item(item) => write!(f, "item {item}"),
            Self::Country(country) => write!(f, "country {}", country.as_str()),
            Self::Place(place) => write!(f, "place {place}"),
            Self::Identifier { kind, strength } => {
                write!(f, "identifier {} ({})", kind.as_str(), strength.as_str())
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
