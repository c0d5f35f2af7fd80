//! Signed statements and what they say, read by the specification alone.
//!
//! Implements spec/envelope.md#statement and spec/envelope.md#payloads.

use serde_bytes::{ByteArray, ByteBuf};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::sha256;
use symbolon_tlog::{Hash, leaf_hash, verify_inclusion};

use crate::alert::{Acknowledgement, Alerted, Mode, Word};
use crate::document::{EpochCard, read};
use crate::key::{NodeId, Signed};
use crate::label;
use crate::limits::{
    COMMITMENT_HASHES_MAX, LIFETIME_SECONDS_MAX, RECORDS_PER_TAG_MAX, STATEMENT_BYTES_MAX,
    TIME_SECONDS_MAX,
};
use crate::reason::{Reason, Refused, require};
use crate::view::View;

#[derive(Serialize_tuple, Deserialize_tuple)]
struct StatementContent {
    version: u8,
    id: ByteArray<16>,
    kind: u8,
    from: NodeId,
    to: NodeId,
    created: u64,
    expires: u64,
    policy_digest: Option<ByteArray<32>>,
    sequence: Option<u64>,
    payload: ByteBuf,
}

/// A statement in plain form; nobody has checked its signatures yet.
pub(crate) struct Statement {
    pub(crate) id: [u8; 16],
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) created: u64,
    pub(crate) expires: u64,
    pub(crate) policy_digest: Option<[u8; 32]>,
    /// Place in the ordered stream, where its kind has one.
    pub(crate) sequence: Option<u64>,
    pub(crate) payload: Payload,
    /// Under whose label it is signed, once that was checked.
    pub(crate) mode: Mode,
    pub(crate) hash: [u8; 32],
    pub(crate) signed: Signed,
}

