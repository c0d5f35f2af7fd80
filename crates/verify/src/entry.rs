//! Entries of a node's log and the leaves that they give, read by the specification alone.
//!
//! Implements spec/accountability.md#entries and spec/accountability.md#leaves.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{DecodeError, decode, encode, sha256};
use symbolon_tlog::{Hash, leaf_hash};

use crate::document::read;
use crate::key::NodeId;
use crate::label;
use crate::limits::{ENTRY_BYTES_MAX, OPENING_BYTES_MAX, PRIVATE_BYTES_MAX, PROOF_HASHES_MAX};
use crate::reason::{Reason, Refused, require};

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Entry {
    version: u8,
    pub(crate) at: u64,
    pub(crate) actor: String,
    pub(crate) event: Event,
}

/// What happened, as far as it has a place in a bundle.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Card(NodeId, u64, ByteArray<32>, String),
    Agreement(NodeId, ByteArray<32>, String),
    Policy(ByteArray<32>, String),
    EpochCard(EpochCardEvent),
    Query(QueryEvent),
    ConfirmSent(ConfirmEvent),
    ConfirmReceived(ConfirmEvent),
    Disclosed(DisclosedEvent),
    Received(ReceivedEvent),
    Receipt(ReceiptEvent),
    Alert(AlertEvent),
    Exercise(AlertEvent),
    Deleted(DeletedEvent),
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct EpochCardEvent {
    pub(crate) partner: NodeId,
    pub(crate) class: String,
    pub(crate) epoch: u64,
    pub(crate) serial: u64,
    pub(crate) digest: ByteArray<32>,
    pub(crate) act: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct QueryEvent {
    pub(crate) partner: NodeId,
    pub(crate) class: String,
    pub(crate) epoch: u64,
    pub(crate) elements: u32,
    pub(crate) salt: ByteArray<32>,
    pub(crate) batch_digest: ByteArray<32>,
    pub(crate) private_digest: ByteArray<32>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct ConfirmEvent {
    pub(crate) partner: NodeId,
    pub(crate) class: String,
    pub(crate) epoch: u64,
    pub(crate) statement_id: ByteArray<16>,
    pub(crate) statement_hash: ByteArray<32>,
    pub(crate) purpose: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DisclosedEvent {
    pub(crate) partner: NodeId,
    pub(crate) kind: u8,
    pub(crate) statement_id: ByteArray<16>,
    pub(crate) statement_hash: ByteArray<32>,
    pub(crate) record: Option<ByteArray<16>>,
    pub(crate) version: Option<ByteArray<32>>,
    pub(crate) policy_digest: Option<ByteArray<32>>,
    pub(crate) fields: Vec<String>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct ReceivedEvent {
    pub(crate) partner: NodeId,
    pub(crate) kind: u8,
    pub(crate) statement_id: ByteArray<16>,
    pub(crate) statement_hash: ByteArray<32>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct ReceiptEvent {
    pub(crate) partner: NodeId,
    pub(crate) statement_hash: ByteArray<32>,
    pub(crate) receipt_hash: ByteArray<32>,
    pub(crate) act: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct AlertEvent {
    pub(crate) act: String,
    pub(crate) alert: ByteArray<16>,
    pub(crate) version: ByteArray<32>,
    pub(crate) mode: String,
    pub(crate) recipients: u32,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DeletedEvent {
    pub(crate) alert: ByteArray<16>,
    pub(crate) origin: NodeId,
    pub(crate) statement_hash: ByteArray<32>,
    pub(crate) mode: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct OpeningWire {
    index: u64,
    salt: ByteArray<32>,
    entry: ByteBuf,
    proof: Vec<Hash>,
}

/// An entry, the salt of its leaf, its place, and the proof of it.
pub(crate) struct Opening {
    pub(crate) index: u64,
    pub(crate) entry: Entry,
    pub(crate) proof: Vec<Hash>,
    pub(crate) leaf: Hash,
}

impl Opening {
    pub(crate) fn read(bytes: &[u8], part: &str) -> Result<Opening, Refused> {
        let wire: OpeningWire = read(bytes, OPENING_BYTES_MAX, part)?;
        let entry: Entry = decode(&wire.entry, ENTRY_BYTES_MAX).map_err(|error| {
            let reason = match error {
                // Entries of other kinds are the maker's own, whatever they look like.
                DecodeError::Shape => Reason::OpeningForeign,
                _ => Reason::Malformed,
            };
            Refused::new(reason, part)
        })?;
        require(entry.version == 1, Reason::Version, part)?;
        let is_bounded = wire.proof.len() <= PROOF_HASHES_MAX;
        require(is_bounded, Reason::Malformed, part)?;
        if let Event::Query(query) = &entry.event {
            require(query.salt == wire.salt, Reason::OpeningMismatch, part)?;
        }
        let leaf = leaf_hash(leaf(&entry.event, &wire.salt, &wire.entry));
        Ok(Opening { index: wire.index, entry, proof: wire.proof, leaf })
    }

    pub(crate) fn encode(index: u64, salt: [u8; 32], entry: Vec<u8>, proof: Vec<Hash>) -> Vec<u8> {
        let (salt, entry) = (ByteArray::new(salt), ByteBuf::from(entry));
        encode(&OpeningWire { index, salt, entry, proof })
    }
}

/// That of a query is made of its own salt, so that the asked node can compute it too.
fn leaf(event: &Event, salt: &[u8; 32], entry: &[u8]) -> [u8; 32] {
    match event {
        Event::Query(query) => {
            sha256(label::QUERY, &[salt, &*query.batch_digest, &*query.private_digest])
        }
        _ => sha256(label::LEAF, &[salt, entry]),
    }
}

/// An earlier size of the log and the proof that the checkpoint's tree continues it.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Continued {
    pub(crate) size: u64,
    pub(crate) proof: Vec<Hash>,
}

impl Continued {
    pub(crate) fn read(bytes: &[u8], part: &str) -> Result<Continued, Refused> {
        let continued: Continued = read(bytes, OPENING_BYTES_MAX, part)?;
        require(continued.proof.len() <= PROOF_HASHES_MAX, Reason::Malformed, part)?;
        Ok(continued)
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct PrivateWire {
    index: u64,
    private: ByteBuf,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct PrivateContent {
    partner: NodeId,
    class: String,
    epoch: u64,
    officer: String,
    purpose: String,
    legal_basis: String,
    case: String,
    identifiers: Vec<ByteBuf>,
    opening: ByteBuf,
}

/// The contents of a query, of which its leaf holds a digest.
pub(crate) struct Private {
    pub(crate) index: u64,
    bytes: ByteBuf,
    content: PrivateContent,
}

impl Private {
    pub(crate) fn read(bytes: &[u8], part: &str) -> Result<Private, Refused> {
        let wire: PrivateWire = read(bytes, PRIVATE_BYTES_MAX + 64, part)?;
        let content = read(&wire.private, PRIVATE_BYTES_MAX, part)?;
        Ok(Private { index: wire.index, bytes: wire.private, content })
    }

    pub(crate) fn encode(index: u64, private: Vec<u8>) -> Vec<u8> {
        encode(&PrivateWire { index, private: ByteBuf::from(private) })
    }

    pub(crate) fn is_of(&self, event: &QueryEvent) -> bool {
        let names = (self.content.partner, &self.content.class, self.content.epoch);
        let digest = sha256(label::PRIVATE, &[&*event.salt, &self.bytes]);
        names == (event.partner, &event.class, event.epoch) && digest == *event.private_digest
    }

    /// What was asked and why, as a label and a text each.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let content = &self.content;
        let mut lines = vec![
            ("officer", content.officer.clone()),
            ("purpose", content.purpose.clone()),
            ("legal basis", content.legal_basis.clone()),
            ("case", content.case.clone()),
        ];
        lines.extend(content.identifiers.iter().map(|key| ("asked about", key_line(key))));
        lines
    }
}

/// A match key: profile, kind, form, issuer and value, each behind its length.
fn key_line(key: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut rest = key;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((part, behind)) = behind.split_at_checked(length) else {
            return crate::words::hex(key);
        };
        parts.push(part);
        rest = behind;
    }
    match parts.as_slice() {
        [_, [kind], [form], issuer, value] if rest.is_empty() => {
            let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => crate::words::hex(bytes),
            };
            format!("kind {kind}, form {form}, issuer \"{}\", {}", text(issuer), text(value))
        }
        _ => crate::words::hex(key),
    }
}
