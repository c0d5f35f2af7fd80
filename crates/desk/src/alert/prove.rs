//! Proofs of deletion: a partner opens the leaf that its acknowledgement names, and its origin
//! keeps what holds.
//!
//! Implements spec/alerts.md#proofs-of-deletion.
//!
//! Invariants: no leaf is opened to a partner but that of a deletion of its own alert, and every
//! other position is refused alike; nothing is kept that a stranger could not verify.

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use symbolon_audit::{Act, Entry, Event, LogSeen, Logged, ReadEvent};
use symbolon_disclosure::limits::CLOCK_SKEW_SECONDS_MAX;
use symbolon_disclosure::{AckItem, Kept, Payload};
use symbolon_protocol::{Asked, OpenedLeaf, Prove, Proved, Refusal, Reply};
use symbolon_record::RecordId;
use symbolon_store::{AlertKey, DeletionDue, DeletionProof, Route, StoreError, Write};
use symbolon_tlog::{
    AuthenticCheckpoint, Hash, VerifiedCheckpoint, verify_consistency, verify_inclusion,
};
use symbolon_trust::{Mode, NodeId};

use crate::account::EachMinute;
use crate::asking::lock;
use crate::desk::{Known, hex};
use crate::identity::log_origin;
use crate::limits::{
    PROOF_AGAIN_SECONDS, PROOF_AGAIN_SECONDS_MAX, PROOF_LATER_SECONDS, PROOF_REQUESTS_MAX,
    PROOF_TRIES_MAX, PROOFS_AT_ONCE_MAX, PROVE_LEAVES_MAX, SCAN_ENTRIES,
};
use crate::{Desk, DeskError, LinkError, Officer};

/// What the desk keeps in memory about proofs.
#[derive(Default)]
pub(super) struct Proofs {
    given: EachMinute,
    /// When to look next whether a partner has to prove anything, in Unix seconds; at once where
    /// nothing is said.
    look_at: Mutex<HashMap<NodeId, u64>>,
    /// When a partner last said that it deleted something: whoever was looking then may not have
    /// seen it.
    said_at: Mutex<HashMap<NodeId, u64>>,
}

impl Proofs {
    fn is_due(&self, node: &NodeId, now: u64) -> bool {
        lock(&self.look_at).get(node).is_none_or(|at| *at <= now)
    }

    /// Not before that time; but soon again where what was just said may have been overlooked.
    fn look_at(&self, node: &NodeId, at: u64, now: u64) {
        let is_fresh = |said: &u64| said.saturating_add(PROOF_AGAIN_SECONDS) > now;
        let at = if lock(&self.said_at).get(node).is_some_and(is_fresh) { now } else { at };
        lock(&self.look_at).insert(*node, at);
    }

    fn said(&self, node: &NodeId, now: u64) {
        lock(&self.said_at).insert(*node, now);
        self.look_now(node);
    }

    /// Never later than was said before.
    fn look_by(&self, node: &NodeId, at: u64) {
        let mut look_at = lock(&self.look_at);
        if let Some(known) = look_at.get_mut(node) {
            *known = at.min(*known);
        }
    }

    /// The partner cannot answer before, whatever it has said.
    fn leave_until(&self, node: &NodeId, at: u64) {
        lock(&self.look_at).insert(*node, at);
    }

    fn look_now(&self, node: &NodeId) {
        lock(&self.look_at).remove(node);
    }
}

/// Why there is no proof.
enum Unproved {
    /// The partner cannot answer now.
    Later,
    /// It does not, or what it answers proves nothing.
    Refused,
}

/// An acknowledgement that is kept: its checkpoint, and until when its leaves were written.
struct Shown {
    text: String,
    checkpoint: VerifiedCheckpoint,
    logged_by: u64,
}

impl Desk {
    /// Answers a partner that wants leaves of this node's log opened.
    pub(crate) fn answer_prove(&self, partner: &Known, asked: Asked<Prove>) -> Reply {
        if !partner.is_welcome() {
            return asked.refuse(Refusal::Suspended);
        }
        if !self.alerts.proofs.given.admit(&partner.node(), self.now(), PROOF_REQUESTS_MAX) {
            return asked.refuse(Refusal::Busy { retry_seconds: 60 });
        }
        match self.leaves_opened(&partner.node(), asked.request()) {
            Ok(Some(proved)) => asked.answer(&proved),
            Ok(None) => asked.refuse(Refusal::NotForYou),
            Err(_) => asked.refuse(Refusal::Internal),
        }
    }

