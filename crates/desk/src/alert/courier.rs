//! Courier files: everything that waits for a partner in one file, and back out of it.
//!
//! Implements spec/relay.md#courier.
//!
//! Invariants: a file holds statements and acknowledgements of one sender, one recipient and one
//! mode, and a manifest names each of them; nothing counts as gone because a file holds it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use base64ct::{Base64, Encoding};
use symbolon_audit::Entry;
use symbolon_codec::sha256;
use symbolon_disclosure::limits::LIFETIME_SECONDS_MAX;
use symbolon_disclosure::{
    AckItem, Manifest, Opened, Payload, Recipient, Terms, open, seal_manifest,
};
use symbolon_protocol::Disclose;
use symbolon_store::{Line, StreamSide, Write};
use symbolon_trust::{Mode, NodeId};

use super::carry::{Batch, Hold, Room};
use crate::api::{
    CourierBegin, CourierBegun, CourierClosed, CourierName, CourierOpen, CourierOpened,
    CourierPiece, CourierTake, CourierTaken, Report,
};
use crate::asking::lock;
use crate::desk::{Known, hex};
use crate::limits::{
    COURIER_ACKNOWLEDGEMENTS_MAX, COURIER_ENVELOPES_MAX, COURIER_IDLE_SECONDS, COURIER_PARCELS_MAX,
    COURIER_REPEAT_SECONDS, PUSH_BYTES_MAX, PUSH_STATEMENTS_MAX,
};
use crate::{Desk, DeskError, Officer};

/// Statements of one file.
const STATEMENTS_MAX: u64 = (COURIER_ENVELOPES_MAX - COURIER_ACKNOWLEDGEMENTS_MAX) as u64;

/// Files under way, written and read.
#[derive(Default)]
pub(super) struct Couriers {
    writing: Mutex<HashMap<[u8; 16], Writing>>,
    reading: Mutex<HashMap<[u8; 16], Reading>>,
}

/// A file that is being written.
struct Writing {
    partner: NodeId,
    mode: Mode,
    first: u64,
    /// Place of the next statement to be given out, and the place behind the last one.
    next: u64,
    end: u64,
    acknowledgements: VecDeque<Disclose>,
    hashes: Vec<[u8; 32]>,
    touched_at: u64,
}

/// A file that is being read.
#[derive(Clone)]
struct Reading {
    partner: NodeId,
    mode: Mode,
    hashes: Vec<[u8; 32]>,
    touched_at: u64,
}

impl Desk {
    /// Begins a file with everything that waits for a partner: seals what is not sealed yet.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown or suspended partner.
    pub fn courier_begin(
        &self,
        officer: &Officer,
        request: CourierBegin,
        report: &mut dyn Report,
    ) -> Result<CourierBegun, DeskError> {
        let _sight = officer.sight()?;
        let partner = self.courier_partner(&request.partner)?;
        let mode = if request.exercise { Mode::Exercise } else { Mode::Live };
        let node = partner.node();
        let turn = self.alerts.sending.of(&node);
        let _one_at_a_time = lock(&turn);
        let acknowledgements = self.courier_seal(&partner, mode, report)?;
        let first = self.store.stream_next(StreamSide::Settled, &node, mode)?;
        let out = self.store.stream_next(StreamSide::Out, &node, mode)?.max(first);
        let end = out.min(first + STATEMENTS_MAX);
        let now = self.now();
        let made = Writing {
            partner: node,
            mode,
            first,
            next: first,
            end,
            acknowledgements,
            hashes: Vec::new(),
            touched_at: now,
        };
        let parcel = self.surroundings.seed().first_chunk().copied().unwrap_or_default();
        let mut writing = lock(&self.alerts.couriers.writing);
        writing.retain(|_, one| one.touched_at + COURIER_IDLE_SECONDS > now);
        under_way_bounded(writing.len())?;
        writing.insert(parcel, made);
        let more = end < out || self.store.outbox_count(&node)? > STATEMENTS_MAX;
        Ok(CourierBegun { parcel: hex(&parcel), statements: end - first, more })
    }

