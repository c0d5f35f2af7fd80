//! Samples of alerts and what follows them, live and as a drill.

use symbolon_audit::{DeletedEvent, Entry, Logged, Who};
use symbolon_disclosure::{
    AckItem, Acknowledgement, AlertTerms, Author, ContestReason, Manifest, Recipient, Say, Sealed,
    Stage, Terms, WithdrawReason, Word, seal_acknowledgement, seal_alert, seal_manifest, seal_word,
};
use symbolon_policy::{Action, Decision, Grant, PartnerContext, PolicySet, Request};
use symbolon_protocol::{
    Collect, Collected, Disclose, Established, Leave, Left, OpenedLeaf, Prove, Proved, Push,
    PushAnswer,
};
use symbolon_record::{AlertClass, Exercise, Field, Record, RecordId, RecordKind};
use symbolon_tlog::Hash;
use symbolon_trust::{Agreement, Mode, SignedAgreement, VerifiedAgreement};

use super::{NOW, Node, SEED, agreement, appended, message};

/// Lets everything out to one partner, so that the samples show every field.
fn policy(partner: &str) -> PolicySet {
    let push = "@id(\"push\")\npermit (principal, action == Action::\"alert\", resource);\n";
    let rule = |field: &Field| {
        let name = field.as_str().replace('_', "-");
        format!(
            "@id(\"{name}\")\npermit (principal == Partner::\"{partner}\", \
             action == Action::\"disclose\", resource)\n\
             when {{ context.field == Field::\"{field}\" }};\n"
        )
    };
    let rules: String = Field::ALL.iter().map(rule).collect();
    PolicySet::parse(&format!("{push}{rules}")).unwrap()
}

/// The record of the sample alerts.
#[must_use]
pub fn alert_record(mode: Mode) -> Record {
    let record = symbolon_record::sample::record(4).unwrap();
    let mut content = record.content().clone();
    content.kind = RecordKind::LicenceDenial;
    content.exercise = match mode {
        Mode::Live => Exercise::Live,
        Mode::Exercise => Exercise::Exercise,
    };
    content.handling.releasable_to.clear();
    content.handling.purposes.clear();
    record.revise(content).unwrap()
}

fn agreed_in(mode: Mode, a: &Node, b: &Node) -> VerifiedAgreement {
    let (half, _) = agreement(a, b);
    let content = Agreement { mode, ..half.agreement().clone() };
    let signed = SignedAgreement::propose(content, &a.root).unwrap();
    let signed = signed.countersign(&b.root).unwrap();
    signed.verify(&a.card, &b.card, NOW).unwrap()
}

fn granted(action: Action, record: &Record, agreement: &VerifiedAgreement, to: &Node) -> Grant {
    let partner = PartnerContext {
        node: to.card.id(),
        name: to.card.card().name.as_str(),
        country: to.card.card().country,
        agreement,
    };
    let urgency = (action == Action::Alert).then_some(AlertClass::Urgent);
    let (partner, purpose, class, now) = (&partner, "investigation", None, NOW);
    let request = Request { action, partner, record, purpose, class, urgency, now };
    match policy(partner.name).decide(&request) {
        Decision::Allow(grant) => grant,
        Decision::Deny(denial) => panic!("{:?}", denial.explain()),
    }
}

/// What goes from `a` to `b` about one alert in one mode, in its order, with a name each.
#[must_use]
pub fn alerts(mode: Mode, a: &Node, b: &Node) -> Vec<(&'static str, Sealed)> {
    let to = Recipient::new(&b.card, NOW, mode).unwrap();
    let from = Author { node: a.card.id(), key: &a.key };
    let terms = Terms { created: NOW, expires: NOW + 86_400, in_reply_to: None };
    let (record, agreement) = (alert_record(mode), agreed_in(mode, a, b));
    let grant = |action| granted(action, &record, &agreement, b);
    let alert = AlertTerms {
        class: AlertClass::Urgent,
        previous: None,
        read_by: NOW + 3_600,
        act_by: NOW + 14_400,
        expires_on: NOW + 30 * 86_400,
    };
    let (push, fields) = (grant(Action::Alert), grant(Action::Disclose));
    let alert = seal_alert(push, fields, &record, &alert, 1, &to, &from, &terms, SEED).unwrap();
    let word = |say, sequence: u64| {
        let word = Word { alert: record.id(), version: record.version(), say };
        let mut seed = SEED;
        seed[0] = seed[0].wrapping_add(u8::try_from(sequence).unwrap());
        seal_word(word, sequence, &to, &from, &terms, seed).unwrap()
    };
    let acknowledgement = acknowledgement(a, alert.statement_hash());
    let manifest = manifest(&alert);
    vec![
        ("alert", alert),
        ("contest", word(Say::Contest(ContestReason::WrongIdentity), 2)),
        ("withdrawn", word(Say::Withdrawn(WithdrawReason::Error), 3)),
        (
            "acknowledgement",
            seal_acknowledgement(acknowledgement, &to, &from, &terms, [7; 32]).unwrap(),
        ),
        ("manifest", seal_manifest(manifest, &to, &from, &terms, [8; 32]).unwrap()),
    ]
}

