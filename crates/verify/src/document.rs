//! Cards, agreements and epoch cards, read by the specification alone.
//!
//! Implements spec/identity.md#node-card, spec/identity.md#agreement and
//! spec/matching.md#epoch-card.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::{ByteArray, ByteBuf};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{DecodeError, decode, sha256};
use symbolon_tlog::{CheckpointVerifier, Hash};

use crate::key::{Identity, NodeId, Signatures, Signed};
use crate::label;
use crate::limits::{
    AGREEMENT_BYTES_MAX, CARD_BYTES_MAX, CLOCK_SKEW_SECONDS_MAX, EPOCH_CARD_BYTES_MAX,
    TIME_SECONDS_MAX,
};
use crate::reason::{Reason, Refused, require};
use crate::words::hex;

/// Decodes one structure; `part` says which, for the refusal.
pub(crate) fn read<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
    part: &str,
) -> Result<T, Refused> {
    decode(bytes, bytes_max).map_err(|error| {
        let reason = match error {
            DecodeError::TooLong { .. } => Reason::TooLarge,
            DecodeError::Truncated => Reason::Truncated,
            DecodeError::Trailing => Reason::Trailing,
            _ => Reason::Malformed,
        };
        Refused::new(reason, part)
    })
}

/// From when to when a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Span {
    fn is_well_formed(self) -> bool {
        self.from < self.to && self.to <= TIME_SECONDS_MAX
    }

    /// "Taken up to 300 seconds before `not_before`", because two clocks differ.
    pub(crate) fn covers(self, time: u64) -> bool {
        time < self.to && time.saturating_add(CLOCK_SKEW_SECONDS_MAX) >= self.from
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct CardContent {
    version: u8,
    root: Identity,
    name: String,
    country: String,
    sequence: u64,
    not_before: u64,
    not_after: u64,
    signing: Identity,
    envelope_keys: Vec<EnvelopeKey>,
    tls_pins: Vec<ByteArray<32>>,
    addresses: Vec<String>,
    log: Vec<String>,
    profile: ByteArray<32>,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct EnvelopeKey {
    kid: ByteArray<8>,
    suite: u8,
    public: ByteBuf,
    not_before: u64,
    not_after: u64,
    mode: String,
}

/// A card whose root signed it.
pub(crate) struct Card {
    pub(crate) node: NodeId,
    pub(crate) root: Identity,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) sequence: u64,
    pub(crate) span: Span,
    pub(crate) signing: Identity,
    pub(crate) log: CheckpointVerifier,
    pub(crate) digest: [u8; 32],
}

impl Card {
    pub(crate) fn read(bytes: &[u8], part: &str) -> Result<Card, Refused> {
        let signed: Signed = read(bytes, CARD_BYTES_MAX, part)?;
        let card: CardContent = read(&signed.bytes, CARD_BYTES_MAX, part)?;
        require(card.version == 1, Reason::Version, part)?;
        let span = Span { from: card.not_before, to: card.not_after };
        let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let is_name = (1..=32).contains(&card.name.len())
            && card.name.bytes().all(letter)
            && !card.name.starts_with('-')
            && !card.name.ends_with('-');
        let is_country =
            card.country.len() == 3 && card.country.bytes().all(|c| c.is_ascii_uppercase());
        let counts = [
            (card.envelope_keys.len(), 4),
            (card.tls_pins.len(), 2),
            (card.addresses.len(), 4),
            (card.log.len(), 2),
        ];
        let is_counted = counts.iter().all(|(count, most)| (1..=*most).contains(count));
        let has_key_ids = card.envelope_keys.iter().all(|key| {
            sha256("", &[&key.public]).starts_with(&*key.kid)
                && Span { from: key.not_before, to: key.not_after }.is_well_formed()
                && matches!(key.mode.as_str(), "live" | "exercise")
        });
        let has_live_key = card.envelope_keys.iter().any(|key| key.mode == "live");
        let is_well_formed = span.is_well_formed()
            && is_name
            && is_country
            && is_counted
            && has_key_ids
            && has_live_key
            && card.root.is_well_formed()
            && card.signing.is_well_formed()
            && signed.signatures().is_well_formed();
        require(is_well_formed, Reason::Malformed, part)?;
        let is_signed = card.root.signed(label::CARD, &signed.bytes, &signed.signatures());
        require(is_signed, Reason::CardSignature, part)?;
        let node = card.root.fingerprint();
        let log = CheckpointVerifier::parse(&card.log)
            .map_err(|_| Refused::new(Reason::CardLog, part))?;
        let origin = format!("{}{}", label::LOG_ORIGIN, hex(node.as_bytes()));
        require(log.origin() == origin, Reason::CardLog, part)?;
        Ok(Card {
            node,
            root: card.root,
            name: card.name,
            country: card.country,
            sequence: card.sequence,
            span,
            signing: card.signing,
            log,
            digest: sha256(label::CARD_DIGEST, &[&signed.bytes]),
        })
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct AgreementContent {
    version: u8,
    id: ByteArray<16>,
    parties: [NodeId; 2],
    mode: String,
    purposes: Vec<String>,
    kinds: Vec<String>,
    classes: Vec<(String, u64)>,
    epoch_length_seconds: u64,
    retention_days: u32,
    not_before: u64,
    not_after: u64,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct SignedAgreement {
    bytes: ByteBuf,
    first: Option<Signatures>,
    second: Option<Signatures>,
}

/// An agreement that both parties' roots signed.
pub(crate) struct Agreement {
    pub(crate) id: [u8; 16],
    pub(crate) parties: [NodeId; 2],
    pub(crate) mode: String,
    pub(crate) purposes: Vec<String>,
    pub(crate) kinds: Vec<String>,
    pub(crate) classes: Vec<(String, u64)>,
    pub(crate) span: Span,
    pub(crate) digest: [u8; 32],
}

impl Agreement {
    pub(crate) fn read(bytes: &[u8], cards: &[Card], part: &str) -> Result<Agreement, Refused> {
        let signed: SignedAgreement = read(bytes, AGREEMENT_BYTES_MAX, part)?;
        let content: AgreementContent = read(&signed.bytes, AGREEMENT_BYTES_MAX, part)?;
        require(content.version == 1, Reason::Version, part)?;
        let span = Span { from: content.not_before, to: content.not_after };
        let ascends = |list: &[String]| list.is_sorted_by(|one, next| one < next);
        let [one, other] = content.parties;
        let is_well_formed = span.is_well_formed()
            && one < other
            && matches!(content.mode.as_str(), "live" | "exercise")
            && (1..=32).contains(&content.purposes.len())
            && (1..=64).contains(&content.kinds.len())
            && (1..=8).contains(&content.classes.len())
            && ascends(&content.purposes)
            && ascends(&content.kinds)
            && (60..=2_678_400).contains(&content.epoch_length_seconds)
            && (1..=36_525).contains(&content.retention_days);
        require(is_well_formed, Reason::Malformed, part)?;
        for (party, signatures) in [(one, &signed.first), (other, &signed.second)] {
            let card = cards.iter().find(|card| card.node == party);
            let card = card.ok_or_else(|| Refused::new(Reason::AgreementCard, part))?;
            let is_signed = signatures.as_ref().is_some_and(|signatures| {
                card.root.signed(label::AGREEMENT, &signed.bytes, signatures)
            });
            require(is_signed, Reason::AgreementSignature, part)?;
        }
        Ok(Agreement {
            id: *content.id,
            parties: content.parties,
            mode: content.mode,
            purposes: content.purposes,
            kinds: content.kinds,
            classes: content.classes,
            span,
            digest: sha256(label::AGREEMENT_DIGEST, &[&signed.bytes]),
        })
    }

    pub(crate) fn is_between(&self, one: NodeId, other: NodeId) -> bool {
        one != other && self.parties.contains(&one) && self.parties.contains(&other)
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct EpochCardContent {
    version: u8,
    holder: NodeId,
    asker: NodeId,
    class: String,
    epoch: u64,
    serial: u64,
    not_before: u64,
    not_after: u64,
    public_key: ByteArray<32>,
    count: u64,
    set_root: Hash,
    tags_root: Hash,
    profile: ByteArray<32>,
}

/// An epoch card that its holder signed.
pub(crate) struct EpochCard {
    pub(crate) holder: NodeId,
    pub(crate) asker: NodeId,
    pub(crate) class: String,
    pub(crate) epoch: u64,
    pub(crate) serial: u64,
    pub(crate) span: Span,
    pub(crate) count: u64,
    pub(crate) set_root: Hash,
    pub(crate) digest: [u8; 32],
}

impl EpochCard {
    pub(crate) fn read(bytes: &[u8], cards: &[Card], part: &str) -> Result<EpochCard, Refused> {
        let signed: Signed = read(bytes, EPOCH_CARD_BYTES_MAX, part)?;
        let content: EpochCardContent = read(&signed.bytes, EPOCH_CARD_BYTES_MAX, part)?;
        require(content.version == 1, Reason::Version, part)?;
        let span = Span { from: content.not_before, to: content.not_after };
        let is_well_formed = span.is_well_formed()
            && content.holder != content.asker
            && content.serial > 0
            && (1_024..=268_435_456).contains(&content.count);
        require(is_well_formed, Reason::Malformed, part)?;
        let is_signed = cards.iter().filter(|card| card.node == content.holder).any(|card| {
            card.signing.signed(label::EPOCH_CARD, &signed.bytes, &signed.signatures())
        });
        require(is_signed, Reason::EpochCardSignature, part)?;
        Ok(EpochCard {
            holder: content.holder,
            asker: content.asker,
            class: content.class,
            epoch: content.epoch,
            serial: content.serial,
            span,
            count: content.count,
            set_root: content.set_root,
            digest: sha256(label::EPOCH_CARD_DIGEST, &[&signed.bytes]),
        })
    }
}
