//! Makes envelopes: the only way in which anything about a record leaves the node.
//!
//! Implements spec/envelope.md#seal.
//!
//! Invariants: a disclosure needs a `Grant`, which only policy makes, and uses it up; the preview
//! and the sealed payload come from one function, so they are the same bytes.

use std::fmt;

use symbolon_codec::encode;
use symbolon_oprf::CommitmentOpening;
use symbolon_policy::Grant;
use symbolon_record::{Field, Record, RecordId, RecordVersion, View};
use symbolon_trust::{EnvelopeKey, IdentityKey, Mode, NodeId, SUITE_X_WING, VerifiedCard};

use crate::padding::pad;
use crate::payload::{Account, ConfirmRequest, Payload, Receipt, Refusal, StatementKind};
use crate::project::project;
use crate::statement::{Envelope, Header, Signed, Statement, StatementId, VERSION};
use crate::suite;
use crate::{DisclosureError, limits};

/// To whom: a node and the envelope key on its card.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// The node.
    pub node: NodeId,
    /// One of its envelope keys.
    pub key: &'a EnvelopeKey,
}

impl<'a> Recipient<'a> {
    /// The node of `card` and its newest key of `mode` that is valid at `now`.
    ///
    /// # Errors
    /// [`DisclosureError::Recipient`] when the card has expired or holds no such key.
    pub fn new(card: &'a VerifiedCard, now: u64, mode: Mode) -> Result<Self, DisclosureError> {
        let key = card.envelope_key(now, mode).map_err(DisclosureError::Recipient)?;
        Ok(Self { node: card.id(), key })
    }

    /// Whether what is sealed to it is real.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.key.mode
    }
}

/// From whom: one's own node and its signing key.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    /// The node.
    pub node: NodeId,
    /// The signing key on its card.
    pub key: &'a IdentityKey,
}

/// When, and in answer to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Now, in Unix seconds.
    pub created: u64,
    /// When it is void, in Unix seconds; at most [`limits::LIFETIME_SECONDS_MAX`] later.
    pub expires: u64,
    /// The statement that a disclosure answers.
    pub in_reply_to: Option<StatementId>,
}

/// A disclosure before it is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    bytes: Vec<u8>,
    view: View,
}

impl Preview {
    pub(crate) fn new(bytes: Vec<u8>, view: View) -> Self {
        Self { bytes, view }
    }

    /// The payload, byte for byte as [`seal`] or [`crate::seal_alert()`] puts it in.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the partner will see of the record.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The same as one line a value, each under its field.
    #[must_use]
    pub fn lines(&self) -> Vec<(Field, String)> {
        self.view.lines()
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preview([redacted])")
    }
}

/// Shows exactly what [`seal`] would put into the statement for the same arguments.
///
/// # Errors
/// [`DisclosureError::GrantOtherAction`], [`DisclosureError::GrantOtherRecord`],
/// [`DisclosureError::OpeningOther`], [`DisclosureError::View`].
pub fn preview(
    grant: &Grant,
    record: &Record,
    in_reply_to: Option<StatementId>,
    opening: Option<CommitmentOpening>,
) -> Result<Preview, DisclosureError> {
    let disclosed = project(grant, record, in_reply_to, opening)?;
    Ok(Preview { bytes: encode(&disclosed), view: disclosed.view })
}

/// Seals what `grant` allows of `record` to the partner that it names.
///
/// # Errors
/// As [`preview`]; [`DisclosureError::GrantOtherPartner`], [`DisclosureError::Field`] for
/// impossible times, [`DisclosureError::TooLong`], [`DisclosureError::Library`].
pub fn seal(
    grant: Grant,
    record: &Record,
    opening: Option<CommitmentOpening>,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    if grant.partner() != to.node {
        return Err(DisclosureError::GrantOtherPartner);
    }
    let Preview { bytes, view } = preview(&grant, record, terms.in_reply_to, opening)?;
    let what = What {
        kind: StatementKind::Disclosure,
        policy_digest: Some(grant.policy_digest()),
        sequence: None,
        record: Some((record.id(), record.version())),
        fields: view.fields().into_iter().collect(),
        payload: bytes,
    };
    seal_payload(what, to, from, terms, seed)
}

/// Seals the asker's proof of a hit.
///
/// # Errors
/// As [`seal`], without those of the grant.
pub fn seal_confirm(
    confirm: ConfirmRequest,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    seal_payload(What::new(&Payload::Confirm(confirm))?, to, from, terms, seed)
}

/// Seals an answer that hands over nothing.
///
/// # Errors
/// As [`seal`], without those of the grant.
pub fn seal_refusal(
    refusal: Refusal,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    seal_payload(What::new(&Payload::Refusal(refusal))?, to, from, terms, seed)
}

/// Seals the word that a statement arrived.
///
/// # Errors
/// As [`seal`], without those of the grant.
pub fn seal_receipt(
    receipt: Receipt,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    seal_payload(What::new(&Payload::Receipt(receipt))?, to, from, terms, seed)
}

