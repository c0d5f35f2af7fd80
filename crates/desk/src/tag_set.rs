//! The asking side's tag sets: epoch cards verified, sets fetched whole, old ones destroyed.
//!
//! Implements spec/matching.md#tag-sets.
//!
//! Invariant: a set is searched only after its count, order and root were those of its card.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use symbolon_audit::{Act, Entry, EpochCardEvent};
use symbolon_ident::{Class, profile_id};
use symbolon_protocol::{EpochCardCheck, TagSetEvent, TagSetProgress, VerifiedEpochCard};
use symbolon_store::limits::CHUNK_TAGS;
use symbolon_store::{SetChunk, SetKey, SetSide, SetState, StoreError, Write};
use symbolon_trust::{NodeId, VerifiedAgreement};

use crate::api::Report;
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::EPOCH_CARDS_FRESH_SECONDS;
use crate::surroundings::LinkError;
use crate::{Desk, DeskError, Officer};

/// Chunks that become durable together.
const COMMIT_CHUNKS: usize = 64;
/// Bytes of a stored progress at most.
const PROGRESS_BYTES_MAX: usize = 8 * 1024;

/// The newest epoch cards of each partner, for a short time.
#[derive(Default)]
pub(crate) struct Epochs(Mutex<HashMap<NodeId, Fresh>>);

struct Fresh {
    fetched_at: u64,
    cards: Arc<Vec<VerifiedEpochCard>>,
}

impl Epochs {
    pub(crate) fn forget(&self, partner: &NodeId) {
        lock(&self.0).remove(partner);
    }
}

impl Desk {
    /// The epoch card of `class` with its tag set in the store, fetched if need be.
    ///
    /// # Errors
    /// Why the partner cannot be asked about this class.
    pub(crate) fn tag_set_ready(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        class: Class,
        report: &mut dyn Report,
    ) -> Result<(VerifiedEpochCard, SetKey), String> {
        let cards = self.epoch_cards(partner, agreement)?;
        let newest = cards.iter().filter(|card| card.card().class == class);
        let card = newest.max_by_key(|card| card.card().serial).cloned().ok_or_else(|| {
            format!("the partner has not published a tag set of class {class} for this epoch")
        })?;
        let set = self.tag_set_fetched(partner, &card, report).map_err(|Failed(cause)| cause)?;
        Ok((card, set))
    }

    fn epoch_cards(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
    ) -> Result<Arc<Vec<VerifiedEpochCard>>, String> {
        let now = self.now();
        if let Some(fresh) = lock(&self.epochs.0).get(&partner.node()) {
            let is_fresh = now < fresh.fetched_at + EPOCH_CARDS_FRESH_SECONDS;
            if is_fresh && fresh.cards.iter().all(|card| now < card.card().not_after) {
                return Ok(Arc::clone(&fresh.cards));
            }
        }
        let link = self.link().map_err(|error| error.to_string())?;
        let epochs = link.epochs(&partner.node()).map_err(|error| error.to_string())?;
        let identity = self.identity();
        let (own, profile) = (identity.node(), profile_id());
        let check = EpochCardCheck {
            holder: &partner.card,
            asker: &own,
            agreement,
            profile: profile.as_bytes(),
            now,
        };
        let mut cards = Vec::new();
        for signed in epochs.signed().map_err(|error| error.to_string())? {
            // A card of the epoch that has just ended is no reason to refuse the others.
            if signed.card().not_after > now {
                cards.push(signed.verify(&check).map_err(|error| error.to_string())?);
                self.epoch_card_keep(partner, &signed).map_err(|error| error.to_string())?;
            }
        }
        let cards = Arc::new(cards);
        let fresh = Fresh { fetched_at: now, cards: Arc::clone(&cards) };
        lock(&self.epochs.0).insert(partner.node(), fresh);
        Ok(cards)
    }

    fn tag_set_fetched(
        &self,
        partner: &Known,
        card: &VerifiedEpochCard,
        report: &mut dyn Report,
    ) -> Result<SetKey, Failed> {
        let content = card.card();
        let set = SetKey {
            side: SetSide::Received,
            partner: partner.node(),
            class: content.class,
            epoch: content.epoch,
            serial: content.serial,
        };
        let name = progress_name(&set);
        // One download of a set at a time: the turn is the partner's, as for queries.
        let turn = self.asking.turn(&partner.node());
        let _turn = lock(&turn);
        let mut progress = TagSetProgress::default();
        match self.store.tag_set_fetch(&set)? {
            Some(head) if head.state == SetState::Complete => return Ok(set),
            Some(_) => {
                if let Some(bytes) = self.store.progress_fetch(&name)? {
                    let kept = symbolon_codec::decode(&bytes, PROGRESS_BYTES_MAX);
                    progress = kept.map_err(|_| DeskError::internal("a progress is damaged"))?;
                }
            }
            None => {
                let about = symbolon_codec::encode(card.card());
                let begin = Write::new().tag_set_begin(set, about, self.now());
                let empty = symbolon_codec::encode(&progress);
                self.store.commit(begin.progress(&name, &empty))?;
            }
        }
        let mut arrival =
            Arrival { desk: self, set, name, next: None, waiting: Vec::new(), done: false };
        let total = Some(content.count);
        let link = Arc::clone(self.link()?);
        link.tag_set(&partner.node(), card, &progress, &mut |events, progress| {
            let tags = arrival.take(events, progress)?;
            report.progress("fetching the tag set", tags, total);
            Ok(())
        })?;
        if !arrival.done {
            return Err(LinkError::Broken("the tag set ended early".to_owned()).into());
        }
        self.tag_set_finished(partner, card, set)?;
        Ok(set)
    }

