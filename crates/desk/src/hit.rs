//! Hits: how they are kept, listed and shown. Confirming stands in `confirm.rs`.
//!
//! Implements spec/matching.md#hits.
//!
//! Invariant: the same identifier of the same record, met again in the same epoch, is the same hit.

use std::collections::BTreeMap;

use symbolon_codec::{Framed, sha256};
use symbolon_disclosure::{Kept, Payload};
use symbolon_ident::{Canonical, Class, Kind, MatchKey, Strength};
use symbolon_oprf::Hit as Met;
use symbolon_record::{Comparison, RecordId};
use symbolon_store::{Hit, HitId, HitState, IndexHit, QueryId, Write};
use symbolon_trust::NodeId;

use crate::api::{
    ComparedShown, FieldShown, HitList, HitPage, HitRow, HitShow, HitShown, ReleasedShown, Report,
};
use crate::batch::Asked;
use crate::limits::PAGE_ROWS_MAX;
use crate::read::{Shown, reason_bounded};
use crate::{Desk, DeskError, Officer};

/// Hits read from the store at once.
const SCAN_HITS: usize = 5_000;

/// A key that met, before it is kept as a hit.
pub(crate) struct Found {
    pub(crate) key: MatchKey,
    pub(crate) met: Met,
    pub(crate) query: QueryId,
    /// Its name, once it is kept.
    pub(crate) hit: Option<HitId>,
}

impl Found {
    pub(crate) fn new(key: &MatchKey, met: &Met, query: QueryId) -> Found {
        Found { key: key.clone(), met: met.clone(), query, hit: None }
    }
}

/// The hit that a met key makes for an identifier, which may come from an own record.
pub(crate) fn hit_of(
    desk: &Desk,
    asked: &Asked<'_>,
    found: &Found,
    canonical: &Canonical,
    record: Option<&IndexHit>,
) -> Result<Hit, DeskError> {
    let content = asked.card.card();
    // The name follows from what was met, so that meeting it again makes no second hit.
    let name = Framed::new()
        .part(asked.partner.node().as_bytes())
        .part([content.class.code()])
        .part(content.epoch.to_be_bytes())
        .part(record.map_or(&[][..], |record| record.record.as_bytes()))
        .part(canonical.kind().as_str())
        .part(canonical.expose());
    let seed = sha256("symbolon/1 hit", &[name.as_bytes(), &desk.hit_secret()?]);
    let place = desk.store.tag_set_find(&asked.set, &[found.met.tag])?;
    let place = place.first().copied().flatten();
    let tag_index = place.map_or(0, |place| {
        u64::from(place.chunk) * symbolon_store::limits::CHUNK_TAGS as u64 + place.position as u64
    });
    let now = desk.now();
    Ok(Hit {
        id: HitId::generate(content.not_before * 1000, seed),
        partner: asked.partner.node(),
        class: content.class,
        epoch: content.epoch,
        serial: content.serial,
        query: Some(found.query),
        record: record.map(|record| record.record),
        subject: record.map_or(0, |record| record.subject),
        kind: canonical.kind(),
        form: found.key.form(),
        strength: found.key.strength(),
        tag: found.met.tag,
        tag_index,
        confirm: found.met.confirm.clone(),
        state: HitState::Found,
        found_at: now,
        changed_at: now,
        case: asked.reason.case.clone(),
        purpose: asked.reason.purpose.clone(),
        confirm_hash: None,
        answer_hash: None,
    })
}

