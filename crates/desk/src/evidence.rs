//! An evidence bundle: one matter, shown to a third who has neither this node nor its store.
//!
//! Implements spec/evidence.md#making.
//!
//! Invariants: that a bundle was made, by whom, about what and why, is durable before anything is
//! collected; a bundle leaves only after it verified as a stranger's would; no entry that concerns
//! another matter is opened.

mod alert;
pub(crate) mod keep;
mod matter;
mod query;

use std::collections::BTreeSet;

use symbolon_audit::limits::ID_BYTES_MAX;
use symbolon_audit::{Act, Entry, ReadEvent};
use symbolon_codec::sha256;
use symbolon_disclosure::{Kept, Payload};
use symbolon_record::View;
use symbolon_store::{Hit, SetSide, Way, Write};
use symbolon_tlog::{CheckpointVerifier, SignedCheckpoint};
use symbolon_trust::{Mode, NodeId, SignedAgreement, SignedCard, VerifiedAgreement};
use symbolon_verify::{
    Draft, Finished, ItemKind, LeftOut, MANIFEST_LABEL, Making, Refused, Subject,
};

use crate::api::{EvidenceBuild, EvidenceBuilt, EvidenceNode, Report};
use crate::desk::hex;
use crate::evidence::alert::{About, Left};
use crate::evidence::keep::{cards_kept, set_of};
use crate::evidence::matter::{Found, Recalled};
use crate::limits::{BUNDLE_STATEMENTS_MAX, REASON_BYTES_MAX};
use crate::{Desk, DeskError, Officer};

/// Least digits by which a statement is named.
const HASH_DIGITS_MIN: usize = 16;

/// What is asked for, found in the store.
struct Asked {
    subject: Subject,
    hits: Vec<Hit>,
    seeds: BTreeSet<[u8; 32]>,
    partners: BTreeSet<NodeId>,
    alert: Option<About>,
}

impl Asked {
    fn mode(&self) -> Mode {
        self.alert.as_ref().map_or(Mode::Live, |about| about.alert.mode)
    }
}

impl Desk {
    /// Makes a bundle about a hit, a case, a statement or an alert.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown matter, one in which nothing was signed yet, or a missing
    /// reason.
    pub fn evidence_build(
        &self,
        officer: &Officer,
        request: EvidenceBuild,
        report: &mut dyn Report,
    ) -> Result<EvidenceBuilt, DeskError> {
        if request.reason.is_empty() || request.reason.len() > REASON_BYTES_MAX {
            return Err(DeskError::invalid(
                "a bundle needs a reason",
                format!(
                    "give --reason, {REASON_BYTES_MAX} bytes at most; it is in the log and the bundle"
                ),
            ));
        }
        let asked = self.evidence_asked(&request)?;
        let Subject { name, .. } = &asked.subject;
        // A case's name is the agency's own and may be long: its digest names it in the entry.
        let id = if let Some(about) = &asked.alert {
            format!("{name}@{}", self.name_of(about.partner))
        } else {
            name.clone()
        };
        let id = if id.len() <= ID_BYTES_MAX { id } else { hex(&sha256("", &[id.as_bytes()])) };
        let read = |object: &str| {
            let (object, id, reason) = (object.to_owned(), id.clone(), request.reason.clone());
            let event = ReadEvent { object, id, count: 1, reason, act: Act::Exported };
            Entry::read(self.who(officer), event)
        };
        let mut write = Write::new().log(read("evidence"));
        let shown = [
            (request.query_contents, "query"),
            (request.shared_acknowledgements, "acknowledgement"),
            (request.alert_entries, "alert"),
        ];
        for (_, object) in shown.into_iter().filter(|(is_asked, _)| *is_asked) {
            write = write.log(read(object));
        }
        self.store.commit(write)?;
        let collected = self.evidence_collect(&asked, &request, report)?;
        let finished = self.evidence_sign(officer, &asked, &request, collected)?;
        Ok(self.evidence_shown(&finished))
    }

