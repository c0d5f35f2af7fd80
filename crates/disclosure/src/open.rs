//! Opens envelopes: from any bytes to a statement whose sender, recipient and time are certain.
//!
//! Implements spec/envelope.md#open.
//!
//! Invariant: an [`Opened`] exists only where both signatures of the named sender verified over a
//! statement that names this node. It says nothing about repeats: the store admits it or not.

use std::fmt;

use symbolon_codec::decode;
use symbolon_trust::{IdentityPublic, Mode, Moment, NodeId, SUITE_X_WING};

use crate::DisclosureError;
use crate::error::Layer;
use crate::kept::Kept;
use crate::limits::{ENVELOPE_BYTES_MAX, PLAINTEXT_BYTES_MAX};
use crate::padding::{check_size, unpad};
use crate::payload::{Payload, StatementKind};
use crate::statement::{Envelope, Header, Signed, StatementId, VERSION};
use crate::suite::{AEAD_TAG_BYTES, ENC_BYTES, RecipientSecret};

/// A statement that came in, verified but not yet admitted.
pub struct Opened {
    kept: Kept,
    mode: Mode,
}

impl Opened {
    /// The statement's id, to be kept until [`Opened::expires`] so that a repeat is seen.
    #[must_use]
    pub fn id(&self) -> StatementId {
        self.kept.id()
    }

    /// The statement's kind.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.kept.kind()
    }

    /// Who signed it.
    #[must_use]
    pub fn from(&self) -> NodeId {
        self.kept.from()
    }

    /// When it was made, in Unix seconds by the sender's clock.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.kept.created()
    }

    /// When it is void, in Unix seconds.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.kept.expires()
    }

    /// Digest of the sender's policy that granted a disclosure or an alert.
    #[must_use]
    pub fn policy_digest(&self) -> Option<[u8; 32]> {
        self.kept.policy_digest()
    }

    /// Its place in the ordered stream from sender to recipient, where its kind has one. Each mode
    /// has a stream of its own.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.kept.sequence()
    }

    /// Whether it is real, as the key says to which it was sealed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        self.kept.payload()
    }

    /// What it says, byte for byte.
    #[must_use]
    pub fn payload_bytes(&self) -> &[u8] {
        self.kept.payload_bytes()
    }

    /// The statement and both signatures, to be kept as evidence.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        self.kept.signed()
    }

    /// SHA-256 of the statement's bytes.
    #[must_use]
    pub fn statement_hash(&self) -> [u8; 32] {
        self.kept.statement_hash()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({:?}, {} from {})", self.kind(), self.id(), self.from())
    }
}

/// Opens an envelope that was sealed to `me` under one of `secrets`; `senders` gives the signing
/// key on a node's card.
///
/// The order of the checks is that of their cost, and nothing inside is read before it is
/// authentic under the recipient key.
///
/// # Errors
/// [`DisclosureError`], by the first check that fails. A partner is told one code for all of them.
pub fn open(
    bytes: &[u8],
    secrets: &[RecipientSecret],
    senders: &dyn Fn(&NodeId) -> Option<IdentityPublic>,
    me: &NodeId,
    now: u64,
) -> Result<Opened, DisclosureError> {
    let envelope: Envelope = decode(bytes, ENVELOPE_BYTES_MAX)
        .map_err(|source| DisclosureError::Decode { layer: Layer::Envelope, source })?;
    let header = read_header(&envelope)?;
    if header.to != *me {
        return Err(DisclosureError::NotForMe);
    }
    if now >= header.expires {
        return Err(DisclosureError::Expired { at: Moment(header.expires) });
    }
    let secret = secrets.iter().find(|secret| secret.kid() == header.kid);
    let secret = secret.ok_or(DisclosureError::UnknownKey)?;
    let plaintext = secret.open(&envelope.header, &envelope.enc, &envelope.ciphertext)?;
    let signed_bytes = unpad(&plaintext)?;
    let signed = Signed::decode(signed_bytes)?;
    let statement = signed.statement_unverified()?;
    if statement.to != *me {
        return Err(DisclosureError::Forwarded);
    }
    if statement.id != header.id || statement.expires != header.expires {
        return Err(DisclosureError::Contradiction);
    }
    let sender = senders(&statement.from).ok_or(DisclosureError::UnknownSender)?;
    // The mode is that of the own key, whatever the envelope says outside or inside.
    let mode = secret.mode();
    signed.verify(&sender, mode)?;
    statement.active(now)?;
    let kind = StatementKind::from_code(statement.kind)?;
    check_size(&plaintext, signed_bytes, kind.bucket_bytes_min())?;
    let kept = Kept::new(signed, statement, signed_bytes)?;
    if !kept.payload().is_of(mode) {
        return Err(DisclosureError::Mode { mode });
    }
    Ok(Opened { kept, mode })
}

/// What stands on the outside of an envelope: all that one learns who carries it. Nothing of it is
/// proved before the envelope is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// For whom it is.
    pub to: NodeId,
    /// When it is void, in Unix seconds.
    pub expires: u64,
}

/// Reads the outside of an envelope.
///
/// # Errors
/// [`DisclosureError`] for anything that no recipient could open.
pub fn address(bytes: &[u8]) -> Result<Address, DisclosureError> {
    let envelope: Envelope = decode(bytes, ENVELOPE_BYTES_MAX)
        .map_err(|source| DisclosureError::Decode { layer: Layer::Envelope, source })?;
    let Header { to, expires, .. } = read_header(&envelope)?;
    Ok(Address { to, expires })
}

/// Everything that can be told without a secret key.
fn read_header(envelope: &Envelope) -> Result<Header, DisclosureError> {
    let header = Header::decode(&envelope.header)?;
    if header.version != VERSION {
        let (layer, version) = (Layer::Header, header.version);
        return Err(DisclosureError::Version { layer, version });
    }
    if header.suite != SUITE_X_WING {
        return Err(DisclosureError::Suite { suite: header.suite });
    }
    if envelope.enc.len() != ENC_BYTES {
        return Err(DisclosureError::Field { layer: Layer::Envelope, field: "enc" });
    }
    let ciphertexts = AEAD_TAG_BYTES..=PLAINTEXT_BYTES_MAX + AEAD_TAG_BYTES;
    if !ciphertexts.contains(&envelope.ciphertext.len()) {
        return Err(DisclosureError::Field { layer: Layer::Envelope, field: "ciphertext" });
    }
    Ok(header)
}
