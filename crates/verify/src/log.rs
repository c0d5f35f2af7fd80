//! What a bundle shows of the maker's log: checkpoint, cosignatures, entries, receipts.
//!
//! Implements spec/evidence.md#checks.

use symbolon_tlog::{Hash, SignedCheckpoint, TlogError, verify_consistency, verify_inclusion};

use crate::alert::Matter;
use crate::bundle::{Item, ItemKind, of_kind};
use crate::contents::{Contents, later};
use crate::document::Card;
use crate::entry::{Continued, Event, Opening, Private};
use crate::key::NodeId;
use crate::reason::{Reason, Refused, require};
use crate::statement::{Payload, Receipt, Statement};
use crate::their_leaf::{self, Shown};

/// The checkpoint of the maker's log.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: [u8; 32],
    /// When the log says that this was its largest tree.
    pub(crate) timestamp: Option<u64>,
    /// Who cosigned, and the time that each states.
    pub(crate) cosigned: Vec<(NodeId, Option<u64>)>,
    /// Signature lines by keys that are on no card here.
    pub(crate) unknown: usize,
}

/// Reads and checks everything about the log, after the statements.
pub(crate) fn read(contents: &mut Contents, items: &[Item]) -> Result<(), Refused> {
    contents.checkpoint = checkpoint(contents, items)?;
    contents.openings = openings(contents, items)?;
    contents.matter = Matter::of(contents);
    contents.check_order()?;
    contents.check_alert_order()?;
    let shown = contents.check_receipts(items)?;
    contents.their_leaves = their_leaf::leaves(contents, items, &shown)?;
    contents.privates = privates(contents, items)?;
    Ok(())
}

fn checkpoint(contents: &Contents, items: &[Item]) -> Result<Seen, Refused> {
    let mut checkpoints = of_kind(items, ItemKind::Checkpoint);
    let (Some((part, bytes)), None) = (checkpoints.next(), checkpoints.next()) else {
        return Err(Refused::new(Reason::CheckpointCount, "checkpoint"));
    };
    let signed =
        SignedCheckpoint::decode(bytes).map_err(|_| Refused::new(Reason::Malformed, &part))?;
    let own: Vec<&Card> =
        contents.cards.iter().filter(|card| card.node == contents.maker.node).collect();
    let verified = verified(&own, &signed, Reason::CheckpointOrigin, Reason::CheckpointSignature);
    let verified = verified.map_err(|reason| Refused::new(reason, &part))?;
    let mut cosigned: Vec<(NodeId, Option<u64>)> = Vec::new();
    for card in &contents.cards {
        let is_told = cosigned.iter().any(|(node, _)| *node == card.node);
        if is_told || card.node == contents.maker.node {
            continue;
        }
        match card.log.cosigner().verify(&signed) {
            Ok(cosignature) => {
                let at = cosignature.timestamp();
                let is_past = at.unwrap_or_default() <= later(contents.maker.built_at);
                require(is_past, Reason::CosignatureTime, &part)?;
                cosigned.push((card.node, at));
            }
            Err(TlogError::SignatureMissing) => {}
            Err(_) => return Err(Refused::new(Reason::Cosignature, &part)),
        }
    }
    let lines = signed.note().signatures().len();
    Ok(Seen {
        origin: verified.origin().to_owned(),
        size: verified.size(),
        root: *verified.root().as_bytes(),
        timestamp: verified.timestamp(),
        unknown: lines.saturating_sub(2 + cosigned.len()),
        cosigned,
    })
}

/// The checkpoint under one of a node's cards; otherwise which rule it breaks.
pub(crate) fn verified(
    cards: &[&Card],
    signed: &SignedCheckpoint,
    other_log: Reason,
    not_signed: Reason,
) -> Result<symbolon_tlog::VerifiedCheckpoint, Reason> {
    let mut reason = not_signed;
    for card in cards {
        match card.log.verify(signed) {
            Ok(verified) => return Ok(verified),
            Err(TlogError::OriginMismatch) => reason = other_log,
            Err(_) => reason = not_signed,
        }
    }
    Err(reason)
}

