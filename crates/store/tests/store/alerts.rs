//! Alerts and what moves them: cases of the conformance suite, and what only files show of erasing.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;
use symbolon_record::{RecordId, RecordVersion};
use symbolon_store::{
    Alert, AlertDelivery, AlertKey, AlertState, DATABASE_FILE, DeletionDue, DeletionProof,
    DeliveryState, DueFor, InboxItem, InboxKind, Intent, Line, Pending, Rings, Sent, Slot, Store,
    StoreError, StreamSide, Write,
};
use symbolon_trust::{Mode, NodeId};

use crate::{create, entry, open, partner_id};

const LIVE: Mode = Mode::Live;

pub(crate) fn id(number: u64) -> RecordId {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    RecordId::generate(1_700_000_000_000 + number, seed)
}

pub(crate) fn key(origin: u8, number: u64) -> AlertKey {
    AlertKey { origin: NodeId::from_bytes([origin; 32]), id: id(number) }
}

fn version(byte: u8) -> RecordVersion {
    RecordVersion::from_bytes([byte; 32])
}

pub(crate) fn alert(key: AlertKey) -> Alert {
    Alert {
        key,
        mode: LIVE,
        class: 1,
        state: AlertState::Active,
        version: version(1),
        submitter: "hotline/border".into(),
        decided_by: None,
        accepted_at: 10,
        changed_at: 10,
        read_by: 20,
        act_by: 30,
        expires_on: 40,
        audience: vec![partner_id(), NodeId::from_bytes([5; 32])],
        contested: None,
        statement_hash: Some([3; 32]),
        read_at: None,
        acted_at: Some(15),
        outcome: Some("seized".into()),
        matches: vec![id(7)],
        rings: Rings::Rings,
        pending: Some(Pending {
            version: version(9),
            class: 3,
            by: "officer".into(),
            audience: vec![partner_id()],
        }),
    }
}

fn is_conflict<T>(outcome: Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Conflict))
}

pub(crate) fn alerts(store: &Store) {
    let keys = [key(1, 1), key(1, 2), key(2, 1), key(2, 3)];
    for key in &keys {
        store.commit(Write::new().alert_new(&alert(*key))).unwrap();
    }
    assert!(is_conflict(store.commit(Write::new().alert_new(&alert(keys[0])))));
    assert_eq!(store.alert_fetch(&keys[0]).unwrap(), Some(alert(keys[0])));
    assert_eq!(store.alert_fetch(&key(1, 9)).unwrap(), None);
    let mut changed = alert(keys[1]);
    changed.state = AlertState::Withdrawn;
    changed.contested = Some(2);
    store.commit(Write::new().alert(&changed)).unwrap();
    assert_eq!(store.alert_fetch(&keys[1]).unwrap(), Some(changed));

    let scan = |origin: Option<u8>, after: Option<&AlertKey>, limit| {
        let origin = origin.map(|byte| NodeId::from_bytes([byte; 32]));
        let found = store.alert_scan(origin.as_ref(), after, limit).unwrap();
        found.iter().map(|alert| alert.key).collect::<Vec<_>>()
    };
    assert_eq!(scan(None, None, 9), keys);
    assert_eq!(scan(None, Some(&keys[1]), 1), [keys[2]]);
    assert_eq!(scan(Some(1), None, 9), keys[..2]);
    assert_eq!(scan(Some(2), Some(&keys[2]), 9), [keys[3]]);
    assert_eq!(scan(Some(3), None, 9), []);

    let mut long = alert(key(1, 5));
    long.audience = vec![partner_id(); 1_025];
    let refused = store.commit(Write::new().log(entry(1)).alert_new(&long));
    assert!(matches!(refused, Err(StoreError::TooLong { what: "audience" })));
    assert_eq!(store.log_size(), 0);
}

