//! Agreements: what two nodes have allowed each other, under both roots' signatures.
//!
//! Implements spec/identity.md#agreement.
//!
//! Invariant: a [`VerifiedAgreement`] exists only where all four signatures verified.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode, sha256};
use symbolon_ident::Class;

use crate::armor;
use crate::card::{DOCUMENT_VERSION, VerifiedCard};
use crate::error::{Document, TrustError};
use crate::key::{IdentityKey, Signatures, Verified};
use crate::label;
use crate::limits::{
    AGREEMENT_BYTES_MAX, BUDGET_PER_EPOCH_MAX, EPOCH_LENGTH_SECONDS_MAX, EPOCH_LENGTH_SECONDS_MIN,
    KINDS_MAX, PURPOSES_MAX, RETENTION_DAYS_MAX, TERM_BYTES_MAX,
};
use crate::node_id::NodeId;
use crate::validity::Validity;

const ARMOR_NAME: &str = "agreement";

/// Whether what flows under an agreement, or to an envelope key, is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real data.
    Live,
    /// A drill; never mixed with real data.
    Exercise,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Exercise];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Exercise => "exercise",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one class of identifiers may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ClassTerms {
    /// The class.
    pub class: Class,
    /// Identifiers that each party may have evaluated by the other in one epoch.
    pub budget_per_epoch: u64,
}

/// The content of an agreement. The lists are sorted and hold nothing twice;
/// [`SignedAgreement::propose`] brings them into that order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Agreement {
    /// [`DOCUMENT_VERSION`].
    pub version: u8,
    /// A random name for this agreement.
    #[serde(with = "serde_bytes")]
    pub id: [u8; 16],
    /// Both nodes, in ascending order.
    pub parties: [NodeId; 2],
    /// Whether the data is real.
    pub mode: Mode,
    /// For what one may ask.
    pub purposes: Vec<String>,
    /// Of which kinds of record.
    pub kinds: Vec<String>,
    /// By which classes of identifiers, and how many.
    pub classes: Vec<ClassTerms>,
    /// Life of an OPRF key, in seconds.
    pub epoch_length_seconds: u64,
    /// How long the receiver may keep what it got, in days.
    pub retention_days: u32,
    /// First second of its validity.
    pub not_before: u64,
    /// Its sunset: the first second after its validity.
    pub not_after: u64,
}

impl Agreement {
    fn validity(&self) -> Validity {
        let document = Document::Agreement;
        Validity { document, not_before: self.not_before, not_after: self.not_after }
    }

    fn sort(&mut self) {
        self.parties.sort_unstable();
        for terms in [&mut self.purposes, &mut self.kinds] {
            terms.sort_unstable();
            terms.dedup();
        }
        // A class named twice with two budgets stays, and is refused.
        self.classes.sort_unstable_by_key(|terms| (terms.class.code(), terms.budget_per_epoch));
        self.classes.dedup();
    }

    fn validate(&self) -> Result<(), TrustError> {
        if self.version != DOCUMENT_VERSION {
            let (document, version) = (Document::Agreement, self.version);
            return Err(TrustError::Version { document, version });
        }
        self.validity().validate()?;
        require(is_ascending(&self.parties), "parties")?;
        require(are_terms(&self.purposes, PURPOSES_MAX), "purposes")?;
        require(are_terms(&self.kinds, KINDS_MAX), "kinds")?;
        let codes: Vec<u8> = self.classes.iter().map(|terms| terms.class.code()).collect();
        let budgets_fit =
            self.classes.iter().all(|terms| terms.budget_per_epoch <= BUDGET_PER_EPOCH_MAX);
        require(!codes.is_empty() && is_ascending(&codes) && budgets_fit, "classes")?;
        let epoch_lengths = EPOCH_LENGTH_SECONDS_MIN..=EPOCH_LENGTH_SECONDS_MAX;
        require(epoch_lengths.contains(&self.epoch_length_seconds), "epoch_length_seconds")?;
        require((1..=RETENTION_DAYS_MAX).contains(&self.retention_days), "retention_days")
    }

