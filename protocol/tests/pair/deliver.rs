//! Envelopes on their way to the one node that they are for.

use symbolon_disclosure::{
    Author, ConfirmRequest, Recipient, Refusal, RefusalCode, Sealed, Terms, open, seal_confirm,
    seal_refusal,
};
use symbolon_ident::Class;
use symbolon_oprf::{ConfirmCode, Tag};
use symbolon_protocol::{Acknowledge, Disclose, Exchange, Incoming, ProtocolError};
use symbolon_tlog::leaf_hash;
use symbolon_trust::Mode;

use super::exchange::{ask, two};
use super::world::{NOW, Node, session};

fn terms() -> Terms {
    Terms { created: NOW, expires: NOW + 3600, in_reply_to: None }
}

fn confirm(from: &Node, to: &Node) -> Sealed {
    let confirm = ConfirmRequest {
        class: Class::Document,
        epoch: NOW / 604_800,
        serial: 1,
        tag: Tag::from_bytes([1; 16]),
        confirm: ConfirmCode::from_bytes([2; 32]),
        purpose: "investigation".into(),
        case_hash: [3; 32],
    };
    let author = Author { node: from.card.id(), key: &from.key };
    seal_confirm(
        confirm,
        &Recipient::new(&to.card, NOW, Mode::Live).unwrap(),
        &author,
        &terms(),
        [1; 32],
    )
    .unwrap()
}

#[test]
fn an_envelope_is_delivered_and_answered() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let sealed = confirm(&a, &b);
    let (id, receipt) = (sealed.id(), a.append(leaf_hash("confirm sent")));
    let disclose = Disclose::new(sealed, receipt).unwrap();
    let (answer, _) = ask(&session, &disclose, &[], |incoming| {
        let Incoming::Deliver(asked) = incoming else { panic!("{incoming:?}") };
        let senders = |node: &_| (*node == a.card.id()).then(|| a.key.public().clone());
        let envelope = asked.request().envelope();
        open(envelope, std::slice::from_ref(&b.envelope), &senders, &b.card.id(), NOW).unwrap();
        let refusal = Refusal { code: RefusalCode::Neutral, in_reply_to: id };
        let author = Author { node: b.card.id(), key: &b.key };
        let to = Recipient::new(&a.card, NOW, Mode::Live).unwrap();
        let sealed = seal_refusal(refusal, &to, &author, &terms(), [2; 32]).unwrap();
        let receipt = b.append(leaf_hash("refused"));
        let answer = Disclose::new(sealed, receipt).unwrap();
        asked.answer(&Acknowledge::with(answer, &session.1).unwrap())
    });
    assert!(answer.unwrap().envelope().is_some());

    // The same envelope again, as after a restart: acknowledged, applied once.
    let again = disclose.as_bytes().to_vec();
    let again = Disclose::restore_from_own_store(again, b.card.id(), receipt).unwrap();
    let (answer, _) = ask(&session, &again, &[], |incoming| match incoming {
        Incoming::Deliver(asked) => asked.answer(&Acknowledge::taken()),
        other => panic!("{other:?}"),
    });
    assert_eq!(answer.unwrap().envelope(), None);
}

#[test]
fn an_envelope_for_somebody_else_is_not_sent() {
    let (mut a, b) = two();
    let stranger = Node::new("gamma", 30);
    let (session, _) = session(&a, &b);
    let sealed = confirm(&a, &stranger);
    let disclose = Disclose::new(sealed, a.append(leaf_hash("confirm sent"))).unwrap();
    let exchange = Exchange::begin(&session, &disclose, 0);
    assert!(matches!(exchange, Err(ProtocolError::Misuse { .. })));
    assert!(Acknowledge::with(disclose, &session).is_err());
}
