//! Cards of the past: a statement is checked against the card that its sender had then.
//!
//! Implements spec/evidence.md#making.
//!
//! Invariant: a card is kept in the write that replaces it or brings it.

use symbolon_disclosure::ConfirmRequest;
use symbolon_ident::Class;
use symbolon_protocol::SignedEpochCard;
use symbolon_store::{SetKey, SetSide, Store, Write};
use symbolon_trust::{NodeId, SignedCard};

use crate::desk::{Known, hex};
use crate::publish::About;
use crate::{Desk, DeskError};

fn card_prefix(node: &NodeId) -> String {
    format!("kept-card/{}/", hex(node.as_bytes()))
}

/// Keeps a card for later, beside whatever is in force.
pub(crate) fn card_keep(write: Write, node: &NodeId, card: &SignedCard, sequence: u64) -> Write {
    write.setting(&format!("{}{sequence:020}", card_prefix(node)), &card.encode())
}

/// Every card that was kept of a node, the oldest first.
pub(crate) fn cards_kept(store: &Store, node: &NodeId) -> Result<Vec<SignedCard>, DeskError> {
    let mut cards = Vec::new();
    for name in store.setting_names(&card_prefix(node))? {
        if let Some(bytes) = store.setting_fetch(&name)? {
            cards.push(SignedCard::decode(&bytes)?);
        }
    }
    Ok(cards)
}

/// Names an epoch card by its set; the side says whose it is.
fn epoch_card_name(set: &SetKey) -> String {
    let side = match set.side {
        SetSide::Own => "own",
        SetSide::Received => "received",
    };
    let partner: String = hex(set.partner.as_bytes()).chars().take(32).collect();
    format!("kept-epoch/{side}/{partner}/{}/{}/{}", set.class, set.epoch, set.serial)
}

/// The set in which a confirm found its tag.
pub(crate) fn set_of(side: SetSide, partner: NodeId, confirm: &ConfirmRequest) -> SetKey {
    let (class, epoch, serial): (Class, u64, u64) = (confirm.class, confirm.epoch, confirm.serial);
    SetKey { side, partner, class, epoch, serial }
}

impl Desk {
    /// Keeps a partner's epoch card, unless it is kept.
    pub(crate) fn epoch_card_keep(
        &self,
        partner: &Known,
        signed: &SignedEpochCard,
    ) -> Result<(), DeskError> {
        let card = signed.card();
        let set = SetKey {
            side: SetSide::Received,
            partner: partner.node(),
            class: card.class,
            epoch: card.epoch,
            serial: card.serial,
        };
        let name = epoch_card_name(&set);
        if self.store.setting_fetch(&name)?.is_none() {
            self.store.setting_put(&name, &signed.encode())?;
        }
        Ok(())
    }

    /// Keeps the own epoch card under which a partner confirms, with the write that answers.
    pub(crate) fn epoch_card_confirmed(
        &self,
        partner: &Known,
        confirm: &ConfirmRequest,
        write: Write,
    ) -> Result<Write, DeskError> {
        let set = set_of(SetSide::Own, partner.node(), confirm);
        let about = self.store.tag_set_about(&set)?;
        // A confirm on a set that is gone, or never was, is answered without.
        match about.and_then(|about| About::decode(&about).ok()) {
            Some(about) => Ok(write.setting(&epoch_card_name(&set), &about.card)),
            None => Ok(write),
        }
    }

    /// The epoch card of a set, where it was kept.
    pub(crate) fn epoch_card_kept(&self, set: &SetKey) -> Result<Option<Vec<u8>>, DeskError> {
        let kept = self.store.setting_fetch(&epoch_card_name(set))?;
        Ok(kept.map(|bytes| bytes.to_vec()))
    }
}