impl Desk {
    /// Keeps the names of hits from being guessed by who knows the identifier.
    fn hit_secret(&self) -> Result<[u8; 32], DeskError> {
        const NAME: &str = "hit/secret";
        if let Some(secret) = self.store.setting_fetch(NAME)? {
            let secret = secret.as_slice().try_into();
            return secret.map_err(|_| DeskError::internal("the hit secret is damaged"));
        }
        let secret = self.surroundings.seed();
        match self.store.commit(Write::new().setting_new(NAME, &secret)) {
            Ok(_) => Ok(secret),
            // Another thread was first: its secret counts.
            Err(symbolon_store::StoreError::Conflict) => self.hit_secret(),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a hit unless the same is known; a stronger key replaces a weaker one that nobody has
    /// confirmed yet.
    pub(crate) fn hit_keep(&self, hit: Hit) -> Result<HitId, DeskError> {
        if let Some(known) = self.store.hit_fetch(hit.id)? {
            let is_better = hit.strength > known.strength || hit.serial > known.serial;
            if known.state != HitState::Found || !is_better {
                return Ok(known.id);
            }
        }
        self.store.commit(Write::new().hit(&hit))?;
        Ok(hit.id)
    }

    /// A page of hits; that it was shown is logged.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, state or id.
    pub fn hit_list(
        &self,
        officer: &Officer,
        request: HitList,
        _report: &mut dyn Report,
    ) -> Result<HitPage, DeskError> {
        let sight = officer.sight()?;
        let partner = request.partner.as_deref().map(|name| self.partner_named(name));
        let partner = partner.transpose()?.map(|partner| partner.node());
        let strength = request.strength.as_deref().map(str::parse::<Strength>).transpose()?;
        if request.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
            let remedy = format!("the states are {}", STATES.join(", "));
            return Err(DeskError::invalid("there is no such state of a hit", remedy));
        }
        let after = request.after.as_deref().map(hit_id).transpose()?;
        let limit = request.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX) as usize;
        let all = self.hits()?;
        let support = Support::new(&all);
        let wanted = |hit: &&Hit| {
            partner.is_none_or(|partner| hit.partner == partner)
                && request.state.as_deref().is_none_or(|state| state == state_name(hit.state))
                && strength.is_none_or(|strength| hit.strength >= strength)
                && after.is_none_or(|after| hit.id > after)
        };
        let mut hits = all.iter().filter(wanted);
        let page: Vec<HitRow> =
            hits.by_ref().take(limit).map(|hit| self.hit_row(hit, &support)).collect();
        let next = hits.next().and_then(|_| page.last().map(|last| last.id.clone()));
        let (object, id, count) = ("hits", String::new(), page.len());
        self.note_shown(&sight, Shown { object, id, count, reason: "" })?;
        Ok(HitPage { hits: page, next })
    }

    /// A hit and what was released; that it was shown is logged, under the hit's case where no
    /// other reason is given.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id, or a reason that is too long.
    pub fn hit_show(
        &self,
        officer: &Officer,
        request: HitShow,
        _report: &mut dyn Report,
    ) -> Result<HitShown, DeskError> {
        let sight = officer.sight()?;
        let given = reason_bounded(&request.reason)?;
        let hit = self.hit_named(&request.id)?;
        let released = self.released(&hit)?;
        let (object, count) = match released.len() {
            0 => ("hit", 1),
            count => ("released", count),
        };
        let reason = if given.is_empty() { hit.case.as_str() } else { given };
        self.note_shown(&sight, Shown { object, id: hit.id.to_string(), count, reason })?;
        Ok(HitShown { hit: self.hit_row(&hit, &Support::new(&self.hits()?)), released })
    }

    pub(crate) fn hit_named(&self, id: &str) -> Result<Hit, DeskError> {
        self.store.hit_fetch(hit_id(id)?)?.ok_or_else(|| {
            DeskError::not_found("there is no such hit", "'symbolon hit list' shows them")
        })
    }

    pub(crate) fn hits(&self) -> Result<Vec<Hit>, DeskError> {
        let (mut hits, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.hit_list(after, SCAN_HITS)?;
            let Some(last) = page.last() else {
                return Ok(hits);
            };
            after = Some(last.id);
            hits.extend(page);
        }
    }

    pub(crate) fn hit_row(&self, hit: &Hit, support: &Support) -> HitRow {
        let partner = self.partner(&hit.partner);
        HitRow {
            id: hit.id.to_string(),
            partner: partner.map_or(hit.partner.to_string(), |known| known.name().to_owned()),
            kind: hit.kind.to_string(),
            strength: hit.strength.to_string(),
            form: hit.form.to_string(),
            state: state_name(hit.state).to_owned(),
            record: hit.record.map(|record| record.to_string()),
            needs_support: hit.strength == Strength::Weak && !support.is_supported(hit),
            found_at: hit.found_at,
            case: hit.case.clone(),
        }
    }

