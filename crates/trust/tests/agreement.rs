//! Agreements: both sign the same bytes, nothing holds beyond them, and they end on their date.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its agreement should stop")]

use proptest::prelude::*;
use symbolon_ident::{Class, Country};
use symbolon_trust::{
    Agreement, ClassTerms, Document, EnvelopeKey, Epoch, IdentityKey, Mode, Moment, NodeCard,
    NodeName, SignedAgreement, SignedCard, TlsPin, TrustError, VerifiedAgreement, VerifiedCard,
};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

fn card(seed: u8) -> VerifiedCard {
    let root = key(seed);
    let card = NodeCard {
        version: 1,
        root: root.public().clone(),
        name: NodeName::parse(&format!("agency-{seed}")).unwrap(),
        country: Country::parse("FRA").unwrap(),
        sequence: 1,
        not_before: NOW - DAY,
        not_after: NOW + 30 * DAY,
        signing: key(100 + seed).public().clone(),
        envelope_keys: vec![EnvelopeKey::new(vec![3; 1216], Mode::Live, NOW - DAY, NOW + WEEK)],
        tls_pins: vec![TlsPin([4; 32])],
        addresses: vec!["agency.example:4747".into()],
        log: vec!["agency+12345678+AQIDBA==".into()],
        profile: [5; 32],
    };
    SignedCard::sign(card, &root).unwrap().verify(NOW).unwrap()
}

fn agreement() -> Agreement {
    Agreement {
        version: 1,
        id: [8; 16],
        parties: [card(1).id(), card(2).id()],
        mode: Mode::Live,
        purposes: vec!["non-proliferation".into(), "export-control".into()],
        kinds: vec!["licence_denial".into(), "interdiction".into()],
        classes: vec![
            ClassTerms { class: Class::Registry, budget_per_epoch: 100 },
            ClassTerms { class: Class::Document, budget_per_epoch: 2000 },
        ],
        epoch_length_seconds: WEEK,
        retention_days: 365,
        not_before: NOW - DAY,
        not_after: NOW + 300 * DAY,
    }
}

fn proposed(change: impl FnOnce(&mut Agreement)) -> Result<SignedAgreement, TrustError> {
    let mut agreement = agreement();
    change(&mut agreement);
    SignedAgreement::propose(agreement, &key(1))
}

fn agreed(change: impl FnOnce(&mut Agreement)) -> VerifiedAgreement {
    let signed = proposed(change).unwrap().countersign(&key(2)).unwrap();
    signed.verify(&card(1), &card(2), NOW).unwrap()
}

#[test]
fn both_sign_by_file() {
    let proposal = proposed(|_| {}).unwrap().armor();
    let received = SignedAgreement::parse(&proposal).unwrap();
    assert!(received.signed_by(&card(1)).is_ok());
    assert_eq!(received.signed_by(&card(2)).unwrap_err(), TrustError::HalfSigned);
    let half = received.verify(&card(1), &card(2), NOW);
    assert_eq!(half, Err(TrustError::HalfSigned));

    let answer = received.countersign(&key(2)).unwrap().armor();
    let whole = SignedAgreement::parse(&answer).unwrap();
    let one = whole.verify(&card(1), &card(2), NOW).unwrap();
    let other = whole.verify(&card(2), &card(1), NOW).unwrap();
    assert_eq!(one, other);
    assert_eq!(one.partner_of(&card(1).id()), Ok(card(2).id()));
    assert_eq!(one.partner_of(&card(2).id()), Ok(card(1).id()));
    assert_eq!(one.partner_of(&card(3).id()), Err(TrustError::NotAParty));
}

#[test]
fn strangers_neither_sign_nor_verify() {
    assert_eq!(SignedAgreement::propose(agreement(), &key(3)), Err(TrustError::NotAParty));
    let half = proposed(|_| {}).unwrap();
    assert_eq!(half.clone().countersign(&key(3)), Err(TrustError::NotAParty));
    assert_eq!(half.clone().countersign(&key(1)), Err(TrustError::AlreadySigned));
    let whole = half.countersign(&key(2)).unwrap();
    assert_eq!(whole.verify(&card(1), &card(3), NOW), Err(TrustError::NotAParty));
    assert_eq!(whole.verify(&card(1), &card(1), NOW), Err(TrustError::NotAParty));
}

#[test]
fn every_byte_is_protected() {
    let good = proposed(|_| {}).unwrap().countersign(&key(2)).unwrap().encode();
    let (one, other) = (card(1), card(2));
    let verify = |bytes: &[u8]| {
        SignedAgreement::decode(bytes).and_then(|signed| signed.verify(&one, &other, NOW))
    };
    assert!(verify(&good).is_ok());
    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 1 << (index % 8);
        assert!(verify(&bad).is_err(), "byte {index} may be changed");
    }
    for length in 0..good.len() {
        assert!(verify(&good[..length]).is_err(), "cut to {length}");
    }
}