pub(crate) fn contents_are_erased(store: &Store) {
    let (one, other) = (key(1, 1), key(1, 2));
    let content =
        |key: &AlertKey| store.alert_content_fetch(key, Slot::Current).unwrap().map(|c| c.to_vec());
    let write = Write::new().alert_new(&alert(one)).alert_content(&one, Slot::Current, b"first");
    store.commit(write.alert_content(&one, Slot::Current, b"second")).unwrap();
    store.commit(Write::new().alert_content(&other, Slot::Current, b"other")).unwrap();
    assert_eq!(content(&one).as_deref(), Some(&b"second"[..]));
    store.commit(Write::new().alert_content(&one, Slot::Current, b"third")).unwrap();
    assert_eq!(content(&one).as_deref(), Some(&b"third"[..]));

    let statement = |signed: &[u8]| Sent {
        statement_hash: [1; 32],
        alert: one.id,
        signed: Some(signed.to_vec()),
        sent_at: 5,
        version: version(1),
    };
    let (held, word) = (statement(b"alert"), statement(b"word"));
    let partner = partner_id();
    let write = Write::new().sent(&partner, LIVE, 1, &held, Some(&one));
    store.commit(write.sent(&partner, LIVE, 2, &word, None)).unwrap();
    let scan = || store.sent_scan(&partner, LIVE, 0, 9).unwrap();
    assert_eq!(scan(), [(1, held.clone()), (2, word.clone())]);

    // A refused write erases nothing.
    let refused = Write::new().alert_erase(&one).setting("a", b"1").setting_new("a", b"2");
    assert!(is_conflict(store.commit(refused)));
    assert_eq!(content(&one).as_deref(), Some(&b"third"[..]));

    // A version that waits lies beside the one in force, and goes with it.
    let waiting = || store.alert_content_fetch(&one, Slot::Pending).unwrap();
    store.commit(Write::new().alert_content(&one, Slot::Pending, b"fourth")).unwrap();
    assert_eq!(waiting().as_deref(), Some(&b"fourth".to_vec()));
    store.commit(Write::new().alert_content_delete(&one, Slot::Pending)).unwrap();
    assert!(waiting().is_none() && content(&one).is_some());
    store.commit(Write::new().alert_content(&one, Slot::Pending, b"fifth")).unwrap();

    store.commit(Write::new().alert_erase(&one).log(entry(1))).unwrap();
    assert!(content(&one).is_none() && waiting().is_none());
    assert_eq!(scan(), [(1, Sent { signed: None, ..held.clone() }), (2, word)]);
    assert_eq!(content(&other).as_deref(), Some(&b"other"[..]));
    assert!(store.alert_fetch(&one).unwrap().is_some(), "what stands about it stays");
    // Erased twice is erased; what is not there is erased.
    store.commit(Write::new().alert_erase(&one).alert_erase(&key(1, 3))).unwrap();
    let late = store.commit(Write::new().sent(&partner, LIVE, 3, &held, Some(&one)));
    assert!(matches!(late, Err(StoreError::Absent { .. })));

    // A later version of the same alert has a secret of its own.
    store.commit(Write::new().alert_content(&one, Slot::Current, b"again")).unwrap();
    assert_eq!(content(&one).as_deref(), Some(&b"again"[..]));
    assert!(scan().iter().all(|(number, sent)| (*number == 2) == sent.signed.is_some()));
}

/// Nothing comes to lie under a secret that is wiped while the write is on its way.
pub(crate) fn an_erasure_meets_an_update(store: &Store) {
    let one = key(1, 1);
    store.commit(Write::new().alert_content(&one, Slot::Current, b"first")).unwrap();
    let erase = store.submit(Write::new().alert_erase(&one)).unwrap();
    let update = store.submit(Write::new().alert_content(&one, Slot::Current, b"second")).unwrap();
    erase.wait().unwrap();
    // It found the secret before or after the erasure: it is refused, or has a secret of its own.
    let content = store.alert_content_fetch(&one, Slot::Current).unwrap();
    match update.wait() {
        Ok(_) => assert!(store.alert_content_fetch(&one, Slot::Current).unwrap().is_some()),
        Err(error) => {
            assert!(matches!(error, StoreError::Conflict));
            assert!(content.is_none());
        }
    }
    for round in 0..50 {
        let content = |byte: u8| Write::new().alert_content(&one, Slot::Current, &[byte; 100]);
        std::thread::scope(|scope| {
            let erasing = scope.spawn(|| store.commit(Write::new().alert_erase(&one)).unwrap());
            let outcome = store.commit(content(round));
            assert!(outcome.is_ok() || is_conflict(outcome));
            erasing.join().unwrap();
        });
        // Whatever came first, what can be read is whole.
        let read = store.alert_content_fetch(&one, Slot::Current).unwrap();
        assert!(read.is_none_or(|plain| plain.iter().all(|byte| *byte == round)));
    }
}

