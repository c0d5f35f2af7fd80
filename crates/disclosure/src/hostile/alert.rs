//! Statements about alerts, forged: drills among the real ones, places in the stream that are none,
//! acknowledgements and manifests that say one thing twice.

use symbolon_codec::{DecodeError, encode};
use symbolon_record::{AlertClass, Exercise, RecordVersion, Transform, View, sample};
use symbolon_trust::{Document, EnvelopeKey, Mode, Scheme, TrustError};

use super::{
    EXPIRES, Forge, NOW, drill_key, drill_secret, envelope_key, field, forged, identity, node,
    open_at, refused, secret, unreadable,
};
use crate::error::Layer;
use crate::payload::StatementKind;
use crate::{
    AckItem, Acknowledgement, Alerted, Author, DisclosureError, Kept, Manifest, Opened, Payload,
    Recipient, RecipientSecret, Sealed, Stage, Terms, WithdrawReason, Word, limits, open, reseal,
    seal_acknowledgement, seal_manifest, seal_word,
};

fn view(exercise: Exercise) -> View {
    let none: [(_, &[Transform]); 0] = [];
    View { exercise, ..View::project(&sample::record(4).unwrap(), none) }
}

fn alerted() -> Alerted {
    Alerted {
        class: AlertClass::Flash,
        view: view(Exercise::Live),
        previous: None,
        read_by: NOW + 900,
        act_by: NOW + 3600,
        expires_on: NOW + 86_400,
    }
}

fn word() -> Word {
    let View { id, version, .. } = view(Exercise::Live);
    Word { alert: id, version, say: crate::Say::Withdrawn(WithdrawReason::Error) }
}

fn acknowledgement() -> Acknowledgement {
    let item = |hash, stage| AckItem { statement_hash: [hash; 32], stage, at: NOW, log_index: 3 };
    let items = vec![item(1, Stage::Delivered), item(1, Stage::Read), item(2, Stage::Delivered)];
    Acknowledgement { items, checkpoint: "north/log\n".into() }
}

fn manifest() -> Manifest {
    Manifest { parcel: [1; 16], first: 4, next: 6, envelopes: vec![[1; 32], [2; 32], [3; 32]] }
}

/// What [`forged`] changes to make a true statement of `kind`.
fn of(forge: &mut Forge, kind: StatementKind) {
    let is_ordered = matches!(kind, StatementKind::Alert | StatementKind::Word);
    forge.statement.kind = kind.code();
    forge.statement.sequence = is_ordered.then_some(5);
    forge.statement.policy_digest = (kind == StatementKind::Alert).then_some([6; 32]);
    forge.floor = limits::ANSWER_BUCKET_BYTES_MIN;
    forge.statement.payload = match kind {
        StatementKind::Word => encode(&word()),
        StatementKind::Acknowledgement => encode(&acknowledgement()),
        StatementKind::Manifest => encode(&manifest()),
        _ => encode(&alerted()),
    };
}

fn to_drill_key(forge: &mut Forge) {
    (forge.key, forge.header.kid) = (drill_key(), drill_secret().kid());
}

fn kinds() -> [StatementKind; 4] {
    [
        StatementKind::Alert,
        StatementKind::Word,
        StatementKind::Acknowledgement,
        StatementKind::Manifest,
    ]
}

fn refused_of(kind: StatementKind, change: impl FnOnce(&mut Forge)) -> DisclosureError {
    refused(|forge| {
        of(forge, kind);
        change(forge);
    })
}

fn unsigned(scheme: Scheme) -> DisclosureError {
    DisclosureError::Signature(TrustError::Signature { document: Document::Statement, scheme })
}

