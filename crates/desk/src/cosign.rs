//! Cosigning: this node is a witness of its partners' logs, and they are witnesses of its own.
//!
//! Implements spec/accountability.md#cosigning.
//!
//! Invariant: a checkpoint of a partner is cosigned only after it is kept as the last one seen.

use symbolon_audit::{Entry, LogSeen};
use symbolon_protocol::{Asked, Cosign, Cosigned, Refusal, Reply};
use symbolon_store::{StoreError, Write};
use symbolon_tlog::add_checkpoint::{
    add_cosignatures, format_cosignatures, parse_conflict, parse_cosignatures,
};
use symbolon_tlog::witness::{Head, Refusal as Verdict, Swap, authenticate};
use symbolon_tlog::{AddCheckpoint, CheckpointVerifier, LogVerifier, SignedCheckpoint};
use symbolon_trust::NodeId;

use crate::alarm::AlarmKind;
use crate::api::{CosignAnswer, CosignReport, CosignRequest, Report};
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::HEARTBEAT_LEAVES;
use crate::{Desk, DeskError, Officer};

/// Names the note on what a partner cosigned last.
fn cosigned_name(node: &NodeId) -> String {
    format!("cosigned/{}", crate::desk::hex(node.as_bytes()))
}

/// What a partner cosigned last of the own log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde_tuple::Serialize_tuple, serde_tuple::Deserialize_tuple,
)]
pub(crate) struct LastCosigned {
    /// Leaves.
    pub(crate) size: u64,
    /// When, in Unix seconds.
    pub(crate) at: u64,
}

impl Desk {
    /// Answers a partner that wants a checkpoint of its log cosigned.
    pub(crate) fn answer_cosign(&self, partner: &Known, asked: Asked<Cosign>) -> Reply {
        if !partner.is_welcome() {
            return asked.refuse(Refusal::Suspended);
        }
        match self.witness(partner, asked.request().body()) {
            Ok(answer) => asked.answer(&answer),
            Err(_) => asked.refuse(Refusal::Internal),
        }
    }

    /// The rules of a witness, with what was seen of the partner's log as the stored head: a query
    /// may have shown more of it than was ever cosigned, and a cosignature states that nothing
    /// larger was seen.
    fn witness(&self, partner: &Known, body: &str) -> Result<Cosigned, DeskError> {
        let node = partner.node();
        let refused = |verdict: Verdict| {
            Ok(Cosigned::new(verdict.status(), verdict.body().unwrap_or_default())?)
        };
        let verifier = LogVerifier::from(CheckpointVerifier::parse(&partner.card.card().log)?);
        let authentic = AddCheckpoint::parse(body)
            .map_err(Verdict::Malformed)
            .and_then(|request| authenticate(&request, &verifier));
        let authentic = match authentic {
            Ok(authentic) => authentic,
            Err(verdict) => return refused(verdict),
        };
        let seen = self.store.partner_seen(&node)?;
        let accepted = match authentic.decide(head(seen)?) {
            Ok(accepted) => accepted,
            Err(why) => {
                self.split_view(partner, why.checkpoint(), why.proof())?;
                return refused(why.refusal());
            }
        };
        let durability = accepted.make_durable(self.now(), |accepted| {
            let (checkpoint, next) = (accepted.checkpoint(), accepted.step().next());
            let next = LogSeen { size: next.size(), root: next.root() };
            let text = checkpoint.signed().to_string();
            match self.store.commit(Write::new().partner_seen(node, seen, next, &text)) {
                Ok(_) => Ok(Swap::Stored),
                Err(StoreError::Conflict | StoreError::WentBack) => {
                    Ok(Swap::Overtaken(head(self.store.partner_seen(&node)?)?))
                }
                Err(error) => Err(DeskError::from(error)),
            }
        })?;
        match durability.durable() {
            Ok(durable) => {
                let line = self.identity().cosigner.cosign(&durable)?;
                Ok(Cosigned::new(200, format_cosignatures(&[line])?)?)
            }
            Err(verdict) => refused(verdict),
        }
    }

    /// One beat of the cadence: heartbeat leaves, a checkpoint over them, and every partner's
    /// cosignature on it. A partner that does not answer is asked at the next beat.
    ///
    /// # Errors
    /// [`DeskError`] where the own log cannot grow.
    pub fn beat(&self) -> Result<(), DeskError> {
        // At least one leaf, and up to the next multiple: whoever sees checkpoints of the cadence
        // alone cannot tell a quiet hour from a busy one by less than that many leaves.
        let node = Officer::node();
        let missing = HEARTBEAT_LEAVES - self.store.log_size() % HEARTBEAT_LEAVES;
        let write = (0..missing)
            .fold(Write::new(), |write, _| write.log(Entry::heartbeat(self.who(&node))));
        self.store.commit(write)?;
        self.checkpoint_keep()?;
        for partner in self.partners().values() {
            if partner.in_force(self.now()).is_ok() {
                let _ = self.cosign_ask(partner);
            }
        }
        Ok(())
    }

    /// Signs the log as it is and keeps the checkpoint, unless a larger one is kept.
    pub(crate) fn checkpoint_keep(&self) -> Result<(), DeskError> {
        let _one_at_a_time = lock(&self.keeping);
        let (size, text) = self.checkpoint()?;
        if self.store.log_checkpoint_fetch()?.is_none_or(|(kept, _)| kept < size) {
            self.store.commit(Write::new().log_checkpoint(size, &text))?;
        }
        Ok(())
    }

