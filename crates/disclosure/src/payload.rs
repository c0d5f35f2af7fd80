//! What a statement says: nine closed forms, none of them free text to a partner.
//!
//! Implements spec/envelope.md#payloads.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode};
use symbolon_ident::Class;
use symbolon_oprf::{CommitmentOpening, ConfirmCode, Tag};
use symbolon_record::View;
use symbolon_trust::Mode;

use crate::alert::{Acknowledgement, Alerted, Manifest, Word};
use crate::error::Layer;
use crate::limits::{
    ACCOUNT_ITEMS_MAX, ANSWER_BUCKET_BYTES_MIN, CHECKPOINT_BYTES_MAX, PAYLOAD_BYTES_MAX,
    PURPOSE_BYTES_MAX,
};
use crate::{DisclosureError, StatementId};

/// What kind of statement it is. Numbers 5 and 11 are those of epoch cards and of the transcripts
/// of bulk matches, which travel outside envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum StatementKind {
    /// The asker shows that it has a hit, and asks for the record.
    Confirm = 1,
    /// The holder hands over what policy grants.
    Disclosure = 2,
    /// The holder hands over nothing.
    Refusal = 3,
    /// A statement arrived and is in the log.
    Receipt = 4,
    /// All that passed between two nodes, as the log of one has it: a receipt for many things.
    Account = 6,
    /// The origin pushes an alert, as far as policy grants.
    Alert = 7,
    /// An alert is taken back or disputed.
    Word = 8,
    /// How far statements came at their recipient.
    Acknowledgement = 9,
    /// What a courier carries.
    Manifest = 10,
}

impl StatementKind {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    ///
    /// # Errors
    /// [`DisclosureError::Kind`] when there is none.
    pub fn from_code(kind: u8) -> Result<Self, DisclosureError> {
        match kind {
            1 => Ok(Self::Confirm),
            2 => Ok(Self::Disclosure),
            3 => Ok(Self::Refusal),
            4 => Ok(Self::Receipt),
            6 => Ok(Self::Account),
            7 => Ok(Self::Alert),
            8 => Ok(Self::Word),
            9 => Ok(Self::Acknowledgement),
            10 => Ok(Self::Manifest),
            _ => Err(DisclosureError::Kind { kind }),
        }
    }

    /// The least padded size: answers share one, so that the network cannot tell a refusal from a
    /// short disclosure, and so does all that a relay or a courier carries.
    pub(crate) fn bucket_bytes_min(self) -> usize {
        match self {
            Self::Disclosure
            | Self::Refusal
            | Self::Alert
            | Self::Word
            | Self::Acknowledgement
            | Self::Manifest => ANSWER_BUCKET_BYTES_MIN,
            Self::Confirm | Self::Receipt | Self::Account => 0,
        }
    }

    /// Whether statements of this kind exist in `mode`: alerts are exercised, matching is not.
    pub(crate) fn is_of(self, mode: Mode) -> bool {
        let is_of_alerts =
            matches!(self, Self::Alert | Self::Word | Self::Acknowledgement | Self::Manifest);
        mode == Mode::Live || is_of_alerts
    }
}

/// The asker's proof of a hit, and why it asks.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
pub struct ConfirmRequest {
    /// The class of the tag set.
    pub class: Class,
    /// Its epoch.
    pub epoch: u64,
    /// Its serial, so that the holder opens the commitment in the set that the asker holds.
    pub serial: u64,
    /// The tag that was found in it.
    pub tag: Tag,
    /// What only one who evaluated the identifier knows.
    pub confirm: ConfirmCode,
    /// For what; a purpose of the agreement.
    pub purpose: String,
    /// Names the asker's case without telling it.
    #[serde(with = "serde_bytes")]
    pub case_hash: [u8; 32],
}

impl fmt::Debug for ConfirmRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfirmRequest({}, [redacted])", self.class)
    }
}

/// Why a holder hands over nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(u8)]
pub enum RefusalCode {
    /// The one neutral answer: not for you, unknown and expired look the same.
    Neutral = 1,
    /// The holder asks for a fuller purpose through its officers.
    PurposeInsufficient = 2,
    /// The holder will answer, but through another channel.
    OtherChannel = 3,
}

/// The answer that hands over nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// The statement that it answers.
    pub in_reply_to: StatementId,
}

