//! Node cards: what a node says of itself under its root's two signatures.
//!
//! Implements spec/identity.md#node-card.
//!
//! Invariant: a [`VerifiedCard`] exists only where both root signatures verified.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode, sha256};
use symbolon_ident::Country;

use crate::agreement::Mode;
use crate::armor;
use crate::error::{Document, TrustError};
use crate::key::{IdentityKey, IdentityPublic, Signatures};
use crate::label;
use crate::limits::{
    ADDRESS_BYTES_MAX, ADDRESSES_MAX, CARD_BYTES_MAX, ENVELOPE_KEYS_MAX, ENVELOPE_PUBLIC_BYTES_MAX,
    LOG_KEY_BYTES_MAX, LOG_KEYS_MAX, NAME_CHARS_MAX, TLS_PINS_MAX, X_WING_PUBLIC_BYTES,
};
use crate::node_id::NodeId;
use crate::validity::Validity;

/// The only version of cards and agreements.
pub const DOCUMENT_VERSION: u8 = 1;
/// Envelope suite 1: X-Wing, SHAKE256, ChaCha20-Poly1305 (spec/envelope.md#suite).
pub const SUITE_X_WING: u8 = 1;

const ARMOR_NAME: &str = "card";

/// What operators call a node: 1 to 32 of `a-z`, `0-9` and `-`, with no `-` at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl NodeName {
    /// Takes a name as written.
    ///
    /// # Errors
    /// [`TrustError::Field`] when it is not of that form.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let dash_outside = text.starts_with('-') || text.ends_with('-');
        if text.is_empty()
            || text.len() > NAME_CHARS_MAX
            || !text.bytes().all(letter)
            || dash_outside
        {
            return Err(field("name"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for NodeName {
    type Error = TrustError;

    fn try_from(text: String) -> Result<Self, TrustError> {
        Self::parse(&text)
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

/// A public key to which envelopes may be sealed while it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EnvelopeKey {
    /// First eight bytes of SHA-256 over `public`.
    #[serde(with = "serde_bytes")]
    pub kid: [u8; 8],
    /// What kind of key it is; [`SUITE_X_WING`] is the only one in use.
    pub suite: u8,
    /// The encoded public key.
    #[serde(with = "serde_bytes")]
    pub public: Vec<u8>,
    /// First second of its validity.
    pub not_before: u64,
    /// First second after its validity.
    pub not_after: u64,
    /// Whether what is sealed to it is real: a key has one mode for life.
    pub mode: Mode,
}

impl EnvelopeKey {
    /// A key of [`SUITE_X_WING`] with its key identifier.
    #[must_use]
    pub fn new(public: Vec<u8>, mode: Mode, not_before: u64, not_after: u64) -> Self {
        Self { kid: key_id(&public), suite: SUITE_X_WING, public, not_before, not_after, mode }
    }

    fn validity(&self) -> Validity {
        let document = Document::EnvelopeKey;
        Validity { document, not_before: self.not_before, not_after: self.not_after }
    }

    fn validate(&self) -> Result<(), TrustError> {
        self.validity().validate()?;
        let length_fits = match self.suite {
            SUITE_X_WING => self.public.len() == X_WING_PUBLIC_BYTES,
            _ => (1..=ENVELOPE_PUBLIC_BYTES_MAX).contains(&self.public.len()),
        };
        if length_fits && self.kid == key_id(&self.public) {
            return Ok(());
        }
        Err(field("envelope_keys"))
    }
}

/// The key identifier of an envelope key: the first eight bytes of its SHA-256.
#[must_use]
pub fn key_id(public: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = sha256("", &[public]);
    [a, b, c, d, e, f, g, h]
}

/// The content of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct NodeCard {
    /// [`DOCUMENT_VERSION`].
    pub version: u8,
    /// The keys that sign this card and every later one.
    pub root: IdentityPublic,
    /// What operators call the node.
    pub name: NodeName,
    /// The state whose node this is.
    pub country: Country,
    /// A higher one replaces a lower.
    pub sequence: u64,
    /// First second of its validity.
    pub not_before: u64,
    /// First second after its validity.
    pub not_after: u64,
    /// The keys that sign statements and hellos.
    pub signing: IdentityPublic,
    /// The keys to which envelopes are sealed.
    pub envelope_keys: Vec<EnvelopeKey>,
    /// SHA-256 of the TLS key's SubjectPublicKeyInfo; two while rotating.
    pub tls_pins: Vec<TlsPin>,
    /// Where the node listens, `host:port`.
    pub addresses: Vec<String>,
    /// The verifier keys of its log (C2SP signed-note vkey).
    pub log: Vec<String>,
    /// The identifier profile by which it matches.
    #[serde(with = "serde_bytes")]
    pub profile: [u8; 32],
}

/// SHA-256 of a DER SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TlsPin(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl NodeCard {
    /// The name of the node that the root keys give.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.root.fingerprint()
    }

    fn validity(&self) -> Validity {
        let document = Document::Card;
        Validity { document, not_before: self.not_before, not_after: self.not_after }
    }

    /// One key identifier twice could be one key of two modes, and then nothing would tell a drill
    /// from the real thing.
    fn validate_envelope_keys(&self) -> Result<(), TrustError> {
        let kids: Vec<_> = self.envelope_keys.iter().map(|key| key.kid).collect();
        bounded(&kids, ENVELOPE_KEYS_MAX, "envelope_keys")?;
        self.envelope_keys.iter().try_for_each(EnvelopeKey::validate)?;
        if self.envelope_keys.iter().any(|key| key.mode == Mode::Live) {
            return Ok(());
        }
        Err(field("envelope_keys"))
    }

    fn validate(&self) -> Result<(), TrustError> {
        if self.version != DOCUMENT_VERSION {
            let (document, version) = (Document::Card, self.version);
            return Err(TrustError::Version { document, version });
        }
        self.validity().validate()?;
        self.validate_envelope_keys()?;
        bounded(&self.tls_pins, TLS_PINS_MAX, "tls_pins")?;
        bounded(&self.addresses, ADDRESSES_MAX, "addresses")?;
        if !self.addresses.iter().all(|address| is_address(address)) {
            return Err(field("addresses"));
        }
        bounded(&self.log, LOG_KEYS_MAX, "log")?;
        let key = |key: &String| {
            key.len() <= LOG_KEY_BYTES_MAX && key.bytes().all(|c| c.is_ascii_graphic())
        };
        if self.log.iter().all(|text| !text.is_empty() && key(text)) {
            Ok(())
        } else {
            Err(field("log"))
        }
    }
}

/// A card and the root's signatures, as they travel in a file or over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCard {
    card: NodeCard,
    bytes: Vec<u8>,
    signatures: Signatures,
}

