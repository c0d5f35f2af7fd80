//! From a policy to an opened disclosure: what was granted arrives, byte for byte as previewed,
//! and nothing else does.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use symbolon_disclosure::{
    AlertTerms, Author, Disclosed, DisclosureError, Kept, Opened, Payload, Recipient,
    RecipientSecret, Refusal, RefusalCode, StatementId, Terms, open, preview, preview_alert, seal,
    seal_alert, seal_refusal,
};
use symbolon_ident::{Class, Country};
use symbolon_oprf::{CommitmentOpening, RecordRef};
use symbolon_policy::{Action, Decision, Grant, PartnerContext, PolicySet, Request};
use symbolon_record::{AlertClass, Exercise, Field, Record, RecordKind, sample};
use symbolon_trust::{
    Agreement, ClassTerms, IdentityKey, Mode, NodeCard, NodeId, NodeName, SignedAgreement,
    SignedCard, TlsPin, VerifiedAgreement, VerifiedCard,
};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;
const PARTNER: &str = "agency-2";

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

/// Node `seed` has root `seed`, signing key `100 + seed` and envelope key `200 + seed`.
fn card(seed: u8) -> VerifiedCard {
    let root = key(seed);
    let secret = RecipientSecret::generate([200 + seed; 32], Mode::Live);
    let card = NodeCard {
        version: 1,
        root: root.public().clone(),
        name: NodeName::parse(&format!("agency-{seed}")).unwrap(),
        country: Country::parse("FRA").unwrap(),
        sequence: 1,
        not_before: NOW - DAY,
        not_after: NOW + 30 * DAY,
        signing: key(100 + seed).public().clone(),
        envelope_keys: vec![secret.envelope_key(NOW - DAY, NOW + 7 * DAY)],
        tls_pins: vec![TlsPin([4; 32])],
        addresses: vec!["agency.example:4747".into()],
        log: vec!["agency+12345678+AQIDBA==".into()],
        profile: [5; 32],
    };
    SignedCard::sign(card, &root).unwrap().verify(NOW).unwrap()
}

fn agreement() -> VerifiedAgreement {
    let agreement = Agreement {
        version: 1,
        id: [8; 16],
        parties: [card(1).id(), card(2).id()],
        mode: Mode::Live,
        purposes: vec!["investigation".into()],
        kinds: RecordKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect(),
        classes: vec![ClassTerms { class: Class::Document, budget_per_epoch: 100 }],
        epoch_length_seconds: 7 * DAY,
        retention_days: 365,
        not_before: NOW - DAY,
        not_after: NOW + 300 * DAY,
    };
    let signed = SignedAgreement::propose(agreement, &key(1)).unwrap();
    let signed = signed.countersign(&key(2)).unwrap();
    signed.verify(&card(1), &card(2), NOW).unwrap()
}

/// A sample record without marks of its own, so that the rules alone decide.
fn record(number: u64) -> Record {
    let mut content = sample::content(number);
    content.exercise = Exercise::Live;
    content.handling.releasable_to.clear();
    content.handling.purposes.clear();
    sample::record(number).unwrap().revise(content).unwrap()
}

/// One rule per field: to the named partner, with the field's transform where it takes one.
fn rules(fields: &BTreeSet<Field>) -> String {
    let rule = |field: &Field| {
        let transform = match field {
            Field::EventWhen | Field::SubjectDates => "@transform(\"date:year\")\n",
            Field::EventWhere | Field::EventRoute => "@transform(\"place:country\")\n",
            _ => "",
        };
        let name = field.as_str().replace('_', "-");
        format!(
            "@id(\"{name}\")\n{transform}permit (principal == Partner::\"{PARTNER}\", \
             action == Action::\"disclose\", resource)\n\
             when {{ context.field == Field::\"{field}\" }};\n"
        )
    };
    fields.iter().map(rule).collect()
}

fn decide(fields: &BTreeSet<Field>, record: &Record, action: Action) -> Decision {
    let text = format!(
        "{}\n@id(\"confirm\")\npermit (principal, action == Action::\"confirm\", resource);\n\
         @id(\"push\")\npermit (principal, action == Action::\"alert\", resource);",
        rules(fields)
    );
    let partner_card = card(2);
    let partner = PartnerContext {
        node: partner_card.id(),
        name: PARTNER,
        country: partner_card.card().country,
        agreement: &agreement(),
    };
    let (purpose, class) = ("investigation", Some(Class::Document));
    let urgency = (action == Action::Alert).then_some(AlertClass::Flash);
    let (partner, now) = (&partner, NOW);
    let request = Request { action, partner, record, purpose, class, urgency, now };
    PolicySet::parse(&text).unwrap().decide(&request)
}