    /// The next envelopes of a file.
    ///
    /// # Errors
    /// [`DeskError`] for a file that is not under way.
    pub fn courier_piece(
        &self,
        officer: &Officer,
        request: CourierName,
        _report: &mut dyn Report,
    ) -> Result<CourierPiece, DeskError> {
        let _sight = officer.sight()?;
        let parcel = parcel_named(&request.parcel)?;
        let mut writing = lock(&self.alerts.couriers.writing);
        let made = writing.get_mut(&parcel).ok_or_else(not_under_way)?;
        made.touched_at = self.now();
        let partner = self.partner(&made.partner).filter(|partner| partner.is_welcome());
        let partner = partner.ok_or_else(not_under_way)?;
        let turn = self.alerts.sending.of(&made.partner);
        let _one_at_a_time = lock(&turn);
        let (node, mode) = (made.partner, made.mode);
        let mut batch = Batch::new(PUSH_BYTES_MAX);
        let limit = usize::try_from(made.end - made.next).unwrap_or(usize::MAX);
        let limit = limit.min(PUSH_STATEMENTS_MAX);
        let rows = match limit {
            0 => Vec::new(),
            limit => self.store.sent_scan(&node, mode, made.next - 1, limit)?,
        };
        let mut is_full = false;
        for (sequence, sent) in rows {
            let envelope = self.again(&partner, mode, sequence, sent)?;
            is_full = batch.add(envelope, Hold::Placed(mode, sequence)) == Room::Full;
            if is_full {
                break;
            }
            made.next = sequence + 1;
        }
        if made.next < made.end && batch.envelopes.is_empty() {
            return Err(DeskError::internal("a statement under way is gone"));
        }
        while !is_full && made.next >= made.end {
            let Some(envelope) = made.acknowledgements.pop_front() else { break };
            // One that does not fit is the first of the next piece.
            if batch.has_room_for(&envelope) {
                batch.add(envelope, Hold::Unplaced(mode, Vec::new()));
            } else {
                made.acknowledgements.push_front(envelope);
                is_full = true;
            }
        }
        let bytes = batch.envelopes.iter().map(Disclose::as_bytes);
        made.hashes.extend(bytes.clone().map(|one| sha256("", &[one])));
        Ok(CourierPiece { envelopes: bytes.map(Base64::encode_string).collect() })
    }

    /// Ends a file that is written: seals its manifest.
    ///
    /// # Errors
    /// [`DeskError`] for a file that is not under way, or of which pieces are left.
    pub fn courier_close(
        &self,
        officer: &Officer,
        request: CourierName,
        _report: &mut dyn Report,
    ) -> Result<CourierClosed, DeskError> {
        let _sight = officer.sight()?;
        let parcel = parcel_named(&request.parcel)?;
        let mut writing = lock(&self.alerts.couriers.writing);
        let made = writing.get(&parcel).ok_or_else(not_under_way)?;
        if made.next < made.end || !made.acknowledgements.is_empty() {
            return Err(DeskError::refused("pieces of the file are left", "take them first"));
        }
        let partner = self.partner(&made.partner).ok_or_else(not_under_way)?;
        let (first, next, mode) = (made.first, made.next, made.mode);
        let manifest = Manifest { parcel, first, next, envelopes: made.hashes.clone() };
        let envelopes = manifest.envelopes.len() as u64;
        let (now, identity) = (self.now(), self.identity());
        let to = Recipient::new(&partner.card, now, mode)?;
        let expires = now + LIFETIME_SECONDS_MAX;
        let terms = Terms { created: now, expires, in_reply_to: None };
        let (author, seed) = (identity.author(), self.surroundings.seed());
        let sealed = seal_manifest(manifest, &to, &author, &terms, seed)?;
        let receipt =
            self.logged(Write::new().log(Entry::disclosed(self.who(officer), &sealed)))?;
        let manifest = Base64::encode_string(Disclose::new(sealed, receipt)?.as_bytes());
        writing.remove(&parcel);
        Ok(CourierClosed { manifest, envelopes, first, next, expires })
    }