#[test]
fn honest_ones_open_in_their_mode() {
    for kind in kinds() {
        let opened = open_at(&forged(|forge| of(forge, kind)), 2, NOW).unwrap();
        assert_eq!((opened.kind(), opened.mode()), (kind, Mode::Live));
        let is_ordered = matches!(kind, StatementKind::Alert | StatementKind::Word);
        assert_eq!(opened.sequence(), is_ordered.then_some(5));
        assert_eq!(opened.policy_digest().is_some(), kind == StatementKind::Alert);
        let drill = forged(|forge| {
            of(forge, kind);
            if kind == StatementKind::Alert {
                let view = view(Exercise::Exercise);
                forge.statement.payload = encode(&Alerted { view, ..alerted() });
            }
            to_drill_key(forge);
            forge.label = Mode::Exercise;
        });
        assert_eq!(open_at(&drill, 2, NOW).unwrap().mode(), Mode::Exercise);
    }
}

#[test]
fn a_drill_cannot_pass_for_the_real_thing_nor_the_other_way_round() {
    for kind in kinds() {
        // Signed as a drill, sealed to the live key: a partner's own doing, or a mistake of its.
        let error = refused_of(kind, |forge| forge.label = Mode::Exercise);
        assert_eq!(error, unsigned(Scheme::Ed25519));
        // Signed as real, sealed to the key for drills.
        assert_eq!(refused_of(kind, to_drill_key), unsigned(Scheme::Ed25519));
        // The right key under the other mode's HPKE label.
        let error = refused_of(kind, |forge| {
            forge.key = EnvelopeKey { mode: Mode::Exercise, ..envelope_key() };
        });
        assert_eq!(error, DisclosureError::Open);
    }
    // The signature and the key say one mode, the record the other.
    let marked = refused_of(StatementKind::Alert, |forge| {
        let view = view(Exercise::Exercise);
        forge.statement.payload = encode(&Alerted { view, ..alerted() });
    });
    assert_eq!(marked, DisclosureError::Mode { mode: Mode::Live });
    let unmarked = refused_of(StatementKind::Alert, |forge| {
        to_drill_key(forge);
        forge.label = Mode::Exercise;
    });
    assert_eq!(unmarked, DisclosureError::Mode { mode: Mode::Exercise });
    // Matching is not exercised: a confirm to the key for drills is none.
    let confirm = refused(|forge| {
        to_drill_key(forge);
        forge.label = Mode::Exercise;
    });
    assert_eq!(confirm, DisclosureError::Mode { mode: Mode::Exercise });
}

#[test]
fn a_place_in_the_stream_is_where_it_belongs() {
    let misplaced = field(Layer::Statement, "sequence");
    for kind in [StatementKind::Alert, StatementKind::Word] {
        for sequence in [None, Some(0)] {
            let error = refused_of(kind, |forge| forge.statement.sequence = sequence);
            assert_eq!(error, misplaced, "{kind:?} {sequence:?}");
        }
    }
    for kind in [StatementKind::Acknowledgement, StatementKind::Manifest] {
        let error = refused_of(kind, |forge| forge.statement.sequence = Some(1));
        assert_eq!(error, misplaced, "{kind:?}");
    }
    assert_eq!(refused(|forge| forge.statement.sequence = Some(1)), misplaced);
    let digest = field(Layer::Statement, "policy_digest");
    let alert = refused_of(StatementKind::Alert, |forge| forge.statement.policy_digest = None);
    assert_eq!(alert, digest);
    let word =
        refused_of(StatementKind::Word, |forge| forge.statement.policy_digest = Some([1; 32]));
    assert_eq!(word, digest);
}

#[test]
fn only_the_named_sender_and_recipient_are_meant() {
    for kind in kinds() {
        let error = refused_of(kind, |forge| forge.signer = identity(7));
        assert_eq!(error, unsigned(Scheme::Ed25519));
        assert_eq!(
            refused_of(kind, |forge| forge.statement.to = node(3)),
            DisclosureError::Forwarded
        );
        let error = refused_of(kind, |forge| forge.statement.from = node(7));
        assert_eq!(error, DisclosureError::UnknownSender);
        // All that a relay carries has one size, so a smaller one is no word of this protocol.
        if kind != StatementKind::Alert {
            assert_eq!(refused_of(kind, |forge| forge.floor = 0), DisclosureError::Padding);
        }
    }
}