    fn tag_set_finished(
        &self,
        partner: &Known,
        card: &VerifiedEpochCard,
        set: SetKey,
    ) -> Result<(), DeskError> {
        let event = EpochCardEvent {
            partner: partner.node(),
            class: set.class,
            epoch: set.epoch,
            serial: set.serial,
            statement_hash: card.digest(),
            act: Act::Received,
        };
        let entry = Entry::epoch_card(self.who(&Officer::node()), event);
        let mut write =
            Write::new().tag_set_finish(set, None).progress_delete(&progress_name(&set)).log(entry);
        // A newer serial holds all that an older one did.
        for (other, _) in self.store.tag_set_list(SetSide::Received, Some(&set.partner))? {
            if other.class == set.class && (other.epoch, other.serial) < (set.epoch, set.serial) {
                write = write.tag_set_delete(other);
            }
        }
        self.store.commit(write)?;
        Ok(())
    }

    /// Destroys tag sets whose epoch is over, on both sides.
    pub(crate) fn tag_sets_prune(&self) -> Result<(), DeskError> {
        let now = self.now();
        for side in [SetSide::Own, SetSide::Received] {
            for (set, _) in self.store.tag_set_list(side, None)? {
                let known = self.partner(&set.partner);
                let agreement = known.as_ref().and_then(|known| known.agreement.as_ref());
                let current = agreement.and_then(|agreement| agreement.epoch_at(now).ok());
                // The last epoch's own set still answers confirms of hits found in it.
                let room = u64::from(side == SetSide::Own);
                if current.is_none_or(|epoch| set.epoch + room < epoch.number) {
                    let event = EpochCardEvent {
                        partner: set.partner,
                        class: set.class,
                        epoch: set.epoch,
                        serial: set.serial,
                        statement_hash: [0; 32],
                        act: Act::Destroyed,
                    };
                    let entry = Entry::epoch_card(self.who(&Officer::node()), event);
                    self.store.commit(Write::new().tag_set_delete(set).log(entry))?;
                }
            }
        }
        Ok(())
    }
}

/// Chunks on their way into the store.
struct Arrival<'a> {
    desk: &'a Desk,
    set: SetKey,
    name: String,
    /// Number of the first chunk that waits.
    next: Option<u32>,
    waiting: Vec<SetChunk>,
    done: bool,
}

impl Arrival<'_> {
    /// Takes events in their order; gives how many tags are there.
    fn take(
        &mut self,
        events: Vec<TagSetEvent>,
        progress: Option<&TagSetProgress>,
    ) -> Result<u64, LinkError> {
        let mut tags_there = 0;
        for event in events {
            match event {
                TagSetEvent::Chunk { number, tags } => {
                    tags_there = (number + 1) * CHUNK_TAGS as u64;
                    let number = u32::try_from(number).unwrap_or(u32::MAX);
                    let tags: Vec<u8> = tags.iter().flat_map(|tag| *tag.as_bytes()).collect();
                    self.next.get_or_insert(number);
                    self.waiting.push(SetChunk { tags, detail: Vec::new() });
                }
                TagSetEvent::Done(received) => {
                    tags_there = received.count();
                    self.done = true;
                }
            }
        }
        if self.done || self.waiting.len() >= COMMIT_CHUNKS {
            self.commit(progress).map_err(|error| LinkError::Here(error.to_string()))?;
        }
        Ok(tags_there)
    }

    fn commit(&mut self, progress: Option<&TagSetProgress>) -> Result<(), DeskError> {
        if let Some(first) = self.next.take() {
            let chunks = std::mem::take(&mut self.waiting);
            let mut write = Write::new().tag_set_chunks(self.set, first, chunks);
            if let Some(progress) = progress {
                write = write.progress(&self.name, &symbolon_codec::encode(progress));
            }
            self.desk.store.commit(write)?;
        }
        Ok(())
    }
}

/// Why a set is not there: all that a caller wants is the line to show.
struct Failed(String);

impl From<LinkError> for Failed {
    fn from(error: LinkError) -> Failed {
        Failed(error.to_string())
    }
}

impl From<DeskError> for Failed {
    fn from(error: DeskError) -> Failed {
        Failed(error.to_string())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        DeskError::from(error).into()
    }
}

fn progress_name(set: &SetKey) -> String {
    let partner: String =
        set.partner.as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("tag-set/{partner}/{}/{}/{}", set.class, set.epoch, set.serial)
}