fn acknowledgement(author: &Node, statement_hash: [u8; 32]) -> Acknowledgement {
    let stages = [(Stage::Delivered, 0), (Stage::Read, 60)];
    let items = stages.map(|(stage, after)| AckItem {
        statement_hash,
        stage,
        at: NOW + after,
        log_index: 0,
    });
    Acknowledgement { items: items.to_vec(), checkpoint: author.checkpoint() }
}

fn manifest(alert: &Sealed) -> Manifest {
    let envelope = symbolon_codec::sha256("", &[alert.as_bytes()]);
    Manifest { parcel: [4; 16], first: 1, next: 2, envelopes: vec![envelope] }
}

/// A push of alerts in both modes from `a` to `b`, and the answer of `b` with an acknowledgement.
#[must_use]
pub fn pushed(a: &Node, b: &Node, session: &Established) -> (Push, PushAnswer) {
    let both = Mode::ALL.into_iter().flat_map(|mode| alerts(mode, a, b).into_iter().take(2));
    let envelopes = both.map(|(_, sealed)| Disclose::new(sealed, appended()).unwrap());
    let push = Push::new(envelopes.collect()).unwrap();
    let answers = alerts(Mode::Live, b, a);
    let answer = answers.into_iter().find(|(name, _)| *name == "acknowledgement").unwrap().1;
    let answer = Disclose::new(answer, appended()).unwrap();
    (push, PushAnswer::new(Some(answer), [3, 3], session).unwrap())
}

/// What goes to a relay and comes from it: frames, with a name each.
pub(super) fn relayed(a: &Node, b: &Node) -> Vec<(&'static str, Vec<u8>)> {
    let sealed = || alerts(Mode::Live, a, b).into_iter().take(2).map(|(_, sealed)| sealed);
    let envelopes = sealed().map(|sealed| Disclose::new(sealed, appended()).unwrap());
    let lying = (8..).zip(sealed().map(Sealed::into_bytes)).collect();
    vec![
        ("leave", message(&Leave::new(envelopes.collect()).unwrap())),
        ("left", message(&Left { taken: 2 })),
        ("collect", message(&Collect { after: 7 })),
        ("collected", message(&Collected::new(lying, 1).unwrap())),
        ("collected_nothing", message(&Collected::new(Vec::new(), 0).unwrap())),
        ("prove", message(&Prove::new(5, 3, vec![1, 4]).unwrap())),
        ("proved", message(&proved(a, b))),
    ]
}

/// What `b` proves to `a`: that two alerts were deleted; the hashes stand for proofs.
fn proved(a: &Node, b: &Node) -> Proved {
    let who = Who { now: NOW, actor: "node" };
    let hash = |byte: u8| Hash([byte; 32]);
    let opened = alerts(Mode::Live, a, b).into_iter().take(2).map(|(_, sealed)| {
        let alert = RecordId::generate(NOW * 1_000, [6; 32]);
        let (origin, statement_hash) = (a.card.id(), sealed.statement_hash());
        let event = DeletedEvent { alert, origin, statement_hash, mode: Mode::Live };
        let logged = Logged::new(Entry::deleted(who, event), [5; 32]);
        OpenedLeaf::new(logged.encode(), vec![hash(1), hash(2)])
    });
    Proved::new(vec![hash(3)], opened.collect()).unwrap()
}

/// The envelopes of a courier file from `a` to `b`: a manifest, two words and an acknowledgement.
#[must_use]
pub fn parcel(a: &Node, b: &Node) -> Vec<Vec<u8>> {
    let held: Vec<_> = alerts(Mode::Live, a, b).into_iter().skip(1).take(3).collect();
    let envelopes = held.iter().map(|(_, sealed)| sealed.as_bytes());
    let hashes = envelopes.clone().map(|one| symbolon_codec::sha256("", &[one])).collect();
    let manifest = Manifest { parcel: [4; 16], first: 2, next: 4, envelopes: hashes };
    let to = Recipient::new(&b.card, NOW, Mode::Live).unwrap();
    let from = Author { node: a.card.id(), key: &a.key };
    let terms = Terms { created: NOW, expires: NOW + 86_400, in_reply_to: None };
    let manifest = seal_manifest(manifest, &to, &from, &terms, [9; 32]).unwrap();
    let rest = envelopes.map(<[u8]>::to_vec);
    std::iter::once(manifest.as_bytes().to_vec()).chain(rest).collect()
}