/// The recipient's word that a statement arrived.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Receipt {
    /// SHA-256 of the statement's bytes.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// When it was written to the log, in Unix seconds.
    pub at: u64,
    /// Where it stands in the recipient's log.
    pub log_index: u64,
    /// A signed checkpoint of that log which covers it.
    pub checkpoint: String,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt(at {})", self.at)
    }
}

/// What an entry of the log says passed between its node and the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize_repr, Deserialize_repr)]
#[repr(u8)]
pub enum Passed {
    /// A query to the partner was committed to; its name is the commitment.
    Asked = 1,
    /// A query of the partner was evaluated; its name is the partner's commitment.
    Answered = 2,
    /// A confirm was sent; as all further ones, its name is the hash of the statement.
    ConfirmSent = 3,
    /// A confirm came in.
    ConfirmReceived = 4,
    /// A disclosure was sent.
    DisclosureSent = 5,
    /// A disclosure came in.
    DisclosureReceived = 6,
    /// A refusal was sent.
    RefusalSent = 7,
    /// A refusal came in.
    RefusalReceived = 8,
    /// An alert was sent.
    AlertSent = 9,
    /// An alert came in.
    AlertReceived = 10,
    /// A word on an alert was sent.
    WordSent = 11,
    /// A word on an alert came in.
    WordReceived = 12,
}

impl Passed {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Asked,
        Self::Answered,
        Self::ConfirmSent,
        Self::ConfirmReceived,
        Self::DisclosureSent,
        Self::DisclosureReceived,
        Self::RefusalSent,
        Self::RefusalReceived,
        Self::AlertSent,
        Self::AlertReceived,
        Self::WordSent,
        Self::WordReceived,
    ];

    /// What the same thing is on the other side.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Asked => Self::Answered,
            Self::Answered => Self::Asked,
            Self::ConfirmSent => Self::ConfirmReceived,
            Self::ConfirmReceived => Self::ConfirmSent,
            Self::DisclosureSent => Self::DisclosureReceived,
            Self::DisclosureReceived => Self::DisclosureSent,
            Self::RefusalSent => Self::RefusalReceived,
            Self::RefusalReceived => Self::RefusalSent,
            Self::AlertSent => Self::AlertReceived,
            Self::AlertReceived => Self::AlertSent,
            Self::WordSent => Self::WordReceived,
            Self::WordReceived => Self::WordSent,
        }
    }
}

/// One thing that passed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AccountItem {
    /// What.
    pub passed: Passed,
    /// The commitment of the query, or the hash of the statement.
    #[serde(with = "serde_bytes")]
    pub name: [u8; 32],
    /// Elements of a query, padding included; 0 for statements.
    pub elements: u32,
    /// Its leaf in the log of the account's author.
    pub log_index: u64,
}

/// What passed between two nodes, as the author's log has it.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Account {
    /// First leaf that was looked at.
    pub from: u64,
    /// The leaf behind the last that was looked at; below the checkpoint's size where the account
    /// goes on.
    pub until: u64,
    /// What the leaves between them say, in their order.
    pub items: Vec<AccountItem>,
    /// How many of those leaves have lost their entries to an erasure.
    pub erased: u64,
    /// A signed checkpoint of that log which covers them.
    pub checkpoint: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} to {}, {} items)", self.from, self.until, self.items.len())
    }
}

impl Account {
    fn validate(&self) -> Result<(), DisclosureError> {
        require(self.checkpoint.len() <= CHECKPOINT_BYTES_MAX, "checkpoint")?;
        require(self.items.len() <= ACCOUNT_ITEMS_MAX, "items")?;
        require(self.from <= self.until, "until")?;
        let indexes = self.items.iter().map(|item| item.log_index);
        let is_inside = indexes.clone().all(|index| (self.from..self.until).contains(&index));
        // One leaf may stand for one thing only.
        let in_order = indexes.clone().zip(indexes.skip(1)).all(|(one, next)| one < next);
        require(is_inside && in_order, "items")
    }
}

/// What policy granted of one record.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Disclosed {
    /// The granted fields, transformed as the grant demands.
    pub view: View,
    /// The confirm that it answers.
    pub in_reply_to: Option<StatementId>,
    /// Shows that the record stood behind the tag before anyone asked; in the set that the confirm
    /// named.
    pub opening: Option<CommitmentOpening>,
}

impl fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disclosed([redacted])")
    }
}

