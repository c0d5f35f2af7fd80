//! One batch of match keys put to one partner: blinded, committed, asked, compared.
//!
//! Implements spec/accountability.md#queries.
//!
//! Invariant: a batch is sent only after its commitment and its spend are durable here.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{Commitment, Entry, QueryEvidence, QueryPrivate, commit};
use symbolon_ident::MatchKey;
use symbolon_oprf::{Hit, Receiver};
use symbolon_protocol::{Code, Evaluate, VerifiedEpochCard};
use symbolon_store::{
    BudgetKey, Direction, Owed, OwedFor, Query, QueryId, QueryState, SetKey, StoreError, Write,
};
use symbolon_trust::{NodeId, VerifiedAgreement};

use crate::api::Reason;
use crate::asking::lock;
use crate::desk::Known;
use crate::surroundings::LinkError;
use crate::{Desk, DeskError, Officer};

/// Whom a batch is put to, under which card, and for what.
pub(crate) struct Asked<'a> {
    pub(crate) partner: &'a Known,
    pub(crate) agreement: &'a VerifiedAgreement,
    pub(crate) card: &'a VerifiedEpochCard,
    pub(crate) set: SetKey,
    pub(crate) officer: &'a Officer,
    pub(crate) reason: &'a Reason,
    /// The officer's request that the batch belongs to.
    pub(crate) group: [u8; 16],
}

/// What came back.
pub(crate) struct Answer {
    /// The keys that met.
    pub(crate) hits: Vec<Hit>,
    pub(crate) query: QueryId,
    /// Leaf of the commitment in the own log.
    pub(crate) leaf_index: u64,
    /// Elements charged to the budget.
    pub(crate) elements: u64,
}

/// Why a batch was not asked, or not answered.
pub(crate) enum NotAsked {
    /// The partner, the budget or the way to the partner.
    Cause(String),
    /// Something here.
    Failed(DeskError),
}

impl<E: Into<DeskError>> From<E> for NotAsked {
    fn from(error: E) -> NotAsked {
        NotAsked::Failed(error.into())
    }
}

impl Desk {
    /// Puts at most [`crate::limits::BATCH_KEYS_MAX`] keys of one class to a partner.
    pub(crate) fn batch_ask(
        &self,
        asked: &Asked<'_>,
        keys: &[MatchKey],
    ) -> Result<Answer, NotAsked> {
        let receiver = Receiver::blind_with(keys, self.surroundings.seed(), self.workers)?;
        let elements = receiver.blinded().len() as u64;
        let private = private(asked, keys, &receiver);
        let salt = self.surroundings.seed();
        let commitment = commit(salt, receiver.blinded(), &private)?;
        let mut query = self.query_row(asked, keys.len(), &private);
        let content = asked.card.card();
        let request =
            self.query_commit(asked.agreement, asked.officer, &query, &commitment, "batch")?;
        let node = asked.partner.node();
        let outcome = self.commitment_send(&node, &request, |evidence| {
            let message = Evaluate::new(asked.card, receiver.blinded(), evidence)?;
            Ok(self.link()?.evaluate(&node, &message))
        });
        let evaluated = match outcome {
            Ok(evaluated) => evaluated,
            Err(cause) => {
                query.state = QueryState::NotAsked;
                self.store.commit(Write::new().query(&query))?;
                return Err(cause);
            }
        };
        let evaluated = evaluated.evaluated()?;
        let lookup = self.store.tag_set_lookup(asked.set);
        let hits = receiver.finalize(&evaluated, &content.public_key, &lookup);
        let hits = hits.map_err(|error| {
            // A wrong proof is the partner's; a failing look-up is ours. Neither is "no hit".
            NotAsked::Cause(format!("the partner's answer cannot be used: {error}"))
        })?;
        query.state = QueryState::Answered;
        query.hits = u32::try_from(hits.len()).unwrap_or(u32::MAX);
        query.answered_at = Some(self.now());
        query.leaf_index = Some(request.leaf_index);
        // The commitment is durable; that the answer came is a note that a crash may lose.
        let owed = Owed {
            partner: asked.partner.node(),
            name: *commitment.leaf().as_bytes(),
            what: OwedFor::Query,
            since: self.now(),
        };
        drop(self.store.submit(Write::new().query(&query).owed(&owed))?);
        let (query, leaf_index) = (query.id, request.leaf_index);
        Ok(Answer { hits, query, leaf_index, elements })
    }