    /// All that is asked for, or nothing where any of it is not the partner's to see.
    fn leaves_opened(&self, node: &NodeId, asked: &Prove) -> Result<Option<Proved>, DeskError> {
        let (size, seen, log) = (asked.size(), asked.seen(), self.store.log_size());
        if size > log || seen > log {
            return Ok(None);
        }
        let mut openings = Vec::new();
        for index in asked.leaves() {
            let logged = self.store.log_entry_fetch(*index)?;
            let Some(logged) = logged.filter(|logged| is_deletion_for(logged, node)) else {
                return Ok(None);
            };
            let proof = self.store.log_inclusion(*index, size)?;
            openings.push(OpenedLeaf::new(logged.encode(), proof));
        }
        let consistency = match seen {
            0 => Vec::new(),
            seen => self.store.log_consistency(seen.min(size), seen.max(size))?,
        };
        let event = ReadEvent {
            object: "deletion".to_owned(),
            id: hex(node.as_bytes()),
            count: openings.len() as u64,
            reason: String::new(),
            act: Act::Sent,
        };
        self.logged(Write::new().log(Entry::read(self.who(&Officer::node()), event)))?;
        Ok(Some(Proved::new(consistency, openings)?))
    }

    /// Notes that a deletion which a partner has signed is to be proved.
    pub(super) fn deletion_noted(
        &self,
        write: Write,
        partner: NodeId,
        alert: RecordId,
        item: &AckItem,
        (acknowledgement, size): ([u8; 32], u64),
    ) -> Result<Write, DeskError> {
        let AckItem { statement_hash, log_index, .. } = *item;
        let due = self.store.deletion_due_fetch(&partner, &statement_hash)?;
        let proofs = self.store.deletion_proofs(&alert, &partner)?;
        if due.is_some_and(|due| due.log_index == log_index)
            || proofs.iter().any(|proof| proof.statement_hash == statement_hash)
        {
            return Ok(write);
        }
        let (tries, next_at) = (0, self.now());
        Ok(write.deletion_due(&DeletionDue {
            alert,
            partner,
            statement_hash,
            acknowledgement,
            log_index,
            size,
            tries,
            next_at,
        }))
    }

    /// Has proved what a partner says that it deleted, now that what was noted of it is durable.
    pub(super) fn deletions_said(&self, partner: &NodeId) {
        self.alerts.proofs.said(partner, self.now());
        self.tell_queued(&[*partner]);
    }

    /// Whatever a partner has to prove may be asked for now.
    pub(crate) fn proofs_expected(&self, node: &NodeId) {
        self.alerts.proofs.look_now(node);
    }

    /// Asks a partner to prove what it said that it deleted, as far as it is time to; gives how
    /// many deletions it has proved.
    ///
    /// # Errors
    /// [`DeskError`] from the store. A partner that proves nothing is no error: it is asked again,
    /// later and later, and at last no more.
    pub fn deletions_prove(&self, node: &NodeId) -> Result<usize, DeskError> {
        let partner = self.partner(node).filter(|partner| partner.is_welcome());
        let Some(partner) = partner.filter(|partner| partner.row.route == Route::Direct) else {
            return Ok(0);
        };
        if !self.alerts.proofs.is_due(node, self.now()) {
            return Ok(0);
        }
        let mut proved = 0;
        for group in groups(self.deletions_due(node)?) {
            match self.proofs_asked(&partner, &group)? {
                Ok(proofs) => proved += self.proofs_kept(node, &group, proofs)?,
                Err(Unproved::Later) => {
                    self.alerts.proofs.leave_until(node, self.now() + PROOF_LATER_SECONDS);
                    return Ok(proved);
                }
                Err(Unproved::Refused) => {
                    self.proofs_kept(node, &group, Vec::new())?;
                }
            }
        }
        Ok(proved)
    }