/// What a statement says.
pub(crate) enum Payload {
    Confirm(Confirm),
    Disclosure(Box<Disclosure>),
    Refusal(Refusal),
    Receipt(Receipt),
    Alert(Box<Alerted>),
    Word(Word),
    Acknowledgement(Acknowledgement),
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Confirm {
    pub(crate) class: String,
    pub(crate) epoch: u64,
    pub(crate) serial: u64,
    pub(crate) tag: ByteArray<16>,
    pub(crate) confirm: ByteArray<32>,
    pub(crate) purpose: String,
    pub(crate) case_hash: ByteArray<32>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Disclosure {
    pub(crate) view: View,
    pub(crate) in_reply_to: Option<ByteArray<16>>,
    pub(crate) opening: Option<CommitmentOpening>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Refusal {
    pub(crate) code: u8,
    pub(crate) in_reply_to: ByteArray<16>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Receipt {
    pub(crate) statement_hash: ByteArray<32>,
    pub(crate) at: u64,
    pub(crate) log_index: u64,
    pub(crate) checkpoint: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct CommitmentOpening {
    salt: ByteArray<32>,
    pub(crate) records: Vec<RecordRef>,
    index: u64,
    proof: Vec<Hash>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct RecordRef {
    pub(crate) id: ByteArray<16>,
    pub(crate) version: ByteArray<32>,
}

impl Statement {
    pub(crate) fn read(bytes: &[u8], part: &str) -> Result<Statement, Refused> {
        let signed: Signed = read(bytes, STATEMENT_BYTES_MAX, part)?;
        let content: StatementContent = read(&signed.bytes, STATEMENT_BYTES_MAX, part)?;
        require(content.version == 1, Reason::Version, part)?;
        let lifetime = content.expires.saturating_sub(content.created);
        // Version 7 and the variant of RFC 9562.
        let is_uuid = content.id.get(6).is_some_and(|byte| byte >> 4 == 7)
            && content.id.get(8).is_some_and(|byte| byte >> 6 == 2);
        let is_well_formed = is_uuid
            && content.from != content.to
            && (1..=LIFETIME_SECONDS_MAX).contains(&lifetime)
            && content.expires <= TIME_SECONDS_MAX
            && signed.signatures().is_well_formed();
        require(is_well_formed, Reason::Malformed, part)?;
        let is_known = matches!(content.kind, 1..=4 | 7..=9);
        require(is_known, Reason::StatementKind, part)?;
        let is_well_formed = content.policy_digest.is_some() == matches!(content.kind, 2 | 7)
            && content.sequence.is_some() == matches!(content.kind, 7 | 8)
            && content.sequence != Some(0);
        require(is_well_formed, Reason::Malformed, part)?;
        let payload = Payload::read(content.kind, &content.payload, part)?;
        if let Payload::Alert(alerted) = &payload {
            require(content.created < alerted.expires_on, Reason::Malformed, part)?;
        }
        if let Payload::Disclosure(disclosure) = &payload {
            require(disclosure.names_its_record(), Reason::OpeningRecord, part)?;
        }
        Ok(Statement {
            id: *content.id,
            from: content.from,
            to: content.to,
            created: content.created,
            expires: content.expires,
            policy_digest: content.policy_digest.map(|digest| *digest),
            sequence: content.sequence,
            payload,
            mode: Mode::Live,
            hash: sha256("", &[&signed.bytes]),
            signed,
        })
    }

    /// The statement that this one answers.
    pub(crate) fn in_reply_to(&self) -> Option<[u8; 16]> {
        match &self.payload {
            Payload::Disclosure(disclosure) => disclosure.in_reply_to.map(|id| *id),
            Payload::Refusal(refusal) => Some(*refusal.in_reply_to),
            _ => None,
        }
    }

    /// The modes that it may be of: an alert says it, what follows one does not, and the rest is
    /// never said in a drill.
    pub(crate) fn modes(&self) -> &'static [Mode] {
        match &self.payload {
            Payload::Alert(alerted) if alerted.view.exercise == "exercise" => &[Mode::Exercise],
            Payload::Word(_) | Payload::Acknowledgement(_) => &[Mode::Live, Mode::Exercise],
            _ => &[Mode::Live],
        }
    }

    /// Whether it only says how far others came.
    pub(crate) const fn is_confirmation(&self) -> bool {
        matches!(self.payload, Payload::Receipt(_) | Payload::Acknowledgement(_))
    }

    pub(crate) const fn is_receipt(&self) -> bool {
        matches!(self.payload, Payload::Receipt(_))
    }
}

impl Payload {
    fn read(kind: u8, bytes: &[u8], part: &str) -> Result<Payload, Refused> {
        let max = STATEMENT_BYTES_MAX;
        let payload = match kind {
            1 => Payload::Confirm(read(bytes, max, part)?),
            2 => Payload::Disclosure(Box::new(read(bytes, max, part)?)),
            3 => Payload::Refusal(read(bytes, max, part)?),
            4 => Payload::Receipt(read(bytes, max, part)?),
            7 => Payload::Alert(Box::new(read(bytes, max, part)?)),
            8 => Payload::Word(read(bytes, max, part)?),
            9 => Payload::Acknowledgement(read(bytes, max, part)?),
            _ => return Err(Refused::new(Reason::StatementKind, part)),
        };
        let is_well_formed = match &payload {
            Payload::Refusal(refusal) => (1..=3).contains(&refusal.code),
            Payload::Disclosure(disclosure) => disclosure.opening.as_ref().is_none_or(|opening| {
                (1..=RECORDS_PER_TAG_MAX).contains(&opening.records.len())
                    && opening.proof.len() <= COMMITMENT_HASHES_MAX
                    && opening.records.is_sorted_by(|one, next| one < next)
            }),
            Payload::Alert(alerted) => alerted.is_well_formed(),
            Payload::Word(word) => word.is_well_formed(),
            Payload::Acknowledgement(acknowledgement) => acknowledgement.is_well_formed(),
            Payload::Confirm(_) | Payload::Receipt(_) => true,
        };
        require(is_well_formed, Reason::Malformed, part)?;
        Ok(payload)
    }

    /// The number on the wire.
    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Confirm(_) => 1,
            Self::Disclosure(_) => 2,
            Self::Refusal(_) => 3,
            Self::Receipt(_) => 4,
            Self::Alert(_) => 7,
            Self::Word(_) => 8,
            Self::Acknowledgement(_) => 9,
        }
    }

    /// The name of the kind.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Confirm(_) => "confirm",
            Self::Disclosure(_) => "disclosure",
            Self::Refusal(_) => "refusal",
            Self::Receipt(_) => "receipt",
            Self::Alert(_) => "alert",
            Self::Word(_) => "word",
            Self::Acknowledgement(_) => "acknowledgement",
        }
    }
}

impl Disclosure {
    fn names_its_record(&self) -> bool {
        self.opening.as_ref().is_none_or(|opening| {
            let mut records = opening.records.iter();
            records.any(|held| held.id == self.view.id && held.version == self.view.version)
        })
    }
}

impl CommitmentOpening {
    /// Whether these records stood behind `tag` in the set of `card`.
    pub(crate) fn opens(&self, tag: &[u8; 16], card: &EpochCard) -> bool {
        let mut parts: Vec<&[u8]> = vec![&*self.salt];
        for record in &self.records {
            parts.extend([&*record.id as &[u8], &*record.version]);
        }
        let commitment = sha256(label::RECORD, &parts);
        let leaf = leaf_hash([tag.as_slice(), &commitment].concat());
        verify_inclusion(leaf, self.index, card.count, &self.proof, card.set_root).is_ok()
    }
}