fn openings(contents: &mut Contents, items: &[Item]) -> Result<Vec<Opening>, Refused> {
    let (size, root) = (contents.checkpoint.size, Hash(contents.checkpoint.root));
    let read = |(part, bytes): (String, &[u8])| Ok((Opening::read(bytes, &part)?, part));
    let read: Vec<(Opening, String)> =
        of_kind(items, ItemKind::Opening).map(read).collect::<Result<_, Refused>>()?;
    // That something was deleted says what else was of the alert.
    contents.deleted = read.iter().filter_map(|(one, _)| contents.deletion(one)).collect();
    let mut openings: Vec<Opening> = Vec::new();
    for (opening, part) in read {
        let included = verify_inclusion(opening.leaf, opening.index, size, &opening.proof, root);
        require(included.is_ok(), Reason::Inclusion, &part)?;
        let is_new = openings.iter().all(|other| other.index != opening.index);
        require(is_new, Reason::OpeningRepeated, &part)?;
        let relation = contents.relation(&opening);
        relation.map_err(|reason| Refused::new(reason, &part))?;
        let is_past = opening.entry.at <= later(contents.maker.built_at);
        require(is_past, Reason::TimeOrder, &part)?;
        openings.push(opening);
    }
    openings.sort_by_key(|opening| opening.index);
    Ok(openings)
}

fn privates(contents: &Contents, items: &[Item]) -> Result<Vec<Private>, Refused> {
    let mut privates = Vec::new();
    for (part, bytes) in of_kind(items, ItemKind::Private) {
        let private = Private::read(bytes, &part)?;
        let opening = contents.openings.iter().find(|opening| opening.index == private.index);
        let Some(Event::Query(query)) = opening.map(|opening| &opening.entry.event) else {
            return Err(Refused::new(Reason::ItemUnneeded, &part));
        };
        require(private.is_of(query), Reason::PrivatePart, &part)?;
        privates.push(private);
    }
    Ok(privates)
}

/// What an entry says of the document that it names.
struct Said {
    hash: [u8; 32],
    partner: NodeId,
    is_sent: bool,
    id: Option<[u8; 16]>,
    kind: u8,
}

impl Contents {
    /// Which document an entry is about, and whether it says the same of it.
    fn relation(&self, opening: &Opening) -> Result<(), Reason> {
        let at = opening.entry.at;
        match &opening.entry.event {
            Event::ConfirmSent(event) | Event::ConfirmReceived(event) => {
                let is_sent = matches!(opening.entry.event, Event::ConfirmSent(_));
                let (hash, id) = (*event.statement_hash, Some(*event.statement_id));
                let said = Said { hash, partner: event.partner, is_sent, id, kind: 1 };
                let statement = self.said(&said, at)?;
                let Payload::Confirm(confirm) = &statement.payload else {
                    return Err(Reason::OpeningMismatch);
                };
                let names = (&event.class, event.epoch, &event.purpose);
                same(names == (&confirm.class, confirm.epoch, &confirm.purpose))
            }
            Event::Disclosed(event) if self.statement(&event.statement_hash).is_none() => {
                self.sent_relation(event)
            }
            Event::Received(event) if self.statement(&event.statement_hash).is_none() => {
                self.got_relation(&event.statement_hash, event.partner, event.kind)
            }
            Event::Disclosed(event) => {
                let (hash, id) = (*event.statement_hash, Some(*event.statement_id));
                let said =
                    Said { hash, partner: event.partner, is_sent: true, id, kind: event.kind };
                let statement = self.said(&said, at)?;
                let shown = match &statement.payload {
                    Payload::Disclosure(disclosure) => {
                        (Some(disclosure.view.id), Some(disclosure.view.version))
                    }
                    Payload::Alert(alerted) => (Some(alerted.view.id), Some(alerted.view.version)),
                    _ => (None, None),
                };
                let digest = event.policy_digest.map(|digest| *digest);
                same((event.record, event.version) == shown && digest == statement.policy_digest)
            }
            Event::Received(event) => {
                let (hash, id) = (*event.statement_hash, Some(*event.statement_id));
                let said =
                    Said { hash, partner: event.partner, is_sent: false, id, kind: event.kind };
                self.said(&said, at).map(|_| ())
            }
            Event::Receipt(event) => {
                let (hash, is_sent) = (*event.receipt_hash, event.act == "sent");
                let said = Said { hash, partner: event.partner, is_sent, id: None, kind: 4 };
                let statement = self.said(&said, at)?;
                let Payload::Receipt(receipt) = &statement.payload else {
                    return Err(Reason::OpeningMismatch);
                };
                same(receipt.statement_hash == event.statement_hash)
            }
            event => self.document_relation(event),
        }
    }