/// What goes behind a write that is on its way holds with it, and only with it.
pub(crate) fn writes_behind_one_on_its_way(store: &Store) {
    let (one, other, partner) = (key(1, 1), key(1, 2), partner_id());
    let accept = |key: AlertKey| {
        Write::new().alert_new(&alert(key)).alert_content(&key, Slot::Current, b"says")
    };
    let sent = |key: AlertKey| Sent {
        statement_hash: [1; 32],
        alert: key.id,
        signed: Some(b"signed".to_vec()),
        sent_at: 5,
        version: version(1),
    };
    let scan = || store.sent_scan(&partner, LIVE, 0, 9).unwrap();
    let first = store.submit(accept(one)).unwrap();
    let secrets = first.secrets();
    let place = |number, key| Write::new().sent(&partner, LIVE, number, &sent(key), Some(&key));
    let behind = |number, key| Write::new().behind(&secrets).and(place(number, key));
    let second = store.submit(behind(1, one)).unwrap();
    // In whichever order they are awaited.
    second.wait().unwrap();
    first.wait().unwrap();
    assert_eq!(scan(), [(1, sent(one))], "it can be read with the alert's own secret");
    store.commit(place(2, one)).unwrap();

    // The same alert cannot be accepted twice, so neither is the other in that write.
    let refused = store.submit(accept(other).and(accept(one))).unwrap();
    let nothing = place(3, other).behind(&refused.secrets()).setting("a", b"1");
    assert!(matches!(store.commit(place(3, other)), Err(StoreError::Absent { .. })));
    assert!(matches!(store.commit(nothing), Err(StoreError::Absent { .. })), "told too late");
    let nothing = Write::new().behind(&refused.secrets()).and(place(3, other)).setting("a", b"1");
    assert!(is_conflict(store.commit(nothing)));
    assert!(is_conflict(refused.wait()));
    assert_eq!((scan().len(), store.setting_fetch("a").unwrap()), (2, None));

    // Nothing comes to lie under a secret that was wiped meanwhile.
    store.commit(Write::new().alert_erase(&one)).unwrap();
    assert!(is_conflict(store.commit(behind(3, one))));
    assert!(scan().iter().all(|(number, sent)| *number < 3 && sent.signed.is_none()));
}

pub(crate) fn deliveries(store: &Store) {
    let (one, other) = (partner_id(), NodeId::from_bytes([9; 32]));
    let delivery = |partner, state| AlertDelivery {
        alert: id(1),
        partner,
        state,
        version: Some(version(2)),
        statement_hash: Some([4; 32]),
        sent_at: Some(5),
        delivered_at: None,
        read_at: None,
        acted_at: None,
        deleted_at: None,
        their_index: Some(17),
    };
    let queued = delivery(one, DeliveryState::Queued);
    let sent = delivery(other, DeliveryState::Sent);
    let foreign = AlertDelivery { alert: id(2), ..queued.clone() };
    let write = Write::new().delivery(&queued).delivery(&sent).delivery(&foreign);
    store.commit(write.delivery_statement(&one, &[4; 32], id(1))).unwrap();
    assert_eq!(store.delivery_list(&id(1)).unwrap(), [queued.clone(), sent]);
    let read = AlertDelivery { state: DeliveryState::Read, read_at: Some(8), ..queued };
    store.commit(Write::new().delivery(&read)).unwrap();
    assert_eq!(store.delivery_fetch(&id(1), &one).unwrap(), Some(read));
    assert_eq!(store.delivery_fetch(&id(3), &one).unwrap(), None);

    assert_eq!(store.delivery_by_statement(&one, &[4; 32]).unwrap(), Some(id(1)));
    assert_eq!(store.delivery_by_statement(&other, &[4; 32]).unwrap(), None, "another's statement");
    store.commit(Write::new().delivery_statement_delete(&one, &[4; 32])).unwrap();
    assert_eq!(store.delivery_by_statement(&one, &[4; 32]).unwrap(), None);
}

