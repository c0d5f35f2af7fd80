//! Asking for the partner's node card and for its epoch cards.
//!
//! Implements spec/transport.md#requests.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_trust::{SignedCard, TrustError};

use crate::epoch_card::SignedEpochCard;
use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::limits::{
    CARD_BYTES_MAX, EPOCH_CARD_BYTES_MAX, EPOCH_CARDS_MAX, SMALL_REQUEST_BYTES_MAX,
};
use crate::message::{Message, both_ways, bound};
use crate::serve::Served;

/// `card_request`: the receiver's own card, please.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardRequest([u8; 0]);

impl CardRequest {
    /// The request; it says nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self([])
    }
}

/// `card`: the sender's signed card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Card {
    #[serde(with = "serde_bytes")]
    card: Vec<u8>,
}

impl Card {
    /// The answer.
    #[must_use]
    pub fn new(card: &SignedCard) -> Self {
        Self { card: card.encode() }
    }

    /// The card, not yet verified.
    ///
    /// # Errors
    /// Whatever decoding a card finds.
    pub fn signed(&self) -> Result<SignedCard, TrustError> {
        SignedCard::decode(&self.card)
    }
}

/// `epochs_request`: all epoch cards that the receiver has for the sender, please.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochsRequest([u8; 0]);

impl EpochsRequest {
    /// The request; it says nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self([])
    }
}

/// `epochs`: signed epoch cards, at most one of each class and epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Epochs {
    cards: Vec<ByteBuf>,
}

impl Epochs {
    /// The answer.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`] for more cards than an answer holds.
    pub fn new(cards: &[SignedEpochCard]) -> Result<Self, ProtocolError> {
        bound(cards.len(), EPOCH_CARDS_MAX, "cards")?;
        Ok(Self { cards: cards.iter().map(|card| ByteBuf::from(card.encode())).collect() })
    }

    /// The cards, not yet verified.
    ///
    /// # Errors
    /// Whatever decoding an epoch card finds.
    pub fn signed(&self) -> Result<Vec<SignedEpochCard>, ProtocolError> {
        self.cards.iter().map(|bytes| SignedEpochCard::decode(bytes)).collect()
    }
}

both_ways!(CardRequest);

impl Message for CardRequest {
    const TYPE: u8 = 5;
    const NAME: &'static str = "card_request";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

impl Request for CardRequest {
    type Response = Card;
}

impl Served for CardRequest {
    type Answer = Card;
}

both_ways!(Card);

impl Message for Card {
    const TYPE: u8 = 6;
    const NAME: &'static str = "card";
    const BYTES_MAX: usize = CARD_BYTES_MAX + 16;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.card.len(), CARD_BYTES_MAX, "card")
    }
}

both_ways!(EpochsRequest);

impl Message for EpochsRequest {
    const TYPE: u8 = 7;
    const NAME: &'static str = "epochs_request";
    const BYTES_MAX: usize = SMALL_REQUEST_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

impl Request for EpochsRequest {
    type Response = Epochs;
}

impl Served for EpochsRequest {
    type Answer = Epochs;
}

both_ways!(Epochs);

impl Message for Epochs {
    const TYPE: u8 = 8;
    const NAME: &'static str = "epochs";
    const BYTES_MAX: usize = EPOCH_CARDS_MAX * (EPOCH_CARD_BYTES_MAX + 8) + 16;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.cards.len(), EPOCH_CARDS_MAX, "cards")?;
        self.cards.iter().try_for_each(|card| bound(card.len(), EPOCH_CARD_BYTES_MAX, "cards"))
    }
}
