//! What a partner gets of a record: the granted fields and nothing else.
//!
//! Implements spec/record.md#view. Making a view grants nothing: what leaves the node is sealed
//! under a grant, which names the fields.
//!
//! Invariants: a withheld part and an absent part look the same; one record and one selection give
//! one view, byte for byte.

use std::collections::BTreeMap;
use std::fmt;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode};
use symbolon_ident::{Country, Kind, PartialDate};

use crate::limits::*;
use crate::{
    Blur, ControlCode, Dispute, Evaluation, Event, Exercise, Field, Handling, Identifier, Item,
    Place, Quantity, Record, RecordError, RecordId, RecordKind, RecordVersion, SourceKind, Subject,
    SubjectKind, Transform, validate,
};

/// The part of a record that a partner may see.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct View {
    /// The record's name.
    pub id: RecordId,
    /// The version that was shown.
    pub version: RecordVersion,
    /// Real or drill: always shown, so that a drill is never taken for real.
    pub exercise: Exercise,
    /// What it is about.
    pub kind: Option<RecordKind>,
    /// Its title.
    pub title: Option<String>,
    /// Its narrative.
    pub narrative: Option<String>,
    /// Subjects of which at least one part is shown.
    pub subjects: Vec<SubjectView>,
    /// Items of which at least one part is shown.
    pub items: Vec<ItemView>,
    /// Events of which at least one part is shown.
    pub events: Vec<EventView>,
    /// Grades.
    pub evaluation: Option<Evaluation>,
    /// Handling marks.
    pub handling: Option<Handling>,
    /// What kind of source.
    pub source_kind: Option<SourceKind>,
    /// The source in words.
    pub source_description: Option<String>,
    /// The source's file number.
    pub source_reference: Option<String>,
    /// The law behind it.
    pub legal_basis: Option<String>,
    /// The origin's file number.
    pub case_reference: Option<String>,
    /// Review and expiry dates.
    pub validity: Option<Validity>,
    /// Contest.
    pub dispute: Option<Dispute>,
    /// Fingerprint of the origin.
    #[serde(with = "serde_bytes")]
    pub origin: Option<[u8; 32]>,
}

/// The shown parts of a subject.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct SubjectView {
    /// What it is.
    pub kind: Option<SubjectKind>,
    /// Names.
    pub names: Vec<String>,
    /// Dates.
    pub dates: Vec<PartialDate>,
    /// Countries.
    pub countries: Vec<Country>,
    /// Identifiers.
    pub identifiers: Vec<Identifier>,
}

/// The shown parts of an item.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ItemView {
    /// Control codes.
    pub codes: Vec<ControlCode>,
    /// In words.
    pub description: Option<String>,
    /// How much.
    pub quantity: Option<Quantity>,
}

/// The shown parts of an event.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EventView {
    /// What.
    pub what: Option<String>,
    /// When.
    pub when: Option<PartialDate>,
    /// Where.
    pub place: Option<Place>,
    /// Places passed.
    pub route: Vec<Place>,
}

/// Dates that bound a record's life, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Validity {
    /// When it must be looked at again.
    pub review_on: u64,
    /// When it must be gone.
    pub expires_on: u64,
}

impl View {
    /// The parts of `record` that `fields` names, each under its transforms. Prose under a
    /// transform is left out, because nothing can take a date or a place out of it.
    pub fn project<'a>(
        record: &Record,
        fields: impl IntoIterator<Item = (Field, &'a [Transform])>,
    ) -> View {
        let shown = Shown::new(fields);
        let content = record.content();
        let source = &content.source;
        View {
            id: record.id(),
            version: record.version(),
            exercise: content.exercise,
            kind: shown.then(Field::Kind, || content.kind),
            title: shown.text(Field::Title, &content.title),
            narrative: shown.text(Field::Narrative, &content.narrative),
            subjects: shown.list(&content.subjects, Shown::subject),
            items: shown.list(&content.items, Shown::item),
            events: shown.list(&content.events, Shown::event),
            evaluation: shown.then(Field::Evaluation, || content.evaluation),
            handling: shown.then(Field::Handling, || content.handling.clone()),
            source_kind: shown.then(Field::SourceKind, || source.kind),
            source_description: shown.part(Field::SourceDescription, &source.description),
            source_reference: shown.part(Field::SourceReference, &source.reference),
            legal_basis: shown.text(Field::LegalBasis, &content.legal_basis),
            case_reference: shown.part(Field::CaseReference, &content.case_reference),
            validity: shown.then(Field::Validity, || Validity {
                review_on: content.review_on,
                expires_on: content.expires_on,
            }),
            dispute: shown.part(Field::Dispute, &content.dispute),
            origin: shown.then(Field::Provenance, || content.origin),
        }
    }

