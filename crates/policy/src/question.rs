//! The attribute signature of a request: all that Cedar will see, and nothing that no rule reads.
//!
//! Implements spec/policy.md#memo.
//!
//! Invariant: Cedar's entities are built from the `Question` alone. Two requests with one question
//! therefore have one answer, so the question is the key of the memo. An attribute that some rule
//! reads and that is left out here by mistake makes that rule err, and an error denies.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_record::{Exercise, OriginatorControl, Record};

use crate::{Action, Request};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Name(Type, String),
    Names(Type, BTreeSet<String>),
    Number(i64),
    Flag(Flag),
    Minute(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Flag {
    No,
    Yes,
}

/// Entity types of the schema that occur as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Type {
    Class,
    Country,
    Purpose,
    RecordKind,
    Reliability,
    SourceKind,
    SubjectKind,
    Tlp,
    Urgency,
}

impl Type {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Type::Class => "Class",
            Type::Country => "Country",
            Type::Purpose => "Purpose",
            Type::RecordKind => "RecordKind",
            Type::Reliability => "Reliability",
            Type::SourceKind => "SourceKind",
            Type::SubjectKind => "SubjectKind",
            Type::Tlp => "Tlp",
            Type::Urgency => "Urgency",
        }
    }
}

/// What the rules for one action look at. A rule whose scope excludes the action is never evaluated
/// for it, so what that rule looks at does not matter.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) attributes: BTreeSet<String>,
    pub(crate) records: BTreeSet<String>,
}

/// Everything that the answer can depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) action: Action,
    /// Name of the partner; always part of the question, because a source rule names it.
    pub(crate) partner: String,
    /// Id of the record, where some rule names that very record.
    pub(crate) record: Option<String>,
    pub(crate) partner_attributes: BTreeMap<&'static str, Value>,
    pub(crate) record_attributes: BTreeMap<&'static str, Value>,
    pub(crate) context: BTreeMap<&'static str, Value>,
}

impl Question {
    /// The question behind `request`, for rules that look at `reads`.
    pub(crate) fn new(request: &Request<'_>, reads: Option<&Reads>) -> Question {
        let looks = |at: &str| reads.is_some_and(|reads| reads.attributes.contains(at));
        let read = |attributes: BTreeMap<&'static str, Value>| -> BTreeMap<&'static str, Value> {
            attributes.into_iter().filter(|(name, _)| looks(name)).collect()
        };
        let country = Value::Name(Type::Country, request.partner.country.as_str().to_owned());
        let id = request.record.id().to_string();
        Question {
            action: request.action,
            partner: request.partner.name.to_owned(),
            record: Some(id).filter(|id| reads.is_some_and(|reads| reads.records.contains(id))),
            partner_attributes: read(BTreeMap::from([("country", country)])),
            record_attributes: read(of_record(request.record, request)),
            context: read(of_context(request)),
        }
    }
}

fn of_record(record: &Record, request: &Request<'_>) -> BTreeMap<&'static str, Value> {
    let content = record.content();
    let handling = &content.handling;
    let evaluation = content.evaluation;
    let releasable = handling.releasable_to.iter().map(|country| country.as_str());
    let countries = content.subjects.iter().flat_map(|subject| &subject.countries);
    let kinds = content.subjects.iter().map(|subject| subject.kind.as_str());
    let purposes = handling.purposes.iter().map(String::as_str);
    let controlled = handling.originator_control == OriginatorControl::Controlled;
    BTreeMap::from([
        ("kind", name(Type::RecordKind, content.kind.as_str())),
        ("tlp", name(Type::Tlp, handling.tlp.as_str())),
        ("releasable_to", names(Type::Country, releasable)),
        ("originator_controlled", flag(controlled)),
        ("purposes", names(Type::Purpose, purposes)),
        ("subject_kinds", names(Type::SubjectKind, kinds)),
        ("countries", names(Type::Country, countries.map(|country| country.as_str()))),
        ("reliability", name(Type::Reliability, evaluation.reliability.as_str())),
        ("credibility", Value::Number(evaluation.credibility.grade().into())),
        ("source_kind", name(Type::SourceKind, content.source.kind.as_str())),
        ("exercise", flag(content.exercise == Exercise::Exercise)),
        ("disputed", flag(content.dispute.is_some())),
        ("from_partner", flag(content.origin == *request.partner.node.as_bytes())),
    ])
}

fn of_context(request: &Request<'_>) -> BTreeMap<&'static str, Value> {
    // To the minute: a comparison with a whole minute comes out as it would to the second, and
    // rules that look at the time are still answered from memory within it.
    let minute = Value::Minute(request.now - request.now % 60);
    let mut context =
        BTreeMap::from([("purpose", name(Type::Purpose, request.purpose)), ("now", minute)]);
    if request.action.needs_class() {
        let class = request.class.map(|class| name(Type::Class, class.as_str()));
        context.extend(class.map(|class| ("class", class)));
    }
    if request.action == Action::Alert {
        let urgency = request.urgency.map(|urgency| name(Type::Urgency, urgency.as_str()));
        context.extend(urgency.map(|urgency| ("urgency", urgency)));
    }
    context
}

fn name(of: Type, name: &str) -> Value {
    Value::Name(of, name.to_owned())
}

fn names<'a>(of: Type, names: impl Iterator<Item = &'a str>) -> Value {
    Value::Names(of, names.map(str::to_owned).collect())
}

/// A comparison as a value.
fn flag(holds: impl Into<Flag>) -> Value {
    Value::Flag(holds.into())
}

impl From<bool> for Flag {
    fn from(holds: bool) -> Flag {
        if holds { Flag::Yes } else { Flag::No }
    }
}
