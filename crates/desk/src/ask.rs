//! A query: identifiers to partners, an answer for each pair, hits kept. Confirms nothing.
//!
//! Implements spec/matching.md#asking.
//!
//! Invariant: an identifier that a partner was not asked about is shown as not asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use symbolon_ident::{Canonical, Class, Input, Kind, MatchKey};

use crate::api::{
    IdentifierAnswer, IdentifierText, Outcome, PartnerAnswer, QueryAsk, QueryReport, Quiet, Reason,
    Report,
};
use crate::batch::{Asked, NotAsked};
use crate::desk::{Known, hex};
use crate::hit::{Found, hit_of};
use crate::limits::{BATCH_KEYS_MAX, QUERY_IDENTIFIERS_MAX, REASON_BYTES_MAX};
use crate::{Desk, DeskError, Officer};

/// What one partner said about one identifier, before it is shown.
enum Said {
    Hit { found: Found, leaf_index: u64 },
    NoHit { leaf_index: u64 },
    NotAsked(String),
}

/// All that one partner said.
struct Spoken {
    said: Vec<Option<Said>>,
    elements: u64,
}

impl Desk {
    /// Asks partners about identifiers.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, an incomplete reason, or too many identifiers. What
    /// keeps one partner from being asked stands in its answers.
    pub fn query_ask(
        &self,
        officer: &Officer,
        request: QueryAsk,
        report: &mut dyn Report,
    ) -> Result<QueryReport, DeskError> {
        let _sight = officer.sight()?;
        check_reason(&request.reason)?;
        if request.identifiers.is_empty() || request.identifiers.len() > QUERY_IDENTIFIERS_MAX {
            return Err(DeskError::invalid(
                format!("a query takes one to {QUERY_IDENTIFIERS_MAX} identifiers"),
                "split the file",
            ));
        }
        let partners = self.partners_named(&request.partners)?;
        if partners.is_empty() {
            return Err(DeskError::refused("this node has no partners", "add a partner first"));
        }
        let parsed: Vec<Result<Canonical, String>> =
            request.identifiers.iter().map(parse).collect();
        let group: [u8; 16] = self.surroundings.seed().first_chunk().copied().unwrap_or_default();
        let total = (parsed.len() * partners.len()) as u64;
        let mut spoken = Vec::new();
        let ask = |partner: &Arc<Known>| {
            self.ask_partner(officer, partner, &parsed, &request.reason, group)
        };
        // One thread a partner: each waits for its own answers.
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                partners.iter().map(|partner| scope.spawn(move || ask(partner))).collect();
            for thread in threads {
                spoken.push(thread.join().unwrap_or_else(|_| {
                    Err(DeskError::internal("asking a partner ended unexpectedly"))
                }));
                let done = (spoken.len() * parsed.len()) as u64;
                report.progress("asking partners", done, Some(total));
            }
        });
        let spoken: Vec<Spoken> = spoken.into_iter().collect::<Result<_, _>>()?;
        let mut cost = BTreeMap::new();
        for (partner, spoken) in partners.iter().zip(&spoken) {
            if spoken.elements > 0 {
                cost.insert(partner.name().to_owned(), spoken.elements);
            }
        }
        let identifiers = answers(&request.identifiers, &parsed, &partners, spoken);
        Ok(QueryReport { id: hex(&group), identifiers, cost })
    }

    fn ask_partner(
        &self,
        officer: &Officer,
        partner: &Known,
        parsed: &[Result<Canonical, String>],
        reason: &Reason,
        group: [u8; 16],
    ) -> Result<Spoken, DeskError> {
        let mut spoken = Spoken { said: parsed.iter().map(|_| None).collect(), elements: 0 };
        let mut classes: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for (index, canonical) in parsed.iter().enumerate() {
            let Ok(canonical) = canonical else { continue };
            for key in canonical.keys() {
                let indexes = classes.entry(key.class()).or_default();
                if indexes.last() != Some(&index) {
                    indexes.push(index);
                }
            }
        }
        for (class, indexes) in classes {
            self.ask_class(
                officer,
                partner,
                (class, &indexes),
                parsed,
                reason,
                group,
                &mut spoken,
            )?;
        }
        Ok(spoken)
    }

    #[expect(clippy::too_many_arguments, reason = "one loop's body, split off for its length")]
    fn ask_class(
        &self,
        officer: &Officer,
        partner: &Known,
        (class, indexes): (Class, &[usize]),
        parsed: &[Result<Canonical, String>],
        reason: &Reason,
        group: [u8; 16],
        spoken: &mut Spoken,
    ) -> Result<(), DeskError> {
        let not_asked = |spoken: &mut Spoken, indexes: &[usize], cause: &str| {
            for index in indexes {
                spoken.note(*index, Said::NotAsked(cause.to_owned()));
            }
        };
        let agreement = match self.ready(partner, class, reason) {
            Ok(agreement) => agreement,
            Err(cause) => {
                not_asked(spoken, indexes, &cause);
                return Ok(());
            }
        };
        let (card, set) = match self.tag_set_ready(partner, &agreement, class, &mut Quiet) {
            Ok(ready) => ready,
            Err(cause) => {
                not_asked(spoken, indexes, &cause);
                return Ok(());
            }
        };
        let asked =
            Asked { partner, agreement: &agreement, card: &card, set, officer, reason, group };
        let (keys, owners) = distinct_keys(class, indexes, parsed);
        for (keys, owners) in keys.chunks(BATCH_KEYS_MAX).zip(owners.chunks(BATCH_KEYS_MAX)) {
            let concerned: Vec<usize> = owners.iter().flatten().copied().collect();
            match self.batch_ask(&asked, keys) {
                Ok(answer) => {
                    spoken.elements += answer.elements;
                    let leaf_index = answer.leaf_index;
                    for index in &concerned {
                        spoken.note(*index, Said::NoHit { leaf_index });
                    }
                    for hit in &answer.hits {
                        let (Some(key), Some(owners)) =
                            (keys.get(hit.index), owners.get(hit.index))
                        else {
                            continue;
                        };
                        for index in owners {
                            let found = Found::new(key, hit, answer.query);
                            spoken.note(*index, Said::Hit { found, leaf_index });
                        }
                    }
                }
                Err(NotAsked::Cause(cause)) => not_asked(spoken, &concerned, &cause),
                Err(NotAsked::Failed(error)) => return Err(error),
            }
        }
        self.keep_hits(&asked, parsed, spoken)
    }

    /// The agreement, where it lets this node ask about `class` for this purpose now.
    pub(crate) fn ready(
        &self,
        partner: &Known,
        class: Class,
        reason: &Reason,
    ) -> Result<Arc<symbolon_trust::VerifiedAgreement>, String> {
        let agreement = partner.in_force(self.now())?;
        if agreement.terms(class).is_none() {
            return Err(format!("the agreement does not cover class {class}"));
        }
        if !agreement.permits_purpose(&reason.purpose) {
            return Err("the agreement does not name this purpose".to_owned());
        }
        Ok(Arc::clone(agreement))
    }

    fn keep_hits(
        &self,
        asked: &Asked<'_>,
        parsed: &[Result<Canonical, String>],
        spoken: &mut Spoken,
    ) -> Result<(), DeskError> {
        for (said, canonical) in spoken.said.iter_mut().zip(parsed) {
            if let (Some(Said::Hit { found, .. }), Ok(canonical)) = (said, canonical)
                && found.hit.is_none()
            {
                let record = self.store.record_lookup(&found.key)?.into_iter().next();
                let hit = hit_of(self, asked, found, canonical, record.as_ref())?;
                found.hit = Some(self.hit_keep(hit)?);
            }
        }
        Ok(())
    }
}

