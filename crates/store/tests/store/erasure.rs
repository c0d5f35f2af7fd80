//! Entries that are erased: gone from every file, and told from entries that are missing.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_bytes::ByteBuf;
use symbolon_audit::{Entry, Event, QueryPrivate, Who, commit};
use symbolon_ident::{Canonical, Class, Kind};
use symbolon_oprf::Receiver;
use symbolon_store::{DATABASE_FILE, Query, QueryId, QueryState, Store, StoreError, Write};
use symbolon_tlog::{verify_consistency, verify_inclusion};

use crate::{create, entry, open, partner_id, unlock};

const OFFICER: Who<'static> = Who { now: 5_000, actor: "officer" };
const DIRECTORY: &str = "SYMBOLON_STORE_ERASURE_DIRECTORY";
const ROUND: &str = "SYMBOLON_STORE_ERASURE_ROUND";
const KILLS: u8 = 12;

fn heartbeat(now: u64) -> Entry {
    Entry::heartbeat(Who { now, actor: "node" })
}

fn erase(store: &Store, before: u64) -> (u64, u64) {
    let erased = store.log_erase(OFFICER, before, "retention", |_| ()).unwrap();
    (erased.entries, erased.queries)
}

/// Asks at a time, and keeps the query as the desk does: with or without an answer.
fn ask(store: &Store, at: u64, has_answer: Option<()>) -> QueryId {
    let passport = Canonical::parse(Kind::Passport, "KX1002001").unwrap();
    let fresh = [u8::try_from(at % 251).unwrap(); 32];
    let receiver = Receiver::blind(passport.keys(), fresh).unwrap();
    let private = QueryPrivate {
        partner: partner_id(),
        class: Class::Document,
        epoch: 7,
        officer: "officer".into(),
        purpose: "nonproliferation".into(),
        legal_basis: "act".into(),
        case: "T-1".into(),
        identifiers: passport.keys().iter().map(|k| ByteBuf::from(k.as_bytes().to_vec())).collect(),
        opening: receiver.opening().expose_secret().to_vec(),
    };
    let commitment = commit(fresh, receiver.blinded(), &private).unwrap();
    let mut query = Query {
        id: QueryId::generate(at * 1_000, fresh),
        group: [1; 16],
        partner: private.partner,
        class: private.class,
        epoch: private.epoch,
        officer: private.officer.clone(),
        purpose: private.purpose.clone(),
        legal_basis: private.legal_basis.clone(),
        case: private.case.clone(),
        inputs: 2,
        state: QueryState::NotAsked,
        hits: 0,
        asked_at: at,
        answered_at: None,
        leaf_index: None,
        private: private.encode().to_vec(),
    };
    let entry = Entry::query(Who { now: at, actor: "officer" }, &commitment);
    let receipt = store.commit(Write::new().query(&query).log(entry)).unwrap().last().unwrap();
    if has_answer.is_some() {
        query.state = QueryState::Answered;
        query.leaf_index = Some(receipt.leaf_index);
        store.commit(Write::new().query(&query)).unwrap();
    }
    query.id
}

