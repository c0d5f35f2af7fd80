//! The holding side's tag sets: what policy lets a partner match, under the epoch's key, published.
//!
//! Implements spec/matching.md#tag-sets.
//!
//! Invariant: a match key enters a set only under a grant of `match` for its record and partner.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{Act, Entry, EpochCardEvent};
use symbolon_ident::{Class, MatchKey, profile_id};
use symbolon_oprf::{
    Chunk, EpochSeed, KeyNames, RecordRef, Sender, SetSalt, TagSet, TagSetBuilder,
};
use symbolon_policy::{Action, Decision, PartnerContext, PolicySet, Request};
use symbolon_protocol::{EPOCH_CARD_VERSION, EpochCard, SignedEpochCard};
use symbolon_record::Record;
use symbolon_store::{SetChunk, SetKey, SetSide, Write};
use symbolon_tlog::Hash;
use symbolon_trust::{Epoch, VerifiedAgreement};

use crate::api::{Report, TagSetPublish, TagSetReport, TagSetRow};
use crate::desk::Known;
use crate::limits::{BUILD_KEYS, SCAN_RECORDS};
use crate::partner::epoch_seed_name;
use crate::{Desk, DeskError, Officer};

/// Chunks that become durable together.
const COMMIT_CHUNKS: usize = 256;
/// What is kept with a set, in bytes at most.
const ABOUT_BYTES_MAX: usize = 12 * 1024 * 1024;

/// What is kept with an own set: its card, what opens its commitments, and what it stands for.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct About {
    /// The signed epoch card.
    #[serde(with = "serde_bytes")]
    pub(crate) card: Vec<u8>,
    /// Hashes of the set root's subtrees of 256 leaves.
    pub(crate) level8: Vec<Hash>,
    /// Digest over the rows without padding: the same list again is not published again.
    #[serde(with = "serde_bytes")]
    list: [u8; 32],
}

impl About {
    pub(crate) fn decode(bytes: &[u8]) -> Result<About, DeskError> {
        symbolon_codec::decode(bytes, ABOUT_BYTES_MAX)
            .map_err(|_| DeskError::internal("what is kept with a tag set is damaged"))
    }
}

/// One class of one partner on its way to a set.
struct Work<'a> {
    names: KeyNames<'a>,
    seed: &'a EpochSeed,
    sender: Sender,
    builder: TagSetBuilder,
    keys: Vec<(MatchKey, RecordRef)>,
    tags: u64,
    kept_out: u64,
    list: ListDigest,
}

/// A digest over a list whose order does not matter: sums of hashes.
#[derive(Default, Clone, Copy)]
struct ListDigest([u64; 4]);

impl ListDigest {
    fn add(&mut self, key: &MatchKey, record: &RecordRef) {
        let row = symbolon_codec::sha256("", &[&record.id, &record.version, key.as_bytes()]);
        for (sum, part) in self.0.iter_mut().zip(row.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*part));
        }
    }

    fn finish(self, policy: &[u8; 32]) -> [u8; 32] {
        let sums: Vec<u8> = self.0.iter().flat_map(|sum| sum.to_be_bytes()).collect();
        symbolon_codec::sha256("", &[&sums, policy])
    }
}

impl Desk {
    /// Builds and publishes the tag sets for partners, each class and the current epoch.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, or from the store.
    pub fn exchange_publish(
        &self,
        _officer: &Officer,
        request: TagSetPublish,
        report: &mut dyn Report,
    ) -> Result<TagSetReport, DeskError> {
        // Two builds at once would race for one serial.
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sets = Vec::new();
        for partner in self.partners_named(&request.partners)? {
            let now = self.now();
            match partner.in_force(now) {
                Ok(agreement) => sets.extend(self.publish_to(&partner, agreement, now, report)?),
                Err(cause) if !request.partners.is_empty() => {
                    let remedy = "'symbolon partner list' shows the state of each partner";
                    return Err(DeskError::refused(cause, remedy));
                }
                Err(_) => {}
            }
        }
        Ok(TagSetReport { sets })
    }

    fn publish_to(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        now: u64,
        report: &mut dyn Report,
    ) -> Result<Vec<TagSetRow>, DeskError> {
        let epoch = agreement.epoch_at(now)?;
        let seed = self.epoch_seed(partner, agreement)?;
        let (own, asker) = (self.identity().node(), partner.node());
        let mut works = BTreeMap::new();
        for terms in &agreement.agreement().classes {
            let (holder, asker) = (own.as_bytes(), asker.as_bytes());
            let names = KeyNames { holder, asker, class: terms.class, epoch: epoch.number };
            let work = Work {
                names,
                seed: &seed,
                sender: Sender::derive(&seed, &names)?,
                builder: TagSetBuilder::new(),
                keys: Vec::new(),
                tags: 0,
                kept_out: 0,
                list: ListDigest::default(),
            };
            works.insert(terms.class, work);
        }
        self.gather(partner, agreement, &mut works, report)?;
        let mut rows = Vec::new();
        for (class, mut work) in works {
            work.evaluate(self.workers)?;
            rows.push(self.publish_set(partner, &epoch, class, work, report)?);
        }
        Ok(rows)
    }