impl Spoken {
    /// Keeps the strongest of all that was said: a hit over anything, a stronger key over a weaker,
    /// and *not asked* over *no hit*, because part of an answer is no answer.
    fn note(&mut self, index: usize, said: Said) {
        let Some(place) = self.said.get_mut(index) else {
            return;
        };
        let is_better = match (&*place, &said) {
            (None, _) => true,
            (Some(Said::Hit { found: old, .. }), Said::Hit { found: new, .. }) => {
                new.key.strength() > old.key.strength()
            }
            (Some(Said::Hit { .. }), _) => false,
            (Some(_), Said::Hit { .. }) | (Some(Said::NoHit { .. }), Said::NotAsked(_)) => true,
            (Some(_), _) => false,
        };
        if is_better {
            *place = Some(said);
        }
    }
}

/// The distinct keys of a class, and which identifiers each belongs to.
fn distinct_keys(
    class: Class,
    indexes: &[usize],
    parsed: &[Result<Canonical, String>],
) -> (Vec<MatchKey>, Vec<Vec<usize>>) {
    let mut places: HashMap<&MatchKey, usize> = HashMap::new();
    let (mut keys, mut owners) = (Vec::new(), Vec::<Vec<usize>>::new());
    for index in indexes {
        let Some(Ok(canonical)) = parsed.get(*index) else {
            continue;
        };
        for key in canonical.keys().iter().filter(|key| key.class() == class) {
            let place = *places.entry(key).or_insert_with(|| {
                keys.push(key.clone());
                owners.push(Vec::new());
                keys.len() - 1
            });
            if let Some(owners) = owners.get_mut(place) {
                owners.push(*index);
            }
        }
    }
    (keys, owners)
}