impl Disclosed {
    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        self.view.validate().map_err(DisclosureError::View)?;
        let Some(opening) = &self.opening else {
            return Ok(());
        };
        let (id, version) = (self.view.id, self.view.version);
        let mut records = opening.records.iter();
        let covers =
            records.any(|held| held.id == *id.as_bytes() && held.version == *version.as_bytes());
        if covers { Ok(()) } else { Err(DisclosureError::OpeningOther) }
    }
}

/// What an opened statement says.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A proof of a hit.
    Confirm(ConfirmRequest),
    /// A record, as far as granted.
    Disclosure(Box<Disclosed>),
    /// Nothing.
    Refusal(Refusal),
    /// It arrived.
    Receipt(Receipt),
    /// What passed.
    Account(Account),
    /// An alert, as far as granted.
    Alert(Box<Alerted>),
    /// A word on one.
    Word(Word),
    /// How far statements came.
    Acknowledgement(Acknowledgement),
    /// What a courier carries.
    Manifest(Manifest),
}

impl Payload {
    /// Which kind of statement carries it.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        match self {
            Self::Confirm(_) => StatementKind::Confirm,
            Self::Disclosure(_) => StatementKind::Disclosure,
            Self::Refusal(_) => StatementKind::Refusal,
            Self::Receipt(_) => StatementKind::Receipt,
            Self::Account(_) => StatementKind::Account,
            Self::Alert(_) => StatementKind::Alert,
            Self::Word(_) => StatementKind::Word,
            Self::Acknowledgement(_) => StatementKind::Acknowledgement,
            Self::Manifest(_) => StatementKind::Manifest,
        }
    }

    /// Whether it may be said in `mode`.
    pub(crate) fn is_of(&self, mode: Mode) -> bool {
        match self {
            Self::Alert(alerted) => alerted.is_of(mode),
            other => other.kind().is_of(mode),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Confirm(confirm) => encode(confirm),
            Self::Disclosure(disclosed) => encode(disclosed),
            Self::Refusal(refusal) => encode(refusal),
            Self::Receipt(receipt) => encode(receipt),
            Self::Account(account) => encode(account),
            Self::Alert(alerted) => encode(alerted),
            Self::Word(word) => encode(word),
            Self::Acknowledgement(acknowledgement) => encode(acknowledgement),
            Self::Manifest(manifest) => encode(manifest),
        }
    }

    pub(crate) fn decode(kind: StatementKind, bytes: &[u8]) -> Result<Self, DisclosureError> {
        let payload = match kind {
            StatementKind::Confirm => Self::Confirm(read(bytes)?),
            StatementKind::Disclosure => Self::Disclosure(Box::new(read(bytes)?)),
            StatementKind::Refusal => Self::Refusal(read(bytes)?),
            StatementKind::Receipt => Self::Receipt(read(bytes)?),
            StatementKind::Account => Self::Account(read(bytes)?),
            StatementKind::Alert => Self::Alert(Box::new(read(bytes)?)),
            StatementKind::Word => Self::Word(read(bytes)?),
            StatementKind::Acknowledgement => Self::Acknowledgement(read(bytes)?),
            StatementKind::Manifest => Self::Manifest(read(bytes)?),
        };
        payload.validate()?;
        Ok(payload)
    }

    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        match self {
            Self::Confirm(confirm) => require(is_purpose(&confirm.purpose), "purpose"),
            Self::Disclosure(disclosed) => disclosed.validate(),
            Self::Refusal(_) | Self::Word(_) => Ok(()),
            Self::Receipt(receipt) => {
                require(receipt.checkpoint.len() <= CHECKPOINT_BYTES_MAX, "checkpoint")
            }
            Self::Account(account) => account.validate(),
            Self::Alert(alerted) => alerted.validate(),
            Self::Acknowledgement(acknowledgement) => acknowledgement.validate(),
            Self::Manifest(manifest) => manifest.validate(),
        }
    }
}

fn read<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, DisclosureError> {
    decode(bytes, PAYLOAD_BYTES_MAX)
        .map_err(|source| DisclosureError::Decode { layer: Layer::Payload, source })
}

pub(crate) fn require(holds: bool, field: &'static str) -> Result<(), DisclosureError> {
    if holds { Ok(()) } else { Err(DisclosureError::Field { layer: Layer::Payload, field }) }
}

/// A purpose as agreements write it: `a-z`, `0-9`, `_` and `-`.
fn is_purpose(text: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
    (1..=PURPOSE_BYTES_MAX).contains(&text.len()) && text.bytes().all(letter)
}