pub(crate) fn deletions(store: &Store) {
    let (one, other) = (partner_id(), NodeId::from_bytes([9; 32]));
    let due = |partner, byte: u8| DeletionDue {
        alert: id(1),
        partner,
        statement_hash: [byte; 32],
        acknowledgement: [40; 32],
        log_index: 3,
        size: 7,
        tries: 0,
        next_at: 5,
    };
    let all = [due(one, 4), due(one, 6), due(other, 5)];
    store.commit(all.iter().fold(Write::new(), |write, due| write.deletion_due(due))).unwrap();
    let [first, second, foreign] = all;
    assert_eq!(store.deletion_due_scan(&one, None, 9).unwrap(), [first.clone(), second.clone()]);
    assert_eq!(store.deletion_due_scan(&one, None, 1).unwrap(), std::slice::from_ref(&first));
    let behind = store.deletion_due_scan(&one, Some(&[4; 32]), 9).unwrap();
    assert_eq!(behind, std::slice::from_ref(&second));
    assert_eq!(store.deletion_due_fetch(&one, &[5; 32]).unwrap(), None, "another's");
    let again = DeletionDue { tries: 1, next_at: 60, ..second };
    store.commit(Write::new().deletion_due(&again)).unwrap();
    assert_eq!(store.deletion_due_fetch(&one, &[6; 32]).unwrap(), Some(again));

    let proof = DeletionProof {
        statement_hash: [4; 32],
        acknowledgement: [40; 32],
        log_index: 3,
        size: 7,
        logged: vec![1, 2],
        proof: vec![symbolon_tlog::leaf_hash("a leaf")],
    };
    assert_eq!(store.deletion_proofs(&id(1), &one).unwrap(), []);
    store.commit(Write::new().deletion_proved(&first, &proof)).unwrap();
    assert_eq!(store.deletion_proofs(&id(1), &one).unwrap(), [proof]);
    assert_eq!(store.deletion_due_fetch(&one, &[4; 32]).unwrap(), None, "it is proved");
    assert_eq!(store.deletion_proofs(&id(1), &other).unwrap(), []);
    assert_eq!(store.deletion_proofs(&id(2), &one).unwrap(), []);
    store.commit(Write::new().deletion_due_delete(&other, &[5; 32])).unwrap();
    assert_eq!(store.deletion_due_fetch(&foreign.partner, &[5; 32]).unwrap(), None);
}