fn grant(fields: &BTreeSet<Field>, record: &Record) -> Grant {
    match decide(fields, record, Action::Disclose) {
        Decision::Allow(grant) => grant,
        Decision::Deny(denial) => unreachable!("denied: {:?}", denial.code()),
    }
}

fn terms() -> Terms {
    let in_reply_to = Some(StatementId::from_bytes([7; 16]));
    Terms { created: NOW, expires: NOW + DAY, in_reply_to }
}

fn sealed(
    grant: Grant,
    record: &Record,
    opening: Option<CommitmentOpening>,
    to: u8,
) -> Result<symbolon_disclosure::Sealed, DisclosureError> {
    let (recipient, signing) = (card(to), key(101));
    let recipient = Recipient::new(&recipient, NOW, Mode::Live).unwrap();
    let author = Author { node: card(1).id(), key: &signing };
    seal(grant, record, opening, &recipient, &author, &terms(), [42; 32])
}

fn opened(bytes: &[u8]) -> Opened {
    let from = card(1);
    let senders = |id: &NodeId| (*id == from.id()).then(|| from.card().signing.clone());
    open(bytes, &[RecipientSecret::generate([202; 32], Mode::Live)], &senders, &card(2).id(), NOW)
        .unwrap()
}

fn disclosed(opened: &Opened) -> &Disclosed {
    match opened.payload() {
        Payload::Disclosure(disclosed) => disclosed,
        other => unreachable!("{other:?}"),
    }
}

fn all() -> BTreeSet<Field> {
    Field::ALL.iter().copied().collect()
}

fn opening_of(record: &Record) -> CommitmentOpening {
    let (id, version) = (*record.id().as_bytes(), *record.version().as_bytes());
    let records = vec![RecordRef { id, version }];
    CommitmentOpening { salt: [1; 32], records, index: 3, proof: Vec::new() }
}

#[test]
fn the_preview_is_what_is_sealed_and_what_arrives() {
    for number in 0..20 {
        let record = record(number);
        let opening = Some(opening_of(&record));
        let grant = grant(&all(), &record);
        let digest = grant.policy_digest();
        let shown = preview(&grant, &record, terms().in_reply_to, opening.clone()).unwrap();
        let sealed = sealed(grant, &record, opening.clone(), 2).unwrap();
        assert_eq!(sealed.payload(), shown.as_bytes());
        let arrived = opened(sealed.as_bytes());
        assert_eq!(arrived.payload_bytes(), shown.as_bytes());
        assert_eq!(disclosed(&arrived).view, *shown.view());
        assert_eq!(disclosed(&arrived).view.lines(), shown.lines());
        assert_eq!(disclosed(&arrived).opening, opening);
        assert_eq!(disclosed(&arrived).in_reply_to, terms().in_reply_to);
        assert_eq!(arrived.policy_digest(), Some(digest));
        assert_eq!(arrived.statement_hash(), sealed.statement_hash());
        assert_eq!(arrived.signed(), sealed.signed());
        assert_eq!(sealed.record(), Some((record.id(), record.version())));
        let kept = Kept::decode(arrived.signed()).unwrap();
        assert!(kept.verify(&card(1).card().signing, Mode::Live).is_ok());
        assert!(kept.verify(&card(2).card().signing, Mode::Live).is_err());
        assert_eq!((kept.from(), kept.to()), (card(1).id(), card(2).id()));
        assert_eq!(kept.payload_bytes(), shown.as_bytes());
        assert_eq!(kept.statement_hash(), sealed.statement_hash());
        let fields: BTreeSet<Field> = sealed.fields().iter().copied().collect();
        assert_eq!(fields, disclosed(&arrived).view.fields());
    }
}

#[test]
fn a_short_disclosure_and_a_refusal_have_one_size() {
    let record = record(1);
    let disclosure = sealed(grant(&[Field::Title].into(), &record), &record, None, 2).unwrap();
    let (recipient, signing) = (card(2), key(101));
    let recipient = Recipient::new(&recipient, NOW, Mode::Live).unwrap();
    let author = Author { node: card(1).id(), key: &signing };
    let refusal =
        Refusal { code: RefusalCode::Neutral, in_reply_to: StatementId::from_bytes([7; 16]) };
    let refusal = seal_refusal(refusal, &recipient, &author, &terms(), [1; 32]).unwrap();
    assert_eq!(refusal.as_bytes().len(), disclosure.as_bytes().len());
    assert_eq!(opened(refusal.as_bytes()).policy_digest(), None);
}

