//! Node cards: read strictly, believed only under both root signatures, replaced only by newer.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its card should stop")]

use proptest::prelude::*;
use symbolon_codec::{DecodeError, encode};
use symbolon_ident::Country;
use symbolon_trust::{
    Document, EnvelopeKey, IdentityKey, Mode, Moment, NodeCard, NodeName, Replacement, SignedCard,
    TlsPin, TrustError, VerifiedCard, limits,
};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

fn card() -> NodeCard {
    NodeCard {
        version: 1,
        root: key(1).public().clone(),
        name: NodeName::parse("agency-a").unwrap(),
        country: Country::parse("FRA").unwrap(),
        sequence: 5,
        not_before: NOW - DAY,
        not_after: NOW + 30 * DAY,
        signing: key(2).public().clone(),
        envelope_keys: vec![EnvelopeKey::new(vec![3; 1216], Mode::Live, NOW - DAY, NOW + 7 * DAY)],
        tls_pins: vec![TlsPin([4; 32])],
        addresses: vec!["agency-a.example:4747".into(), "[2001:db8::1]:4747".into()],
        log: vec!["agency-a+12345678+AQIDBA==".into()],
        profile: [5; 32],
    }
}

fn signed(change: impl FnOnce(&mut NodeCard)) -> Result<SignedCard, TrustError> {
    let mut card = card();
    change(&mut card);
    SignedCard::sign(card, &key(1))
}

fn verified(change: impl FnOnce(&mut NodeCard)) -> VerifiedCard {
    signed(change).unwrap().verify(NOW).unwrap()
}

#[test]
fn a_card_comes_back_from_bytes_and_from_a_mail() {
    let made = signed(|_| {}).unwrap();
    assert_eq!(SignedCard::decode(&made.encode()).as_ref(), Ok(&made));
    let mail = format!("Our card:\r\n\r\n{}\r\nRegards", made.armor().replace('\n', "\r\n"));
    let read = SignedCard::parse(&mail).unwrap();
    let verified = read.verify(NOW).unwrap();
    assert_eq!(verified.card(), &card());
    assert_eq!(verified.id(), key(1).public().fingerprint());
    assert_eq!(verified.digest(), made.verify(NOW).unwrap().digest());
}

#[test]
fn every_byte_is_protected() {
    let good = signed(|_| {}).unwrap().encode();
    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 1 << (index % 8);
        let refused = SignedCard::decode(&bad).and_then(|card| card.verify(NOW));
        assert!(refused.is_err(), "byte {index} may be changed");
    }
    for length in 0..good.len() {
        assert!(SignedCard::decode(&good[..length]).is_err(), "cut to {length}");
    }
    let longer = [good.as_slice(), &[0]].concat();
    let source = DecodeError::Trailing;
    let expect = TrustError::Decode { document: Document::Card, source };
    assert_eq!(SignedCard::decode(&longer), Err(expect));
}

#[test]
fn only_the_named_root_signs() {
    let other = SignedCard::sign(card(), &key(9));
    assert_eq!(other, Err(TrustError::Field { document: Document::Card, field: "root" }));
}

#[test]
fn dates_are_named() {
    let made = signed(|_| {}).unwrap();
    let ends = NOW + 30 * DAY;
    let at = Moment(ends);
    let expired = TrustError::Expired { document: Document::Card, at };
    assert_eq!(made.verify(ends), Err(expired.clone()));
    assert_eq!(
        expired.to_string(),
        "node card expired on 2026-10-21 14:13:20 UTC; ask the partner for a new one"
    );
    assert!(made.verify(ends - 1).is_ok());
    assert!(made.verify_whatever_the_date().is_ok());
    let from = Moment(NOW - DAY);
    let early = made.verify(NOW - DAY - limits::CLOCK_SKEW_SECONDS_MAX - 1);
    assert_eq!(early, Err(TrustError::NotYetValid { document: Document::Card, from }));
}

#[test]
fn every_field_is_bounded() {
    let check = |field, change: fn(&mut NodeCard)| {
        let expect = TrustError::Field { document: Document::Card, field };
        assert_eq!(signed(change), Err(expect));
    };
    check("not_after", |card| card.not_after = card.not_before);
    check("not_after", |card| card.not_after = u64::MAX);
    check("envelope_keys", |card| card.envelope_keys.clear());
    check("envelope_keys", |card| card.envelope_keys = vec![card.envelope_keys[0].clone(); 2]);
    check("envelope_keys", |card| card.envelope_keys[0].kid[0] ^= 1);
    check("envelope_keys", |card| {
        card.envelope_keys[0] = EnvelopeKey::new(vec![3; 1215], Mode::Live, 1, 2)
    });
    check("tls_pins", |card| card.tls_pins.clear());
    check("tls_pins", |card| card.tls_pins = vec![TlsPin([4; 32]); 2]);
    check("tls_pins", |card| card.tls_pins = (0..3).map(|i| TlsPin([i; 32])).collect());
    check("addresses", |card| card.addresses.clear());
    check("addresses", |card| card.addresses = (1..6).map(|i| format!("a.example:{i}")).collect());
    for address in [
        "a.example",
        "a.example:",
        "a.example:0",
        "a.example:65536",
        "a.example:+1",
        ":1",
        "a.example:01",
        "A.example:1",
        "a example:1",
        "[::1:1",
        "2001:db8::1:4747",
        "[0::1]:1",
        "a.example\n:1",
        "",
    ] {
        let made = signed(|card| card.addresses = vec![address.into()]);
        assert!(made.is_err(), "{address:?}");
    }
    check("log", |card| card.log.clear());
    check("log", |card| card.log = vec![String::new()]);
    check("log", |card| card.log = vec!["two words".into()]);
    check("log", |card| card.log = vec!["x".repeat(limits::LOG_KEY_BYTES_MAX + 1)]);
    let version = signed(|card| card.version = 2);
    assert_eq!(version, Err(TrustError::Version { document: Document::Card, version: 2 }));
}

