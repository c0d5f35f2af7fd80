//! Epoch cards: made, verified, refused by their rule, replaced.

use symbolon_ident::Class;
use symbolon_oprf::{EpochSeed, KeyNames, Sender, SetSalt};
use symbolon_protocol::{
    Code, EPOCH_CARD_VERSION, EpochCard, EpochCardCheck, ProtocolError, SignedEpochCard,
    VerifiedEpochCard,
};
use symbolon_tlog::leaf_hash;
use symbolon_trust::Replacement;

use super::exchange::two;
use super::world::{NOW, Node, PROFILE, agreement};

pub(crate) fn sender(holder: &Node, asker: &Node) -> (Sender, SetSalt) {
    let seed = EpochSeed::new([5; 32]);
    let (holder, asker) = (holder.card.id(), asker.card.id());
    let epoch = NOW / 604_800;
    let names = KeyNames {
        holder: holder.as_bytes(),
        asker: asker.as_bytes(),
        class: Class::Document,
        epoch,
    };
    (Sender::derive(&seed, &names).unwrap(), SetSalt::derive(&seed, &names, 1))
}

pub(crate) fn epoch_card(holder: &Node, asker: &Node) -> EpochCard {
    let epoch = agreement(holder, asker).epoch_at(NOW).unwrap();
    EpochCard {
        version: EPOCH_CARD_VERSION,
        holder: holder.card.id(),
        asker: asker.card.id(),
        class: Class::Document,
        epoch: epoch.number,
        serial: 1,
        not_before: epoch.not_before,
        not_after: epoch.not_after,
        public_key: sender(holder, asker).0.public_key().clone(),
        count: 1024,
        set_root: leaf_hash("set"),
        tags_root: leaf_hash("tags"),
        profile: PROFILE,
    }
}

pub(crate) fn verify(
    card: EpochCard,
    holder: &Node,
    asker: &Node,
) -> Result<VerifiedEpochCard, ProtocolError> {
    let agreement = agreement(holder, asker);
    SignedEpochCard::sign(card, &holder.key)?.verify(&EpochCardCheck {
        holder: &holder.card,
        asker: &asker.card.id(),
        agreement: &agreement,
        profile: &PROFILE,
        now: NOW,
    })
}

#[test]
fn epoch_cards_are_refused_by_their_rule() {
    let (a, b) = two();
    let good = epoch_card(&b, &a);
    assert_eq!(verify(good.clone(), &b, &a).unwrap().card(), &good);
    let stranger = Node::new("gamma", 30);
    let cases: [(&str, EpochCard); 10] = [
        ("another asker", EpochCard { asker: stranger.card.id(), ..good.clone() }),
        ("another holder", EpochCard { holder: stranger.card.id(), ..good.clone() }),
        ("next epoch", EpochCard { epoch: good.epoch + 1, ..good.clone() }),
        ("longer than its epoch", EpochCard { not_after: good.not_after + 1, ..good.clone() }),
        ("before its epoch", EpochCard { not_before: good.not_before - 1, ..good.clone() }),
        ("over", EpochCard { not_after: NOW, ..good.clone() }),
        ("a count without padding", EpochCard { count: 1025, ..good.clone() }),
        ("a class outside the agreement", EpochCard { class: Class::Contact, ..good.clone() }),
        ("serial 0", EpochCard { serial: 0, ..good.clone() }),
        ("another version", EpochCard { version: 2, ..good.clone() }),
    ];
    for (rule, card) in cases {
        let error = verify(card, &b, &a).unwrap_err();
        assert!(matches!(error, ProtocolError::EpochCard { .. }), "{rule}");
        assert_eq!(error.code(), Code::Epoch, "{rule}");
    }
    let other = EpochCard { profile: [0; 32], ..good.clone() };
    assert!(matches!(verify(other, &b, &a), Err(ProtocolError::ProfileDiffers)));
}

#[test]
fn an_epoch_card_signed_by_somebody_else_is_refused() {
    let (a, b) = two();
    let good = epoch_card(&b, &a);
    let forged = SignedEpochCard::sign(good, &a.key).unwrap();
    let agreement = agreement(&b, &a);
    let check = EpochCardCheck {
        holder: &b.card,
        asker: &a.card.id(),
        agreement: &agreement,
        profile: &PROFILE,
        now: NOW,
    };
    assert!(matches!(forged.verify(&check), Err(ProtocolError::EpochCard { .. })));
    assert_eq!(SignedEpochCard::decode(&forged.encode()).unwrap(), forged);
}

#[test]
fn an_epoch_card_replaces_an_older_one_of_the_same_key() {
    let (a, b) = two();
    let card = |change: &dyn Fn(&mut EpochCard)| {
        let mut card = epoch_card(&b, &a);
        change(&mut card);
        verify(card, &b, &a).unwrap()
    };
    let held = card(&|card| card.serial = 2);
    assert_eq!(card(&|card| card.serial = 3).replaces(&held).unwrap(), Replacement::Newer);
    assert_eq!(card(&|card| card.serial = 2).replaces(&held).unwrap(), Replacement::Same);
    let refused = [
        ("lower serial", card(&|_| ())),
        ("other contents", card(&|card| (card.serial, card.count) = (2, 2048))),
        (
            "other key",
            card(&|card| {
                card.serial = 3;
                card.public_key = sender(&a, &b).0.public_key().clone();
            }),
        ),
    ];
    for (rule, card) in refused {
        assert!(card.replaces(&held).is_err(), "{rule}");
    }
}
