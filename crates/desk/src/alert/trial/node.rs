//! One desk of a trial: what its people do, and what a partner does that forges statements with
//! its own keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use symbolon_audit::Receipt;
use symbolon_disclosure::{
    AckItem, Acknowledgement, AlertTerms, Author, Recipient, Sealed, Stage, Terms, Word,
    seal_acknowledgement, seal_alert, seal_word,
};
use symbolon_ident::Country;
use symbolon_policy::{PolicySet, SAMPLE};
use symbolon_protocol::{Disclose, ProtocolError, Push, Pushed};
use symbolon_record::{AlertClass, Record, RecordId};
use symbolon_store::{AlertKey, Store, StreamSide, Write};
use symbolon_tlog::leaf_hash;
use symbolon_trust::{Mode, NodeId, NodeName};
use zeroize::Zeroizing;

use super::super::audience::Grants;
use super::world::{Virtual, Wire, asked};
use crate::api::{
    AckRow, AgreementAccept, AgreementPropose, AlertAck, AlertContest, AlertForm, AlertList,
    AlertName, AlertRow, AlertSend, AlertUpdate, AlertWithdraw, InboxList, Nothing, PartnerAdd,
    Quiet,
};
use crate::identity::{Birth, identity_create};
use crate::officer::Role;
use crate::{Desk, DeskError, Left, Officer};

const PURPOSE: &str = "nonproliferation";
/// More than one, so that what is spread over them comes back in its order.
const WORKERS: usize = 3;

/// One desk and its way to the others.
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) desk: Arc<Desk>,
    pub(super) link: Arc<Wire>,
}

/// A flash that policy lets out at once, or a drill.
pub(super) fn form(what: &str, mode: Mode) -> AlertForm {
    AlertForm {
        kind: Some("material_out_of_control".to_owned()),
        what: Some(what.to_owned()),
        place: Some(crate::api::PlaceForm::Text("NO".to_owned())),
        when: Some("2026-09-20".to_owned()),
        urgency: Some("flash".to_owned()),
        tlp: Some("green".to_owned()),
        exercise: mode == Mode::Exercise,
        ..AlertForm::default()
    }
}

pub(super) fn officer() -> Officer {
    Officer::parse("duty", Role::Officer).unwrap()
}

/// An agreement that both hold; all kinds of record where none is named.
pub(super) fn agree(one: &Node, other: &Node, mode: Mode, kinds: &[&str]) {
    let file = one.propose(other, mode, kinds);
    let file = other.accept(file);
    one.accept(file);
}

impl Node {
    pub(super) fn new(
        now_ms: &Arc<AtomicU64>,
        name: &'static str,
        country: &str,
        store: Store,
    ) -> Node {
        let number = name.as_bytes()[0];
        let (store, around) = (Arc::new(store), Arc::new(Virtual::new(now_ms, name)));
        let birth = Birth {
            name: NodeName::parse(name).unwrap(),
            country: Country::parse(country).unwrap(),
            addresses: vec![format!("{name}.example:4433")],
            tls_key: Zeroizing::new(vec![number; 32]),
            tls_pin: [number; 32],
        };
        identity_create(&store, birth, &*around).unwrap();
        let policy = PolicySet::parse(SAMPLE).unwrap();
        let desk = Arc::new(Desk::open(store, around, policy, WORKERS).unwrap());
        let link = Arc::new(Wire::new(&desk));
        desk.connect(Arc::clone(&link) as Arc<dyn crate::Link>);
        Node { name, desk, link }
    }

    pub(super) fn id(&self) -> NodeId {
        self.desk.identity().node()
    }

    /// Takes the other's card.
    pub(super) fn meet(&self, other: &Node) {
        let card = other.desk.partner_card(&officer(), Nothing {}, &mut Quiet).unwrap();
        let confirmed_fingerprint = Some(card.fingerprint);
        let request = PartnerAdd { card: card.armored, confirmed_fingerprint };
        self.desk.partner_add(&officer(), request, &mut Quiet).unwrap();
    }

    pub(super) fn propose(&self, other: &Node, mode: Mode, kinds: &[&str]) -> (String, String) {
        let request = AgreementPropose {
            partner: other.name.to_owned(),
            purposes: vec![PURPOSE.to_owned()],
            kinds: kinds.iter().map(ToString::to_string).collect(),
            budgets: BTreeMap::from([("document".to_owned(), 1_000)]),
            epoch_seconds: 7 * 86_400,
            retention_days: 365,
            days: 365,
            exercise: mode == Mode::Exercise,
        };
        let file = self.desk.partner_agree(&officer(), request, &mut Quiet).unwrap();
        (file.armored, file.terms.digest)
    }

