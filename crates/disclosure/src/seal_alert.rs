//! Seals what travels in an ordered stream, and seals again what waited for its recipient.
//!
//! Implements spec/envelope.md#alerts and spec/envelope.md#seal.
//!
//! Invariants: an alert needs two grants, which only policy makes, and uses both up; what is sealed
//! again is a statement that this node signed, for the same recipient and in the same mode.

use std::fmt;

use symbolon_codec::encode;
use symbolon_policy::{Action, Grant};
use symbolon_record::{AlertClass, Record, RecordVersion};
use symbolon_trust::NodeId;

use crate::DisclosureError;
use crate::alert::{Acknowledgement, Alerted, Manifest, Word};
use crate::kept::Kept;
use crate::payload::{Payload, StatementKind};
use crate::seal::{
    Author, Outside, Preview, Recipient, Sealed, Terms, What, envelope, seal_payload,
};
use crate::statement::StatementId;

/// What an alert says beside the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertTerms {
    /// How fast somebody has to look at it.
    pub class: AlertClass,
    /// The version that the recipient has.
    pub previous: Option<RecordVersion>,
    /// When it is overdue if nobody has read it, in Unix seconds.
    pub read_by: u64,
    /// When somebody should have acted on it, in Unix seconds; not before `read_by`.
    pub act_by: u64,
    /// When the recipient must have deleted it, in Unix seconds; not before `act_by`.
    pub expires_on: u64,
}

/// Shows exactly what [`seal_alert`] would put into the statement for the same arguments.
///
/// # Errors
/// [`DisclosureError::GrantOtherAction`], [`DisclosureError::GrantOtherPartner`],
/// [`DisclosureError::GrantOtherRecord`], [`DisclosureError::GrantOtherPolicy`],
/// [`DisclosureError::View`], [`DisclosureError::Field`] for impossible times.
pub fn preview_alert(
    push: &Grant,
    fields: &Grant,
    record: &Record,
    terms: &AlertTerms,
) -> Result<Preview, DisclosureError> {
    let alerted = alerted(push, fields, record, terms)?;
    Ok(Preview::new(encode(&alerted), alerted.view))
}

/// What both grants together allow: one to push at all, one for what of the record is shown.
fn alerted(
    push: &Grant,
    fields: &Grant,
    record: &Record,
    terms: &AlertTerms,
) -> Result<Alerted, DisclosureError> {
    if (push.action(), fields.action()) != (Action::Alert, Action::Disclose) {
        return Err(DisclosureError::GrantOtherAction);
    }
    if push.partner() != fields.partner() {
        return Err(DisclosureError::GrantOtherPartner);
    }
    if push.policy_digest() != fields.policy_digest() {
        return Err(DisclosureError::GrantOtherPolicy);
    }
    if (push.record(), push.version()) != (record.id(), record.version()) {
        return Err(DisclosureError::GrantOtherRecord);
    }
    let view = fields.view(record).map_err(|_| DisclosureError::GrantOtherRecord)?;
    let AlertTerms { class, previous, read_by, act_by, expires_on } = *terms;
    let alerted = Alerted { class, view, previous, read_by, act_by, expires_on };
    alerted.validate()?;
    Ok(alerted)
}

/// Seals an alert at `sequence` of the stream to the partner that both grants name.
///
/// # Errors
/// As [`preview_alert`]; [`DisclosureError::GrantOtherPartner`] where the recipient is another,
/// [`DisclosureError::Mode`] where a drill would go to a live key or the other way round,
/// [`DisclosureError::Field`], [`DisclosureError::TooLong`], [`DisclosureError::Library`].
#[expect(clippy::too_many_arguments, reason = "each is another thing that the statement binds")]
pub fn seal_alert(
    push: Grant,
    fields: Grant,
    record: &Record,
    alert: &AlertTerms,
    sequence: u64,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    if push.partner() != to.node {
        return Err(DisclosureError::GrantOtherPartner);
    }
    let alerted = alerted(&push, &fields, record, alert)?;
    if !alerted.is_of(to.mode()) {
        return Err(DisclosureError::Mode { mode: to.mode() });
    }
    if alerted.expires_on <= terms.created {
        return Err(DisclosureError::OVER);
    }
    let what = What {
        kind: StatementKind::Alert,
        policy_digest: Some(push.policy_digest()),
        sequence: Some(sequence),
        record: Some((record.id(), record.version())),
        fields: alerted.view.fields().into_iter().collect(),
        payload: encode(&alerted),
    };
    seal_payload(what, to, from, terms, seed)
}

/// Seals a word at `sequence` of the stream.
///
/// # Errors
/// As [`seal_alert`], without those of the grants.
pub fn seal_word(
    word: Word,
    sequence: u64,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    let what = What { sequence: Some(sequence), ..What::new(&Payload::Word(word))? };
    seal_payload(what, to, from, terms, seed)
}

/// Seals how far statements came.
///
/// # Errors
/// As [`seal_alert`], without those of the grants.
pub fn seal_acknowledgement(
    acknowledgement: Acknowledgement,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    let what = What::new(&Payload::Acknowledgement(acknowledgement))?;
    seal_payload(what, to, from, terms, seed)
}

/// Seals what a courier carries.
///
/// # Errors
/// As [`seal_alert`], without those of the grants.
pub fn seal_manifest(
    manifest: Manifest,
    to: &Recipient<'_>,
    from: &Author<'_>,
    terms: &Terms,
    seed: [u8; 32],
) -> Result<Sealed, DisclosureError> {
    seal_payload(What::new(&Payload::Manifest(manifest))?, to, from, terms, seed)
}

/// A statement in a fresh envelope.
pub struct Resealed {
    bytes: Vec<u8>,
    id: StatementId,
    to: NodeId,
}

impl Resealed {
    /// The envelope, to be sent.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The envelope.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The statement's id, which it keeps.
    #[must_use]
    pub const fn id(&self) -> StatementId {
        self.id
    }

    /// The recipient.
    #[must_use]
    pub const fn to(&self) -> NodeId {
        self.to
    }
}

impl fmt::Debug for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resealed({})", self.id)
    }
}

/// Puts a statement that `from` signed and the own store kept into a fresh envelope, for the
/// recipient may have changed its key meanwhile. Nothing of the statement changes, so that it is
/// applied once however often it is sealed.
///
/// # Errors
/// [`DisclosureError::Forwarded`] where it was written for another node, or by another;
/// [`DisclosureError::Signature`] where it is damaged or of another mode than the key; else as
/// [`seal_word`].
pub fn reseal(
    signed: &[u8],
    to: &Recipient<'_>,
    from: &Author<'_>,
    seed: [u8; 32],
) -> Result<Resealed, DisclosureError> {
    let kept = Kept::decode(signed)?;
    if (kept.from(), kept.to()) != (from.node, to.node) {
        return Err(DisclosureError::Forwarded);
    }
    kept.verify(from.key.public(), to.mode())?;
    let (id, kind, expires) = (kept.id(), kept.kind(), kept.expires());
    let bytes = envelope(&Outside { id, kind, expires }, signed, to, seed)?;
    Ok(Resealed { bytes, id, to: to.node })
}