#[test]
fn the_clocks_of_an_alert_run_in_order() {
    let refuse = |change: fn(&mut Alerted)| {
        refused_of(StatementKind::Alert, |forge| {
            let mut alerted = alerted();
            change(&mut alerted);
            forge.statement.payload = encode(&alerted);
        })
    };
    assert_eq!(refuse(|alerted| alerted.read_by = u64::MAX), field(Layer::Payload, "act_by"));
    let over = field(Layer::Payload, "expires_on");
    assert_eq!(refuse(|alerted| alerted.act_by = alerted.expires_on + 1), over);
    assert_eq!(refuse(|alerted| alerted.expires_on = limits::TIME_SECONDS_MAX + 1), over);
    let past = refuse(|alerted| {
        (alerted.read_by, alerted.act_by, alerted.expires_on) = (NOW, NOW, NOW);
    });
    assert_eq!(past, over);
    let long = refuse(|alerted| alerted.view.narrative = Some("x".repeat(1 << 18)));
    assert!(matches!(long, DisclosureError::View(_)), "{long}");
}

#[test]
fn words_and_classes_are_closed_lists() {
    let shape = unreadable(Layer::Payload, DecodeError::Shape);
    let Word { alert, version, .. } = word();
    for say in [(0_u8, 1_u8), (1, 0), (1, 6), (2, 6), (3, 1)] {
        let payload = encode(&(alert, version, say));
        let error = refused_of(StatementKind::Word, |forge| forge.statement.payload = payload);
        assert_eq!(error, shape, "{say:?}");
    }
    for class in [0_u8, 4] {
        let (alerted, previous) = (alerted(), None::<RecordVersion>);
        let payload = encode(&(class, alerted.view, previous, NOW, NOW, NOW + 1));
        let error = refused_of(StatementKind::Alert, |forge| forge.statement.payload = payload);
        assert_eq!(error, shape, "{class}");
    }
}

#[test]
fn an_acknowledgement_says_each_thing_once() {
    let refuse = |change: fn(&mut Acknowledgement)| {
        refused_of(StatementKind::Acknowledgement, |forge| {
            let mut said = acknowledgement();
            change(&mut said);
            forge.statement.payload = encode(&said);
        })
    };
    let items = field(Layer::Payload, "items");
    assert_eq!(refuse(|said| said.items.clear()), items);
    assert_eq!(refuse(|said| said.items.swap(0, 1)), items);
    assert_eq!(refuse(|said| said.items.swap(1, 2)), items);
    assert_eq!(refuse(|said| said.items[1] = said.items[0]), items);
    let many = refuse(|said| {
        let first = said.items[0];
        said.items = (0_u64..=1024)
            .map(|number| {
                let mut statement_hash = [0; 32];
                statement_hash[..8].copy_from_slice(&number.to_be_bytes());
                AckItem { statement_hash, ..first }
            })
            .collect();
    });
    assert_eq!(many, items);
    assert_eq!(refuse(|said| said.items[2].at = u64::MAX), field(Layer::Payload, "at"));
    let checkpoint = field(Layer::Payload, "checkpoint");
    assert_eq!(refuse(|said| said.checkpoint.clear()), checkpoint);
    let long = refuse(|said| said.checkpoint = "x".repeat(limits::CHECKPOINT_BYTES_MAX + 1));
    assert_eq!(long, checkpoint);
}

#[test]
fn a_manifest_counts_what_it_holds() {
    let refuse = |change: fn(&mut Manifest)| {
        refused_of(StatementKind::Manifest, |forge| {
            let mut said = manifest();
            change(&mut said);
            forge.statement.payload = encode(&said);
        })
    };
    assert_eq!(refuse(|said| said.first = 0), field(Layer::Payload, "first"));
    assert_eq!(refuse(|said| said.next = 3), field(Layer::Payload, "next"));
    assert_eq!(refuse(|said| said.next = 8), field(Layer::Payload, "next"));
    let many = refuse(|said| said.envelopes = vec![[1; 32]; limits::MANIFEST_ENVELOPES_MAX + 1]);
    assert_eq!(many, field(Layer::Payload, "envelopes"));
}