    fn evidence_asked(&self, request: &EvidenceBuild) -> Result<Asked, DeskError> {
        let named = (&request.hit, &request.case, &request.statement, &request.alert);
        let is_of_alert =
            request.partner.is_some() || request.shared_acknowledgements || request.alert_entries;
        if is_of_alert && request.alert.is_none() {
            return Err(DeskError::invalid(
                "partner, acknowledgements and entries are chosen for a bundle about an alert",
                "name the alert with --alert, or leave them out",
            ));
        }
        let (kind, name, hits) = match named {
            (None, None, None, Some(id)) => {
                let about = self.alert_asked(id, request)?;
                let subject =
                    Subject { kind: "alert".to_owned(), name: about.alert.key.id.to_string() };
                let (hits, seeds) = (Vec::new(), BTreeSet::new());
                let partners = BTreeSet::from([about.partner]);
                return Ok(Asked { subject, hits, seeds, partners, alert: Some(about) });
            }
            (Some(id), None, None, None) => ("hit", id, vec![self.hit_named(id)?]),
            (None, Some(case), None, None) => {
                let hits = self.hits()?.into_iter().filter(|hit| hit.case == *case);
                ("case", case, hits.collect())
            }
            (None, None, Some(hash), None) => ("statement", hash, Vec::new()),
            _ => {
                return Err(DeskError::invalid(
                    "a bundle is about one matter",
                    "name exactly one of --hit, --case, --statement and --alert",
                ));
            }
        };
        let hashes = hits.iter().flat_map(|hit| [hit.confirm_hash, hit.answer_hash]);
        let mut seeds: BTreeSet<[u8; 32]> = hashes.flatten().collect();
        let mut partners: BTreeSet<NodeId> = hits.iter().map(|hit| hit.partner).collect();
        let mut subject = Subject { kind: kind.to_owned(), name: name.clone() };
        if kind == "statement" {
            let (hash, partner) = self.statement_named(name)?;
            subject.name = hex(&hash);
            seeds.insert(hash);
            partners.insert(partner);
        } else if kind == "case" && hits.is_empty() {
            return Err(DeskError::not_found(
                "there is no hit in this case",
                "'symbolon hit list' shows the cases of hits",
            ));
        }
        if seeds.is_empty() {
            return Err(DeskError::refused(
                "nothing was signed in this matter yet",
                "confirm the hit first: a bundle shows what passed between two nodes",
            ));
        }
        Ok(Asked { subject, hits, seeds, partners, alert: None })
    }

    /// A statement by its hash or the beginning of it.
    fn statement_named(&self, name: &str) -> Result<([u8; 32], NodeId), DeskError> {
        let name = name.to_ascii_lowercase();
        let is_hex = name.bytes().all(|c| c.is_ascii_hexdigit());
        if !is_hex || !(HASH_DIGITS_MIN..=64).contains(&name.len()) {
            return Err(DeskError::invalid(
                "this is no hash of a statement",
                "give at least the 16 digits that 'symbolon audit show' shows",
            ));
        }
        // The last hash below all that begin so; of an even beginning zeros follow.
        let digit = |place: usize| {
            name.as_bytes().get(place).map_or(0, |c| match c {
                b'0'..=b'9' => c - b'0',
                c => c - b'a' + 10,
            })
        };
        let first: [u8; 32] = std::array::from_fn(|at| digit(2 * at) << 4 | digit(2 * at + 1));
        let mut after = first;
        let is_zero = after.iter_mut().rev().all(|byte| {
            let (less, borrows) = byte.overflowing_sub(1);
            *byte = less;
            borrows
        });
        let after = (!is_zero).then_some(&after);
        let listed = self.store.evidence_list(after, 2)?;
        let mut found =
            listed.into_iter().filter(|one| hex(&one.statement_hash).starts_with(&name));
        match (found.next(), found.next()) {
            (Some(one), None) => {
                shown_by_hash(one.kind)?;
                Ok((one.statement_hash, one.partner))
            }
            (None, _) => Err(DeskError::not_found(
                "there is no such statement",
                "'symbolon audit show' names statements",
            )),
            _ => Err(DeskError::invalid("two statements begin so", "give more digits")),
        }
    }

    /// Everything of the matter, and what of it is left out.
    fn evidence_collect(
        &self,
        asked: &Asked,
        request: &EvidenceBuild,
        report: &mut dyn Report,
    ) -> Result<Draft, DeskError> {
        let alert = asked.alert.as_ref().map(|about| about.alert.key.id);
        let recalled = self.recall(&asked.partners, alert, self.store.log_size(), report)?;
        let mut draft = Draft::new();
        let Collected { found, mut digests, entries } =
            self.evidence_found(asked, request, &recalled, &mut draft, report)?;
        if found.is_empty() {
            return Err(DeskError::refused(
                "of no statement the sender's card of its time is kept",
                "nothing can be proved of this matter any more",
            ));
        }
        digests.extend(self.evidence_agreements(&found, asked.mode(), &mut draft)?);
        digests.extend(self.evidence_epoch_cards(&found, &mut draft)?);
        let mut indexes = entries;
        indexes.extend(recalled.notes_on(&digests));
        for one in &found {
            draft.add(ItemKind::Statement, one.evidence.signed.clone());
            let hash = one.evidence.statement_hash;
            indexes.extend(recalled.entries_of(&hash));
            self.evidence_policy(one, &recalled, &mut indexes);
            self.evidence_in_account(one, &mut draft)?;
        }
        if let Some(about) = &asked.alert {
            self.evidence_deletions(about, &found, &mut draft)?;
        }
        self.evidence_queries(&asked.hits, request, &mut indexes, &mut draft)?;
        self.evidence_log(&found, &indexes, &mut draft)?;
        Ok(draft)
    }