    /// Spends what a query costs here, keeps it, and commits to it in the own log: all durable when
    /// this returns. `what` names in the refusal what is asked.
    pub(crate) fn query_commit(
        &self,
        agreement: &VerifiedAgreement,
        officer: &Officer,
        query: &Query,
        commitment: &Commitment,
        what: &str,
    ) -> Result<Committed, NotAsked> {
        let Query { partner, class, epoch, .. } = *query;
        let budget = BudgetKey { partner, class, epoch, direction: Direction::Asked };
        let limit = agreement.terms(class).map_or(0, |terms| terms.budget_per_epoch);
        let elements = u64::from(commitment.elements());
        let write = Write::new()
            .spend(budget, elements, limit)
            .query(query)
            .log(Entry::query(self.who(officer), commitment));
        match self.store.commit(write) {
            Ok(committed) => {
                let receipt = committed.last();
                let receipt =
                    receipt.ok_or_else(|| DeskError::internal("a logged write has a receipt"))?;
                Ok(Committed {
                    salt: *commitment.salt(),
                    private_digest: *commitment.private_digest(),
                    leaf_index: receipt.leaf_index,
                })
            }
            Err(StoreError::Exhausted { remaining }) => Err(NotAsked::Cause(format!(
                "the budget of class {class} has {remaining} elements left in this epoch, and the \
                 {what} takes {elements}"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows the own log and asks; once more where the partner has seen another size of it.
    pub(crate) fn commitment_send<R>(
        &self,
        node: &NodeId,
        request: &Committed,
        send: impl Fn(QueryEvidence) -> Result<Result<R, LinkError>, DeskError>,
    ) -> Result<R, NotAsked> {
        let link = self.link()?;
        let turn = self.asking.turn(node);
        let mut shown = lock(&turn);
        let mut seen = shown.size.or_else(|| link.seen_by(node)).unwrap_or_default();
        let mut is_retried = false;
        loop {
            let (size, checkpoint) = self.checkpoint()?;
            let consistency = match seen {
                0 => Vec::new(),
                seen if seen <= size => self.store.log_consistency(seen, size)?,
                _ => {
                    return Err(NotAsked::Cause(
                        "the partner has seen a longer log of this node: was a backup restored?"
                            .to_owned(),
                    ));
                }
            };
            let evidence = QueryEvidence {
                salt: request.salt,
                private_digest: request.private_digest,
                leaf_index: request.leaf_index,
                inclusion: self.store.log_inclusion(request.leaf_index, size)?,
                checkpoint,
                consistency,
            };
            match send(evidence)? {
                Ok(answer) => {
                    shown.size = Some(size);
                    return Ok(answer);
                }
                // An answer that was lost had moved what the partner has seen: ask it, once.
                Err(LinkError::Refused { code: Code::Log | Code::Stale, .. }) if !is_retried => {
                    is_retried = true;
                    seen = link.seen_anew(node).unwrap_or_default();
                }
                Err(error) => {
                    shown.size = None;
                    if matches!(error, LinkError::Refused { code: Code::Epoch, .. }) {
                        self.epochs.forget(node);
                    }
                    return Err(NotAsked::Cause(error.to_string()));
                }
            }
        }
    }

    fn query_row(&self, asked: &Asked<'_>, inputs: usize, private: &QueryPrivate) -> Query {
        let reason = asked.reason;
        Query {
            id: QueryId::generate(self.surroundings.now_ms(), self.surroundings.seed()),
            group: asked.group,
            partner: asked.partner.node(),
            class: asked.card.card().class,
            epoch: asked.card.card().epoch,
            officer: asked.officer.as_str().to_owned(),
            purpose: reason.purpose.clone(),
            legal_basis: reason.legal_basis.clone(),
            case: reason.case.clone(),
            inputs: u32::try_from(inputs).unwrap_or(u32::MAX),
            state: QueryState::Committed,
            hits: 0,
            asked_at: self.now(),
            answered_at: None,
            leaf_index: None,
            private: private.encode().to_vec(),
        }
    }
}

/// What stays the same when the log is shown again.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Committed {
    #[serde(with = "serde_bytes")]
    pub(crate) salt: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(crate) private_digest: [u8; 32],
    pub(crate) leaf_index: u64,
}

fn private(asked: &Asked<'_>, keys: &[MatchKey], receiver: &Receiver) -> QueryPrivate {
    let bytes = |key: &MatchKey| serde_bytes::ByteBuf::from(key.as_bytes().to_vec());
    QueryPrivate {
        partner: asked.partner.node(),
        class: asked.card.card().class,
        epoch: asked.card.card().epoch,
        officer: asked.officer.as_str().to_owned(),
        purpose: asked.reason.purpose.clone(),
        legal_basis: asked.reason.legal_basis.clone(),
        case: asked.reason.case.clone(),
        identifiers: keys.iter().map(bytes).collect(),
        opening: receiver.opening().expose_secret().to_vec(),
    }
}