#[test]
fn lists_are_brought_into_order() {
    let agreement = agreed(|agreement| {
        agreement.parties.reverse();
        agreement.purposes.push("export-control".into());
    });
    let content = agreement.agreement();
    assert!(content.parties.is_sorted());
    assert_eq!(content.purposes, ["export-control", "non-proliferation"]);
    assert_eq!(content.kinds, ["interdiction", "licence_denial"]);
    let classes: Vec<Class> = content.classes.iter().map(|terms| terms.class).collect();
    assert_eq!(classes, [Class::Document, Class::Registry]);
    assert_eq!(agreement.digest(), agreed(|_| {}).digest());
}

#[test]
fn nothing_holds_beyond_the_terms() {
    let agreement = agreed(|_| {});
    assert!(agreement.permits_purpose("export-control"));
    assert!(!agreement.permits_purpose("export"));
    assert!(!agreement.permits_purpose(""));
    assert!(agreement.permits_kind("interdiction"));
    assert!(!agreement.permits_kind("listing"));
    assert_eq!(agreement.terms(Class::Document).unwrap().budget_per_epoch, 2000);
    assert_eq!(agreement.terms(Class::Person), None);
    assert_eq!(agreement.mode(), Mode::Live);
}

#[test]
fn it_ends_on_its_date() {
    let agreement = agreed(|_| {});
    let sunset = NOW + 300 * DAY;
    let at = Moment(sunset);
    let expired = TrustError::Expired { document: Document::Agreement, at };
    assert_eq!(agreement.active(sunset), Err(expired.clone()));
    assert_eq!(agreement.epoch_at(sunset), Err(expired.clone()));
    let signed = proposed(|_| {}).unwrap().countersign(&key(2)).unwrap();
    assert_eq!(signed.verify(&card(1), &card(2), sunset), Err(expired));
    assert!(signed.verify_whatever_the_date(&card(1), &card(2)).is_ok());
}

#[test]
fn epochs_are_counted_from_the_unix_epoch_and_cut_at_the_sunset() {
    let agreement = agreed(|_| {});
    let number = NOW / WEEK;
    let (not_before, not_after) = (number * WEEK, (number + 1) * WEEK);
    let expect = Epoch { number, not_before, not_after };
    assert_eq!(agreement.epoch_at(NOW), Ok(expect));
    assert_eq!(agreement.epoch_at(not_after - 1), Ok(expect));
    assert_eq!(agreement.epoch_at(not_after).unwrap().number, number + 1);
    let sunset = NOW + 300 * DAY;
    assert_eq!(agreement.epoch_at(sunset - 1).unwrap().not_after, sunset);
}

#[test]
fn every_field_is_bounded() {
    let check = |field, change: fn(&mut Agreement)| {
        let expect = TrustError::Field { document: Document::Agreement, field };
        assert_eq!(proposed(change), Err(expect));
    };
    check("not_after", |it| it.not_after = it.not_before);
    check("parties", |it| it.parties[1] = it.parties[0]);
    check("purposes", |it| it.purposes.clear());
    check("purposes", |it| it.purposes = vec![String::new()]);
    check("purposes", |it| it.purposes = vec!["Export".into()]);
    check("purposes", |it| it.purposes = vec!["x".repeat(65)]);
    check("purposes", |it| it.purposes = (0..33).map(|i| format!("p{i}")).collect());
    check("kinds", |it| it.kinds.clear());
    check("classes", |it| it.classes.clear());
    check("classes", |it| it.classes[0].class = Class::Document);
    check("classes", |it| it.classes[0].budget_per_epoch = u64::MAX);
    check("epoch_length_seconds", |it| it.epoch_length_seconds = 0);
    check("epoch_length_seconds", |it| it.epoch_length_seconds = 32 * DAY);
    check("retention_days", |it| it.retention_days = 0);
    let version = proposed(|it| it.version = 2);
    assert_eq!(version, Err(TrustError::Version { document: Document::Agreement, version: 2 }));
}

proptest! {
    #[test]
    fn no_input_panics(bytes: Vec<u8>, text: String) {
        prop_assert!(SignedAgreement::decode(&bytes).is_err());
        prop_assert!(SignedAgreement::parse(&text).is_err());
    }

    #[test]
    fn every_moment_prints(seconds: u64) {
        prop_assert!(!Moment(seconds).to_string().is_empty());
    }
}