#[test]
fn a_grant_serves_only_what_it_was_made_for() {
    let (one, other) = (record(1), record(2));
    let fields = all();
    let refused = |grant, record, to| sealed(grant, record, None, to).unwrap_err();
    assert_eq!(refused(grant(&fields, &one), &one, 3), DisclosureError::GrantOtherPartner);
    assert_eq!(refused(grant(&fields, &one), &other, 2), DisclosureError::GrantOtherRecord);
    let mut content = one.content().clone();
    content.title.push('!');
    let edited = one.revise(content).unwrap();
    assert_eq!(refused(grant(&fields, &one), &edited, 2), DisclosureError::GrantOtherRecord);
    let Decision::Allow(confirm) = decide(&fields, &one, Action::Confirm) else {
        unreachable!("the policy permits confirms")
    };
    assert_eq!(refused(confirm, &one, 2), DisclosureError::GrantOtherAction);
}

#[test]
fn an_opening_of_another_record_is_refused() {
    let (one, other) = (record(1), record(2));
    let grant = grant(&all(), &one);
    let error = sealed(grant, &one, Some(opening_of(&other)), 2).unwrap_err();
    assert_eq!(error, DisclosureError::OpeningOther);
}

#[test]
fn nothing_is_granted_without_a_rule() {
    let denied = decide(&BTreeSet::new(), &record(1), Action::Disclose);
    assert!(matches!(denied, Decision::Deny(_)));
}

#[test]
fn impossible_terms_are_refused() {
    let record = record(1);
    let (recipient, signing) = (card(2), key(101));
    let recipient = Recipient::new(&recipient, NOW, Mode::Live).unwrap();
    let author = Author { node: card(1).id(), key: &signing };
    for expires in [0, NOW, NOW + 15 * DAY, u64::MAX] {
        let terms = Terms { created: NOW, expires, in_reply_to: None };
        let grant = grant(&all(), &record);
        let made = seal(grant, &record, None, &recipient, &author, &terms, [1; 32]);
        assert!(matches!(made, Err(DisclosureError::Field { field: "expires", .. })), "{expires}");
    }
    let late = card(2);
    let expired = Recipient::new(&late, NOW + 40 * DAY, Mode::Live).unwrap_err();
    assert!(matches!(expired, DisclosureError::Recipient(_)));
}

fn alert_terms() -> AlertTerms {
    AlertTerms {
        class: AlertClass::Flash,
        previous: None,
        read_by: NOW + 900,
        act_by: NOW + 3600,
        expires_on: NOW + 30 * DAY,
    }
}

fn push_grant(fields: &BTreeSet<Field>, record: &Record) -> Grant {
    match decide(fields, record, Action::Alert) {
        Decision::Allow(grant) => grant,
        Decision::Deny(denial) => unreachable!("denied: {:?}", denial.code()),
    }
}

fn alert(
    push: Grant,
    fields: Grant,
    record: &Record,
    terms: &AlertTerms,
    to: u8,
) -> Result<symbolon_disclosure::Sealed, DisclosureError> {
    let (recipient, signing) = (card(to), key(101));
    let recipient = Recipient::new(&recipient, NOW, Mode::Live).unwrap();
    let author = Author { node: card(1).id(), key: &signing };
    let about = Terms { in_reply_to: None, ..self::terms() };
    seal_alert(push, fields, record, terms, 7, &recipient, &author, &about, [42; 32])
}

#[test]
fn the_preview_of_an_alert_is_what_arrives() {
    for number in 0..10 {
        let record = record(number);
        let (push, fields) = (push_grant(&all(), &record), grant(&all(), &record));
        let digest = push.policy_digest();
        let shown = preview_alert(&push, &fields, &record, &alert_terms()).unwrap();
        let sealed = alert(push, fields, &record, &alert_terms(), 2).unwrap();
        assert_eq!(sealed.payload(), shown.as_bytes());
        assert_eq!(sealed.record(), Some((record.id(), record.version())));
        let fields: BTreeSet<Field> = sealed.fields().iter().copied().collect();
        assert_eq!(fields, shown.view().fields());
        let arrived = opened(sealed.as_bytes());
        assert_eq!(arrived.payload_bytes(), shown.as_bytes());
        assert_eq!((arrived.sequence(), arrived.mode()), (Some(7), Mode::Live));
        assert_eq!(arrived.policy_digest(), Some(digest));
        let Payload::Alert(alerted) = arrived.payload() else { unreachable!("{arrived:?}") };
        assert_eq!((alerted.class, alerted.expires_on), (AlertClass::Flash, NOW + 30 * DAY));
        assert_eq!(alerted.view, *shown.view());
    }
}