pub(crate) fn outboxes(store: &Store) {
    let (one, other) = (partner_id(), NodeId::from_bytes([9; 32]));
    let (live, drill) = (Line::Statements(LIVE), Line::Statements(Mode::Exercise));
    let acks = Line::Acknowledgements(LIVE);
    let intents = [
        Intent::Alert { alert: id(1), mode: LIVE },
        Intent::Word { alert: id(1), version: version(3), say: [1, 2], mode: Mode::Exercise },
        Intent::Acknowledge {
            statement_hash: [200; 32],
            stage: 3,
            at: 1_700_000_000,
            log_index: 70_000,
            mode: LIVE,
        },
        Intent::Word { alert: id(1), version: version(3), say: [1, 2], mode: LIVE },
    ];
    assert!(store.outbox_is_empty(&one).unwrap());
    let write = (1..).zip(&intents).fold(Write::new(), |write, (position, intent)| {
        write.outbox(&one, position * 1_000, intent)
    });
    store.commit(write.outbox(&other, 1, &intents[0])).unwrap();
    let line = |line| store.outbox_scan(&one, line, 0, 9).unwrap();
    assert_eq!(line(live), [(1_000, intents[0]), (4_000, intents[3])], "each line in its order");
    assert_eq!(line(drill), [(2_000, intents[1])]);
    assert_eq!(line(acks), [(3_000, intents[2])]);
    assert_eq!(line(Line::Acknowledgements(Mode::Exercise)), []);
    assert_eq!(store.outbox_scan(&one, live, 1_000, 9).unwrap(), [(4_000, intents[3])]);
    assert_eq!((store.outbox_count(&one).unwrap(), store.outbox_count(&other).unwrap()), (4, 1));
    store.commit(Write::new().outbox_delete(&one, drill, 1_000)).unwrap();
    assert_eq!(store.outbox_count(&one).unwrap(), 4, "a position is one of its line");
    store.commit(Write::new().outbox_delete(&one, live, 1_000)).unwrap();
    assert_eq!(store.outbox_scan(&one, live, 0, 1).unwrap(), [(4_000, intents[3])]);
    assert!(!store.outbox_is_empty(&one).unwrap());
    assert_eq!(store.outbox_count(&NodeId::from_bytes([255; 32])).unwrap(), 0);
}

pub(crate) fn streams(store: &Store) {
    let partner = partner_id();
    let step = |side, mode, old, next| {
        store.commit(Write::new().stream(side, &partner, mode, old, next)).map(|_| ())
    };
    let next = |side, mode| store.stream_next(side, &partner, mode).unwrap();
    assert_eq!(next(StreamSide::Out, LIVE), 1);
    step(StreamSide::Out, LIVE, 1, 4).unwrap();
    assert!(is_conflict(step(StreamSide::Out, LIVE, 1, 2)), "a number is given once");
    assert!(is_conflict(step(StreamSide::Out, LIVE, 3, 5)));
    step(StreamSide::Out, LIVE, 4, 300).unwrap();
    let seen = [
        next(StreamSide::Out, LIVE),
        next(StreamSide::Out, Mode::Exercise),
        next(StreamSide::In, LIVE),
        next(StreamSide::Settled, LIVE),
    ];
    assert_eq!(seen, [300, 1, 1, 1]);
    assert!(is_conflict(step(StreamSide::In, LIVE, 2, 3)));
    // Steps of writes that wait together see each other.
    let first = store.submit(Write::new().stream(StreamSide::In, &partner, LIVE, 1, 2)).unwrap();
    let second = store.submit(Write::new().stream(StreamSide::In, &partner, LIVE, 2, 3)).unwrap();
    first.wait().unwrap();
    second.wait().unwrap();
    assert_eq!(next(StreamSide::In, LIVE), 3);

    let sent = |number: u8| Sent {
        statement_hash: [number; 32],
        alert: id(1),
        signed: Some(vec![number]),
        sent_at: 1,
        version: version(1),
    };
    let write = (1..=5).fold(Write::new(), |write, number: u8| {
        write.sent(&partner, LIVE, u64::from(number) * 100, &sent(number), None)
    });
    store.commit(write.sent(&partner, Mode::Exercise, 1, &sent(9), None)).unwrap();
    let numbers = |after, limit| {
        let sent = store.sent_scan(&partner, LIVE, after, limit).unwrap();
        sent.iter().map(|(number, _)| *number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 2), [100, 200]);
    assert_eq!(numbers(200, 9), [300, 400, 500]);
    store.commit(Write::new().sent_delete(&partner, LIVE, 300)).unwrap();
    assert_eq!(numbers(200, 9), [400, 500]);
    assert_eq!(store.sent_scan(&partner, Mode::Exercise, 0, 9).unwrap(), [(1, sent(9))]);
}

