//! The view of a record, and its lines for people. Says nothing about whether it is true.
//!
//! Implements spec/record.md#view.

use serde_bytes::ByteArray;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::words::{hex, time};

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct View {
    pub(crate) id: ByteArray<16>,
    pub(crate) version: ByteArray<32>,
    pub(crate) exercise: String,
    pub(crate) kind: Option<String>,
    title: Option<String>,
    narrative: Option<String>,
    subjects: Vec<Subject>,
    items: Vec<Item>,
    events: Vec<Event>,
    evaluation: Option<(String, String)>,
    handling: Option<Handling>,
    source_kind: Option<String>,
    source_description: Option<String>,
    source_reference: Option<String>,
    legal_basis: Option<String>,
    case_reference: Option<String>,
    validity: Option<(u64, u64)>,
    dispute: Option<(u64, String)>,
    origin: Option<ByteArray<32>>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Subject {
    kind: Option<String>,
    names: Vec<String>,
    dates: Vec<String>,
    countries: Vec<String>,
    identifiers: Vec<(String, String, Option<String>, Option<String>)>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Item {
    codes: Vec<(String, String)>,
    description: Option<String>,
    quantity: Option<(String, String)>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Event {
    what: Option<String>,
    when: Option<String>,
    place: Option<Place>,
    route: Vec<Place>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Place {
    name: Option<String>,
    country: Option<String>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Handling {
    tlp: String,
    releasable_to: Vec<String>,
    originator_control: String,
    purposes: Vec<String>,
}

impl View {
    /// A label and a text for each value that is shown, in the order of the fields.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Lines(Vec::new());
        lines.option("kind", &self.kind);
        lines.option("title", &self.title);
        lines.option("narrative", &self.narrative);
        self.subjects.iter().for_each(|subject| lines.subject(subject));
        self.items.iter().for_each(|item| lines.item(item));
        self.events.iter().for_each(|event| lines.event(event));
        if let Some((reliability, credibility)) = &self.evaluation {
            lines.add("evaluation", format!("{reliability}{credibility}"));
        }
        if let Some(handling) = &self.handling {
            lines.add("handling", handling.tlp.clone());
            lines.list("releasable to", &handling.releasable_to);
            lines.add("originator control", handling.originator_control.clone());
            lines.list("for purposes", &handling.purposes);
        }
        lines.option("source kind", &self.source_kind);
        lines.option("source", &self.source_description);
        lines.option("source reference", &self.source_reference);
        lines.option("legal basis", &self.legal_basis);
        lines.option("case reference", &self.case_reference);
        if let Some((review, expires)) = self.validity {
            lines.add("review on", time(review));
            lines.add("expires on", time(expires));
        }
        if let Some((since, reason)) = &self.dispute {
            lines.add("contested", format!("since {}: {reason}", time(*since)));
        }
        if let Some(origin) = &self.origin {
            lines.add("origin", hex(**origin));
        }
        lines.0
    }
}

struct Lines(Vec<(&'static str, String)>);

impl Lines {
    fn add(&mut self, label: &'static str, text: String) {
        self.0.push((label, text));
    }

    fn option(&mut self, label: &'static str, text: &Option<String>) {
        self.0.extend(text.iter().map(|text| (label, text.clone())));
    }

    fn list(&mut self, label: &'static str, texts: &[String]) {
        if !texts.is_empty() {
            self.add(label, texts.join(", "));
        }
    }

    fn subject(&mut self, subject: &Subject) {
        self.option("subject", &subject.kind);
        subject.names.iter().for_each(|name| self.add("name", name.clone()));
        subject.dates.iter().for_each(|date| self.add("date", date.clone()));
        self.list("countries", &subject.countries);
        for (kind, text, issuer, date) in &subject.identifiers {
            let parts = [Some(text), issuer.as_ref(), date.as_ref()].into_iter().flatten();
            let parts: Vec<&str> = parts.map(String::as_str).collect();
            self.add("identifier", format!("{kind} {}", parts.join(", ")));
        }
    }

    fn item(&mut self, item: &Item) {
        for (scheme, code) in &item.codes {
            self.add("item code", format!("{scheme} {code}"));
        }
        self.option("item", &item.description);
        if let Some((amount, unit)) = &item.quantity {
            self.add("quantity", format!("{amount} {unit}"));
        }
    }

    fn event(&mut self, event: &Event) {
        self.option("event", &event.what);
        self.option("when", &event.when);
        if let Some(place) = &event.place {
            self.add("where", place.line());
        }
        let route: Vec<String> = event.route.iter().map(Place::line).collect();
        if !route.is_empty() {
            self.add("route", route.join(" - "));
        }
    }
}

impl Place {
    fn line(&self) -> String {
        let parts: Vec<&str> =
            [&self.name, &self.country].into_iter().flatten().map(String::as_str).collect();
        parts.join(", ")
    }
}