    /// As [`Contents::relation`], for entries about other documents than statements.
    fn document_relation(&self, event: &Event) -> Result<(), Reason> {
        let known = |is_known: bool| if is_known { Ok(()) } else { Err(Reason::OpeningForeign) };
        match event {
            Event::Card(node, sequence, digest, _) => {
                let card = self.cards.iter().find(|card| card.digest == **digest);
                let card = card.ok_or(Reason::OpeningForeign)?;
                same((card.node, card.sequence) == (*node, *sequence))
            }
            Event::Agreement(partner, digest, _) => {
                let agreement = self.agreements.iter().find(|one| one.digest == **digest);
                let agreement = agreement.ok_or(Reason::OpeningForeign)?;
                same(agreement.is_between(self.maker.node, *partner))
            }
            Event::Policy(digest, _) => known(self.statements.iter().any(|statement| {
                statement.from == self.maker.node && statement.policy_digest == Some(**digest)
            })),
            Event::EpochCard(event) => {
                let card = self.epoch_cards.iter().find(|card| card.digest == *event.digest);
                let card = card.ok_or(Reason::OpeningForeign)?;
                let partner = if card.holder == self.maker.node { card.asker } else { card.holder };
                let names = (event.partner, &event.class, event.epoch, event.serial);
                same(names == (partner, &card.class, card.epoch, card.serial))
            }
            Event::Query(event) => known(self.statements.iter().any(|statement| {
                matches!(&statement.payload, Payload::Confirm(confirm)
                    if (statement.from, statement.to) == (self.maker.node, event.partner)
                        && (&confirm.class, confirm.epoch) == (&event.class, event.epoch))
            })),
            // The others were looked at before.
            event => self.alert_relation(event),
        }
    }

    /// The statement that an entry names, if the entry says of it what is so.
    fn said(&self, said: &Said, at: u64) -> Result<&Statement, Reason> {
        let statement = self.statement(&said.hash).ok_or(Reason::OpeningForeign)?;
        let (from, to) = if said.is_sent {
            (self.maker.node, said.partner)
        } else {
            (said.partner, self.maker.node)
        };
        same(
            (statement.from, statement.to) == (from, to)
                && statement.payload.kind() == said.kind
                && said.id.is_none_or(|id| id == statement.id),
        )?;
        // "created ≤ logged < expires", as far as two clocks may differ.
        let is_in_time = statement.created <= later(at) && at < later(statement.expires);
        if is_in_time { Ok(statement) } else { Err(Reason::TimeOrder) }
    }

    /// Where the maker's log has a statement first.
    pub(crate) fn index_of(&self, statement: &Statement) -> Option<u64> {
        let mut openings = self.openings.iter();
        openings
            .find(|opening| names(&opening.entry.event) == Some(statement.hash))
            .map(|o| o.index)
    }

    /// "A question stands before its answer, a statement before its receipt."
    fn check_order(&self) -> Result<(), Refused> {
        for statement in &self.statements {
            let earlier = match &statement.payload {
                Payload::Receipt(receipt) => self.statement(&receipt.statement_hash),
                _ => self.question_of(statement),
            };
            let places = (earlier.and_then(|one| self.index_of(one)), self.index_of(statement));
            if let (Some(earlier), Some(place)) = places {
                require(earlier < place, Reason::TimeOrder, statement.payload.name())?;
            }
        }
        Ok(())
    }