pub(crate) fn named_leaves(store: &Store) {
    assert_eq!(store.log_receipt(&[1; 32]).unwrap(), None);
    store.commit(Write::new().log(entry(1))).unwrap();
    let write =
        Write::new().log_named(entry(2), [1; 32]).log(entry(3)).log_named(entry(4), [2; 32]);
    let receipts = store.commit(write).unwrap();
    let named = |name: u8| store.log_receipt(&[name; 32]).unwrap().unwrap();
    assert_eq!((named(1), named(2)), (receipts.receipts()[0], receipts.receipts()[2]));
    assert_eq!((named(1).leaf_index, named(2).leaf_index), (1, 3));
    let refused =
        Write::new().log_named(entry(5), [3; 32]).setting("a", b"1").setting_new("a", b"");
    assert!(is_conflict(store.commit(refused)));
    assert_eq!(store.log_receipt(&[3; 32]).unwrap(), None);
}

pub(crate) fn due_and_inbox(store: &Store) {
    let (one, other) = (key(1, 1), key(1, 2));
    let write = Write::new().due(300, DueFor::Expire, &one).due(20, DueFor::Unacted, &one).due(
        20,
        DueFor::Unread,
        &other,
    );
    store.commit(write).unwrap();
    let all = [(20, DueFor::Unread, other), (20, DueFor::Unacted, one), (300, DueFor::Expire, one)];
    assert_eq!(store.due_scan(299, 9).unwrap(), all[..2]);
    assert_eq!(store.due_scan(300, 9).unwrap(), all);
    assert_eq!(store.due_scan(300, 1).unwrap(), all[..1]);
    assert_eq!(store.due_scan(19, 9).unwrap(), []);
    store.commit(Write::new().due_delete(20, DueFor::Unacted, &one)).unwrap();
    assert_eq!(store.due_scan(299, 9).unwrap(), all[..1]);

    let item = |deadline, kind, alert| InboxItem { deadline, kind, alert };
    let items = [
        item(5, InboxKind::Alert, one),
        item(5, InboxKind::Approve, one),
        item(7, InboxKind::Contested, other),
        item(7, InboxKind::Unacknowledged, one),
        item(9, InboxKind::Withdrawn, one),
    ];
    let put = |write: Write, item: &InboxItem| write.inbox(item.deadline, item.kind, &item.alert);
    store.commit(items.iter().rev().fold(Write::new(), put)).unwrap();
    assert_eq!(store.inbox_scan(None, 9).unwrap(), items);
    assert_eq!(store.inbox_scan(Some(&items[1]), 2).unwrap(), items[2..4]);
    store.commit(Write::new().inbox_delete(5, InboxKind::Alert, &one)).unwrap();
    assert_eq!(store.inbox_scan(None, 9).unwrap(), items[1..]);
}