/// Seals an account of what passed.
///
/// # Errors
/// As [`seal`], without those of the grant.
pub fn seal_account(
    account: Account,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    seal_payload(What::new(&Payload::Account(account))?, to, from, terms, seed)
}

/// An envelope ready to leave, and what the log and the evidence need to know of it.
pub struct Sealed {
    bytes: Vec<u8>,
    id: StatementId,
    kind: StatementKind,
    to: NodeId,
    expires: u64,
    mode: Mode,
    policy_digest: Option<[u8; 32]>,
    sequence: Option<u64>,
    record: Option<(RecordId, RecordVersion)>,
    fields: Vec<Field>,
    payload: Vec<u8>,
    signed: Vec<u8>,
    statement_hash: [u8; 32],
}

impl Sealed {
    /// The envelope.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The envelope, to be sent.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The statement's id.
    #[must_use]
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The statement's kind.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// The recipient.
    #[must_use]
    pub fn to(&self) -> NodeId {
        self.to
    }

    /// When it is void, in Unix seconds.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// SHA-256 of the statement's bytes.
    #[must_use]
    pub fn statement_hash(&self) -> [u8; 32] {
        self.statement_hash
    }

    /// Digest of the policy that granted it, where policy did.
    #[must_use]
    pub fn policy_digest(&self) -> Option<[u8; 32]> {
        self.policy_digest
    }

    /// Its place in the ordered stream from sender to recipient, where its kind has one.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// Whether it is real.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The record of which it discloses something.
    #[must_use]
    pub fn record(&self) -> Option<(RecordId, RecordVersion)> {
        self.record
    }

    /// The fields of which it discloses something.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The payload as it stands in the statement.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The statement and both signatures: one's own copy of the evidence.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        &self.signed
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({:?}, {})", self.kind, self.id)
    }
}

/// What goes into a statement beside the names and times.
pub(crate) struct What {
    pub(crate) kind: StatementKind,
    pub(crate) policy_digest: Option<[u8; 32]>,
    pub(crate) sequence: Option<u64>,
    pub(crate) record: Option<(RecordId, RecordVersion)>,
    pub(crate) fields: Vec<Field>,
    pub(crate) payload: Vec<u8>,
}

impl What {
    /// A statement about no record.
    pub(crate) fn new(payload: &Payload) -> Result<Self, DisclosureError> {
        payload.validate()?;
        let (kind, payload) = (payload.kind(), payload.encode());
        let (policy_digest, sequence, record) = (None, None, None);
        Ok(Self { kind, policy_digest, sequence, record, fields: Vec::new(), payload })
    }
}

pub(crate) fn seal_payload(
    what: What,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    let What { kind, policy_digest, sequence, record, fields, payload } = what;
    let mode = to.mode();
    if !kind.is_of(mode) {
        return Err(DisclosureError::Mode { mode });
    }
    if payload.len() > limits::PAYLOAD_BYTES_MAX {
        return Err(DisclosureError::TooLong);
    }
    let id = StatementId::generate(terms.created, &seed);
    let statement = Statement {
        version: VERSION,
        id,
        kind: kind.code(),
        from: from.node,
        to: to.node,
        created: terms.created,
        expires: terms.expires,
        policy_digest,
        sequence,
        payload: payload.clone(),
    };
    statement.validate()?;
    statement.validate_for(kind)?;
    let signed_statement = Signed::sign(&statement, from.key, mode)?;
    let statement_hash = signed_statement.statement_hash();
    let signed = signed_statement.encode();
    let expires = terms.expires;
    let bytes = envelope(&Outside { id, kind, expires }, &signed, to, seed)?;
    let to = to.node;
    Ok(Sealed {
        bytes,
        id,
        kind,
        to,
        expires,
        mode,
        policy_digest,
        sequence,
        record,
        fields,
        payload,
        signed,
        statement_hash,
    })
}

/// What of a statement shows on its envelope: two fields of the header, and the size.
pub(crate) struct Outside {
    pub(crate) id: StatementId,
    pub(crate) kind: StatementKind,
    pub(crate) expires: u64,
}

/// The envelope around a statement and its signatures.
pub(crate) fn envelope(
    outside: &Outside,
    signed: &[u8],
    to: &Recipient<'_>,
    seed: [u8; 32],
) -> Result<Vec<u8>, DisclosureError> {
    let header = encode(&Header {
        version: VERSION,
        suite: SUITE_X_WING,
        to: to.node,
        kid: to.key.kid,
        id: outside.id,
        expires: outside.expires,
    });
    let plaintext = pad(signed, outside.kind.bucket_bytes_min())?;
    let (enc, ciphertext) = suite::seal(to.key, &header, &plaintext, &seed)?;
    Ok(encode(&Envelope { header, enc, ciphertext }))
}
