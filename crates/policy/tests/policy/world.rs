//! Two agreed nodes and records made to measure; asserts nothing by itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its world should stop")]

use std::sync::LazyLock;

use symbolon_ident::{Class, Country};
use symbolon_policy::{Action, Decision, PartnerContext, PolicySet, Request};
use symbolon_record::{
    AlertClass, Content, Exercise, Field, OriginatorControl, Record, RecordKind, Source,
    SourceKind, Tlp, sample,
};
use symbolon_trust::{
    Agreement, ClassTerms, EnvelopeKey, IdentityKey, Mode, NodeCard, NodeId, NodeName,
    SignedAgreement, SignedCard, TlsPin, VerifiedAgreement, VerifiedCard,
};

pub(crate) const NOW: u64 = 1_790_000_000;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const PURPOSE: &str = "licensing";

/// The agreement most tests use.
pub(crate) static LIVE: LazyLock<VerifiedAgreement> = LazyLock::new(|| agreed(|_| {}));

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
        envelope_keys: vec![EnvelopeKey::new(vec![3; 1216], Mode::Live, NOW - DAY, NOW + 7 * DAY)],
        tls_pins: vec![TlsPin([4; 32])],
        addresses: vec!["agency.example:4747".into()],
        log: vec!["agency+12345678+AQIDBA==".into()],
        profile: [5; 32],
    };
    SignedCard::sign(card, &root).unwrap().verify(NOW).unwrap()
}

/// An agreement between nodes 1 and 2, valid now, changed as a test needs.
pub(crate) fn agreed(change: impl FnOnce(&mut Agreement)) -> VerifiedAgreement {
    let (one, two) = (card(1), card(2));
    let kinds = RecordKind::ALL.iter().filter(|kind| **kind != RecordKind::SuspiciousTransaction);
    let classes = Class::ALL.iter().filter(|class| **class != Class::Account);
    let mut agreement = Agreement {
        version: 1,
        id: [8; 16],
        parties: [one.id(), two.id()],
        mode: Mode::Live,
        purposes: sample::PURPOSES.iter().map(|purpose| (*purpose).to_owned()).collect(),
        kinds: kinds.map(|kind| kind.as_str().to_owned()).collect(),
        classes: classes.map(|&class| ClassTerms { class, budget_per_epoch: 9 }).collect(),
        epoch_length_seconds: 7 * DAY,
        retention_days: 365,
        not_before: NOW - DAY,
        not_after: NOW + 300 * DAY,
    };
    change(&mut agreement);
    let signed = SignedAgreement::propose(agreement, &key(1)).unwrap();
    let signed = signed.countersign(&key(2)).unwrap();
    signed.verify_whatever_the_date(&one, &two).unwrap()
}

pub(crate) fn node() -> NodeId {
    static TWO: LazyLock<NodeId> = LazyLock::new(|| card(2).id());
    *TWO
}

/// Partner `bravo` of Norway; partner `delta` of Kazakhstan.
pub(crate) fn partner<'a>(name: &'a str, agreement: &'a VerifiedAgreement) -> PartnerContext<'a> {
    let country = if name == "bravo" { "NOR" } else { "KAZ" };
    PartnerContext { node: node(), name, country: Country::parse(country).unwrap(), agreement }
}

/// A green, live, uncontested licence denial from an open source, with something in every field,
/// changed as a test needs.
pub(crate) fn record(change: impl FnOnce(&mut Content)) -> Record {
    let full = (0..).map(sample::content).find(|content| {
        let subject = content.subjects.iter().any(|subject| {
            !subject.dates.is_empty()
                && !subject.countries.is_empty()
                && !subject.identifiers.is_empty()
        });
        let item = content.items.iter().any(|i| !i.codes.is_empty() && i.quantity.is_some());
        let event = content.events.iter().any(|event| {
            event.when.is_some_and(|when| when.day().is_some())
                && event.place.as_ref().is_some_and(|place| place.country.is_some())
                && event.route.iter().any(|place| place.country.is_some())
        });
        subject && item && event && content.case_reference.is_some()
    });
    let mut content = full.unwrap();
    content.kind = RecordKind::LicenceDenial;
    content.exercise = Exercise::Live;
    content.dispute = None;
    content.handling.tlp = Tlp::Green;
    content.handling.releasable_to.clear();
    content.handling.purposes.clear();
    content.handling.originator_control = OriginatorControl::Open;
    content.source = Source {
        kind: SourceKind::Open,
        description: Some("source words".into()),
        reference: Some("source number".into()),
    };
    change(&mut content);
    Record::generate(content, NOW * 1_000, [9; 32]).unwrap()
}

/// Decides on a live request for the usual purpose and the class `document`.
pub(crate) fn decide(policy: &PolicySet, name: &str, record: &Record, action: Action) -> Decision {
    let partner = partner(name, &LIVE);
    policy.decide(&Request {
        action,
        partner: &partner,
        record,
        purpose: PURPOSE,
        class: Some(Class::Document),
        urgency: Some(AlertClass::Urgent).filter(|_| action == Action::Alert),
        now: NOW,
    })
}

/// The granted fields, none where all is denied.
pub(crate) fn granted(policy: &PolicySet, name: &str, record: &Record) -> Vec<Field> {
    match decide(policy, name, record, Action::Disclose) {
        Decision::Allow(grant) => grant.fields().iter().map(|granted| granted.field).collect(),
        Decision::Deny(_) => Vec::new(),
    }
}