    pub(super) fn accept(&self, (armored, digest): (String, String)) -> (String, String) {
        let request = AgreementAccept { armored, confirmed_digest: Some(digest) };
        let file = self.desk.partner_accept(&officer(), request, &mut Quiet).unwrap();
        (file.armored, file.terms.digest)
    }

    /// Takes the agreement on drills away.
    pub(super) fn without_drills(&self, partner: &Node) {
        let mut row = self.desk.partner(&partner.id()).unwrap().row.clone();
        row.drill = None;
        self.desk.store.commit(Write::new().partner(row)).unwrap();
        self.desk.partners_load().unwrap();
    }

    /// Accepts an alert for `only` this partner, or for all; its id.
    pub(super) fn send(&self, what: &str, mode: Mode, only: &[&Node]) -> String {
        let only = only.iter().map(|node| node.name.to_owned()).collect();
        let form = AlertForm { only, ..form(what, mode) };
        let request = AlertSend { form, idempotency_key: None };
        self.desk.alert_send(&officer(), request, &mut Quiet).unwrap().id
    }

    pub(super) fn update(&self, id: &str, what: &str) {
        let request =
            AlertUpdate { id: id.to_owned(), form: form(what, Mode::Live), idempotency_key: None };
        self.desk.alert_update(&officer(), request, &mut Quiet).unwrap();
    }

    pub(super) fn withdraw(&self, id: &str) {
        let request =
            AlertWithdraw { id: id.to_owned(), reason: "error".to_owned(), idempotency_key: None };
        self.desk.alert_withdraw(&officer(), request, &mut Quiet).unwrap();
    }

    pub(super) fn contest(&self, id: &str) {
        let request = AlertContest { id: id.to_owned(), reason: "wrong_facts".to_owned() };
        self.desk.alert_contest(&officer(), request, &mut Quiet).unwrap();
    }

    pub(super) fn acknowledge(&self, id: &str, stage: &str) -> Result<AlertName, DeskError> {
        let (id, stage) = (id.to_owned(), stage.to_owned());
        let request = AlertAck { id, stage, outcome: String::new() };
        self.desk.alert_ack(&officer(), request, &mut Quiet)
    }

    /// Pushes until nothing is left or the link fails; whether all went.
    pub(super) fn push(&self, to: &Node) -> Result<(), DeskError> {
        while self.desk.alerts_push(&to.id())?.left == Left::More {}
        Ok(())
    }

    /// What it has received.
    pub(super) fn received(&self) -> Vec<AlertRow> {
        let request = AlertList {
            direction: Some("received".to_owned()),
            limit: Some(1_000),
            ..AlertList::default()
        };
        self.desk.alert_list(&officer(), request, &mut Quiet).unwrap().alerts
    }

    /// Titles of what it has received, in the order of its log.
    pub(super) fn titles(&self) -> Vec<String> {
        let mut rows = self.received();
        let place = |row: &AlertRow| self.leaf_of(row);
        rows.sort_by_cached_key(place);
        rows.into_iter().map(|row| row.title).collect()
    }

    fn leaf_of(&self, row: &AlertRow) -> u64 {
        let origin = self.desk.partner_named(row.origin.as_deref().unwrap()).unwrap().node();
        let key = AlertKey { origin, id: row.id.parse().unwrap() };
        let alert = self.desk.store.alert_fetch(&key).unwrap().unwrap();
        let hash = alert.statement_hash.unwrap();
        self.desk.store.log_receipt(&hash).unwrap().unwrap().leaf_index
    }

    /// How far a partner is with an own alert.
    pub(super) fn row(&self, id: &str, partner: &Node) -> AckRow {
        let request = AlertName { id: id.to_owned() };
        let acks = self.desk.alert_acks(&officer(), request, &mut Quiet).unwrap();
        acks.recipients.into_iter().find(|row| row.partner == partner.name).unwrap()
    }

    pub(super) fn state(&self, id: &str, partner: &Node) -> String {
        self.row(id, partner).state
    }

    /// Kinds of what waits for its people.
    pub(super) fn inbox(&self) -> Vec<String> {
        let page = self.desk.inbox_list(&officer(), InboxList::default(), &mut Quiet).unwrap();
        page.items.into_iter().map(|item| item.kind).collect()
    }

    pub(super) fn next_in(&self, from: &Node, mode: Mode) -> u64 {
        self.desk.store.stream_next(StreamSide::In, &from.id(), mode).unwrap()
    }

    pub(super) fn settled(&self, to: &Node, mode: Mode) -> u64 {
        self.desk.store.stream_next(StreamSide::Settled, &to.id(), mode).unwrap()
    }