    /// The bytes that stand in a disclosure.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads and checks received bytes.
    ///
    /// # Errors
    /// [`RecordError`], by the first rule that the bytes or a part break.
    pub fn decode(bytes: &[u8]) -> Result<View, RecordError> {
        let view: View = decode(bytes, RECORD_BYTES_MAX)?;
        view.validate()?;
        Ok(view)
    }

    /// Checks every shown part like a part of a record. For a view that came inside another
    /// structure.
    ///
    /// # Errors
    /// [`RecordError`], by the first part that breaks its rule.
    pub fn validate(&self) -> Result<(), RecordError> {
        use validate::{each, option};
        option("title", self.title.as_deref(), TITLE_BYTES_MAX)?;
        option("narrative", self.narrative.as_deref(), NARRATIVE_BYTES_MAX)?;
        each("subjects", &self.subjects, SUBJECTS_COUNT_MAX, SubjectView::validate)?;
        each("items", &self.items, ITEMS_COUNT_MAX, ItemView::validate)?;
        each("events", &self.events, EVENTS_COUNT_MAX, EventView::validate)?;
        self.handling.as_ref().map_or(Ok(()), validate::handling)?;
        let description = self.source_description.as_deref();
        option("source description", description, DESCRIPTION_BYTES_MAX)?;
        option("source reference", self.source_reference.as_deref(), REFERENCE_BYTES_MAX)?;
        option("legal basis", self.legal_basis.as_deref(), REFERENCE_BYTES_MAX)?;
        option("case reference", self.case_reference.as_deref(), REFERENCE_BYTES_MAX)?;
        self.validity.map_or(Ok(()), |v| validate::validity(v.review_on, v.expires_on))?;
        self.dispute.as_ref().map_or(Ok(()), validate::dispute)
    }
}

impl SubjectView {
    fn is_blank(&self) -> bool {
        self.kind.is_none()
            && self.names.is_empty()
            && self.dates.is_empty()
            && self.countries.is_empty()
            && self.identifiers.is_empty()
    }

    fn validate(&self) -> Result<(), RecordError> {
        validate::names(&self.names)?;
        validate::dates(&self.dates)?;
        validate::countries(&self.countries)?;
        let identifiers = &self.identifiers;
        validate::each(
            "subject identifiers",
            identifiers,
            IDENTIFIERS_COUNT_MAX,
            validate::identifier,
        )?;
        not_blank(self.is_blank())
    }
}

impl ItemView {
    fn is_blank(&self) -> bool {
        self.codes.is_empty() && self.description.is_none() && self.quantity.is_none()
    }

    fn validate(&self) -> Result<(), RecordError> {
        validate::codes(&self.codes)?;
        let description = self.description.as_deref();
        validate::option("an item description", description, DESCRIPTION_BYTES_MAX)?;
        self.quantity.as_ref().map_or(Ok(()), validate::quantity)?;
        not_blank(self.is_blank())
    }
}

impl EventView {
    fn is_blank(&self) -> bool {
        self.what.is_none() && self.when.is_none() && self.place.is_none() && self.route.is_empty()
    }

    fn validate(&self) -> Result<(), RecordError> {
        validate::option("an event", self.what.as_deref(), DESCRIPTION_BYTES_MAX)?;
        self.place.as_ref().map_or(Ok(()), validate::place)?;
        validate::route(&self.route)?;
        not_blank(self.is_blank())
    }
}

/// An entry without any part is never written, so never read.
fn not_blank(blank: bool) -> Result<(), RecordError> {
    if blank { Err(RecordError::Blank { part: "an entry of a view" }) } else { Ok(()) }
}

/// The selection: which fields, how blurred.
struct Shown<'a>(BTreeMap<Field, &'a [Transform]>);