    /// The statements of the matter, the digests of their cards, and entries that record none of
    /// them.
    fn evidence_found(
        &self,
        asked: &Asked,
        request: &EvidenceBuild,
        recalled: &Recalled,
        draft: &mut Draft,
        report: &mut dyn Report,
    ) -> Result<Collected, DeskError> {
        let mode = asked.mode();
        let Some(about) = &asked.alert else {
            let mut found = self.matter(&asked.seeds, recalled)?;
            bounded(&found, "make a bundle for each hit")?;
            let digests = self.evidence_cards(&mut found, mode, draft)?;
            return Ok(Collected { found, digests, entries: BTreeSet::new() });
        };
        let mut left = Left::default();
        let mut said = self.alert_said(about, recalled, report)?;
        let mut digests = self.evidence_cards(&mut said.found, mode, draft)?;
        let mut acknowledged =
            self.alert_acknowledged(about, request, &said, recalled, &mut left)?;
        digests.extend(self.evidence_cards(&mut acknowledged, mode, draft)?);
        let entries = self.alert_entries(about, request, &said, recalled, &mut left);
        left.named.into_iter().for_each(|one| draft.left_out(one));
        left.because.into_iter().for_each(|one| draft.because(one));
        let mut found = said.found;
        found.extend(acknowledged);
        bounded(&found, "leave shared acknowledgements out")?;
        Ok(Collected { found, digests, entries })
    }

    /// The cards of the times of the statements; a statement without one is left out. Gives their
    /// digests.
    fn evidence_cards(
        &self,
        found: &mut Vec<Found>,
        mode: Mode,
        draft: &mut Draft,
    ) -> Result<BTreeSet<[u8; 32]>, DeskError> {
        let identity = self.identity();
        let mut digests = BTreeSet::from([identity.card.digest()]);
        draft.add(ItemKind::Card, identity.signed_card.encode());
        let mut held = vec![(*identity.card).clone()];
        let mut signed = vec![(*identity.signed_card).clone()];
        let mut kept = cards_kept(&self.store, &identity.node())?;
        for partner in partners(found) {
            kept.extend(cards_kept(&self.store, &partner)?);
            if let Some(known) = self.partner(&partner) {
                kept.push(SignedCard::decode(&known.row.card)?);
            }
        }
        for card in kept {
            held.push(card.verify_whatever_the_date()?);
            signed.push(card);
        }
        found.retain(|one| {
            let (from, created) = (one.kept.from(), one.kept.created());
            let mut cards = held.iter().zip(&signed);
            let card = cards.find(|(card, _)| {
                card.id() == from
                    && card.active(created).is_ok()
                    && one.kept.verify(&card.card().signing, mode).is_ok()
            });
            match card {
                Some((card, signed)) => {
                    draft.add(ItemKind::Card, signed.encode());
                    digests.insert(card.digest());
                }
                None => {
                    let id = one.kept.id().to_string();
                    draft.left_out(LeftOut::new("statement", "card_not_kept", id));
                }
            }
            card.is_some()
        });
        // A receipt for what is left out is left out with it.
        let hashes: BTreeSet<_> = found.iter().map(|one| one.evidence.statement_hash).collect();
        found.retain(|one| one.receipt_for().is_none_or(|about| hashes.contains(&about)));
        // The newest too: a partner may only ever have been asked.
        for known in partners(found).iter().filter_map(|partner| self.partner(partner)) {
            draft.add(ItemKind::Card, known.row.card.clone());
            digests.insert(known.card.digest());
        }
        Ok(digests)
    }

