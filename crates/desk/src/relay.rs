//! The relay's side: keeps envelopes for partners that cannot reach each other, and hands them out.
//!
//! Implements spec/relay.md#keeping.
//!
//! Invariants: what was said to be taken is durable; only those whom the configuration names leave
//! and collect; nothing but the outside of an envelope is read.

use std::sync::{Mutex, OnceLock};

use symbolon_disclosure::address;
use symbolon_disclosure::limits::{CLOCK_SKEW_SECONDS_MAX, LIFETIME_SECONDS_MAX};
use symbolon_protocol::limits::{COLLECTED_ENVELOPES_MAX, PUSH_BYTES_MAX};
use symbolon_protocol::{Asked, Collect, Collected, Leaving, Left, Refusal, Reply};
use symbolon_store::{RelayParcel, RelayRoom, RelaySide, RelayUsage, StoreError, Write};
use symbolon_trust::NodeId;

use crate::asking::lock;
use crate::desk::Known;
use crate::limits::RELAY_RETRY_SECONDS;
use crate::{Desk, DeskError};

/// For whom this node is a relay, and how much it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTerms {
    /// Names of partners that may leave here, and collect; no agreement with them is needed.
    pub names: Vec<String>,
    /// Envelopes and bytes that may lie here for one of them.
    pub recipient: [u64; 2],
    /// Envelopes and bytes that one of them may leave here.
    pub sender: [u64; 2],
}

impl RelayTerms {
    const fn room(&self) -> RelayRoom {
        let [count, bytes] = self.recipient;
        let recipient = RelayUsage { count, bytes };
        let [count, bytes] = self.sender;
        RelayRoom { recipient, sender: RelayUsage { count, bytes } }
    }
}

/// What the desk keeps in memory about its work as a relay.
#[derive(Default)]
pub(crate) struct Relay {
    terms: OnceLock<RelayTerms>,
    /// Held while what lies here changes: room is counted over all of it.
    changing: Mutex<()>,
}

impl Desk {
    /// Makes this node a relay; a second call changes nothing.
    pub fn relay_for(&self, terms: RelayTerms) {
        let _ = self.relay.terms.set(terms);
    }

    /// The terms, where this partner is one of those that may use the relay.
    fn relay_terms(&self, partner: &Known) -> Result<&RelayTerms, Refusal> {
        let terms = self.relay.terms.get().ok_or(Refusal::Unknown)?;
        let is_named = terms.names.iter().any(|name| name == partner.name());
        if !partner.is_welcome() {
            return Err(Refusal::Suspended);
        }
        if is_named { Ok(terms) } else { Err(Refusal::NotForYou) }
    }

    pub(crate) fn answer_leave(&self, partner: &Known, asked: Asked<Leaving>) -> Reply {
        match self.left(partner, asked.request()) {
            Ok(left) => asked.answer(&left),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn left(&self, partner: &Known, leaving: &Leaving) -> Result<Left, Refusal> {
        let terms = self.relay_terms(partner)?;
        let now = self.now();
        let (mut envelopes, mut recipient) = (Vec::new(), None);
        for envelope in leaving.envelopes() {
            let address = address(envelope).map_err(|_| Refusal::EnvelopeRefused)?;
            let latest = now.saturating_add(LIFETIME_SECONDS_MAX + CLOCK_SKEW_SECONDS_MAX);
            let is_other = recipient.is_some_and(|recipient| recipient != address.to);
            if is_other || address.expires <= now || address.expires > latest {
                return Err(Refusal::EnvelopeRefused);
            }
            recipient = Some(address.to);
            envelopes.push((address.expires, envelope.to_vec()));
        }
        let known = recipient.and_then(|recipient| self.partner(&recipient));
        let recipient = known.ok_or(Refusal::Unknown)?;
        // Whether a recipient is suspended here is none of the sender's business.
        self.relay_terms(&recipient).map_err(|_| Refusal::Unknown)?;
        let _one_at_a_time = lock(&self.relay.changing);
        let (recipient, sender) = (recipient.node(), partner.node());
        let taken = self.relay_fits(&recipient, &sender, &envelopes, terms.room());
        let taken = taken.map_err(|error| unable(&error))?;
        if taken == 0 {
            return Err(Refusal::Busy { retry_seconds: RELAY_RETRY_SECONDS });
        }
        envelopes.truncate(taken);
        let parcel = RelayParcel { recipient, sender, left_at: now, envelopes };
        let put = self.store.commit(Write::new().relay_put(parcel, terms.room()));
        put.map_err(|error| unable(&error.into()))?;
        Ok(Left { taken: taken as u64 })
    }

    /// How many of these, from the first on, there is room for.
    fn relay_fits(
        &self,
        recipient: &NodeId,
        sender: &NodeId,
        envelopes: &[(u64, Vec<u8>)],
        room: RelayRoom,
    ) -> Result<usize, DeskError> {
        let mut held = [
            (self.store.relay_usage(RelaySide::Recipient, recipient)?, room.recipient),
            (self.store.relay_usage(RelaySide::Sender, sender)?, room.sender),
        ];
        let fits = envelopes.iter().take_while(|(_, envelope)| {
            held.iter_mut().all(|(held, room)| {
                held.count += 1;
                held.bytes += envelope.len() as u64;
                held.count <= room.count && held.bytes <= room.bytes
            })
        });
        Ok(fits.count())
    }

    pub(crate) fn answer_collect(&self, partner: &Known, asked: Asked<Collect>) -> Reply {
        match self.collected(partner, *asked.request()) {
            Ok(collected) => asked.answer(&collected),
            Err(refusal) => asked.refuse(refusal),
        }
    }

    fn collected(&self, partner: &Known, collect: Collect) -> Result<Collected, Refusal> {
        self.relay_terms(partner)?;
        let (node, after) = (partner.node(), collect.after);
        let here = |error: StoreError| unable(&error.into());
        if after > 0 {
            let _one_at_a_time = lock(&self.relay.changing);
            self.store.commit(Write::new().relay_delete_until(&node, after)).map_err(here)?;
        }
        let (bytes_max, count_max) = (PUSH_BYTES_MAX as u64, COLLECTED_ENVELOPES_MAX);
        let lying = self.store.relay_scan(&node, after, bytes_max, count_max).map_err(here)?;
        let usage = self.store.relay_usage(RelaySide::Recipient, &node).map_err(here)?;
        let more = match lying.len() as u64 {
            0 => 0,
            given => usage.count.saturating_sub(given),
        };
        let entries = lying.into_iter().map(|entry| (entry.position, entry.envelope)).collect();
        Collected::new(entries, more).map_err(|_| Refusal::Internal)
    }

    /// Envelopes that lie here.
    pub(crate) fn relayed(&self) -> Result<u64, DeskError> {
        let mut count = 0;
        for node in self.partners().keys().filter(|_| self.relay.terms.get().is_some()) {
            count += self.store.relay_usage(RelaySide::Recipient, node)?.count;
        }
        Ok(count)
    }

    /// Forgets what has expired while it lay here.
    pub(crate) fn relay_purge(&self) -> Result<(), DeskError> {
        if self.relay.terms.get().is_some() {
            let _one_at_a_time = lock(&self.relay.changing);
            self.store.relay_purge(self.now())?;
        }
        Ok(())
    }
}

/// What a partner is told where the store refused.
fn unable(error: &DeskError) -> Refusal {
    match error.fault() {
        crate::Fault::Unavailable => Refusal::Busy { retry_seconds: RELAY_RETRY_SECONDS },
        _ => Refusal::Internal,
    }
}