    pub(super) fn log_holds(&self) {
        let report = self.desk.audit_verify(&officer(), Nothing {}, &mut Quiet);
        let report = report.unwrap();
        assert!(report.holds, "{}", self.name);
    }

    /// Gives envelopes to a partner over this node's own connection, whoever made them.
    pub(super) fn shove(&self, to: &Node, envelopes: &[Vec<u8>]) -> Result<Pushed, ProtocolError> {
        let receipt = Receipt { leaf_index: 0, leaf_hash: leaf_hash("none"), tree_size: 1 };
        let dressed = envelopes
            .iter()
            .map(|envelope| Disclose::restore_from_own_store(envelope.clone(), to.id(), receipt));
        let push = Push::new(dressed.collect::<Result<_, _>>()?)?;
        asked(&self.desk, &to.desk, &push)
    }

    /// The author and the terms of a statement that this node forges, and for whom it is.
    pub(super) fn forging<T>(
        &self,
        to: &Node,
        mode: Mode,
        seal: impl FnOnce(&Recipient<'_>, &Author<'_>, &Terms) -> T,
    ) -> T {
        let (partner, now) = (self.desk.partner(&to.id()).unwrap(), self.desk.now());
        let recipient = Recipient::new(&partner.card, now, mode).unwrap();
        let expires = now + symbolon_disclosure::limits::LIFETIME_SECONDS_MAX;
        let terms = Terms { created: now, expires, in_reply_to: None };
        seal(&recipient, &self.desk.identity().author(), &terms)
    }

    pub(super) fn word(&self, to: &Node, mode: Mode, sequence: u64, word: Word) -> Vec<u8> {
        let seed = self.desk.surroundings.seed();
        self.forging(to, mode, |to, from, terms| {
            seal_word(word, sequence, to, from, terms, seed).unwrap().into_bytes()
        })
    }

    /// An acknowledgement of these statements at this stage.
    pub(super) fn acks(&self, to: &Node, stage: Stage, hashes: &[[u8; 32]]) -> Vec<u8> {
        let (_, checkpoint) = self.desk.checkpoint().unwrap();
        self.acks_under(to, stage, hashes, (checkpoint, 1))
    }

    /// The same under any checkpoint, at any leaf.
    pub(super) fn acks_under(
        &self,
        to: &Node,
        stage: Stage,
        hashes: &[[u8; 32]],
        (checkpoint, log_index): (String, u64),
    ) -> Vec<u8> {
        let at = self.desk.now();
        let mut hashes = hashes.to_vec();
        hashes.sort_unstable();
        let item = |statement_hash: &[u8; 32]| AckItem {
            statement_hash: *statement_hash,
            stage,
            at,
            log_index,
        };
        let said = Acknowledgement { items: hashes.iter().map(item).collect(), checkpoint };
        let seed = self.desk.surroundings.seed();
        self.forging(to, Mode::Live, |to, from, terms| {
            seal_acknowledgement(said, to, from, terms, seed).unwrap().into_bytes()
        })
    }

    /// A record as a form of this node makes it.
    pub(super) fn record(&self, form: &AlertForm) -> Record {
        let content = self.desk.form_read(&officer(), form).unwrap().content;
        let (now_ms, seed) = (self.desk.surroundings.now_ms(), self.desk.surroundings.seed());
        Record::generate(content, now_ms, seed).unwrap()
    }

    /// An alert that this node seals as it likes.
    pub(super) fn alert(&self, to: &Node, sequence: u64, record: &Record) -> Sealed {
        let now = self.desk.now();
        let expires_on = record.content().expires_on;
        let alert = AlertTerms {
            class: AlertClass::Flash,
            previous: None,
            read_by: (now + 900).min(expires_on),
            act_by: (now + 3_600).min(expires_on),
            expires_on,
        };
        let partner = self.desk.partner(&to.id()).unwrap();
        let grants = self.desk.may_have(&partner, record, AlertClass::Flash);
        let Grants { push, fields } = grants.unwrap();
        let (mode, seed) = (super::super::mode_of(record), self.desk.surroundings.seed());
        self.forging(to, mode, |to, from, terms| {
            seal_alert(push, fields, record, &alert, sequence, to, from, terms, seed).unwrap()
        })
    }

    /// The hash of the statement under which a partner got an own alert.
    pub(super) fn hash_of(&self, id: &str, partner: &Node) -> [u8; 32] {
        let id: RecordId = id.parse().unwrap();
        let delivery = self.desk.store.delivery_fetch(&id, &partner.id()).unwrap().unwrap();
        delivery.statement_hash.unwrap()
    }
}