/// Bytes of every file of the store.
fn bytes(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Sixteen bytes of the middle of each value of a table, by key.
fn pieces(directory: &Path, table: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let connection = Connection::open(directory.join(DATABASE_FILE)).unwrap();
    let text = format!("SELECT key, substr(value, 40, 16) FROM {table} ORDER BY key");
    let mut read = connection.prepare(&text).unwrap();
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn nothing_of_an_erased_alert_is_left_in_any_file() {
    const MARKER: &[u8] = b"XYZZYMARKER";
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let said = |key: &AlertKey| [MARKER, key.id.as_bytes()].concat().repeat(20);
    let keys: Vec<AlertKey> = (0..100).map(|number| key(1, number)).collect();
    let write = keys.iter().fold(Write::new(), |write, key| {
        write.alert_new(&alert(*key)).alert_content(key, Slot::Current, &said(key))
    });
    store.commit(write).unwrap();
    // One that holds more than a page.
    let long = key(2, 1);
    store.commit(Write::new().alert_content(&long, Slot::Current, &MARKER.repeat(2_000))).unwrap();
    let secrets = pieces(directory.path(), "alert_secret");
    let contents = pieces(directory.path(), "alert_content");
    assert_eq!((secrets.len(), contents.len()), (101, 101));
    let found = |pieces: &[(Vec<u8>, Vec<u8>)]| {
        let bytes = bytes(directory.path());
        let windows: HashSet<&[u8]> = bytes.windows(16).collect();
        assert!(!holds(&bytes, MARKER));
        pieces.iter().filter(|(_, piece)| windows.contains(piece.as_slice())).count()
    };
    assert_eq!((found(&secrets), found(&contents)), (101, 101), "what is looked for is there");

    let erase = |write: Write, key: &AlertKey| write.alert_erase(key);
    store.commit(keys[..50].iter().chain([&long]).fold(Write::new(), erase)).unwrap();
    assert_eq!((found(&secrets), found(&contents)), (50, 50));
    for key in &keys[50..] {
        assert_eq!(**store.alert_content_fetch(key, Slot::Current).unwrap().unwrap(), said(key));
    }
    store.commit(keys[50..].iter().fold(Write::new(), erase)).unwrap();
    assert_eq!((found(&secrets), found(&contents)), (0, 0));
    drop(store);
    assert_eq!((found(&secrets), found(&contents)), (0, 0));
    let store = open(directory.path(), 3);
    assert!(
        keys.iter().all(|key| store.alert_content_fetch(key, Slot::Current).unwrap().is_none())
    );
}

/// Pages split and merge while alerts of many origins come, change and go: no copy of a secret may
/// stay behind in a part of a page that is no longer used.
#[test]
fn no_copy_of_a_secret_stays_where_pages_split_and_merge() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let mut dice: u64 = 11;
    let mut roll = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let (mut live, mut erased) = (Vec::new(), Vec::new());
    for number in 0..1_500_u64 {
        let key = key(u8::try_from(roll(9)).unwrap(), number);
        let said = vec![7; usize::try_from(20 + roll(900)).unwrap()];
        store
            .commit(Write::new().alert_new(&alert(key)).alert_content(&key, Slot::Current, &said))
            .unwrap();
        live.push(key);
        if roll(3) > 0 {
            let one = live[usize::try_from(roll(live.len() as u64)).unwrap()];
            let said = vec![8; usize::try_from(20 + roll(900)).unwrap()];
            store.commit(Write::new().alert_content(&one, Slot::Current, &said)).unwrap();
        }
    }
    let secrets = pieces(directory.path(), "alert_secret");
    while live.len() > 300 {
        let write = (0..40).fold(Write::new(), |write, _| {
            let key = live.swap_remove(usize::try_from(roll(live.len() as u64)).unwrap());
            erased.push([key.origin.as_bytes().as_slice(), key.id.as_bytes()].concat());
            write.alert_erase(&key)
        });
        store.commit(write).unwrap();
    }
    let bytes = bytes(directory.path());
    let windows: HashSet<&[u8]> = bytes.windows(16).collect();
    let left = |(key, piece): &&(Vec<u8>, Vec<u8>)| {
        erased.contains(key) && windows.contains(piece.as_slice())
    };
    assert_eq!(secrets.iter().filter(left).count(), 0);
    assert!(
        live.iter().all(|key| store.alert_content_fetch(key, Slot::Current).unwrap().is_some())
    );
}

/// A moved or altered part of an alert does not open.
#[test]
fn a_moved_content_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let (one, other) = (key(1, 1), key(1, 2));
    let write = Write::new().alert_content(&one, Slot::Current, b"one").alert_content(
        &other,
        Slot::Current,
        b"other",
    );
    store.commit(write).unwrap();
    drop(store);
    let connection = Connection::open(directory.path().join(DATABASE_FILE)).unwrap();
    let raw = |key: &AlertKey| [key.origin.as_bytes().as_slice(), key.id.as_bytes()].concat();
    for table in ["alert_secret", "alert_content"] {
        let text = format!(
            "UPDATE {table} SET value = (SELECT value FROM {table} WHERE key = ?2) WHERE key = ?1"
        );
        assert_eq!(connection.execute(&text, [raw(&one), raw(&other)]).unwrap(), 1);
        let store = open(directory.path(), 3);
        let read = store.alert_content_fetch(&one, Slot::Current);
        assert!(matches!(read, Err(StoreError::Altered { .. })), "{table}");
    }
}