    /// The place of `node` among the parties.
    fn place(&self, node: &NodeId) -> Result<Place, TrustError> {
        let [first, second] = &self.parties;
        match node {
            node if node == first => Ok(Place::First),
            node if node == second => Ok(Place::Second),
            _ => Err(TrustError::NotAParty),
        }
    }
}

#[derive(Clone, Copy)]
enum Place {
    First,
    Second,
}

/// An agreement with the signatures that it has so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAgreement {
    agreement: Agreement,
    bytes: Vec<u8>,
    first: Option<Signatures>,
    second: Option<Signatures>,
}

impl SignedAgreement {
    /// Brings the lists of `agreement` into order and signs it as one of its parties.
    ///
    /// # Errors
    /// [`TrustError::Field`] when a field breaks its rule, [`TrustError::NotAParty`] when `root` is
    /// the root of neither party.
    pub fn propose(mut agreement: Agreement, root: &IdentityKey) -> Result<Self, TrustError> {
        agreement.sort();
        agreement.validate()?;
        let bytes = encode(&agreement);
        Self { agreement, bytes, first: None, second: None }.countersign(root)
    }

    /// Adds the signature of the other party.
    ///
    /// # Errors
    /// [`TrustError::NotAParty`] when `root` is the root of neither party,
    /// [`TrustError::AlreadySigned`] when this one has signed.
    pub fn countersign(mut self, root: &IdentityKey) -> Result<Self, TrustError> {
        let place = match self.agreement.place(&root.public().fingerprint())? {
            Place::First => &mut self.first,
            Place::Second => &mut self.second,
        };
        if place.is_some() {
            return Err(TrustError::AlreadySigned);
        }
        *place = Some(root.sign(label::AGREEMENT, &self.bytes)?);
        Ok(self)
    }

    /// The content, for an operator to read before signing; proves nothing.
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Reads an agreement and its signatures, and bounds every field; checks no signature.
    ///
    /// # Errors
    /// [`TrustError::Decode`], [`TrustError::Version`] or [`TrustError::Field`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TrustError> {
        let unreadable = |source| TrustError::Decode { document: Document::Agreement, source };
        let wire: SignedWire = decode(bytes, AGREEMENT_BYTES_MAX).map_err(unreadable)?;
        let agreement: Agreement = decode(&wire.bytes, AGREEMENT_BYTES_MAX).map_err(unreadable)?;
        agreement.validate()?;
        Ok(Self { agreement, bytes: wire.bytes, first: wire.first, second: wire.second })
    }

    /// The bytes that [`SignedAgreement::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&SignedWire {
            bytes: self.bytes.clone(),
            first: self.first.clone(),
            second: self.second.clone(),
        })
    }

    /// Finds an agreement in the text of a file or a mail.
    ///
    /// # Errors
    /// [`TrustError::Armor`] when the text is damaged, else as [`SignedAgreement::decode`].
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let damaged = |source| TrustError::Armor { document: Document::Agreement, source };
        Self::decode(&armor::unwrap(ARMOR_NAME, text).map_err(damaged)?)
    }

    /// The text that [`SignedAgreement::parse`] reads.
    #[must_use]
    pub fn armor(&self) -> String {
        armor::wrap(ARMOR_NAME, &self.encode())
    }

    /// Checks that the node of `card` has signed: for a proposal that came in, before one's own
    /// operator is asked.
    ///
    /// # Errors
    /// [`TrustError::NotAParty`], [`TrustError::HalfSigned`] or [`TrustError::Signature`].
    pub fn signed_by(&self, card: &VerifiedCard) -> Result<Verified, TrustError> {
        let signatures = match self.agreement.place(&card.id())? {
            Place::First => &self.first,
            Place::Second => &self.second,
        };
        let signatures = signatures.as_ref().ok_or(TrustError::HalfSigned)?;
        let root = &card.card().root;
        root.verify_document(Document::Agreement, label::AGREEMENT, &self.bytes, signatures)
    }

    /// Checks the validity and all four signatures, against the parties' cards in any order.
    ///
    /// # Errors
    /// As [`SignedAgreement::signed_by`]; [`TrustError::Expired`], [`TrustError::NotYetValid`].
    pub fn verify(
        &self,
        one: &VerifiedCard,
        other: &VerifiedCard,
        now: u64,
    ) -> Result<VerifiedAgreement, TrustError> {
        let verified = self.verify_whatever_the_date(one, other)?;
        verified.active(now)?;
        Ok(verified)
    }

    /// Checks all four signatures but not the validity: to show what has ended or is to begin.
    ///
    /// # Errors
    /// As [`SignedAgreement::signed_by`].
    pub fn verify_whatever_the_date(
        &self,
        one: &VerifiedCard,
        other: &VerifiedCard,
    ) -> Result<VerifiedAgreement, TrustError> {
        if one.id() == other.id() {
            return Err(TrustError::NotAParty);
        }
        let _evidence = (self.signed_by(one)?, self.signed_by(other)?);
        let digest = sha256(label::AGREEMENT_DIGEST, &[&self.bytes]);
        Ok(VerifiedAgreement { agreement: self.agreement.clone(), digest })
    }
}