impl<'a> Shown<'a> {
    /// Leaves out what its transforms cannot blur.
    fn new(fields: impl IntoIterator<Item = (Field, &'a [Transform])>) -> Self {
        let possible = |(field, transforms): &(Field, &[Transform])| {
            transforms.iter().all(|transform| field.under(*transform) != Blur::Impossible)
        };
        Shown(fields.into_iter().filter(possible).collect())
    }

    fn then<T>(&self, field: Field, value: impl FnOnce() -> T) -> Option<T> {
        self.0.contains_key(&field).then(value)
    }

    fn part<T: Clone>(&self, field: Field, value: &Option<T>) -> Option<T> {
        self.then(field, || value.clone()).flatten()
    }

    fn text(&self, field: Field, value: &str) -> Option<String> {
        self.then(field, || value.to_owned()).filter(|text| !text.is_empty())
    }

    fn copies<T: Clone>(&self, field: Field, values: &[T]) -> Vec<T> {
        self.then(field, || values.to_vec()).unwrap_or_default()
    }

    fn demands(&self, field: Field, transform: Transform) -> bool {
        self.0.get(&field).is_some_and(|transforms| transforms.contains(&transform))
    }

    fn list<T, V>(&self, parts: &[T], show: impl Fn(&Self, &T) -> Option<V>) -> Vec<V> {
        parts.iter().filter_map(|part| show(self, part)).collect()
    }

    fn subject(&self, subject: &Subject) -> Option<SubjectView> {
        let dates = self.copies(Field::SubjectDates, &subject.dates);
        let identifiers = self.copies(Field::SubjectIdentifiers, &subject.identifiers);
        let mut dates: Vec<_> =
            dates.into_iter().map(|date| self.date(Field::SubjectDates, date)).collect();
        // Two days of one month are one month.
        dates.dedup();
        let view = SubjectView {
            kind: self.then(Field::SubjectKind, || subject.kind),
            names: self.copies(Field::SubjectNames, &subject.names),
            dates,
            countries: self.copies(Field::SubjectCountries, &subject.countries),
            identifiers: self.list(&identifiers, Shown::identifier),
        };
        Some(view).filter(|view| !view.is_blank())
    }

    fn item(&self, item: &Item) -> Option<ItemView> {
        let view = ItemView {
            codes: self.copies(Field::ItemCodes, &item.codes),
            description: self.text(Field::ItemDescriptions, &item.description),
            quantity: self.part(Field::ItemQuantities, &item.quantity),
        };
        Some(view).filter(|view| !view.is_blank())
    }

    fn event(&self, event: &Event) -> Option<EventView> {
        let when = self.part(Field::EventWhen, &event.when);
        let place = self.part(Field::EventWhere, &event.place);
        let mut route: Vec<_> = self
            .copies(Field::EventRoute, &event.route)
            .into_iter()
            .filter_map(|place| self.place(Field::EventRoute, place))
            .collect();
        // Neighbouring places of one country are one country.
        route.dedup();
        let view = EventView {
            what: self.text(Field::EventWhat, &event.what),
            when: when.map(|when| self.date(Field::EventWhen, when)),
            place: place.and_then(|place| self.place(Field::EventWhere, place)),
            route,
        };
        Some(view).filter(|view| !view.is_blank())
    }

    fn date(&self, field: Field, date: PartialDate) -> PartialDate {
        if self.demands(field, Transform::DateYear) {
            date.to_year()
        } else if self.demands(field, Transform::DateMonth) {
            date.to_month()
        } else {
            date
        }
    }

    fn place(&self, field: Field, place: Place) -> Option<Place> {
        if self.demands(field, Transform::PlaceCountry) {
            place.country.map(|country| Place { name: None, country: Some(country) })
        } else {
            Some(place)
        }
    }

    /// A date as written is blurred where it can be read and left out where not; a birth date
    /// inside the text cannot be blurred, so the identifier goes.
    fn identifier(&self, identifier: &Identifier) -> Option<Identifier> {
        let field = Field::SubjectIdentifiers;
        let mut shown = identifier.clone();
        if self.demands(field, Transform::DateMonth) || self.demands(field, Transform::DateYear) {
            if identifier.kind == Kind::PersonNameBirthDate && identifier.text.contains('|') {
                return None;
            }
            let date = identifier.date.as_deref().and_then(|date| PartialDate::parse(date).ok());
            shown.date = date.map(|date| self.date(field, date).to_string());
        }
        Some(shown)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for SubjectView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectView([redacted])")
    }
}

impl fmt::Debug for ItemView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemView([redacted])")
    }
}

impl fmt::Debug for EventView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventView([redacted])")
    }
}