    /// Begins to read a file: nothing is taken before its manifest was opened and verified.
    ///
    /// # Errors
    /// [`DeskError`] for a file that is not for this node, not from a partner, damaged or too old.
    pub fn courier_open(
        &self,
        officer: &Officer,
        request: CourierOpen,
        _report: &mut dyn Report,
    ) -> Result<CourierOpened, DeskError> {
        let _sight = officer.sight()?;
        let (opened, partner) = self.courier_opened(&decoded(&request.manifest)?)?;
        let Payload::Manifest(manifest) = opened.payload() else {
            let remedy = "take the file as 'symbolon courier write' made it";
            return Err(DeskError::invalid("the file does not begin with a manifest", remedy));
        };
        let (now, mode, node) = (self.now(), opened.mode(), partner.node());
        let hashes = manifest.envelopes.clone();
        self.logged(Write::new().log(Entry::received(self.who(officer), &opened)))?;
        let begun = Reading { partner: node, mode, hashes, touched_at: now };
        let mut reading = lock(&self.alerts.couriers.reading);
        reading.retain(|_, one| one.touched_at + COURIER_IDLE_SECONDS > now);
        if !reading.contains_key(&manifest.parcel) {
            under_way_bounded(reading.len())?;
        }
        reading.insert(manifest.parcel, begun);
        Ok(CourierOpened {
            parcel: hex(&manifest.parcel),
            partner: partner.name().to_owned(),
            exercise: mode == Mode::Exercise,
            created: opened.created(),
            envelopes: manifest.envelopes.len() as u64,
            first: manifest.first,
            next: manifest.next,
            awaited: self.store.stream_next(StreamSide::In, &node, mode)?,
        })
    }

    /// Takes envelopes of a file, as far as they are those that its manifest names.
    ///
    /// # Errors
    /// [`DeskError`] for a file that is not under way, or from the store: reading it again is
    /// harmless.
    pub fn courier_take(
        &self,
        officer: &Officer,
        request: CourierTake,
        _report: &mut dyn Report,
    ) -> Result<CourierTaken, DeskError> {
        let _sight = officer.sight()?;
        let parcel = parcel_named(&request.parcel)?;
        let reading = self.courier_reading(&parcel)?;
        let (mut envelopes, mut broken) = (Vec::new(), None);
        for (number, text) in (request.index..).zip(&request.envelopes) {
            let expected = usize::try_from(number).ok().and_then(|at| reading.hashes.get(at));
            match decoded(text).ok().filter(|one| Some(&sha256("", &[one])) == expected) {
                Some(envelope) => envelopes.push(envelope),
                None => {
                    broken = Some(number);
                    break;
                }
            }
        }
        let taken = self.parcel_of(Some((reading.partner, reading.mode)), &envelopes)?;
        let done = request.index + envelopes.len() as u64;
        if done >= reading.hashes.len() as u64 {
            lock(&self.alerts.couriers.reading).remove(&parcel);
        }
        Ok(CourierTaken {
            applied: taken.applied as u64,
            repeated: taken.repeated as u64,
            ahead: taken.ahead as u64,
            refused: taken.refused as u64,
            broken,
            awaited: self.store.stream_next(StreamSide::In, &reading.partner, reading.mode)?,
        })
    }

    fn courier_reading(&self, parcel: &[u8; 16]) -> Result<Reading, DeskError> {
        let mut reading = lock(&self.alerts.couriers.reading);
        let begun = reading.get_mut(parcel).ok_or_else(not_under_way)?;
        begun.touched_at = self.now();
        Ok(begun.clone())
    }

    fn courier_partner(&self, name: &str) -> Result<std::sync::Arc<Known>, DeskError> {
        let partner = self.partner_named(name)?;
        if partner.is_welcome() {
            return Ok(partner);
        }
        Err(DeskError::refused("the partner is suspended here", "'symbolon partner resume'"))
    }