/// One life of the OPRF keys under an agreement: `[not_before, not_after)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Unix time divided by the epoch length, so that both parties count alike.
    pub number: u64,
    /// First second.
    pub not_before: u64,
    /// First second after it.
    pub not_after: u64,
}

/// An agreement that both parties signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAgreement {
    agreement: Agreement,
    digest: [u8; 32],
}

impl VerifiedAgreement {
    /// The content.
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// SHA-256("symbolon/1 agreement digest" ‖ agreement bytes).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Whether the data under it is real.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.agreement.mode
    }

    /// The other party.
    ///
    /// # Errors
    /// [`TrustError::NotAParty`] when `me` is none.
    pub fn partner_of(&self, me: &NodeId) -> Result<NodeId, TrustError> {
        let [first, second] = self.agreement.parties;
        match self.agreement.place(me)? {
            Place::First => Ok(second),
            Place::Second => Ok(first),
        }
    }

    /// The terms for a class, when it is in the agreement.
    #[must_use]
    pub fn terms(&self, class: Class) -> Option<&ClassTerms> {
        self.agreement.classes.iter().find(|terms| terms.class == class)
    }

    /// The agreement allows to ask for this purpose.
    #[must_use]
    pub fn permits_purpose(&self, purpose: &str) -> bool {
        self.agreement.purposes.iter().any(|permitted| permitted == purpose)
    }

    /// The agreement covers records of this kind.
    #[must_use]
    pub fn permits_kind(&self, kind: &str) -> bool {
        self.agreement.kinds.iter().any(|permitted| permitted == kind)
    }

    /// Checks that the agreement has begun and has not ended.
    ///
    /// # Errors
    /// [`TrustError::Expired`] or [`TrustError::NotYetValid`].
    pub fn active(&self, now: u64) -> Result<(), TrustError> {
        self.agreement.validity().active(now)
    }

    /// The epoch in which `now` lies; its last one ends at the sunset.
    ///
    /// # Errors
    /// [`TrustError::Expired`] or [`TrustError::NotYetValid`]: outside the agreement there is none.
    pub fn epoch_at(&self, now: u64) -> Result<Epoch, TrustError> {
        self.active(now)?;
        let length = self.agreement.epoch_length_seconds;
        // `validate` keeps the length above zero.
        let number = now.checked_div(length).unwrap_or_default();
        let not_before = number.saturating_mul(length);
        let not_after = not_before.saturating_add(length).min(self.agreement.not_after);
        Ok(Epoch { number, not_before, not_after })
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct SignedWire {
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    first: Option<Signatures>,
    second: Option<Signatures>,
}

fn require(holds: bool, field: &'static str) -> Result<(), TrustError> {
    if holds { Ok(()) } else { Err(TrustError::Field { document: Document::Agreement, field }) }
}

fn is_ascending<T: Ord>(list: &[T]) -> bool {
    list.is_sorted_by(|earlier, later| earlier < later)
}

/// One to `count_max` words of `a-z`, `0-9`, `_` and `-`, sorted, none twice: they are compared
/// byte by byte in two states' policies, so they leave nothing to spelling.
fn are_terms(terms: &[String], count_max: usize) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
    let fits =
        |term: &String| (1..=TERM_BYTES_MAX).contains(&term.len()) && term.bytes().all(letter);
    (1..=count_max).contains(&terms.len()) && is_ascending(terms) && terms.iter().all(fits)
}
