//! Records and their import, as people see them.

use serde::{Deserialize, Serialize};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Rows read.
    pub rows: u64,
    /// Rows refused; each was reported with its column and rule.
    pub rows_refused: u64,
    /// Rows taken with a warning.
    pub rows_warned: u64,
    /// Records that are new.
    pub records_new: u64,
    /// Records that changed.
    pub records_changed: u64,
    /// Records that were there already, the same.
    pub records_same: u64,
    /// Match keys of the records written.
    pub match_keys: u64,
    /// Leaf of the log that records the import.
    pub log_index: u64,
}

/// A row that was refused, or taken with a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    /// Row of the file, the header being row 1.
    pub row: u64,
    /// Column, as the file names it.
    pub column: String,
    /// The rule that the value breaks. Never the value.
    pub rule: String,
    /// `refused` or `warning`.
    pub severity: String,
}

/// Asks for a page of records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordList {
    /// The id behind which the page begins.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A page of records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordPage {
    /// The rows.
    pub records: Vec<RecordRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A record in one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordRow {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Subjects.
    pub subjects: usize,
    /// Identifiers of all subjects.
    pub identifiers: usize,
    /// Traffic light.
    pub tlp: String,
    /// Admiralty grade.
    pub evaluation: String,
    /// End of its validity.
    pub expires_on: u64,
}

/// Asks for one record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordShow {
    /// Id.
    pub id: String,
    /// Why it is read; goes into the log.
    pub reason: String,
}

/// A record, field by field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordShown {
    /// Id.
    pub id: String,
    /// Content hash.
    pub version: String,
    /// Field and value, in the order of the specification.
    pub fields: Vec<FieldShown>,
    /// Leaf of the log that records the reading.
    pub log_index: u64,
}

/// A field and its value in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldShown {
    /// Name of the field.
    pub field: String,
    /// Value.
    pub value: String,
}

/// Begins an import.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordImport {
    /// The mapping file.
    pub mapping: String,
    /// Name of the file, for the log.
    pub name: String,
}