    /// Gives what the partner shows of its log.
    fn check_receipts(&self, items: &[Item]) -> Result<Vec<Shown<'_>>, Refused> {
        let (mut shown, mut theirs) = (Vec::new(), Vec::new());
        for statement in &self.statements {
            let seen = match &statement.payload {
                Payload::Receipt(receipt) => self.check_receipt(statement, receipt)?,
                Payload::Acknowledgement(said) => self.check_acknowledgement(statement, said)?,
                _ => continue,
            };
            if statement.from == self.maker.node {
                shown.push(seen);
            } else {
                let (size, root) = seen;
                theirs.push(Shown { statement, size, root });
            }
        }
        let mut continued = Vec::new();
        for (part, bytes) in of_kind(items, ItemKind::Consistency) {
            let proof = Continued::read(bytes, &part)?;
            let is_needed = shown.iter().any(|(size, _)| *size == proof.size);
            require(is_needed, Reason::ItemUnneeded, &part)?;
            continued.push(proof);
        }
        let (size, root) = (self.checkpoint.size, Hash(self.checkpoint.root));
        for (old, old_root) in shown {
            let proof = continued.iter().find(|proof| proof.size == old);
            let hashes = proof.map(|proof| proof.proof.as_slice()).unwrap_or_default();
            let holds = verify_consistency(old, old_root, size, root, hashes);
            require(holds.is_ok(), Reason::Consistency, "receipt")?;
        }
        Ok(theirs)
    }

    /// Size and root of the log that a receipt shows.
    fn check_receipt(
        &self,
        statement: &Statement,
        receipt: &Receipt,
    ) -> Result<(u64, Hash), Refused> {
        const PART: &str = "receipt";
        let refused = |reason| Refused::new(reason, PART);
        let about = self.statement(&receipt.statement_hash);
        let about = about.ok_or_else(|| refused(Reason::ReceiptForeign))?;
        let is_theirs = (statement.from, statement.to) == (about.to, about.from);
        require(is_theirs, Reason::ReceiptParties, PART)?;
        let is_in_time =
            about.created <= later(receipt.at) && receipt.at <= later(statement.created);
        require(is_in_time, Reason::TimeOrder, PART)?;
        let signed = SignedCheckpoint::parse(&receipt.checkpoint)
            .map_err(|_| refused(Reason::ReceiptCheckpoint))?;
        let cards: Vec<&Card> =
            self.cards.iter().filter(|card| card.node == statement.from).collect();
        let verified = verified(&cards, &signed, Reason::ReceiptOrigin, Reason::ReceiptCheckpoint);
        let verified = verified.map_err(refused)?;
        require(receipt.log_index < verified.size(), Reason::ReceiptIndex, PART)?;
        if statement.from == self.maker.node {
            // The maker's own log is here to compare with, unless the entry was erased.
            let is_own = |opening: &&Opening| opening.index == receipt.log_index;
            let entry = self.openings.iter().find(is_own).map(|opening| &opening.entry.event);
            let is_there = match entry {
                Some(event) => names(event) == Some(about.hash),
                None => self.index_of(about).is_none(),
            };
            require(is_there, Reason::ReceiptIndex, PART)?;
        }
        Ok((verified.size(), verified.root()))
    }
}

/// The statement that an entry records.
pub(crate) fn names(event: &Event) -> Option<[u8; 32]> {
    match event {
        Event::ConfirmSent(event) | Event::ConfirmReceived(event) => Some(*event.statement_hash),
        Event::Disclosed(event) => Some(*event.statement_hash),
        Event::Received(event) => Some(*event.statement_hash),
        Event::Receipt(event) => Some(*event.receipt_hash),
        _ => None,
    }
}

fn same(is_same: bool) -> Result<(), Reason> {
    if is_same { Ok(()) } else { Err(Reason::OpeningMismatch) }
}