#[test]
fn an_alert_needs_both_grants_for_the_same_thing() {
    let (one, other) = (record(1), record(2));
    let fields = all();
    let terms = alert_terms();
    let push = || push_grant(&fields, &one);
    let show = || grant(&fields, &one);
    let refused = |push, show, record, to| alert(push, show, record, &terms, to).unwrap_err();
    assert_eq!(refused(push(), show(), &one, 3), DisclosureError::GrantOtherPartner);
    let action = DisclosureError::GrantOtherAction;
    assert_eq!(refused(show(), show(), &one, 2), action);
    assert_eq!(refused(push(), push(), &one, 2), action);
    assert_eq!(refused(show(), push(), &one, 2), action);
    let of_other = DisclosureError::GrantOtherRecord;
    assert_eq!(refused(push(), show(), &other, 2), of_other);
    assert_eq!(refused(push_grant(&fields, &other), show(), &one, 2), of_other);
    assert_eq!(refused(push(), grant(&fields, &other), &one, 2), of_other);
    let mut content = one.content().clone();
    content.title.push('!');
    let edited = one.revise(content).unwrap();
    assert_eq!(refused(push(), show(), &edited, 2), of_other);
    // The policy changed between the two decisions.
    let fewer = grant(&[Field::Title].into(), &one);
    assert_eq!(refused(push(), fewer, &one, 2), DisclosureError::GrantOtherPolicy);
}

#[test]
fn a_drill_is_not_sealed_to_a_live_key() {
    let mut content = record(1).content().clone();
    content.exercise = Exercise::Exercise;
    let drill = sample::record(1).unwrap().revise(content).unwrap();
    let denied = decide(&all(), &drill, Action::Alert);
    assert!(
        matches!(denied, Decision::Deny(_)),
        "policy itself keeps drills out of live agreements"
    );
    let late = AlertTerms { read_by: NOW, act_by: NOW, expires_on: NOW, ..alert_terms() };
    let record = record(1);
    let (push, fields) = (push_grant(&all(), &record), grant(&all(), &record));
    let over = alert(push, fields, &record, &late, 2);
    assert!(matches!(over, Err(DisclosureError::Field { field: "expires_on", .. })));
}

fn subset() -> impl Strategy<Value = BTreeSet<Field>> {
    prop::collection::btree_set(prop::sample::select(Field::ALL), 1..Field::ALL.len())
}

/// The texts of all fields outside `granted` that occur in `bytes`.
fn leaked(record: &Record, granted: &BTreeSet<Field>, bytes: &[u8]) -> Vec<Field> {
    let blurred = [Field::EventWhere, Field::EventRoute];
    sample::markers(record)
        .into_iter()
        .filter(|(field, _)| !granted.contains(field) || blurred.contains(field))
        .filter(|(_, text)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
        .map(|(field, _)| field)
        .collect()
}

/// The search would find what is there: all that is granted unblurred is found.
#[test]
fn the_search_for_leaks_finds_what_is_there() {
    let blurred = [Field::EventWhere, Field::EventRoute];
    for number in 0..20 {
        let record = record(number);
        let shown = preview(&grant(&all(), &record), &record, None, None).unwrap();
        let found = leaked(&record, &BTreeSet::new(), shown.as_bytes());
        let all = sample::markers(&record).into_iter().map(|(field, _)| field);
        let expect: Vec<Field> = all.filter(|field| !blurred.contains(field)).collect();
        assert_eq!(found, expect);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_field_outside_the_grant_survives(number: u64, fields in subset()) {
        let record = record(number);
        let sealed = sealed(grant(&fields, &record), &record, None, 2).unwrap();
        let arrived = opened(sealed.as_bytes());
        let view = &disclosed(&arrived).view;
        prop_assert!(view.fields().is_subset(&fields), "{:?}", view.fields());
        prop_assert_eq!(leaked(&record, &fields, arrived.payload_bytes()), []);
        prop_assert_eq!(leaked(&record, &fields, arrived.signed()), []);
        let whole_dates = view.events.iter().filter_map(|event| event.when);
        prop_assert!(whole_dates.chain(view.subjects.iter().flat_map(|s| s.dates.clone()))
            .all(|date| date == date.to_year()));
    }

    #[test]
    fn the_envelope_shows_nothing_of_the_record(number: u64) {
        let record = record(number);
        let sealed = sealed(grant(&all(), &record), &record, None, 2).unwrap();
        prop_assert_eq!(leaked(&record, &BTreeSet::new(), sealed.as_bytes()), []);
    }
}