/// One case of the conformance suite.
pub(crate) fn erases(store: &Store) {
    for at in 0..300 {
        let entry = if at % 50 == 0 { entry(at) } else { heartbeat(at) };
        store.log_append(entry).unwrap();
    }
    let (answered, unanswered) = (ask(store, 300, Some(())), ask(store, 301, None));
    let young = ask(store, 400, Some(()));
    let before = store.log_head().unwrap();
    assert_eq!(store.log_erasable(200).unwrap(), 196);
    assert_eq!(erase(store, 200), (196, 0));
    assert_eq!(erase(store, 200), (0, 0), "nothing is erased twice");

    // The tree is what it was, with one leaf more.
    let head = store.log_head().unwrap();
    assert_eq!(head.size, before.size + 1);
    let proof = store.log_consistency(before.size, head.size).unwrap();
    let same = verify_consistency(before.size, before.root, head.size, head.root, &proof);
    let _ = same.unwrap();
    let leaf = store.log_leaf_fetch(17).unwrap().unwrap().leaf_hash();
    let proof = store.log_inclusion(17, head.size).unwrap();
    let _ = verify_inclusion(leaf, 17, head.size, &proof, head.root).unwrap();
    assert_eq!(store.log_leaves(0, 500).unwrap().len() as u64, head.size);
    let examined = store.log_examine(&mut |_, _| ()).unwrap();
    assert_eq!((examined.erased, examined.missing_count, examined.unerased), (196, 0, 0));
    assert_eq!(store.log_verify(|_| ()).unwrap(), head);

    // What is gone is left out; what is kept is there.
    assert!(store.log_entry_fetch(17).unwrap().is_none());
    assert_eq!(store.log_entry_fetch(100).unwrap().unwrap().entry(), &entry(100));
    let scanned = store.log_scan(0, 5).unwrap();
    assert_eq!(scanned.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 50, 100, 150, 200]);
    let page = store.log_page(49, 3).unwrap();
    let there: Vec<_> = page.iter().map(|(at, entry)| (*at, entry.is_some())).collect();
    assert_eq!(there, [(49, false), (50, true), (51, false)]);
    let newest = store.log_entry_fetch(head.size - 1).unwrap().unwrap();
    let Event::Erased(event) = newest.entry().event() else { panic!("not an erasure") };
    let ranges: Vec<_> = event.ranges.iter().map(|range| (range.from, range.to)).collect();
    assert_eq!(ranges, [(1, 50), (51, 100), (101, 150), (151, 200)]);
    assert_eq!((event.before, event.count, event.reason.as_str()), (200, 196, "retention"));

    // A query loses what was asked with its entry, answered or not; a younger one does not.
    assert_eq!(erase(store, 350), (100, 2));
    for (id, leaf) in [(answered, 300), (unanswered, 301)] {
        let query = store.query_fetch(id).unwrap().unwrap();
        assert_eq!(query.leaf_index, Some(leaf));
        assert!(query.private.is_empty() && query.case.is_empty() && query.officer.is_empty());
        assert_eq!((query.inputs, query.class), (2, Class::Document));
    }
    assert!(!store.query_fetch(young).unwrap().unwrap().private.is_empty());

    // Erasures themselves are never erased.
    assert_eq!(erase(store, u64::MAX), (1, 1));
    let examined = store.log_examine(&mut |_, _| ()).unwrap();
    assert_eq!((examined.head.size, examined.erased), (before.size + 3, 297));
    assert!(examined.sound().is_ok());
    let noted: u64 = store.log_erasures().unwrap().iter().map(|range| range.to - range.from).sum();
    assert_eq!(noted, 297);
}

/// One case of the conformance suite: more ranges than one entry holds.
pub(crate) fn erases_in_parts(store: &Store) {
    let write = (0..400).fold(Write::new(), |write, at| {
        write.log(if at % 2 == 0 { entry(at) } else { heartbeat(at) })
    });
    store.commit(write).unwrap();
    let mut done = Vec::new();
    let erased = store.log_erase(OFFICER, 1_000, "retention", |count| done.push(count)).unwrap();
    assert_eq!((erased.entries, done), (200, vec![128, 200]));
    assert_eq!(store.log_verify(|_| ()).unwrap().size, 402);
}

fn with_database<T>(directory: &Path, work: impl FnOnce(&Connection) -> T) -> T {
    work(&Connection::open(directory.join(DATABASE_FILE)).unwrap())
}

#[test]
fn nothing_of_an_erased_entry_is_left_in_any_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    for at in 0..500 {
        store.log_append(heartbeat(at)).unwrap();
    }
    let asked = ask(&store, 500, Some(()));
    // Sixteen bytes of the middle of each sealed cell, as they lie on the disk.
    let cells = with_database(directory.path(), |database| {
        let mut read = database.prepare("SELECT substr(cell, 40, 16) FROM log_entry").unwrap();
        let rows = read.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let mut cells: Vec<Vec<u8>> = rows.collect::<Result<_, _>>().unwrap();
        let private = "SELECT substr(value, 300, 16) FROM query WHERE key = ?1";
        cells.push(database.query_row(private, [asked.as_bytes()], |row| row.get(0)).unwrap());
        cells
    });
    let found = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        let bytes: Vec<u8> =
            files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        let windows: std::collections::HashSet<&[u8]> = bytes.windows(16).collect();
        cells.iter().filter(|cell| windows.contains(cell.as_slice())).count()
    };
    assert_eq!(found(), 502, "what is looked for is there before");
    assert_eq!(erase(&store, 1_000), (501, 1));
    assert_eq!(found(), 0);
    drop(store);
    assert_eq!(found(), 0);
    let store = open(directory.path(), 3);
    assert_eq!(store.log_verify(|_| ()).unwrap().size, 502);
    store.log_append(heartbeat(2_000)).unwrap();
    assert_eq!(store.log_verify(|_| ()).unwrap().size, 503);
}

