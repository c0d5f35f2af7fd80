//! 10,000 random records under random policies: what no rule grants is in no byte that leaves.
//!
//! Breaks spec/architecture.md#invariants 1 and 5 on purpose, and must fail to.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;

use symbolon_disclosure::{
    Author, Payload, Recipient, RecipientSecret, Terms, open, preview, seal,
};
use symbolon_ident::{Class, Country};
use symbolon_policy::{Action, Decision, PartnerContext, PolicySet, Request};
use symbolon_record::{Exercise, Field, Record, RecordKind, Tlp, sample};
use symbolon_tests::{Dice, find};
use symbolon_trust::{
    Agreement, ClassTerms, IdentityKey, Mode, NodeCard, NodeId, NodeName, SignedAgreement,
    SignedCard, TlsPin, VerifiedAgreement, VerifiedCard,
};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;
const RECORDS: u64 = 10_000;
const RECORDS_PER_POLICY: u64 = 125;
const SEALED_EVERY: u64 = 200;
const PARTNERS: [(&str, u8); 2] = [("agency-2", 2), ("agency-3", 3)];

/// A rule of a small grammar, which this test reads in its own way.
struct Rule {
    permits: bool,
    partner: Option<&'static str>,
    tlp: BTreeSet<Tlp>,
    fields: BTreeSet<Field>,
}

impl Rule {
    fn random(dice: &mut Dice) -> Rule {
        let permits = dice.below(4) != 0;
        let partner = (dice.below(2) == 0).then(|| PARTNERS[dice.below(2) as usize].0);
        // A permit of a source field that names no partner is no policy at all.
        let open = permits && partner.is_none();
        let fields = Field::ALL.iter().copied().filter(|field| !(open && field.is_source()));
        Rule {
            permits,
            partner,
            tlp: Tlp::ALL.iter().copied().filter(|_| dice.below(2) == 0).collect(),
            fields: fields.collect::<Vec<_>>().into_iter().filter(|_| dice.below(3) == 0).collect(),
        }
    }

    fn text(&self, number: usize) -> String {
        let effect = if self.permits { "permit" } else { "forbid" };
        let who = self.partner.map(|name| format!(" == Partner::\"{name}\"")).unwrap_or_default();
        let list = |names: Vec<String>| names.join(", ");
        let tlp = self.tlp.iter().map(|tlp| format!("Tlp::\"{}\"", tlp.as_str())).collect();
        let fields = self.fields.iter().map(|field| format!("Field::\"{field}\"")).collect();
        format!(
            "@id(\"rule-{number}\")\n{effect} (principal{who}, action == Action::\"disclose\", \
             resource)\nwhen {{ [{}].contains(resource.tlp) && [{}].contains(context.field) }};\n",
            list(tlp),
            list(fields)
        )
    }

    fn speaks_of(&self, partner: &str, record: &Record, field: Field) -> bool {
        self.partner.is_none_or(|name| name == partner)
            && self.tlp.contains(&record.content().handling.tlp)
            && self.fields.contains(&field)
    }
}

fn random_rules(dice: &mut Dice) -> Vec<Rule> {
    let mut rules = Vec::new();
    while rules.len() < 5 {
        let rule = Rule::random(dice);
        if !rule.tlp.is_empty() && !rule.fields.is_empty() {
            rules.push(rule);
        }
    }
    rules
}

fn granted(rules: &[Rule], partner: &str, record: &Record) -> BTreeSet<Field> {
    let speaks = |permits: bool, field: Field| {
        let mut rules = rules.iter().filter(|rule| rule.permits == permits);
        rules.any(|rule| rule.speaks_of(partner, record, field))
    };
    let fields = Field::ALL.iter().copied();
    fields.filter(|field| speaks(true, *field) && !speaks(false, *field)).collect()
}

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

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