    pub(crate) fn epoch_seed(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
    ) -> Result<EpochSeed, DeskError> {
        let name = epoch_seed_name(agreement, &partner.node());
        let bytes = self.store.setting_fetch(&name)?;
        let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        seed.map(EpochSeed::new).ok_or_else(|| DeskError::internal("an epoch seed is missing"))
    }

    /// Every match key that policy admits, evaluated on the way so that memory stays small.
    fn gather(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        works: &mut BTreeMap<Class, Work<'_>>,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let (policy, context) = (self.policy(), partner.context(agreement));
        let stage = format!("building tag sets for {}", partner.name());
        let (total, mut done, mut after) = (self.store.record_count()?, 0, None);
        loop {
            let records = self.store.record_scan(after, SCAN_RECORDS)?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            after = Some(last.id());
            done += records.len() as u64;
            for record in &records {
                self.gather_record(record, &policy, &context, works)?;
            }
            report.progress(&stage, done, Some(total));
        }
    }

    fn gather_record(
        &self,
        record: &Record,
        policy: &PolicySet,
        context: &PartnerContext<'_>,
        works: &mut BTreeMap<Class, Work<'_>>,
    ) -> Result<(), DeskError> {
        if record.is_expired(self.now()) {
            return Ok(());
        }
        let row = RecordRef { id: *record.id().as_bytes(), version: *record.version().as_bytes() };
        let mut admitted: BTreeMap<Class, bool> = BTreeMap::new();
        let identifiers = record.content().subjects.iter().flat_map(|s| &s.identifiers);
        // What cannot be canonicalised cannot be matched; import reported it.
        for canonical in identifiers.filter_map(|identifier| identifier.canonical().ok()) {
            for key in canonical.keys() {
                let Some(work) = works.get_mut(&key.class()) else {
                    continue;
                };
                let is_admitted = *admitted.entry(key.class()).or_insert_with(|| {
                    let is_admitted = self.may_match(record, policy, context, key.class());
                    work.kept_out += u64::from(!is_admitted);
                    is_admitted
                });
                if is_admitted {
                    work.list.add(key, &row);
                    work.keys.push((key.clone(), row));
                    if work.keys.len() >= BUILD_KEYS {
                        work.evaluate(self.workers)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The keys of a record that policy lets be matched with a partner.
    pub(crate) fn keys_open_to(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        record: &Record,
        class: Class,
    ) -> Vec<MatchKey> {
        let identifiers = record.content().subjects.iter().flat_map(|s| &s.identifiers);
        let canonicals = identifiers.filter_map(|identifier| identifier.canonical().ok());
        let mut keys: Vec<MatchKey> = Vec::new();
        for canonical in canonicals {
            keys.extend(canonical.keys().iter().filter(|key| key.class() == class).cloned());
        }
        let (policy, context) = (self.policy(), partner.context(agreement));
        let is_open = !keys.is_empty()
            && !record.is_expired(self.now())
            && self.may_match(record, &policy, &context, class);
        if is_open { keys } else { Vec::new() }
    }

    /// Whether any agreed purpose lets the partner match this record.
    pub(crate) fn may_match(
        &self,
        record: &Record,
        policy: &PolicySet,
        partner: &PartnerContext<'_>,
        class: Class,
    ) -> bool {
        let now = self.now();
        partner.agreement.agreement().purposes.iter().any(|purpose| {
            let class = Some(class);
            let action = Action::Match;
            let request = Request { action, partner, record, purpose, class, urgency: None, now };
            matches!(policy.decide(&request), Decision::Allow(_))
        })
    }

    fn publish_set(
        &self,
        partner: &Known,
        epoch: &Epoch,
        class: Class,
        work: Work<'_>,
        report: &mut dyn Report,
    ) -> Result<TagSetRow, DeskError> {
        let newest = self.own_set(partner, class, epoch.number)?;
        let list = work.list.finish(&self.policy().digest());
        let row = |serial, padded| TagSetRow {
            partner: partner.name().to_owned(),
            class: class.to_string(),
            epoch: epoch.number,
            serial,
            tags: work.tags,
            padded,
            records_kept_out: work.kept_out,
        };
        if let Some((set, about)) = &newest
            && about.list == list
        {
            let head = self.store.tag_set_fetch(set)?;
            return Ok(row(set.serial, head.map_or(0, |head| head.tags)));
        }
        let serial = newest.map_or(1, |(set, _)| set.serial + 1);
        let salt = SetSalt::derive(work.seed, &work.names, serial);
        let row = row(serial, 0);
        let set = work.builder.build(&salt, self.surroundings.seed(), self.workers)?;
        let card = EpochCard {
            version: EPOCH_CARD_VERSION,
            holder: self.identity().node(),
            asker: partner.node(),
            class,
            epoch: epoch.number,
            serial,
            not_before: epoch.not_before,
            not_after: epoch.not_after,
            public_key: work.sender.public_key().clone(),
            count: set.count(),
            set_root: set.set_root(),
            tags_root: set.tags_root(),
            profile: *profile_id().as_bytes(),
        };
        let signed = SignedEpochCard::sign(card, &self.identity().signing)?;
        let about = About { card: signed.encode(), level8: set.level8().to_vec(), list };
        self.keep_set(partner, &set, &signed, &about, report)?;
        Ok(TagSetRow { padded: set.count(), ..row })
    }

    fn keep_set(
        &self,
        partner: &Known,
        set: &TagSet,
        signed: &SignedEpochCard,
        about: &About,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let card = signed.card();
        let key = SetKey {
            side: SetSide::Own,
            partner: partner.node(),
            class: card.class,
            epoch: card.epoch,
            serial: card.serial,
        };
        // What a stopped build left behind is begun again.
        let begin = Write::new().tag_set_delete(key);
        self.store.commit(begin)?;
        self.store.commit(Write::new().tag_set_begin(key, Vec::new(), self.now()))?;
        let (mut first, mut waiting) = (0, Vec::with_capacity(COMMIT_CHUNKS));
        let chunks = set.chunks();
        let total = chunks.len();
        for (index, chunk) in chunks.enumerate() {
            waiting.push(SetChunk { tags: chunk.tag_bytes(), detail: chunk.encode() });
            if waiting.len() == COMMIT_CHUNKS || index + 1 == total {
                let count = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
                let chunks = std::mem::take(&mut waiting);
                self.store.commit(Write::new().tag_set_chunks(key, first, chunks))?;
                first += count;
                report.progress("storing tag sets", index as u64 + 1, Some(total as u64));
            }
        }
        let event = EpochCardEvent {
            partner: partner.node(),
            class: card.class,
            epoch: card.epoch,
            serial: card.serial,
            statement_hash: signed.digest(),
            act: Act::Made,
        };
        let mut write = Write::new()
            .tag_set_finish(key, Some(symbolon_codec::encode(about)))
            .log(Entry::epoch_card(self.who(&Officer::node()), event));
        // Hits in the serial before may still be confirmed; older ones are gone.
        for (other, _) in self.store.tag_set_list(SetSide::Own, Some(&key.partner))? {
            let is_older = other.epoch == key.epoch && other.serial + 1 < key.serial;
            if other.class == key.class && is_older {
                write = write.tag_set_delete(other);
            }
        }
        self.store.commit(write)?;
        Ok(())
    }

    /// The newest complete own set of a class and epoch.
    pub(crate) fn own_set(
        &self,
        partner: &Known,
        class: Class,
        epoch: u64,
    ) -> Result<Option<(SetKey, About)>, DeskError> {
        let newest = self.store.tag_set_newest(SetSide::Own, &partner.node(), class, epoch)?;
        let Some((set, _)) = newest else {
            return Ok(None);
        };
        match self.store.tag_set_about(&set)? {
            Some(bytes) => Ok(Some((set, About::decode(&bytes)?))),
            None => Ok(None),
        }
    }

    /// One chunk of an own set with its records and commitments.
    pub(crate) fn own_chunk(&self, set: &SetKey, number: u32) -> Result<Chunk, DeskError> {
        let detail = self.store.tag_set_detail(set, number)?;
        let detail =
            detail.ok_or_else(|| DeskError::internal("a chunk of a tag set is missing"))?;
        Chunk::decode(&detail).map_err(|_| DeskError::internal("a chunk of a tag set is damaged"))
    }
}

impl Work<'_> {
    /// Evaluates what was gathered, on all cores.
    fn evaluate(&mut self, workers: usize) -> Result<(), DeskError> {
        let inputs: Vec<&[u8]> = self.keys.iter().map(|(key, _)| key.as_bytes()).collect();
        let tags = self.sender.evaluate_tags(&inputs, workers)?;
        for (tag, (_, record)) in tags.into_iter().zip(&self.keys) {
            self.builder.add(tag, *record);
        }
        self.tags += self.keys.len() as u64;
        self.keys.clear();
        Ok(())
    }
}
