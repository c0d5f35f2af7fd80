//! The epoch card: what a holder announces to one asker for one class and epoch, signed.
//!
//! Implements spec/matching.md#epoch-card.
//!
//! Invariant: a [`VerifiedEpochCard`] exists only where the holder's signatures, the agreement, the
//! epoch and the profile were right.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{decode, encode, sha256};
use symbolon_ident::Class;
use symbolon_oprf::{PublicKey, padded_count};
use symbolon_tlog::Hash;
use symbolon_trust::{
    IdentityKey, NodeId, Replacement, Signatures, VerifiedAgreement, VerifiedCard,
};

use crate::error::ProtocolError;
use crate::label;
use crate::limits::{CLOCK_SKEW_SECONDS_MAX, EPOCH_CARD_BYTES_MAX, TAG_SET_TAGS_MAX};

/// The only version of epoch cards.
pub const EPOCH_CARD_VERSION: u8 = 1;

/// What a holder announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct EpochCard {
    /// [`EPOCH_CARD_VERSION`].
    pub version: u8,
    /// The node that has the key and the list.
    pub holder: NodeId,
    /// The node for which key and list were made.
    pub asker: NodeId,
    /// The class of identifiers.
    pub class: Class,
    /// Number of the epoch.
    pub epoch: u64,
    /// Raised by every batch of additions within the epoch; the first is 1.
    pub serial: u64,
    /// First second of its validity.
    pub not_before: u64,
    /// First second after its validity.
    pub not_after: u64,
    /// Public key of the epoch.
    pub public_key: PublicKey,
    /// Tags in the set, padding included.
    pub count: u64,
    /// Root over tags and record commitments.
    pub set_root: Hash,
    /// Root over the chunks of the transfer.
    pub tags_root: Hash,
    /// Canonicalisation profile of the holder.
    #[serde(with = "serde_bytes")]
    pub profile: [u8; 32],
}

impl EpochCard {
    fn validate(&self) -> Result<(), ProtocolError> {
        let refuse = |rule| Err(ProtocolError::EpochCard { rule });
        if self.version != EPOCH_CARD_VERSION {
            return refuse("the version is known here");
        }
        if self.holder == self.asker {
            return refuse("holder and asker are two nodes");
        }
        if self.serial == 0 {
            return refuse("the serial is at least 1");
        }
        if self.not_before >= self.not_after {
            return refuse("the validity has a beginning before its end");
        }
        if self.count > TAG_SET_TAGS_MAX || padded_count(self.count) != self.count {
            return refuse("the count is one that padding makes");
        }
        Ok(())
    }
}

/// An epoch card and its holder's signatures, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEpochCard {
    card: EpochCard,
    bytes: Vec<u8>,
    signatures: Signatures,
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

impl SignedEpochCard {
    /// Signs `card` with the holder's signing key.
    ///
    /// # Errors
    /// [`ProtocolError::EpochCard`] when a field breaks its rule, [`ProtocolError::Misuse`] when
    /// the key cannot sign.
    pub fn sign(card: EpochCard, key: &IdentityKey) -> Result<Self, ProtocolError> {
        card.validate()?;
        let bytes = encode(&card);
        let misuse = |_| ProtocolError::Misuse { rule: "the identity key must be able to sign" };
        let signatures = key.sign(label::EPOCH_CARD, &bytes).map_err(misuse)?;
        Ok(Self { card, bytes, signatures })
    }