fn agreement(other: u8) -> VerifiedAgreement {
    let mut parties = [card(1).id(), card(other).id()];
    parties.sort_unstable();
    let agreement = Agreement {
        version: 1,
        id: [8; 16],
        parties,
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
    let signed = signed.countersign(&key(other)).unwrap();
    signed.verify(&card(1), &card(other), NOW).unwrap()
}

/// A sample record without marks of its own, so that the rules alone decide.
fn record(number: u64) -> Record {
    let mut content = sample::content(number);
    content.exercise = Exercise::Live;
    content.handling.releasable_to.clear();
    content.handling.purposes.clear();
    sample::record(number).unwrap().revise(content).unwrap()
}

fn leaked(record: &Record, granted: &BTreeSet<Field>, bytes: &[u8]) -> Vec<Field> {
    let markers = sample::markers(record).into_iter();
    markers
        .filter(|(field, text)| !granted.contains(field) && find(bytes, text.as_bytes()).is_some())
        .map(|(field, _)| field)
        .collect()
}

#[test]
fn nothing_that_no_rule_grants_is_in_what_leaves() {
    let mut dice = Dice(0x5eed);
    let agreements = PARTNERS.map(|(_, seed)| agreement(seed));
    let cards = PARTNERS.map(|(_, seed)| card(seed));
    let (mut shown, mut denied, mut sealed, mut policy) = (0, 0, 0, None);
    for number in 0..RECORDS {
        if number % RECORDS_PER_POLICY == 0 {
            let rules = random_rules(&mut dice);
            let text: Vec<String> =
                rules.iter().enumerate().map(|(number, rule)| rule.text(number)).collect();
            policy = Some((PolicySet::parse(&text.concat()).unwrap(), rules));
        }
        let (set, rules) = policy.as_ref().unwrap();
        let which = dice.below(2) as usize;
        let (name, record) = (PARTNERS[which].0, record(number));
        let partner = PartnerContext {
            node: cards[which].id(),
            name,
            country: cards[which].card().country,
            agreement: &agreements[which],
        };
        let request = Request {
            action: Action::Disclose,
            partner: &partner,
            record: &record,
            purpose: "investigation",
            class: Some(Class::Document),
            urgency: None,
            now: NOW,
        };
        let expected = granted(rules, name, &record);
        let Decision::Allow(grant) = set.decide(&request) else {
            assert!(expected.is_empty(), "record {number} for {name}: {expected:?}");
            denied += 1;
            continue;
        };
        let fields: BTreeSet<Field> = grant.fields().iter().map(|field| field.field).collect();
        assert_eq!(fields, expected, "record {number} for {name}");
        let payload = preview(&grant, &record, None, None).unwrap();
        assert_eq!(leaked(&record, &expected, payload.as_bytes()), [], "record {number}");
        assert!(payload.view().fields().is_subset(&expected));
        shown += 1;
        if shown % SEALED_EVERY == 0 {
            let author = Author { node: card(1).id(), key: &key(101) };
            let terms = Terms { created: NOW, expires: NOW + DAY, in_reply_to: None };
            let to = Recipient::new(&cards[which], NOW, Mode::Live).unwrap();
            let out = seal(grant, &record, None, &to, &author, &terms, [42; 32]).unwrap();
            assert_eq!(out.payload(), payload.as_bytes());
            assert_eq!(leaked(&record, &BTreeSet::new(), out.as_bytes()), []);
            let senders =
                |id: &NodeId| (*id == card(1).id()).then(|| card(1).card().signing.clone());
            let secret = RecipientSecret::generate([200 + PARTNERS[which].1; 32], Mode::Live);
            let me = cards[which].id();
            let opened = open(out.as_bytes(), &[secret], &senders, &me, NOW).unwrap();
            assert_eq!(opened.payload_bytes(), payload.as_bytes());
            assert!(matches!(opened.payload(), Payload::Disclosure(_)));
            assert_eq!(leaked(&record, &expected, opened.signed()), []);
            sealed += 1;
        }
    }
    assert!(shown > RECORDS / 2 && denied > 100 && sealed >= 20, "{shown} {denied} {sealed}");
}