    /// What is to be asked for now; notes when the rest is.
    fn deletions_due(&self, node: &NodeId) -> Result<Vec<DeletionDue>, DeskError> {
        let (now, mut look_at) = (self.now(), u64::MAX);
        let (mut due, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.deletion_due_scan(node, after.as_ref(), SCAN_ENTRIES)?;
            let Some(last) = page.last() else { break };
            after = Some(last.statement_hash);
            for one in page {
                if one.next_at <= now && due.len() < PROOFS_AT_ONCE_MAX {
                    due.push(one);
                } else {
                    look_at = look_at.min(one.next_at);
                }
            }
        }
        self.alerts.proofs.look_at(node, look_at, now);
        Ok(due)
    }

    /// Asks for deletions that stand under one size of the partner's log; gives the proofs that
    /// hold.
    fn proofs_asked(
        &self,
        partner: &Known,
        group: &[DeletionDue],
    ) -> Result<Result<Vec<DeletionProof>, Unproved>, DeskError> {
        let node = partner.node();
        let Some(size) = group.first().map(|due| due.size) else { return Ok(Ok(Vec::new())) };
        let seen = self.store.partner_seen(&node)?;
        let leaves = group.iter().map(|due| due.log_index).collect();
        let Ok(request) = Prove::new(size, seen.map_or(0, |seen| seen.size), leaves) else {
            return Ok(Err(Unproved::Refused));
        };
        let answer = match self.link()?.prove(&node, &request) {
            Ok(answer) if answer.openings().len() == group.len() => answer,
            Err(LinkError::Unreachable { .. } | LinkError::TimedOut | LinkError::Here(_)) => {
                return Ok(Err(Unproved::Later));
            }
            Err(LinkError::Refused { code, .. }) if code.is_transient() => {
                return Ok(Err(Unproved::Later));
            }
            Ok(_) | Err(LinkError::Refused { .. } | LinkError::Broken(_)) => {
                return Ok(Err(Unproved::Refused));
            }
        };
        let mut shown: BTreeMap<[u8; 32], Option<Shown>> = BTreeMap::new();
        for due in group {
            if let MapEntry::Vacant(entry) = shown.entry(due.acknowledgement) {
                let one = self.checkpoint_shown(partner, due)?;
                let one = match one {
                    Some(one) if self.continues(partner, seen, &one, answer.consistency())? => {
                        Some(one)
                    }
                    _ => None,
                };
                entry.insert(one);
            }
        }
        let own = self.identity().node();
        let mut proofs = Vec::new();
        for (due, opening) in group.iter().zip(answer.openings()) {
            let alert = self.store.alert_fetch(&AlertKey { origin: own, id: due.alert })?;
            let shown = shown.get(&due.acknowledgement).and_then(Option::as_ref);
            if let (Some(alert), Some(shown)) = (alert, shown) {
                proofs.extend(proof_of(due, &own, alert.mode, shown, opening));
            }
        }
        Ok(Ok(proofs))
    }

    /// The checkpoint of the acknowledgement that says so, as it was verified when it came.
    fn checkpoint_shown(
        &self,
        partner: &Known,
        due: &DeletionDue,
    ) -> Result<Option<Shown>, DeskError> {
        let Some(evidence) = self.store.evidence_fetch(&due.acknowledgement)? else {
            return Ok(None);
        };
        let kept = Kept::decode(&evidence.signed)?;
        let Payload::Acknowledgement(given) = kept.payload() else { return Ok(None) };
        let origin = log_origin(&partner.node());
        let verifiers = self.log_verifiers(partner.node())?;
        let mut theirs = verifiers.iter().filter(|verifier| verifier.origin() == origin);
        let checkpoint = theirs.find_map(|verifier| verifier.verify_text(&given.checkpoint).ok());
        let logged_by = kept.created().saturating_add(CLOCK_SKEW_SECONDS_MAX);
        let shown = checkpoint.filter(|checkpoint| checkpoint.size() == due.size);
        let text = given.checkpoint.clone();
        Ok(shown.map(|checkpoint| Shown { text, checkpoint, logged_by }))
    }

