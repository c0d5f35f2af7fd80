//! What belongs to a bundle about one alert: what was said of it between this node and one other.
//! Opens nothing of other alerts, and nothing that tells who else has it.
//!
//! Implements spec/evidence.md#alerts.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_audit::Logged;
use symbolon_disclosure::limits::CLOCK_SKEW_SECONDS_MAX;
use symbolon_disclosure::{AckItem, Acknowledgement, Kept, Payload, Say, Stage, Word};
use symbolon_store::{Alert, AlertKey, Evidence, Slot, Way};
use symbolon_tlog::CheckpointVerifier;
use symbolon_trust::{NodeId, SignedCard};
use symbolon_verify::{Draft, LeftOut};

use crate::alert::is_gone;
use crate::api::{EvidenceBuild, Report};
use crate::desk::hex;
use crate::evidence::keep::cards_kept;
use crate::evidence::matter::{Found, Recalled};
use crate::identity::log_origin;
use crate::limits::SCAN_ENTRIES;
use crate::{Desk, DeskError};

/// The alert that a bundle is about, and the one node with which it shows it.
pub(crate) struct About {
    pub(crate) alert: Alert,
    pub(crate) partner: NodeId,
    is_own: bool,
    /// Whether another alert here has the same id.
    is_shared_id: bool,
}

/// What was said of an alert before anything was acknowledged.
pub(crate) struct SaidOf {
    /// Alerts and words.
    pub(crate) found: Vec<Found>,
    /// Hashes of statements that held it and are no longer here.
    gone: BTreeSet<[u8; 32]>,
}

impl SaidOf {
    /// Who signed each statement of the alert and when, as far as it is here.
    fn names(&self, about: &About, own: NodeId) -> BTreeMap<[u8; 32], (NodeId, u64)> {
        let origin = if about.is_own { own } else { about.partner };
        let gone = self.gone.iter().map(|hash| (*hash, (origin, 0)));
        let found = self.found.iter();
        gone.chain(
            found.map(|one| (one.evidence.statement_hash, (one.kept.from(), one.kept.created()))),
        )
        .collect()
    }
}

impl About {
    /// Whether a word is about this alert: only its origin takes it back, and who contests an id
    /// that both have used means the alert of the other.
    fn has(&self, word: &Word, way: Way) -> bool {
        let is_id = word.alert == self.alert.key.id;
        is_id
            && match word.say {
                Say::Withdrawn(_) => (way == Way::Sent) == self.is_own,
                Say::Contest(_) => self.is_own || !self.is_shared_id,
            }
    }
}

impl Desk {
    /// The alert that is asked for and the partner that it concerns.
    pub(crate) fn alert_asked(
        &self,
        id: &str,
        request: &EvidenceBuild,
    ) -> Result<About, DeskError> {
        let alert = self.alert_any(id)?;
        let own = self.identity().node();
        let is_own = alert.key.origin == own;
        let named = request.partner.as_deref().map(|name| self.partner_named(name)).transpose()?;
        let named = named.map(|known| known.node());
        let nodes: BTreeSet<NodeId> = match is_own {
            true => {
                let deliveries = self.store.delivery_list(&alert.key.id)?.into_iter();
                let sent = deliveries.filter(|delivery| delivery.version.is_some());
                sent.map(|delivery| delivery.partner).collect()
            }
            false => BTreeSet::from([alert.key.origin]),
        };
        let partner = match (named, nodes.iter().next()) {
            (Some(named), _) if nodes.contains(&named) => named,
            (None, Some(only)) if nodes.len() == 1 => *only,
            (None, Some(_)) => {
                return Err(DeskError::invalid(
                    "the alert went to more than one partner",
                    "name one with --partner: a bundle shows nobody who else has it",
                ));
            }
            (Some(_), _) => {
                return Err(DeskError::not_found(
                    "nothing of this alert passed between this node and that partner",
                    "'symbolon acks ID' shows who has it",
                ));
            }
            (None, None) => return Err(nothing_signed()),
        };
        let mut same_id = 0;
        for origin in [own].into_iter().chain(self.partners().keys().copied()) {
            let key = AlertKey { origin, id: alert.key.id };
            same_id += usize::from(self.store.alert_fetch(&key)?.is_some());
        }
        Ok(About { alert, partner, is_own, is_shared_id: same_id > 1 })
    }