    fn courier_opened(
        &self,
        envelope: &[u8],
    ) -> Result<(Opened, std::sync::Arc<Known>), DeskError> {
        let (identity, partners) = (self.identity(), self.partners());
        let sender = |node: &NodeId| {
            let known = partners.get(node).filter(|known| known.is_welcome());
            known.map(|known| known.card().card().signing.clone())
        };
        let opened = open(envelope, &identity.recipients, &sender, &identity.node(), self.now());
        let opened = opened.map_err(|error| {
            DeskError::invalid(
                format!("the manifest cannot be opened: {error}"),
                "is the file for this node, whole, and not older than 14 days? ask for a new one",
            )
        })?;
        let partner = partners.get(&opened.from()).cloned();
        let partner = partner.ok_or_else(|| DeskError::internal("a partner is gone"))?;
        Ok((opened, partner))
    }

    /// Seals what waits for a file, and gives the acknowledgements for it. They stay in the outbox
    /// for a while, so that the next file has them too.
    fn courier_seal(
        &self,
        partner: &Known,
        mode: Mode,
        report: &mut dyn Report,
    ) -> Result<VecDeque<Disclose>, DeskError> {
        let (node, now) = (partner.node(), self.now());
        let waiting = self.store.outbox_count(&node)?;
        let mut done = 0;
        loop {
            let dealt = self.outbox_seal(partner, STATEMENTS_MAX)?;
            if dealt == 0 {
                break;
            }
            done += dealt as u64;
            report.progress("sealing", done.min(waiting), Some(waiting));
        }
        let (mut items, mut old, mut behind) = (Vec::new(), Vec::new(), 0);
        loop {
            let owed = self.owed(&node, mode, behind)?;
            let Some((last, _)) = owed.last() else { break };
            behind = *last;
            let is_old = |item: &AckItem| item.at.saturating_add(COURIER_REPEAT_SECONDS) < now;
            old.extend(owed.iter().filter(|(_, item)| is_old(item)).map(|(at, _)| *at));
            items.extend(owed.into_iter().map(|(_, item)| item));
        }
        // Where there are too many the newest count: the older ones were in files before.
        let most = COURIER_ACKNOWLEDGEMENTS_MAX * ITEMS_MAX;
        items.drain(..items.len().saturating_sub(most));
        let mut sealed = VecDeque::new();
        for some in items.chunks(ITEMS_MAX) {
            sealed.push_back(self.acknowledgement(partner, mode, some.to_vec())?);
        }
        let line = Line::Acknowledgements(mode);
        let write =
            old.iter().fold(Write::new(), |write, at| write.outbox_delete(&node, line, *at));
        if !write.is_empty() {
            self.store.commit(write)?;
        }
        Ok(sealed)
    }
}

/// Items of one acknowledgement in a file.
const ITEMS_MAX: usize = symbolon_disclosure::limits::ACK_ITEMS_MAX;

fn parcel_named(text: &str) -> Result<[u8; 16], DeskError> {
    let mut parcel = [0; 16];
    let digits = text.as_bytes().as_chunks::<2>().0;
    let is_whole = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (byte, digits) in parcel.iter_mut().zip(digits).filter(|_| is_whole) {
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    if is_whole { Ok(parcel) } else { Err(not_under_way()) }
}

fn decoded(text: &str) -> Result<Vec<u8>, DeskError> {
    Base64::decode_vec(text)
        .map_err(|_| DeskError::invalid("an envelope is not base64", "send it as it was given"))
}

fn under_way_bounded(count: usize) -> Result<(), DeskError> {
    if count < COURIER_PARCELS_MAX {
        return Ok(());
    }
    let remedy = "wait until one is done; one that is left alone is forgotten after ten minutes";
    Err(DeskError::refused("too many courier files are under way", remedy))
}

fn not_under_way() -> DeskError {
    DeskError::not_found("this courier file is not under way", "begin it again")
}