impl SignedCard {
    /// Signs `card` with the root key that it names.
    ///
    /// # Errors
    /// [`TrustError::Field`] when a field breaks its rule or `root` is another key.
    pub fn sign(card: NodeCard, root: &IdentityKey) -> Result<Self, TrustError> {
        card.validate()?;
        if card.root != *root.public() {
            return Err(field("root"));
        }
        let bytes = encode(&card);
        let signatures = root.sign(label::CARD, &bytes)?;
        Ok(Self { card, bytes, signatures })
    }

    /// Reads a card and its signatures, and bounds every field; checks no signature.
    ///
    /// # Errors
    /// [`TrustError::Decode`], [`TrustError::Version`] or [`TrustError::Field`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TrustError> {
        let unreadable = |source| TrustError::Decode { document: Document::Card, source };
        let wire: SignedWire = decode(bytes, CARD_BYTES_MAX).map_err(unreadable)?;
        let card: NodeCard = decode(&wire.bytes, CARD_BYTES_MAX).map_err(unreadable)?;
        card.validate()?;
        let signatures = Signatures::new(wire.ed25519, wire.mldsa65)?;
        Ok(Self { card, bytes: wire.bytes, signatures })
    }

    /// The bytes that [`SignedCard::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&SignedWire {
            bytes: self.bytes.clone(),
            ed25519: *self.signatures.ed25519(),
            mldsa65: self.signatures.mldsa65().to_vec(),
        })
    }

    /// Finds a card in the text of a file or a mail.
    ///
    /// # Errors
    /// [`TrustError::Armor`] when the text is damaged, else as [`SignedCard::decode`].
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let damaged = |source| TrustError::Armor { document: Document::Card, source };
        Self::decode(&armor::unwrap(ARMOR_NAME, text).map_err(damaged)?)
    }

    /// The text that [`SignedCard::parse`] reads.
    #[must_use]
    pub fn armor(&self) -> String {
        armor::wrap(ARMOR_NAME, &self.encode())
    }

    /// Checks the validity and both root signatures.
    ///
    /// That the root is the partner's is for two people to say, by its fingerprint words.
    ///
    /// # Errors
    /// [`TrustError::Expired`], [`TrustError::NotYetValid`] or [`TrustError::Signature`].
    pub fn verify(&self, now: u64) -> Result<VerifiedCard, TrustError> {
        let verified = self.verify_whatever_the_date()?;
        verified.active(now)?;
        Ok(verified)
    }

    /// Checks both root signatures but not the validity: for a card on file that a newer one is to
    /// replace, and to show an operator what has expired.
    ///
    /// # Errors
    /// [`TrustError::Signature`].
    pub fn verify_whatever_the_date(&self) -> Result<VerifiedCard, TrustError> {
        let root = &self.card.root;
        let _evidence =
            root.verify_document(Document::Card, label::CARD, &self.bytes, &self.signatures)?;
        let digest = sha256(label::CARD_DIGEST, &[&self.bytes]);
        Ok(VerifiedCard { id: root.fingerprint(), digest, card: self.card.clone() })
    }
}

