//! The mapping file: which column fills which part of a record.
//!
//! Implements spec/import.md#mapping.

use std::collections::BTreeMap;

use serde::Deserialize;
use symbolon_ident::Kind;

use crate::InteropError;
use crate::limits::MAPPING_BYTES_MAX;

/// A mapping, read and checked. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub(crate) format: Format,
    /// Name of the data set: the same name and group again is the same record.
    pub(crate) dataset: String,
    /// Column whose equal values in consecutive rows make one record.
    pub(crate) group: String,
    pub(crate) record: RecordMap,
    pub(crate) subject: SubjectMap,
    pub(crate) identifier: IdentifierMap,
    #[serde(default)]
    pub(crate) item: ItemMap,
    #[serde(default)]
    pub(crate) event: EventMap,
}

/// The form of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Comma-separated values with a header row (RFC 4180), UTF-8.
    Csv,
    /// One JSON object per line, with texts or numbers as values.
    JsonLines,
}

/// Where a text comes from: a column, a constant for all rows or for empty columns, a translation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Take {
    pub(crate) column: Option<String>,
    pub(crate) value: Option<String>,
    #[serde(default)]
    pub(crate) map: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordMap {
    pub(crate) kind: Take,
    pub(crate) title: Take,
    #[serde(default)]
    pub(crate) narrative: Take,
    pub(crate) reliability: Take,
    pub(crate) credibility: Take,
    pub(crate) tlp: Take,
    /// Countries, separated by blanks.
    #[serde(default)]
    pub(crate) releasable_to: Take,
    /// Purposes, separated by blanks.
    #[serde(default)]
    pub(crate) purposes: Take,
    pub(crate) source_kind: Take,
    #[serde(default)]
    pub(crate) source_description: Take,
    #[serde(default)]
    pub(crate) source_reference: Take,
    pub(crate) legal_basis: Take,
    #[serde(default)]
    pub(crate) case_reference: Take,
    /// Days from the import to the review.
    pub(crate) review_days: u32,
    /// Days from the import to the end.
    pub(crate) expires_days: u32,
    /// `live` or `exercise`.
    #[serde(default)]
    pub(crate) exercise: Take,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectMap {
    pub(crate) kind: Take,
    #[serde(default)]
    pub(crate) name: Take,
    #[serde(default)]
    pub(crate) date: Take,
    #[serde(default)]
    pub(crate) country: Take,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifierMap {
    /// Column that names the type of the identifier.
    pub(crate) kind: Take,
    pub(crate) text: Take,
    #[serde(default)]
    pub(crate) issuer: Take,
    #[serde(default)]
    pub(crate) date: Take,
    /// What each type of the file is here.
    pub(crate) kinds: BTreeMap<String, KindMap>,
}

/// The kind that a type of the file stands for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindMap {
    pub(crate) kind: Kind,
    /// In place of the issuer column; empty for no issuer.
    pub(crate) issuer: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemMap {
    #[serde(default)]
    pub(crate) scheme: Take,
    #[serde(default)]
    pub(crate) code: Take,
    #[serde(default)]
    pub(crate) description: Take,
    /// Amount and unit, such as `300 kg`.
    #[serde(default)]
    pub(crate) quantity: Take,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventMap {
    #[serde(default)]
    pub(crate) what: Take,
    #[serde(default)]
    pub(crate) when: Take,
    /// Town and country, such as `Rotterdam, NLD`.
    #[serde(default)]
    pub(crate) place: Take,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`InteropError::Mapping`] with the parser's words.
    pub fn parse(text: &str) -> Result<Mapping, InteropError> {
        if text.len() > MAPPING_BYTES_MAX {
            let cause = format!("it is longer than {MAPPING_BYTES_MAX} bytes");
            return Err(InteropError::Mapping { cause });
        }
        let mapping: Mapping = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            // The parser quotes values too, and a value may be confidential: only keys are named.
            let rule = match error.message() {
                words if words.starts_with("unknown field `") => words,
                words if words.starts_with("missing field `") => words,
                _ => "a value or the form is not what spec/import.md describes",
            };
            InteropError::Mapping { cause: format!("line {line}: {rule}") }
        })?;
        if mapping.record.review_days > mapping.record.expires_days {
            let cause = "review_days is larger than expires_days".to_owned();
            return Err(InteropError::Mapping { cause });
        }
        if let Some((attribute, _)) =
            mapping.mandatory().into_iter().find(|(_, take)| !take.is_given())
        {
            let cause = format!("{attribute} needs a column or a value");
            return Err(InteropError::Mapping { cause });
        }
        Ok(mapping)
    }

    fn mandatory(&self) -> [(&'static str, &Take); 10] {
        [
            ("record.kind", &self.record.kind),
            ("record.title", &self.record.title),
            ("record.reliability", &self.record.reliability),
            ("record.credibility", &self.record.credibility),
            ("record.tlp", &self.record.tlp),
            ("record.source_kind", &self.record.source_kind),
            ("record.legal_basis", &self.record.legal_basis),
            ("subject.kind", &self.subject.kind),
            ("identifier.kind", &self.identifier.kind),
            ("identifier.text", &self.identifier.text),
        ]
    }

    /// Every attribute with where it comes from, the grouping column apart.
    pub(crate) fn takes(&self) -> Vec<(&'static str, &Take)> {
        let (record, item, event) = (&self.record, &self.item, &self.event);
        let mut takes = self.mandatory().to_vec();
        takes.extend([
            ("record.narrative", &record.narrative),
            ("record.releasable_to", &record.releasable_to),
            ("record.purposes", &record.purposes),
            ("record.source_description", &record.source_description),
            ("record.source_reference", &record.source_reference),
            ("record.case_reference", &record.case_reference),
            ("record.exercise", &record.exercise),
            ("subject.name", &self.subject.name),
            ("subject.date", &self.subject.date),
            ("subject.country", &self.subject.country),
            ("identifier.issuer", &self.identifier.issuer),
            ("identifier.date", &self.identifier.date),
            ("item.scheme", &item.scheme),
            ("item.code", &item.code),
            ("item.description", &item.description),
            ("item.quantity", &item.quantity),
            ("event.what", &event.what),
            ("event.when", &event.when),
            ("event.place", &event.place),
        ]);
        takes
    }
}

impl Take {
    fn is_given(&self) -> bool {
        self.column.is_some() || self.value.is_some()
    }
}