/// As node 1 seals it, to the live key of node 2.
fn sealed(
    key: &EnvelopeKey,
    seal: impl FnOnce(&Recipient<'_>, &Author<'_>, &Terms) -> Sealed,
) -> Sealed {
    let signer = identity(1);
    let terms = Terms { created: NOW, expires: EXPIRES, in_reply_to: None };
    seal(&Recipient { node: node(2), key }, &Author { node: node(1), key: &signer }, &terms)
}

#[test]
fn what_is_sealed_is_checked_like_what_is_opened() {
    let (live, drill) = (envelope_key(), drill_key());
    for (key, mode) in [(&live, Mode::Live), (&drill, Mode::Exercise)] {
        let sealed = sealed(key, |to, from, terms| {
            let bad = seal_word(word(), 0, to, from, terms, [1; 32]).unwrap_err();
            assert_eq!(bad, field(Layer::Statement, "sequence"));
            let empty = Acknowledgement { items: Vec::new(), ..acknowledgement() };
            let bad = seal_acknowledgement(empty, to, from, terms, [1; 32]).unwrap_err();
            assert_eq!(bad, field(Layer::Payload, "items"));
            let bad = Manifest { next: 9, ..manifest() };
            let bad = seal_manifest(bad, to, from, terms, [1; 32]).unwrap_err();
            assert_eq!(bad, field(Layer::Payload, "next"));
            seal_word(word(), 9, to, from, terms, [1; 32]).unwrap()
        });
        assert_eq!((sealed.mode(), sealed.sequence()), (mode, Some(9)));
        let opened = open_at(sealed.as_bytes(), 2, NOW).unwrap();
        assert_eq!((opened.mode(), opened.sequence()), (mode, Some(9)));
        assert!(matches!(opened.payload(), Payload::Word(said) if *said == word()));
        let (signer, kept) = (identity(1), Kept::decode(opened.signed()).unwrap());
        assert!(kept.verify(signer.public(), mode).is_ok());
        let other = Mode::ALL.into_iter().find(|other| *other != mode).unwrap();
        assert!(kept.verify(signer.public(), other).is_err());
    }
}

#[test]
fn what_waited_is_sealed_again_for_nobody_else() {
    let key = envelope_key();
    let first =
        sealed(&key, |to, from, terms| seal_word(word(), 3, to, from, terms, [1; 32]).unwrap());
    // The recipient has a new key by now.
    let renewed = RecipientSecret::generate([44; 32], Mode::Live);
    let renewed_key = renewed.envelope_key(NOW, NOW + 1_000_000);
    let signer = identity(1);
    let (from, to) = (Author { node: node(1), key: &signer }, node(2));
    let again = |signed: &[u8], to: &Recipient<'_>| reseal(signed, to, &from, [2; 32]);
    let recipient = Recipient { node: to, key: &renewed_key };
    let resealed = again(first.signed(), &recipient).unwrap();
    assert_eq!((resealed.id(), resealed.to()), (first.id(), to));
    let senders = |_: &_| Some(identity(1).public().clone());
    let bytes = resealed.into_bytes();
    assert_eq!(bytes.len(), first.as_bytes().len());
    let opened: Opened = open(&bytes, &[renewed], &senders, &to, NOW).unwrap();
    assert_eq!(opened.statement_hash(), first.statement_hash());
    assert_eq!(opened.sequence(), Some(3));

    let other = Recipient { node: node(3), key: &renewed_key };
    assert_eq!(again(first.signed(), &other).unwrap_err(), DisclosureError::Forwarded);
    let stranger = Author { node: node(4), key: &signer };
    let foreign = reseal(first.signed(), &recipient, &stranger, [2; 32]).unwrap_err();
    assert_eq!(foreign, DisclosureError::Forwarded);
    let drill = drill_key();
    let mixed = again(first.signed(), &Recipient { node: to, key: &drill }).unwrap_err();
    assert_eq!(mixed, unsigned(Scheme::Ed25519));
    let mut damaged = first.signed().to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(again(&damaged, &recipient).unwrap_err(), unsigned(Scheme::MlDsa65));
    assert!(again(&damaged[..last], &recipient).is_err());
    assert_eq!(secret().mode(), Mode::Live);
}