    /// Asks a partner, of which a session has just begun, to cosign; quietly.
    pub fn met(&self, node: &NodeId) {
        self.proofs_expected(node);
        let partner = self.partner(node).filter(|known| known.in_force(self.now()).is_ok());
        if let Some(partner) = partner {
            let _ = self.cosign_ask(&partner);
        }
    }

    /// Asks partners to cosign the log as it is now.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown partner, or from the store. A partner that does not cosign is
    /// no error: the report says why.
    pub fn audit_cosign(
        &self,
        _officer: &Officer,
        request: CosignRequest,
        report: &mut dyn Report,
    ) -> Result<CosignReport, DeskError> {
        let partners = self.partners_named(&request.partners)?;
        self.checkpoint_keep()?;
        let mut answers = Vec::new();
        for (done, partner) in (1_u64..).zip(&partners) {
            let outcome = partner.in_force(self.now()).map(drop);
            let outcome = outcome.and_then(|()| self.cosign_ask(partner));
            answers.push(CosignAnswer {
                partner: partner.name().to_owned(),
                size: outcome.as_ref().ok().copied(),
                cause: outcome.err(),
            });
            report.progress("asking partners to cosign", done, Some(partners.len() as u64));
        }
        let kept = self.store.log_checkpoint_fetch()?;
        let (size, checkpoint) = kept.map_or_else(|| self.checkpoint(), Ok)?;
        Ok(CosignReport { size, checkpoint, partners: answers })
    }

    /// What a partner cosigned last of the own log.
    pub(crate) fn last_cosigned(&self, node: &NodeId) -> Result<Option<LastCosigned>, DeskError> {
        let bytes = self.store.progress_fetch(&cosigned_name(node))?;
        let last = bytes.map(|bytes| symbolon_codec::decode(&bytes, 32)).transpose();
        last.map_err(|_| DeskError::internal("the note on a cosignature is damaged"))
    }

    /// Has a partner cosign the log as it is; the size that it cosigned, or why it did not.
    fn cosign_ask(&self, partner: &Known) -> Result<u64, String> {
        let words = |error: DeskError| error.to_string();
        let node = partner.node();
        let link = self.link().map_err(words)?;
        let turn = self.asking.turn(&node);
        let mut shown = lock(&turn);
        let (size, text) = self.checkpoint().map_err(words)?;
        if self.last_cosigned(&node).map_err(words)?.is_some_and(|last| last.size == size) {
            return Ok(size);
        }
        let mut seen = shown.size.or_else(|| link.seen_by(&node)).unwrap_or_default();
        // Once more where the partner has seen another size of the log than this node thought.
        for _ in 0..2 {
            let request = self.cosign_request(seen, size, &text).map_err(words)?;
            let answer = link.cosign(&node, &request).map_err(|error| error.to_string())?;
            match answer.status() {
                200 => {
                    self.cosigned_keep(partner, size, &text, answer.body()).map_err(words)?;
                    shown.size = Some(size);
                    return Ok(size);
                }
                409 => {
                    let known = parse_conflict(answer.body()).map_err(|error| error.to_string())?;
                    if known > size {
                        return Err(self.own_log_refused(partner, known).map_err(words)?);
                    }
                    seen = known;
                }
                422 => return Err(self.own_log_refused(partner, seen).map_err(words)?),
                status => return Err(format!("the partner answered {status}")),
            }
        }
        Err("the partner is being shown newer checkpoints; the next beat asks again".to_owned())
    }

    fn cosign_request(&self, seen: u64, size: u64, text: &str) -> Result<Cosign, DeskError> {
        let signed = SignedCheckpoint::parse(text)?;
        let seen = seen.min(size);
        let proof = match seen {
            0 => Vec::new(),
            seen => self.store.log_consistency(seen, size)?,
        };
        Ok(Cosign::new(&AddCheckpoint::new(seen, proof, &signed)?)?)
    }

    /// Adds a partner's line to the checkpoint that is kept for the size.
    fn cosigned_keep(
        &self,
        partner: &Known,
        size: u64,
        text: &str,
        lines: &str,
    ) -> Result<(), DeskError> {
        let _one_at_a_time = lock(&self.keeping);
        let kept = self.store.log_checkpoint_at(size)?;
        let signed = SignedCheckpoint::parse(kept.as_deref().unwrap_or(text))?;
        let cosigner = CheckpointVerifier::parse(&partner.card.card().log)?.cosigner();
        let cosigned = add_cosignatures(signed, &parse_cosignatures(lines)?, &[cosigner])?;
        let newest = self.store.log_checkpoint_fetch()?;
        let write = if newest.is_some_and(|(newest, _)| newest > size) {
            Write::new().log_checkpoint_older(size, &cosigned.to_string())
        } else {
            Write::new().log_checkpoint(size, &cosigned.to_string())
        };
        let last = LastCosigned { size, at: self.now() };
        let name = cosigned_name(&partner.node());
        self.store.commit(write.progress(&name, &symbolon_codec::encode(&last)))?;
        Ok(())
    }

    fn own_log_refused(&self, partner: &Known, known: u64) -> Result<String, DeskError> {
        let words = format!(
            "{} says that this node's log does not continue the {known} leaves that it saw",
            partner.name()
        );
        self.alarm_raise(AlarmKind::OwnLogRefused, partner, words.clone(), String::new())?;
        Ok(words)
    }
}

fn head(seen: Option<LogSeen>) -> Result<Head, DeskError> {
    Ok(seen.map_or(Ok(Head::EMPTY), |seen| Head::new(seen.size, seen.root))?)
}
