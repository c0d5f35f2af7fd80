//! Screening: which own records an alert that came in meets, at once.
//!
//! Implements spec/alerts.md#screening.
//!
//! Invariants: a weak key alone never rings; a drill is never held against live records.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_ident::{Class, Kind, Strength};
use symbolon_record::{Comparison, Exercise, RecordId, View};
use symbolon_store::Rings;
use symbolon_trust::Mode;

use crate::api::{ComparedShown, MatchShown};
use crate::limits::MATCHES_MAX;
use crate::{Desk, DeskError};

/// What an alert meets here.
#[derive(Default)]
pub(super) struct Met {
    pub(super) records: Vec<RecordId>,
    pub(super) rings: bool,
}

impl Met {
    pub(super) fn rings(&self) -> Rings {
        if self.rings { Rings::Rings } else { Rings::Silent }
    }
}

impl Desk {
    /// The own records that share an identifier with `view`, the strongest first.
    pub(super) fn screened(&self, view: &View, mode: Mode) -> Result<Met, DeskError> {
        if mode == Mode::Exercise {
            return Ok(Met::default());
        }
        let mut met: BTreeMap<RecordId, BTreeMap<Kind, Strength>> = BTreeMap::new();
        let identifiers = view.subjects.iter().flat_map(|subject| &subject.identifiers);
        for canonical in identifiers.filter_map(|identifier| identifier.canonical().ok()) {
            for key in canonical.keys() {
                for hit in self.store.record_lookup(key)? {
                    let strongest = met.entry(hit.record).or_default().entry(canonical.kind());
                    let strongest = strongest.or_insert(hit.strength);
                    *strongest = (*strongest).max(hit.strength);
                }
            }
        }
        let mut found: Vec<(bool, RecordId)> = Vec::new();
        for (id, kinds) in met {
            let Some(record) = self.store.record_fetch(id)? else { continue };
            if record.content().exercise == Exercise::Live && !record.is_expired(self.now()) {
                found.push((rings(&kinds), id));
            }
        }
        found.sort_by_key(|(rings, id)| (!rings, *id));
        found.truncate(MATCHES_MAX);
        let rings = found.first().is_some_and(|(rings, _)| *rings);
        Ok(Met { records: found.into_iter().map(|(_, id)| id).collect(), rings })
    }

    /// The own records that an alert meets, each beside it field by field.
    pub(super) fn matches_shown(
        &self,
        records: &[RecordId],
        view: &View,
    ) -> Result<Vec<MatchShown>, DeskError> {
        let mut shown = Vec::new();
        for id in records {
            let Some(record) = self.store.record_fetch(*id)? else { continue };
            let subjects = 0..record.content().subjects.len();
            let compared = subjects.filter_map(|n| Comparison::new(record.content(), n, view));
            let best = compared.max_by_key(Comparison::agreeing);
            let compared = best.iter().flat_map(Comparison::findings).map(|finding| {
                let (field, standing) = (finding.field, finding.standing.as_str());
                ComparedShown {
                    field: field.to_owned(),
                    standing: standing.to_owned(),
                    words: finding.words.clone(),
                }
            });
            shown.push(MatchShown { record: id.to_string(), compared: compared.collect() });
        }
        Ok(shown)
    }
}

/// Whether what a record has in common is enough to call somebody: one key that is not weak, or
/// two kinds of identifier of which not both are names.
fn rings(kinds: &BTreeMap<Kind, Strength>) -> bool {
    let strong = kinds.values().any(|strength| *strength > Strength::Weak);
    let is_name = |kind: &Kind| matches!(kind.class(), Class::Person | Class::Organisation);
    // All names count as one.
    let apart: BTreeSet<Option<Kind>> =
        kinds.keys().map(|kind| Some(*kind).filter(|kind| !is_name(kind))).collect();
    strong || apart.len() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_key_alone_never_rings() {
        let of = |list: &[(Kind, Strength)]| list.iter().copied().collect::<BTreeMap<_, _>>();
        assert!(!rings(&of(&[(Kind::PersonName, Strength::Weak)])));
        let names = [(Kind::PersonName, Strength::Weak), (Kind::OrganisationName, Strength::Weak)];
        assert!(!rings(&of(&names)), "names never support names");
        let two = [(Kind::PersonName, Strength::Weak), (Kind::Phone, Strength::Weak)];
        assert!(rings(&of(&two)));
        assert!(rings(&of(&[(Kind::Passport, Strength::Medium)])));
    }
}