/// What a card becomes when another is on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// It is the card on file.
    Same,
    /// It is newer and takes its place.
    Newer,
}

/// A card whose root signatures verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCard {
    id: NodeId,
    digest: [u8; 32],
    card: NodeCard,
}

impl VerifiedCard {
    /// The content.
    #[must_use]
    pub fn card(&self) -> &NodeCard {
        &self.card
    }

    /// The name of the node.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// SHA-256("symbolon/1 card digest" ‖ card bytes), by which two nodes tell whether they hold
    /// the same card; the signatures are not in it, since signing again gives others.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Checks the validity again, as time has passed since it was verified.
    ///
    /// # Errors
    /// [`TrustError::Expired`] or [`TrustError::NotYetValid`].
    pub fn active(&self, now: u64) -> Result<(), TrustError> {
        self.card.validity().active(now)
    }

    /// The envelope key to seal to: of those of `mode` and a known suite that are valid at `now`,
    /// the one that began last.
    ///
    /// # Errors
    /// [`TrustError::Expired`] of the card, [`TrustError::NoEnvelopeKey`].
    pub fn envelope_key(&self, now: u64, mode: Mode) -> Result<&EnvelopeKey, TrustError> {
        self.active(now)?;
        let of_mode = |key: &&EnvelopeKey| key.mode == mode && key.suite == SUITE_X_WING;
        let keys = self.card.envelope_keys.iter().filter(of_mode);
        keys.filter(|key| key.validity().active(now).is_ok())
            .max_by_key(|key| key.not_before)
            .ok_or(TrustError::NoEnvelopeKey { mode })
    }

    /// Says whether this card may take the place of `held`: the same root, and a higher sequence.
    ///
    /// # Errors
    /// [`TrustError::OtherRoot`], [`TrustError::OldSequence`], [`TrustError::SequenceReused`].
    pub fn replaces(&self, held: &Self) -> Result<Replacement, TrustError> {
        if self.id != held.id {
            return Err(TrustError::OtherRoot);
        }
        let (offered, held_sequence) = (self.card.sequence, held.card.sequence);
        if offered < held_sequence {
            return Err(TrustError::OldSequence { held: held_sequence, offered });
        }
        if offered > held_sequence {
            return Ok(Replacement::Newer);
        }
        if self.digest == held.digest {
            return Ok(Replacement::Same);
        }
        Err(TrustError::SequenceReused { sequence: offered })
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct SignedWire {
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    #[serde(with = "serde_bytes")]
    ed25519: [u8; 64],
    #[serde(with = "serde_bytes")]
    mldsa65: Vec<u8>,
}

fn field(field: &'static str) -> TrustError {
    TrustError::Field { document: Document::Card, field }
}

/// One to `count_max` entries, none twice.
fn bounded<T: PartialEq>(
    list: &[T],
    count_max: usize,
    name: &'static str,
) -> Result<(), TrustError> {
    let repeated = |(index, entry)| list.iter().take(index).any(|earlier| earlier == entry);
    if list.is_empty() || list.len() > count_max || list.iter().enumerate().any(repeated) {
        return Err(field(name));
    }
    Ok(())
}

/// `host:port`, the host a DNS name in lower case, an IPv4 address or an IPv6 address in brackets,
/// the port in decimal without leading zeros.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let port_fits = port.parse::<u16>().is_ok_and(|p| p > 0 && p.to_string() == port);
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => {
            inner.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_string() == inner)
        }
        None => {
            let letter =
                |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.');
            !host.is_empty() && host.bytes().all(letter)
        }
    };
    text.len() <= ADDRESS_BYTES_MAX && port_fits && host_fits
}