    /// Whether the log that an acknowledgement showed is the one that was seen, and keeps the
    /// larger as what was seen; raises the alarm where the proof shows that it is another.
    fn continues(
        &self,
        partner: &Known,
        seen: Option<LogSeen>,
        shown: &Shown,
        proof: &[Hash],
    ) -> Result<bool, DeskError> {
        let now = LogSeen { size: shown.checkpoint.size(), root: shown.checkpoint.root() };
        let is_continued = seen.map_or(proof.is_empty(), |seen| {
            let (old, new) = if seen.size <= now.size { (seen, now) } else { (now, seen) };
            verify_consistency(old.size, old.root, new.size, new.root, proof).is_ok()
        });
        if !is_continued {
            let shown = AuthenticCheckpoint::from(shown.checkpoint.clone());
            self.split_view(partner, &shown, proof)?;
            return Ok(false);
        }
        if seen.is_none_or(|seen| seen.size < now.size) {
            let write = Write::new().partner_seen(partner.node(), seen, now, &shown.text);
            match self.store.commit(write) {
                // Where more was seen meanwhile, that stands.
                Ok(_) | Err(StoreError::Conflict | StoreError::WentBack) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Keeps what was proved, and when to ask for the rest of the group again; gives how many
    /// proofs that are.
    fn proofs_kept(
        &self,
        node: &NodeId,
        group: &[DeletionDue],
        proofs: Vec<DeletionProof>,
    ) -> Result<usize, DeskError> {
        let proved: HashMap<[u8; 32], DeletionProof> =
            proofs.into_iter().map(|proof| (proof.statement_hash, proof)).collect();
        let mut write = Write::new();
        for due in group {
            if let Some(proof) = proved.get(&due.statement_hash) {
                write = write.deletion_proved(due, proof);
                continue;
            }
            // Meanwhile the partner may have named another leaf, which it has not been asked for.
            let known = self.store.deletion_due_fetch(node, &due.statement_hash)?;
            let Some(mut due) = known.filter(|known| known == due) else { continue };
            due.tries += 1;
            if due.tries >= PROOF_TRIES_MAX {
                write = write.deletion_due_delete(node, &due.statement_hash);
                continue;
            }
            let patience = PROOF_AGAIN_SECONDS.saturating_mul(1 << (due.tries - 1).min(16));
            due.next_at = self.now() + patience.min(PROOF_AGAIN_SECONDS_MAX);
            self.alerts.proofs.look_by(node, due.next_at);
            write = write.deletion_due(&due);
        }
        self.store.commit(write)?;
        Ok(proved.len())
    }
}

/// Whether an entry says that an alert of this node was deleted, which is what an acknowledgement
/// told it.
fn is_deletion_for(logged: &Logged, node: &NodeId) -> bool {
    matches!(logged.entry().event(), Event::Deleted(event) if event.origin == *node)
}

/// What an opened leaf proves: that at this place of the log which the acknowledgement showed there
/// stands that this statement was deleted, written before it was acknowledged.
fn proof_of(
    due: &DeletionDue,
    own: &NodeId,
    mode: Mode,
    shown: &Shown,
    opening: &OpenedLeaf,
) -> Option<DeletionProof> {
    let logged = Logged::decode(opening.logged()).ok()?;
    let Event::Deleted(event) = logged.entry().event() else { return None };
    let is_it = (event.alert, event.origin, event.statement_hash, event.mode)
        == (due.alert, *own, due.statement_hash, mode);
    let (size, root) = (shown.checkpoint.size(), shown.checkpoint.root());
    let leaf = logged.leaf().leaf_hash();
    let included = verify_inclusion(leaf, due.log_index, size, opening.proof(), root);
    let holds = is_it && logged.entry().at() <= shown.logged_by && included.is_ok();
    holds.then(|| DeletionProof {
        statement_hash: due.statement_hash,
        acknowledgement: due.acknowledgement,
        log_index: due.log_index,
        size,
        logged: opening.logged().to_vec(),
        proof: opening.proof().to_vec(),
    })
}

/// What is asked for in one request: leaves under one size. What was refused before is asked for
/// alone, so that one leaf which is gone keeps no other from being proved.
fn groups(mut due: Vec<DeletionDue>) -> Vec<Vec<DeletionDue>> {
    due.sort_by_key(|one| (one.size, one.log_index));
    let mut groups: Vec<Vec<DeletionDue>> = Vec::new();
    for one in due {
        let fits = |group: &Vec<DeletionDue>| {
            group.len() < PROVE_LEAVES_MAX
                && group.last().is_some_and(|last| {
                    (last.size, last.tries, one.tries) == (one.size, 0, 0)
                        && last.log_index < one.log_index
                })
        };
        match groups.last_mut().filter(|group| fits(group)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}
