//! Asking for the evaluation of a batch, and the answer; judges nothing.
//!
//! Implements spec/transport.md#evaluate.
//!
//! Invariants: a batch leaves only with the evidence of its commitment; an evaluation leaves only
//! where that evidence was verified for these very elements and the spend is in the log.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{CommittedQuery, QueryEvidence, Receipt};
use symbolon_ident::Class;
use symbolon_oprf::{BlindedElement, EvaluatedElement, Proof};

use crate::epoch_card::VerifiedEpochCard;
use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::handshake::Established;
use crate::limits::{BATCH_ELEMENTS, ELEMENT_BYTES, EVALUATE_BYTES_MAX, EVALUATED_BYTES_MAX};
use crate::message::{Message, Outgoing, both_ways, sealed::Sealed};
use crate::serve::Served;

/// `evaluate`: a padded batch and the evidence that the asker's log has its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Evaluate {
    class: Class,
    epoch: u64,
    #[serde(with = "serde_bytes")]
    elements: Vec<u8>,
    evidence: QueryEvidence,
}

impl Evaluate {
    /// A request under `card`.
    ///
    /// # Errors
    /// [`ProtocolError::ElementCount`] for a batch that is not padded.
    pub fn new(
        card: &VerifiedEpochCard,
        blinded: &[BlindedElement],
        evidence: QueryEvidence,
    ) -> Result<Self, ProtocolError> {
        check_count(blinded.len())?;
        Ok(Self {
            class: card.card().class,
            epoch: card.card().epoch,
            elements: blinded.iter().flat_map(|element| *element.as_bytes()).collect(),
            evidence,
        })
    }

    /// The class of the key.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The epoch of the key.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Number of elements: what the budget is charged.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.elements.len() / ELEMENT_BYTES
    }

    /// The elements, each checked; costs a square root each, so call it once.
    ///
    /// # Errors
    /// [`ProtocolError::Element`] for the identity and for encodings that are not canonical.
    pub fn blinded(&self) -> Result<Vec<BlindedElement>, ProtocolError> {
        let elements = self.elements.chunks(ELEMENT_BYTES);
        elements
            .map(|bytes| BlindedElement::decode(bytes).map_err(ProtocolError::Element))
            .collect()
    }

    /// The evidence, to be verified before anything is evaluated.
    #[must_use]
    pub const fn evidence(&self) -> &QueryEvidence {
        &self.evidence
    }
}

/// `evaluated` on its way out.
#[derive(Debug, Serialize_tuple)]
pub struct Evaluation {
    #[serde(with = "serde_bytes")]
    elements: Vec<u8>,
    #[serde(with = "serde_bytes")]
    proof: Vec<u8>,
}

impl Evaluation {
    /// The answer to `request`, whose decoded elements are `blinded`. `committed` is the evidence
    /// that this batch is in the asker's log, `receipt` that of the spend and the evaluation in
    /// the own log.
    ///
    /// # Errors
    /// [`ProtocolError::Misuse`] when evidence, request and evaluation are not of one batch.
    pub fn new(
        request: &Evaluate,
        blinded: &[BlindedElement],
        committed: &CommittedQuery,
        _receipt: Receipt,
        evaluated: &symbolon_oprf::Evaluated,
    ) -> Result<Self, ProtocolError> {
        let asked = request.elements.chunks(ELEMENT_BYTES);
        let same = asked.eq(blinded.iter().map(|element| &element.as_bytes()[..]));
        if !same || !committed.covers(blinded) || evaluated.elements.len() != request.count() {
            return Err(ProtocolError::Misuse { rule: "evidence and evaluation are of one batch" });
        }
        Ok(Self {
            elements: evaluated.elements.iter().flat_map(|element| *element.as_bytes()).collect(),
            proof: evaluated.proof.encode().to_vec(),
        })
    }
}

/// `evaluated` as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Evaluated {
    #[serde(with = "serde_bytes")]
    elements: Vec<u8>,
    #[serde(with = "serde_bytes")]
    proof: Vec<u8>,
}

impl Evaluated {
    /// The evaluation, each element checked; its proof is verified by `Receiver::finalize`.
    ///
    /// # Errors
    /// [`ProtocolError::Element`] for what is not canonical.
    pub fn evaluated(&self) -> Result<symbolon_oprf::Evaluated, ProtocolError> {
        let elements = self.elements.chunks(ELEMENT_BYTES).map(EvaluatedElement::decode);
        let elements = elements.collect::<Result<_, _>>().map_err(ProtocolError::Element)?;
        let proof = Proof::decode(&self.proof).map_err(ProtocolError::Element)?;
        Ok(symbolon_oprf::Evaluated { elements, proof })
    }
}

fn check_count(count: usize) -> Result<(), ProtocolError> {
    if BATCH_ELEMENTS.contains(&count) { Ok(()) } else { Err(ProtocolError::ElementCount) }
}

fn check_elements(bytes: &[u8]) -> Result<(), ProtocolError> {
    if bytes.len().is_multiple_of(ELEMENT_BYTES) {
        check_count(bytes.len() / ELEMENT_BYTES)
    } else {
        Err(ProtocolError::ElementCount)
    }
}

both_ways!(Evaluate);

impl Message for Evaluate {
    const TYPE: u8 = 11;
    const NAME: &'static str = "evaluate";
    const BYTES_MAX: usize = EVALUATE_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        check_elements(&self.elements)?;
        self.evidence.validate().map_err(|_| ProtocolError::FieldTooLong { field: "evidence" })
    }
}

impl Request for Evaluate {
    type Response = Evaluated;

    fn permitted(&self, session: &Established) -> Result<(), ProtocolError> {
        session.matching()
    }
}

impl Served for Evaluate {
    type Answer = Evaluation;
}

impl Sealed for Evaluation {}

impl Outgoing for Evaluation {
    const NUMBER: u8 = Evaluated::TYPE;
}

impl Sealed for Evaluated {}

impl Message for Evaluated {
    const TYPE: u8 = 12;
    const NAME: &'static str = "evaluated";
    const BYTES_MAX: usize = EVALUATED_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        check_elements(&self.elements)
    }
}