    /// The alerts and the words on them, as far as they are kept.
    pub(crate) fn alert_said(
        &self,
        about: &About,
        recalled: &Recalled,
        report: &mut dyn Report,
    ) -> Result<SaidOf, DeskError> {
        let mut found = self.alert_sent_to(about, report)?;
        for hash in recalled.received_of(8) {
            let Some(one) = self.statement_kept(&hash)? else { continue };
            let is_its = match one.kept.payload() {
                Payload::Word(word) => about.has(word, one.evidence.way),
                _ => false,
            };
            if is_its {
                found.push(one);
            }
        }
        if !about.is_own
            && let Some(signed) = self.store.alert_content_fetch(&about.alert.key, Slot::Current)?
        {
            let at = about.alert.accepted_at;
            found.push(self.found_of(signed.to_vec(), Way::Received, about.partner, at)?);
        }
        let here: BTreeSet<_> = found.iter().map(|one| one.evidence.statement_hash).collect();
        let named: BTreeSet<[u8; 32]> = match about.is_own {
            true => recalled.sent_of_alert().collect(),
            false => recalled.deleted_of(&about.partner).collect(),
        };
        let gone = named.difference(&here).copied().collect();
        Ok(SaidOf { found, gone })
    }

    /// What this node sent to the partner about the alert. Where its content is erased, or another
    /// statement took its place, it is not there.
    fn alert_sent_to(
        &self,
        about: &About,
        report: &mut dyn Report,
    ) -> Result<Vec<Found>, DeskError> {
        let (mut found, mut behind, mut seen) = (Vec::new(), 0, 0);
        loop {
            let page =
                self.store.sent_scan(&about.partner, about.alert.mode, behind, SCAN_ENTRIES)?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            behind = *last;
            seen += page.len() as u64;
            for (_, sent) in page.into_iter().filter(|(_, sent)| sent.alert == about.alert.key.id) {
                let Some(signed) = sent.signed else { continue };
                let one = self.found_of(signed, Way::Sent, about.partner, sent.sent_at)?;
                let is_its = match one.kept.payload() {
                    Payload::Word(word) => about.has(word, Way::Sent),
                    _ => about.is_own,
                };
                if is_its {
                    found.push(one);
                }
            }
            report.progress("reading what was sent", seen, None);
        }
    }

    fn found_of(
        &self,
        signed: Vec<u8>,
        way: Way,
        partner: NodeId,
        at: u64,
    ) -> Result<Found, DeskError> {
        let kept = Kept::decode(&signed)?;
        let (statement_hash, kind) = (kept.statement_hash(), kept.kind().code());
        let evidence = Evidence { statement_hash, way, partner, kind, at, signed };
        Ok(Found { evidence, kept })
    }

    /// The acknowledgements of what was said; one that also speaks of other alerts only where the
    /// officer asks for it. What stays out is named.
    pub(crate) fn alert_acknowledged(
        &self,
        about: &About,
        request: &EvidenceBuild,
        said: &SaidOf,
        recalled: &Recalled,
        left: &mut Left,
    ) -> Result<Vec<Found>, DeskError> {
        let own = self.identity().node();
        let names = said.names(about, own);
        let verifiers = self.log_verifiers(about.partner)?;
        let mut found = Vec::new();
        let hashes: BTreeSet<[u8; 32]> = recalled.all_of(9).collect();
        for hash in hashes {
            let Some(one) = self.statement_kept(&hash)? else { continue };
            let Payload::Acknowledgement(given) = one.kept.payload() else { continue };
            let its = |item: &&AckItem| names.contains_key(&item.statement_hash);
            let items: Vec<AckItem> = given.items.iter().filter(its).copied().collect();
            if items.is_empty() {
                continue;
            }
            let id = one.kept.id().to_string();
            if !is_sound(&one.kept, given, &names, &verifiers) {
                left.named.push(LeftOut::new("unsound_acknowledgement", "not_sound", id));
            } else if items.len() == given.items.len() || request.shared_acknowledgements {
                found.push(one);
            } else {
                let stages: BTreeSet<Stage> = items.iter().map(|item| item.stage).collect();
                let stages: Vec<&str> = stages.into_iter().map(Stage::as_str).collect();
                let what = format!("{id}: {}", stages.join(", "));
                left.named.push(LeftOut::new("shared_acknowledgement", "not_asked_for", what));
                let about = |one: &&Found| {
                    items.iter().any(|item| item.statement_hash == one.evidence.statement_hash)
                };
                let ids = said.found.iter().filter(about).map(|one| one.kept.id().to_string());
                let because = |id| LeftOut::new("acknowledgement", "with_others", id);
                left.because.extend(ids.map(because));
            }
        }
        // Where the alert itself is in force, its statement was not erased but sent anew.
        if !is_gone(about.alert.state) {
            let gone =
                said.gone.iter().map(|hash| LeftOut::new("statement", "not_kept", hex(hash)));
            left.because.extend(gone);
        }
        Ok(found)
    }

