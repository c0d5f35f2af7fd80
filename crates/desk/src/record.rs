//! Reading records. Every reading of one is logged.

use symbolon_record::{Field, Record, RecordId, View};

use crate::api::{FieldShown, RecordList, RecordPage, RecordRow, RecordShow, RecordShown, Report};
use crate::limits::PAGE_ROWS_MAX;
use crate::read::{Shown, reason_given};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// A page of records; that it was shown is logged.
    ///
    /// # Errors
    /// [`DeskError`] for an id that is none.
    pub fn record_list(
        &self,
        officer: &Officer,
        request: RecordList,
        _report: &mut dyn Report,
    ) -> Result<RecordPage, DeskError> {
        let sight = officer.sight()?;
        let limit = request.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX) as usize;
        let after = request.after.as_deref().map(record_id).transpose()?;
        let mut records = self.store.record_scan(after, limit + 1)?;
        let is_more = records.len() > limit;
        records.truncate(limit);
        let rows: Vec<RecordRow> = records.iter().map(row).collect();
        let next = rows.last().filter(|_| is_more).map(|last| last.id.clone());
        let (object, id, count) = ("records", String::new(), rows.len());
        self.note_shown(&sight, Shown { object, id, count, reason: "" })?;
        Ok(RecordPage { records: rows, next })
    }

    /// One record, field by field.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id, or where the reading cannot be logged.
    pub fn record_show(
        &self,
        officer: &Officer,
        request: RecordShow,
        _report: &mut dyn Report,
    ) -> Result<RecordShown, DeskError> {
        let sight = officer.sight()?;
        let reason = reason_given(&request.reason)?;
        let record = self.record_named(&request.id)?;
        let (object, id) = ("record", record.id().to_string());
        let receipt = self.note_shown(&sight, Shown { object, id, count: 1, reason })?;
        let whole = Field::ALL.iter().map(|field| (*field, &[][..]));
        let lines = View::project(&record, whole).lines().into_iter();
        let fields =
            lines.map(|(field, value)| FieldShown { field: field.as_str().to_owned(), value });
        Ok(RecordShown {
            id: record.id().to_string(),
            version: record.version().to_string(),
            fields: fields.collect(),
            log_index: receipt.leaf_index,
        })
    }

    pub(crate) fn record_named(&self, id: &str) -> Result<Record, DeskError> {
        self.store.record_fetch(record_id(id)?)?.ok_or_else(|| {
            DeskError::not_found("there is no such record", "'symbolon record list' shows them")
        })
    }
}

fn row(record: &Record) -> RecordRow {
    let content = record.content();
    RecordRow {
        id: record.id().to_string(),
        kind: content.kind.to_string(),
        title: content.title.clone(),
        subjects: content.subjects.len(),
        identifiers: content.subjects.iter().map(|subject| subject.identifiers.len()).sum(),
        tlp: content.handling.tlp.label().to_owned(),
        evaluation: content.evaluation.to_string(),
        expires_on: content.expires_on,
    }
}

fn record_id(text: &str) -> Result<RecordId, DeskError> {
    let remedy = "'symbolon record list' shows the ids";
    text.parse().map_err(|_| DeskError::invalid("this is no id of a record", remedy))
}