    /// The agreements that were in force, where they are the ones of that time. Gives their
    /// digests.
    fn evidence_agreements(
        &self,
        found: &[Found],
        mode: Mode,
        draft: &mut Draft,
    ) -> Result<BTreeSet<[u8; 32]>, DeskError> {
        let mut digests = BTreeSet::new();
        for known in partners(found).iter().filter_map(|partner| self.partner(partner)) {
            let (agreement, bytes) = match mode {
                Mode::Live => (&known.agreement, &known.row.agreement),
                Mode::Exercise => (&known.drill, &known.row.drill),
            };
            let (Some(agreement), Some(bytes)) = (agreement, bytes) else {
                continue;
            };
            let mut theirs = found
                .iter()
                .filter(|one| one.evidence.partner == known.node() && !one.is_confirmation())
                .filter(|one| agreement.active(one.kept.created()).is_ok())
                .peekable();
            // One that came later has other terms: it proves nothing of what was done before.
            let is_theirs =
                theirs.peek().is_some() && theirs.all(|one| allows(agreement, &one.kept));
            if is_theirs && SignedAgreement::decode(bytes).is_ok() {
                draft.add(ItemKind::Agreement, bytes.clone());
                digests.insert(agreement.digest());
            }
        }
        Ok(digests)
    }

    /// The epoch cards of the confirms, as far as they are kept. Gives their digests.
    fn evidence_epoch_cards(
        &self,
        found: &[Found],
        draft: &mut Draft,
    ) -> Result<BTreeSet<[u8; 32]>, DeskError> {
        let mut digests = BTreeSet::new();
        for one in found {
            let Payload::Confirm(confirm) = one.kept.payload() else { continue };
            let side = match one.evidence.way {
                Way::Sent => SetSide::Received,
                Way::Received => SetSide::Own,
            };
            let set = set_of(side, one.evidence.partner, confirm);
            if let Some(bytes) = self.epoch_card_kept(&set)? {
                let signed = symbolon_protocol::SignedEpochCard::decode(&bytes)?;
                digests.insert(signed.digest());
                draft.add(ItemKind::EpochCard, bytes);
            }
        }
        Ok(digests)
    }

    /// That the policy under which this node disclosed something was in force.
    fn evidence_policy(&self, one: &Found, recalled: &Recalled, indexes: &mut BTreeSet<u64>) {
        let digest = one.kept.policy_digest().filter(|_| one.evidence.way == Way::Sent);
        let place = recalled.entries_of(&one.evidence.statement_hash).min();
        if let (Some(digest), Some(place)) = (digest, place) {
            indexes.extend(recalled.policy_before(&digest, place));
        }
    }

    /// A receipt that came in an account stays out with it: the account names other business too.
    fn evidence_in_account(&self, one: &Found, draft: &mut Draft) -> Result<(), DeskError> {
        let (partner, hash) = (one.evidence.partner, one.evidence.statement_hash);
        let Some(settled) = self.store.settled_fetch(&partner, &hash)? else { return Ok(()) };
        let Some(receipt) = self.store.evidence_fetch(&settled.receipt_hash)? else {
            return Ok(());
        };
        let is_account = matches!(Kept::decode(&receipt.signed)?.payload(), Payload::Account(_));
        if is_account {
            let id = one.kept.id().to_string();
            draft.because(LeftOut::new("receipt", "in_account", id));
        }
        Ok(())
    }

    /// Checkpoint, openings, and that earlier receipts showed the same log.
    fn evidence_log(
        &self,
        found: &[Found],
        indexes: &BTreeSet<u64>,
        draft: &mut Draft,
    ) -> Result<(), DeskError> {
        let needed = indexes.last().map_or(0, |last| last + 1);
        // One that is kept may be cosigned; it serves where it covers everything.
        let kept = self.store.log_checkpoint_fetch()?.filter(|(size, _)| *size >= needed);
        let (size, text) = match kept {
            Some(kept) => kept,
            None => self.checkpoint()?,
        };
        let signed = SignedCheckpoint::parse(&text)?;
        draft.add(ItemKind::Checkpoint, text.into_bytes());
        // A cosignature counts where the cosigner's card is there.
        for known in self.partners().values() {
            let verifier = CheckpointVerifier::parse(&known.card.card().log)?;
            if verifier.cosigner().verify(&signed).is_ok() {
                draft.add(ItemKind::Card, known.row.card.clone());
            }
        }
        for index in indexes {
            let logged = self.store.log_entry_fetch(*index)?;
            let logged =
                logged.ok_or_else(|| DeskError::internal("an entry has gone meanwhile"))?;
            let entry = symbolon_codec::encode(logged.entry());
            let proof = self.store.log_inclusion(*index, size)?;
            draft.opening(*index, *logged.salt(), entry, proof);
        }
        for one in found.iter().filter(|one| one.evidence.way == Way::Sent) {
            let checkpoint = match one.kept.payload() {
                Payload::Receipt(receipt) => &receipt.checkpoint,
                Payload::Acknowledgement(given) => &given.checkpoint,
                _ => continue,
            };
            let shown = SignedCheckpoint::parse(checkpoint)?.checkpoint().size();
            if shown < size {
                draft.consistency(shown, self.store.log_consistency(shown, size)?);
            }
        }
        Ok(())
    }