#[test]
fn names_are_plain() {
    for good in ["a", "agency-a", "0", "x2-y3", &"a".repeat(32)] {
        assert_eq!(NodeName::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "-a", "a-", "A", "a b", "a_b", "é", "a\n", &"a".repeat(33)] {
        assert!(NodeName::parse(bad).is_err(), "{bad:?}");
    }
}

/// A partner may already hold keys of a suite that is not known here; its card still works.
#[test]
fn an_unknown_suite_is_passed_over() {
    let other =
        EnvelopeKey { suite: 2, ..EnvelopeKey::new(vec![7; 99], Mode::Live, NOW, NOW + 9 * DAY) };
    let both = verified(|card| card.envelope_keys.push(other.clone()));
    assert_eq!(both.envelope_key(NOW, Mode::Live).unwrap().suite, 1);
    let only = verified(|card| card.envelope_keys = vec![other]);
    assert_eq!(
        only.envelope_key(NOW, Mode::Live),
        Err(TrustError::NoEnvelopeKey { mode: Mode::Live })
    );
}

#[test]
fn the_newest_valid_envelope_key_is_used() {
    let next = EnvelopeKey::new(vec![6; 1216], Mode::Live, NOW + 6 * DAY, NOW + 14 * DAY);
    let rotating = verified(|card| card.envelope_keys.push(next.clone()));
    assert_eq!(rotating.envelope_key(NOW, Mode::Live).unwrap().public[0], 3);
    assert_eq!(rotating.envelope_key(NOW + 6 * DAY, Mode::Live), Ok(&next));
    assert_eq!(
        rotating.envelope_key(NOW + 20 * DAY, Mode::Live),
        Err(TrustError::NoEnvelopeKey { mode: Mode::Live })
    );
    let expired = rotating.envelope_key(NOW + 31 * DAY, Mode::Live);
    assert!(matches!(expired, Err(TrustError::Expired { document: Document::Card, .. })));
}

/// What is sealed to a key is a drill or is not, and the card says which.
#[test]
fn a_key_has_one_mode_and_a_card_a_live_one() {
    let drill = EnvelopeKey::new(vec![8; 1216], Mode::Exercise, NOW, NOW + 7 * DAY);
    let both = verified(|card| card.envelope_keys.push(drill.clone()));
    assert_eq!(both.envelope_key(NOW, Mode::Live).unwrap().public[0], 3);
    assert_eq!(both.envelope_key(NOW, Mode::Exercise), Ok(&drill));
    let mode = Mode::Exercise;
    let none = verified(|_| {}).envelope_key(NOW, mode).cloned();
    assert_eq!(none, Err(TrustError::NoEnvelopeKey { mode }));
    let refused = Err(TrustError::Field { document: Document::Card, field: "envelope_keys" });
    assert_eq!(signed(|card| card.envelope_keys = vec![drill]), refused);
    let twice = signed(|card| {
        let mode = Mode::Exercise;
        card.envelope_keys.push(EnvelopeKey { mode, ..card.envelope_keys[0].clone() });
    });
    assert_eq!(twice, refused);
}

#[test]
fn only_a_newer_card_of_the_same_root_replaces() {
    let held = verified(|_| {});
    assert_eq!(held.replaces(&held), Ok(Replacement::Same));
    let resigned = verified(|_| {});
    assert_eq!(resigned.replaces(&held), Ok(Replacement::Same));
    let newer = verified(|card| card.sequence = 6);
    assert_eq!(newer.replaces(&held), Ok(Replacement::Newer));
    let older = TrustError::OldSequence { held: 6, offered: 5 };
    assert_eq!(held.replaces(&newer), Err(older));
    let reused = verified(|card| card.profile = [6; 32]);
    assert_eq!(reused.replaces(&held), Err(TrustError::SequenceReused { sequence: 5 }));
    let stranger = NodeCard { root: key(9).public().clone(), sequence: 99, ..card() };
    let stranger = SignedCard::sign(stranger, &key(9)).unwrap().verify(NOW).unwrap();
    assert_eq!(stranger.replaces(&held), Err(TrustError::OtherRoot));
}

#[test]
fn a_long_input_is_refused_before_it_is_read() {
    let long = encode(&vec![0_u8; limits::CARD_BYTES_MAX]);
    let source = DecodeError::TooLong { bytes_max: limits::CARD_BYTES_MAX };
    let expect = TrustError::Decode { document: Document::Card, source };
    assert_eq!(SignedCard::decode(&long), Err(expect));
}

fn change() -> impl Strategy<Value = (prop::sample::Index, u8)> {
    (any::<prop::sample::Index>(), any::<u8>())
}

proptest! {
    #[test]
    fn no_input_panics(bytes: Vec<u8>, text: String) {
        prop_assert!(SignedCard::decode(&bytes).is_err());
        prop_assert!(SignedCard::parse(&text).is_err());
    }

    #[test]
    fn no_changed_card_panics(changes in prop::collection::vec(change(), 1..8)) {
        let mut bytes = signed(|_| {}).unwrap().encode();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        let _ = SignedCard::decode(&bytes).and_then(|card| card.verify(NOW));
    }
}