    /// Reads an epoch card and bounds its fields; checks no signature.
    ///
    /// # Errors
    /// [`ProtocolError::Decode`] or [`ProtocolError::EpochCard`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProtocolError> {
        let wire: SignedWire = decode(bytes, EPOCH_CARD_BYTES_MAX)?;
        let card: EpochCard = decode(&wire.bytes, EPOCH_CARD_BYTES_MAX)?;
        card.validate()?;
        let signatures = Signatures::new(wire.ed25519, wire.mldsa65)
            .map_err(|_| ProtocolError::Field { field: "mldsa65" })?;
        Ok(Self { card, bytes: wire.bytes, signatures })
    }

    /// The bytes that [`SignedEpochCard::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&SignedWire {
            bytes: self.bytes.clone(),
            ed25519: *self.signatures.ed25519(),
            mldsa65: self.signatures.mldsa65().to_vec(),
        })
    }

    /// The content, which nobody has verified yet.
    #[must_use]
    pub const fn card(&self) -> &EpochCard {
        &self.card
    }

    /// SHA-256("symbolon/1 epoch card digest" ‖ card bytes): what the holder's log commits to
    /// before the first query.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(label::EPOCH_CARD_DIGEST, &[&self.bytes])
    }

    /// Checks the card as its asker.
    ///
    /// # Errors
    /// [`ProtocolError::EpochCard`], by the first rule that it breaks, or
    /// [`ProtocolError::ProfileDiffers`].
    pub fn verify(&self, check: &EpochCardCheck<'_>) -> Result<VerifiedEpochCard, ProtocolError> {
        let refuse = |rule| ProtocolError::EpochCard { rule };
        let card = &self.card;
        if card.holder != check.holder.id() || card.asker != *check.asker {
            return Err(refuse("it is made by this holder for this asker"));
        }
        let signing = &check.holder.card().signing;
        let _evidence = signing
            .verify(label::EPOCH_CARD, &self.bytes, &self.signatures)
            .map_err(|_| refuse("the holder's identity keys sign it"))?;
        if card.profile != *check.profile {
            return Err(ProtocolError::ProfileDiffers);
        }
        if check.agreement.terms(card.class).is_none() {
            return Err(refuse("the agreement covers the class"));
        }
        let epoch = check.agreement.epoch_at(check.now);
        let epoch = epoch.map_err(|_| refuse("the agreement is in force"))?;
        if card.epoch != epoch.number {
            return Err(refuse("it is of the current epoch"));
        }
        if card.not_before < epoch.not_before || card.not_after > epoch.not_after {
            return Err(refuse("it lies within its epoch"));
        }
        let begun = card.not_before <= check.now.saturating_add(CLOCK_SKEW_SECONDS_MAX);
        if !begun || check.now >= card.not_after {
            return Err(refuse("it is valid now"));
        }
        Ok(VerifiedEpochCard { card: card.clone(), digest: self.digest() })
    }
}

/// Against what an epoch card is checked.
pub struct EpochCardCheck<'a> {
    /// The holder's newest card.
    pub holder: &'a VerifiedCard,
    /// This node.
    pub asker: &'a NodeId,
    /// The agreement of both.
    pub agreement: &'a VerifiedAgreement,
    /// This node's canonicalisation profile.
    pub profile: &'a [u8; 32],
    /// Unix seconds.
    pub now: u64,
}

/// An epoch card under which its asker may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct VerifiedEpochCard {
    card: EpochCard,
    digest: [u8; 32],
}

impl VerifiedEpochCard {
    /// The content.
    #[must_use]
    pub const fn card(&self) -> &EpochCard {
        &self.card
    }

    /// As [`SignedEpochCard::digest`].
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

impl VerifiedEpochCard {
    /// Says whether this card may take the place of `held`, of the same holder and class.
    ///
    /// # Errors
    /// [`ProtocolError::EpochCard`] for an older epoch or serial, for other contents under the
    /// same serial, and for another public key in the same epoch.
    pub fn replaces(&self, held: &Self) -> Result<Replacement, ProtocolError> {
        let refuse = |rule| Err(ProtocolError::EpochCard { rule });
        let (new, old) = (&self.card, &held.card);
        if (new.holder, new.asker, new.class) != (old.holder, old.asker, old.class) {
            return refuse("it is of the same nodes and class as the one held");
        }
        if new.epoch > old.epoch {
            return Ok(Replacement::Newer);
        }
        if (new.epoch, new.serial) < (old.epoch, old.serial) {
            return refuse("it is not older than the one held");
        }
        if new.public_key != old.public_key {
            return refuse("an epoch has one public key");
        }
        if new.serial > old.serial {
            return Ok(Replacement::Newer);
        }
        if self.digest == held.digest {
            return Ok(Replacement::Same);
        }
        refuse("a serial has one card")
    }
}