    /// Everybody's log is checked with the keys of its cards; those of the own log are among them.
    pub(crate) fn log_verifiers(
        &self,
        partner: NodeId,
    ) -> Result<Vec<CheckpointVerifier>, DeskError> {
        let own = self.identity();
        let mut verifiers = vec![CheckpointVerifier::parse(&own.card.card().log)?];
        let mut cards = cards_kept(&self.store, &own.node())?;
        cards.extend(cards_kept(&self.store, &partner)?);
        if let Some(known) = self.partner(&partner) {
            cards.push(SignedCard::decode(&known.row.card)?);
        }
        for card in cards {
            let card = card.verify_whatever_the_date()?;
            verifiers.push(CheckpointVerifier::parse(&card.card().log)?);
        }
        Ok(verifiers)
    }

    /// What the partner has proved of the deletions that acknowledgements here speak of.
    pub(crate) fn evidence_deletions(
        &self,
        about: &About,
        found: &[Found],
        draft: &mut Draft,
    ) -> Result<(), DeskError> {
        let shown: BTreeSet<_> = found.iter().map(|one| one.evidence.statement_hash).collect();
        let proofs = match about.is_own {
            true => self.store.deletion_proofs(&about.alert.key.id, &about.partner)?,
            false => Vec::new(),
        };
        for proof in proofs.into_iter().filter(|proof| shown.contains(&proof.acknowledgement)) {
            let logged = Logged::decode(&proof.logged)?;
            let entry = symbolon_codec::encode(logged.entry());
            draft.their_opening(proof.size, proof.log_index, *logged.salt(), entry, proof.proof);
        }
        Ok(())
    }

    /// The entries that are opened although they record no statement here: where a statement that
    /// is gone was sent or received, that it was deleted, and what became of the alert.
    pub(crate) fn alert_entries(
        &self,
        about: &About,
        request: &EvidenceBuild,
        said: &SaidOf,
        recalled: &Recalled,
        left: &mut Left,
    ) -> BTreeSet<u64> {
        let mut indexes: BTreeSet<u64> =
            said.gone.iter().flat_map(|hash| recalled.entries_of(hash)).collect();
        if !about.is_own {
            indexes.extend(recalled.deletions(&about.partner));
        }
        let became: Vec<u64> = recalled.became().collect();
        // At the origin they say how many nodes shall have it.
        let why = match (about.is_shared_id, about.is_own && !request.alert_entries) {
            (true, _) => Some("same_id"),
            (false, true) => Some("not_asked_for"),
            (false, false) => None,
        };
        match why {
            Some(why) if !became.is_empty() => {
                let count = became.len().to_string();
                left.named.push(LeftOut::new("alert_entries", why, count));
            }
            Some(_) => {}
            None => indexes.extend(became),
        }
        indexes
    }
}

/// What a bundle will name as left out.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) named: Vec<LeftOut>,
    /// Why something is left out, should it turn out to be lacking.
    pub(crate) because: Vec<LeftOut>,
}

/// Whether parties, times, places and checkpoint fit: a partner's word was not looked at so closely
/// when it came, and one that does not hold must not keep the rest from being shown.
fn is_sound(
    kept: &Kept,
    given: &Acknowledgement,
    names: &BTreeMap<[u8; 32], (NodeId, u64)>,
    verifiers: &[CheckpointVerifier],
) -> bool {
    let later = |time: u64| time.saturating_add(CLOCK_SKEW_SECONDS_MAX);
    let fits = given.items.iter().all(|item| match names.get(&item.statement_hash) {
        Some((from, created)) => {
            *from == kept.to() && *created <= later(item.at) && item.at <= later(kept.created())
        }
        None => true,
    });
    let origin = log_origin(&kept.from());
    let mut theirs = verifiers.iter().filter(|verifier| verifier.origin() == origin);
    fits && theirs.any(|verifier| {
        let verified = verifier.verify_text(&given.checkpoint);
        verified.is_ok_and(|seen| given.items.iter().all(|item| item.log_index < seen.size()))
    })
}

fn nothing_signed() -> DeskError {
    DeskError::refused(
        "nothing was signed in this matter yet",
        "a bundle shows what passed between two nodes; 'symbolon acks ID' shows how far it came",
    )
}