#[test]
fn an_entry_that_is_gone_without_an_erasure_is_missing_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    // A whole tile: the rows behind the last one are hashed on opening, which fails without them.
    store.commit((0..300).fold(Write::new(), |write, at| write.log(heartbeat(at)))).unwrap();
    assert_eq!(erase(&store, 10), (10, 0));
    drop(store);
    let change = |text: &str| {
        with_database(directory.path(), |database| {
            assert_eq!(database.execute(text, []).unwrap(), 1, "{text}");
        });
        let store = open(directory.path(), 3);
        (store.log_examine(&mut |_, _| ()).unwrap(), store.log_verify(|_| ()))
    };
    let (examined, verified) = change("UPDATE log_entry SET cell = x'' WHERE number = 12");
    assert_eq!((examined.erased, examined.missing.as_slice()), (10, &[12][..]));
    assert!(examined.leads_to_root, "the leaf is still there");
    assert!(matches!(verified, Err(StoreError::EntryMissing { index: 12, count: 1 })));
    let (examined, _) = change("DELETE FROM log_entry WHERE number = 14");
    assert_eq!((examined.erased, examined.missing.as_slice()), (10, &[12, 14][..]));
    assert!(examined.leads_to_root, "the tree knows the leaf");
    let moved = "UPDATE log_entry SET cell = (SELECT cell FROM log_entry WHERE number = 17) \
                 WHERE number = 16";
    let (examined, verified) = change(moved);
    assert_eq!((examined.altered.as_slice(), examined.missing_count), (&[16][..], 2));
    assert!(matches!(verified, Err(StoreError::Altered { .. })));
    let (examined, _) = change("UPDATE log_entry SET leaf = zeroblob(32) WHERE number = 3");
    assert!(!examined.leads_to_root, "an erased leaf cannot be exchanged");
}

#[test]
fn what_was_erased_and_is_there_again_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    for at in 0..20 {
        store.log_append(heartbeat(at)).unwrap();
    }
    let five = with_database(directory.path(), |database| {
        let text = "SELECT cell FROM log_entry WHERE number = 5";
        database.query_row(text, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    });
    assert_eq!(erase(&store, 10), (10, 0));
    drop(store);
    with_database(directory.path(), |database| {
        database.execute("UPDATE log_entry SET cell = ?1 WHERE number = 5", [five]).unwrap();
    });
    let examined = open(directory.path(), 3).log_examine(&mut |_, _| ()).unwrap();
    assert_eq!((examined.erased, examined.unerased, examined.missing_count), (9, 1, 0));
    assert!(matches!(examined.sound(), Err(StoreError::Damaged { .. })));
}

/// Not a test by itself: what the killed process does.
#[test]
fn erases_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let round: u8 = std::env::var(ROUND).unwrap().parse().unwrap();
    let store = Store::open(directory.as_ref(), &unlock(), [round; 32]).unwrap();
    let mut now = 1_000 * store.log_size();
    let says = |text: &str| std::io::stdout().lock().write_all(text.as_bytes()).unwrap();
    loop {
        let write = (0..20).fold(Write::new(), |write, step| write.log(heartbeat(now + step)));
        store.commit(write).unwrap();
        says("\nstep\n");
        let _query = ask(&store, now + 20, Some(()));
        says("\nstep\n");
        store.log_erase(OFFICER, now + 15, "retention", |_| ()).unwrap();
        now += 1_000;
    }
}

#[test]
fn an_erasure_is_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    drop(create(directory.path()));
    let mut dice: u64 = 7;
    let mut erased = 0;
    for round in 1..=KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "erasure::erases_until_killed", "--test-threads", "1", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..2 + (dice >> 33) % 20 {
            assert!(lines.any(|line| line.unwrap() == "step"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(directory.path(), 100 + round);
        let examined = store.log_examine(&mut |_, _| ()).unwrap();
        assert!(examined.sound().is_ok(), "round {round}: {examined:?}");
        erased = examined.erased;
        let queries = store.query_list(None, 10_000).unwrap();
        for query in queries {
            // Killed before its answer was noted, it does not know its leaf.
            let Some(index) = query.leaf_index else { continue };
            let is_there = store.log_entry_fetch(index).unwrap().is_some();
            assert_eq!(is_there, !query.private.is_empty(), "round {round}");
        }
    }
    assert!(erased > 0, "every kill came too early");
}