    /// What the partner released for a hit, as the kept evidence says it.
    pub(crate) fn released(&self, hit: &Hit) -> Result<Vec<ReleasedShown>, DeskError> {
        let Some(hash) = &hit.answer_hash else {
            return Ok(Vec::new());
        };
        let Some(evidence) = self.store.evidence_fetch(hash)? else {
            return Ok(Vec::new());
        };
        let kept = Kept::decode(&evidence.signed)?;
        let Payload::Disclosure(disclosed) = kept.payload() else {
            return Ok(Vec::new());
        };
        let lines = disclosed.view.lines().into_iter();
        let fields =
            lines.map(|(field, value)| FieldShown { field: field.as_str().to_owned(), value });
        let own = hit.record.map(|id| self.store.record_fetch(id)).transpose()?.flatten();
        let comparison = own.and_then(|own| {
            Comparison::new(own.content(), usize::from(hit.subject), &disclosed.view)
        });
        let compared = comparison.iter().flat_map(Comparison::findings).map(|finding| {
            let (field, standing) =
                (finding.field.to_owned(), finding.standing.as_str().to_owned());
            ComparedShown { field, standing, words: finding.words.clone() }
        });
        Ok(vec![ReleasedShown {
            compared: compared.collect(),
            statement: crate::desk::hex(hash),
            created: kept.created(),
            expires: kept.expires(),
            fields: fields.collect(),
        }])
    }
}

/// Which records have more than one thing in common with a partner.
pub(crate) struct Support(BTreeMap<(NodeId, RecordId), Vec<Kind>>);

impl Support {
    pub(crate) fn new(hits: &[Hit]) -> Support {
        let mut map: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for hit in hits {
            if let Some(record) = hit.record {
                map.entry((hit.partner, record)).or_default().push(hit.kind);
            }
        }
        Support(map)
    }

    /// A weak key is supported by a hit on another kind of identifier of the same record. A second
    /// name says little more than the first, so a name never supports a name of the same class.
    fn is_supported(&self, hit: &Hit) -> bool {
        let Some(record) = hit.record else {
            return false;
        };
        let others = self.0.get(&(hit.partner, record));
        let is_name = matches!(hit.kind.class(), Class::Person | Class::Organisation);
        let supports =
            |kind: &Kind| *kind != hit.kind && !(is_name && kind.class() == hit.kind.class());
        others.is_some_and(|others| others.iter().any(supports))
    }
}

/// Every name that [`state_name`] gives.
const STATES: [&str; 6] = ["found", "confirmed", "released", "refused", "nothing", "dismissed"];

pub(crate) fn state_name(state: HitState) -> &'static str {
    match state {
        HitState::Found => "found",
        HitState::Confirmed => "confirmed",
        HitState::Released => "released",
        HitState::Refused => "refused",
        HitState::Neutral => "nothing",
        HitState::Dismissed => "dismissed",
    }
}

fn hit_id(text: &str) -> Result<HitId, DeskError> {
    let remedy = "'symbolon hit list' shows the ids";
    text.parse().map_err(|_| DeskError::invalid("this is no id of a hit", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ident::{Class, KeyForm};
    use symbolon_oprf::{ConfirmCode, Tag};

    fn hit(kind: Kind, record: u8) -> Hit {
        Hit {
            id: HitId::generate(0, [kind.code(); 32]),
            partner: NodeId::from_bytes([1; 32]),
            class: Class::Person,
            epoch: 1,
            serial: 1,
            query: None,
            record: Some(RecordId::generate(0, [record; 32])),
            subject: 0,
            kind,
            form: KeyForm::Tokens,
            strength: Strength::Weak,
            tag: Tag::from_bytes([0; 16]),
            tag_index: 0,
            confirm: ConfirmCode::from_bytes([0; 32]),
            state: HitState::Found,
            found_at: 0,
            changed_at: 0,
            case: String::new(),
            purpose: String::new(),
            confirm_hash: None,
            answer_hash: None,
        }
    }

    #[test]
    fn a_name_never_supports_a_name() {
        let name = hit(Kind::PersonName, 1);
        let alone = [name.clone(), hit(Kind::PersonNameBirthDate, 1), hit(Kind::Passport, 2)];
        assert!(!Support::new(&alone).is_supported(&name));
        let with_passport = [name.clone(), hit(Kind::Passport, 1)];
        assert!(Support::new(&with_passport).is_supported(&name));
        let passport = hit(Kind::Passport, 1);
        assert!(Support::new(&with_passport).is_supported(&passport));
        let papers = [passport.clone(), hit(Kind::NationalId, 1)];
        assert!(Support::new(&papers).is_supported(&passport), "two papers are two fields");
        let mut typed = hit(Kind::PersonName, 1);
        typed.record = None;
        assert!(!Support::new(&with_passport).is_supported(&typed));
    }
}
