//! The queries that led to a matter: where they stand in the log, and on demand what they asked.
//! Shows none that also asked about others.
//!
//! Implements spec/evidence.md#making.

use std::collections::BTreeSet;

use symbolon_audit::Event;
use symbolon_store::Hit;
use symbolon_verify::{Draft, LeftOut};

use crate::api::EvidenceBuild;
use crate::{Desk, DeskError};

impl Desk {
    /// The queries that found the hits, if they were asked in the same case.
    pub(super) fn evidence_queries(
        &self,
        hits: &[Hit],
        request: &EvidenceBuild,
        indexes: &mut BTreeSet<u64>,
        draft: &mut Draft,
    ) -> Result<(), DeskError> {
        let (mut elsewhere, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for hit in hits.iter().filter(|hit| hit.confirm_hash.is_some()) {
            let Some(id) = hit.query else { continue };
            let query = self.store.query_fetch(id)?;
            let Some(query) = query.filter(|query| !query.private.is_empty()) else {
                gone.insert(id);
                continue;
            };
            if query.case != hit.case {
                elsewhere.insert(id);
                continue;
            }
            let place = query.leaf_index;
            let logged = place.map(|place| self.store.log_entry_fetch(place)).transpose()?;
            let (Some(place), Some(Some(logged))) = (place, logged) else {
                gone.insert(id);
                continue;
            };
            if !matches!(logged.entry().event(), Event::Query(_)) {
                return Err(DeskError::internal("a query's leaf is of something else"));
            }
            indexes.insert(place);
            if !request.query_contents {
                continue;
            }
            if self.is_about_one(&query.private, hit)? {
                draft.private(place, query.private.clone());
            } else {
                let why = "other_identifiers";
                draft.because(LeftOut::new("query_contents", why, place.to_string()));
            }
        }
        for (ids, why) in [(elsewhere, "other_case"), (gone, "not_kept")] {
            if !ids.is_empty() {
                draft.left_out(LeftOut::new("query", why, ids.len().to_string()));
            }
        }
        Ok(())
    }

    /// Whether a query asked about the identifier of the hit and no other: by the record's own
    /// keys, or, where an officer typed it, because all of its keys have one kind and value.
    fn is_about_one(&self, private: &[u8], hit: &Hit) -> Result<bool, DeskError> {
        let private = symbolon_audit::QueryPrivate::decode(private)?;
        let record = hit.record.map(|id| self.store.record_fetch(id)).transpose()?.flatten();
        if let Some(record) = record {
            let subject = record.content().subjects.get(usize::from(hit.subject));
            let identifiers = subject.into_iter().flat_map(|subject| &subject.identifiers);
            for canonical in identifiers.filter_map(|identifier| identifier.canonical().ok()) {
                let is_its = |key: &serde_bytes::ByteBuf| {
                    canonical.keys().iter().any(|own| own.as_bytes() == key.as_slice())
                };
                if canonical.kind() == hit.kind && private.identifiers.iter().all(is_its) {
                    return Ok(true);
                }
            }
        }
        let keys = private.identifiers.iter().map(|key| symbolon_ident::KeyParts::decode(key));
        let mut names = BTreeSet::new();
        for key in keys {
            let Ok(key) = key else { return Ok(false) };
            let Some(value) = key.expose_value() else { return Ok(false) };
            names.insert((key.kind(), value.to_owned()));
        }
        Ok(names.len() == 1)
    }
}