    fn evidence_sign(
        &self,
        officer: &Officer,
        asked: &Asked,
        request: &EvidenceBuild,
        draft: Draft,
    ) -> Result<Finished, DeskError> {
        let identity = self.identity();
        let making = Making {
            node: *identity.node().as_bytes(),
            card_digest: identity.card.digest(),
            built_at: self.now(),
            officer: officer.as_str().to_owned(),
            reason: request.reason.clone(),
            subject: asked.subject.clone(),
        };
        let unsigned = draft.manifest(making).map_err(unverified)?;
        let signatures = identity.signing.sign(MANIFEST_LABEL, unsigned.as_bytes())?;
        let (ed25519, mldsa65) = (*signatures.ed25519(), signatures.mldsa65().to_vec());
        unsigned.finish(ed25519, mldsa65).map_err(unverified)
    }

    fn evidence_shown(&self, finished: &Finished) -> EvidenceBuilt {
        let verified = &finished.verified;
        let own = self.identity();
        let name = |node: NodeId| {
            let known = self.partner(&node).map(|known| known.name().to_owned());
            known.unwrap_or_else(|| own.card.card().name.to_string())
        };
        let node = |node: &symbolon_verify::NodeId| {
            let node = NodeId::from_bytes(*node.as_bytes());
            EvidenceNode {
                name: name(node),
                fingerprint: hex(node.as_bytes()),
                words: node.words().map(str::to_owned).to_vec(),
            }
        };
        let report = verified.report();
        EvidenceBuilt {
            bundle: hex(&finished.bytes),
            page: verified.page().to_owned(),
            exercise: verified.mode() == symbolon_verify::Mode::Exercise,
            statements: verified.statements(),
            leaves: verified.leaves(),
            nodes: verified.parties().map(node).collect(),
            cosigned_by: verified
                .cosigners()
                .iter()
                .map(|node| name(NodeId::from_bytes(*node.as_bytes())))
                .collect(),
            left_out: report.left_out().to_vec(),
            proved: report.proved.clone(),
            not_proved: report.not_proved.clone(),
        }
    }
}

/// What was collected before the log is opened.
struct Collected {
    found: Vec<Found>,
    digests: BTreeSet<[u8; 32]>,
    entries: BTreeSet<u64>,
}

fn bounded(found: &[Found], remedy: &str) -> Result<(), DeskError> {
    if found.len() <= BUNDLE_STATEMENTS_MAX {
        return Ok(());
    }
    let what = format!("the matter has more than {BUNDLE_STATEMENTS_MAX} statements");
    Err(DeskError::invalid(what, remedy))
}

/// Statements about alerts are shown with their alert, and those about much at once never.
fn shown_by_hash(kind: u8) -> Result<(), DeskError> {
    match kind {
        1..=4 => Ok(()),
        7..=9 => Err(DeskError::refused(
            "this statement is about an alert",
            "name the alert: 'symbolon evidence build --alert ID'",
        )),
        _ => Err(DeskError::refused(
            "no bundle shows a statement of this kind",
            "accounts, manifests of couriers and transcripts of matches name other business too",
        )),
    }
}

fn partners(found: &[Found]) -> BTreeSet<NodeId> {
    found.iter().map(|one| one.evidence.partner).collect()
}

/// Whether an agreement that was in force allows a statement.
fn allows(agreement: &VerifiedAgreement, kept: &Kept) -> bool {
    let permits = |view: &View| view.kind.is_none_or(|kind| agreement.permits_kind(kind.as_str()));
    match kept.payload() {
        Payload::Confirm(confirm) => {
            agreement.permits_purpose(&confirm.purpose) && agreement.terms(confirm.class).is_some()
        }
        Payload::Disclosure(disclosed) => permits(&disclosed.view),
        Payload::Alert(alerted) => permits(&alerted.view),
        _ => true,
    }
}

/// What was collected does not hold: nothing leaves.
fn unverified(refused: Refused) -> DeskError {
    DeskError::internal(format!("the bundle would not verify: {refused}"))
}
