//! The parts of a record as its origin holds them; nothing here decides who may see them.
//!
//! Implements spec/record.md#content. Every struct travels as an array in field order.
//! Invariant: `Debug` prints shapes, never text.

use std::fmt;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::{Canonical, Country, IdentError, Input, Kind, PartialDate};

use crate::{CodeScheme, Evaluation, Exercise, Handling, RecordKind, SourceKind, SubjectKind};

/// All that a record says, apart from its name. Checked by [`crate::Record::new`].
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Content {
    /// What it is about.
    pub kind: RecordKind,
    /// One line for a list; mandatory.
    pub title: String,
    /// What happened, in prose; may be empty.
    pub narrative: String,
    /// Persons, bodies, conveyances and goods.
    pub subjects: Vec<Subject>,
    /// Goods by control code.
    pub items: Vec<Item>,
    /// What happened when and where.
    pub events: Vec<Event>,
    /// Grades of source and information.
    pub evaluation: Evaluation,
    /// Marks that travel with the record.
    pub handling: Handling,
    /// Where it comes from: protected.
    pub source: Source,
    /// The law that permits holding it; mandatory.
    pub legal_basis: String,
    /// The origin's own file number.
    pub case_reference: Option<String>,
    /// When it must be looked at again, in Unix seconds.
    pub review_on: u64,
    /// When it must be gone, in Unix seconds.
    pub expires_on: u64,
    /// Real or drill.
    pub exercise: Exercise,
    /// Whether somebody contests it.
    pub dispute: Option<Dispute>,
    /// Fingerprint of the node that made it and alone may change it.
    #[serde(with = "serde_bytes")]
    pub origin: [u8; 32],
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("kind", &self.kind)
            .field("tlp", &self.handling.tlp)
            .field("exercise", &self.exercise)
            .field("subjects", &self.subjects.len())
            .field("items", &self.items.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// A person, body, conveyance or piece of goods.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// Names as written, the main one first.
    pub names: Vec<String>,
    /// Dates of birth, foundation or building.
    pub dates: Vec<PartialDate>,
    /// Nationality, seat or flag.
    pub countries: Vec<Country>,
    /// Numbers and other marks by which it is known.
    pub identifiers: Vec<Identifier>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("kind", &self.kind)
            .field("names", &self.names.len())
            .field("identifiers", &self.identifiers.len())
            .finish_non_exhaustive()
    }
}

/// An identifier exactly as the origin wrote it.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Identifier {
    /// Which kind.
    pub kind: Kind,
    /// The text as written.
    pub text: String,
    /// Issuing country, authority or maker as written.
    pub issuer: Option<String>,
    /// Date as written: of birth for a person's name, of registration for a registry entry.
    pub date: Option<String>,
}

impl Identifier {
    /// The canonical form that is matched.
    ///
    /// # Errors
    /// What `symbolon-ident` says of the text.
    pub fn canonical(&self) -> Result<Canonical, IdentError> {
        let input =
            Input { text: &self.text, issuer: self.issuer.as_deref(), date: self.date.as_deref() };
        Canonical::parse(self.kind, input)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({:?}, [redacted])", self.kind)
    }
}

/// Goods that a record is about.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Item {
    /// Control codes, each under its list.
    pub codes: Vec<ControlCode>,
    /// What it is, in words; may be empty where a code says it.
    pub description: String,
    /// How much of it.
    pub quantity: Option<Quantity>,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("codes", &self.codes.len()).finish_non_exhaustive()
    }
}

/// One entry of a control list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ControlCode {
    /// Which list.
    pub scheme: CodeScheme,
    /// The entry.
    pub code: String,
}

/// An amount with its unit. The amount is decimal text, so that nothing is rounded.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Quantity {
    /// Digits with at most one point.
    pub amount: String,
    /// Unit as written, such as `kg` or `pieces`.
    pub unit: String,
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quantity([redacted])")
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Event {
    /// What.
    pub what: String,
    /// When, as precisely as known.
    pub when: Option<PartialDate>,
    /// Where.
    pub place: Option<Place>,
    /// Places passed, in order.
    pub route: Vec<Place>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("route", &self.route.len()).finish_non_exhaustive()
    }
}

/// A place: at least one of its two parts is known.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Place {
    /// Port, town, address.
    pub name: Option<String>,
    /// Country.
    pub country: Option<Country>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place([redacted])")
    }
}

/// Where the information comes from. Leaves the node only by a rule that names the partner and
/// the part.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Source {
    /// What kind of source.
    pub kind: SourceKind,
    /// In words.
    pub description: Option<String>,
    /// Its file number or list entry.
    pub reference: Option<String>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source([redacted])")
    }
}

/// A contested record stays, marked.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Dispute {
    /// Since when, in Unix seconds.
    pub since: u64,
    /// What is contested.
    pub reason: String,
}

impl fmt::Debug for Dispute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispute").field("since", &self.since).finish_non_exhaustive()
    }
}