fn answers(
    texts: &[IdentifierText],
    parsed: &[Result<Canonical, String>],
    partners: &[Arc<Known>],
    spoken: Vec<Spoken>,
) -> Vec<IdentifierAnswer> {
    let mut columns: Vec<_> = spoken.into_iter().map(|spoken| spoken.said.into_iter()).collect();
    let mut rows = Vec::with_capacity(texts.len());
    for (text, canonical) in texts.iter().zip(parsed) {
        let mut answers = Vec::with_capacity(partners.len());
        for (partner, column) in partners.iter().zip(&mut columns) {
            let said = column.next().flatten();
            if canonical.is_ok() {
                answers.push(answer(partner.name(), said));
            }
        }
        rows.push(IdentifierAnswer {
            kind: text.kind.clone(),
            class: canonical.as_ref().map(|c| c.class().to_string()).unwrap_or_default(),
            check: match canonical {
                Ok(canonical) => canonical.check().to_string(),
                Err(cause) => cause.clone(),
            },
            accepted: canonical.is_ok(),
            answers,
        });
    }
    rows
}

fn answer(partner: &str, said: Option<Said>) -> PartnerAnswer {
    let mut answer = PartnerAnswer {
        partner: partner.to_owned(),
        outcome: Outcome::NotAsked,
        cause: None,
        strength: None,
        hit: None,
        log_index: None,
    };
    match said {
        Some(Said::Hit { found, leaf_index }) => {
            answer.outcome = Outcome::Hit;
            answer.strength = Some(found.key.strength().to_string());
            answer.hit = found.hit.map(|hit| hit.to_string());
            answer.log_index = Some(leaf_index);
        }
        Some(Said::NoHit { leaf_index }) => {
            answer.outcome = Outcome::NoHit;
            answer.log_index = Some(leaf_index);
        }
        Some(Said::NotAsked(cause)) => answer.cause = Some(cause),
        None => answer.cause = Some("the identifier has no match key".to_owned()),
    }
    answer
}

fn parse(text: &IdentifierText) -> Result<Canonical, String> {
    let kind: Kind = text.kind.parse().map_err(|_| "there is no such kind".to_owned())?;
    let input =
        Input { text: &text.text, issuer: text.issuer.as_deref(), date: text.date.as_deref() };
    Canonical::parse(kind, input).map_err(|error| error.to_string())
}

/// A query without a reason is fishing.
pub(crate) fn check_reason(reason: &Reason) -> Result<(), DeskError> {
    let texts = [&reason.purpose, &reason.case, &reason.legal_basis];
    if reason.purpose.is_empty() || reason.case.is_empty() {
        return Err(DeskError::invalid(
            "a query needs a purpose and a case",
            "give --purpose and --case; both go into the committed query",
        ));
    }
    if texts.iter().any(|text| text.len() > REASON_BYTES_MAX) {
        return Err(DeskError::invalid(
            format!("purpose, case and legal basis take {REASON_BYTES_MAX} bytes each"),
            "shorten them",
        ));
    }
    Ok(())
}
