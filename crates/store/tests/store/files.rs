//! What lies on the disk: refusals that touch nothing, sealed contents, a full disk.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use symbolon_audit::{Entry, Who};
use symbolon_ident::{Canonical, Kind};
use symbolon_record::sample;
use symbolon_store::{
    Cost, DATABASE_FILE, External, HitId, Hotline, HotlineState, IndexKey, KEYRING_FILE, Sent,
    Slot, Store, StoreError, Submission, Unlock, Watch, WatchId, WatchState, Write,
};
use symbolon_trust::Mode;

use crate::alerts::{alert, key};
use crate::conformance::hit;
use crate::relays::{ROOM, parcel};
use crate::{create, entry, indexed, open, partner_id, record, unlock};

/// Name, mode and bytes of every file.
fn snapshot(directory: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        let name = file.file_name().into_string().unwrap();
        (name, (mode, std::fs::read(file.path()).unwrap()))
    });
    files.collect()
}

fn passphrase(text: &str) -> Unlock {
    Unlock::passphrase(text.into()).unwrap()
}

#[test]
fn only_the_owner_can_read_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("node");
    let store = create(&directory);
    store.log_append(entry(1)).unwrap();
    let mode = std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    let files = snapshot(&directory);
    assert!(files.len() >= 4, "database, its log, keyring, lock");
    assert!(files.values().all(|(mode, _)| *mode == 0o600));
}

#[test]
fn a_refused_opening_touches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let cheap = Cost::dangerous_cheap();
    Store::create(path, &passphrase("right"), cheap, [1; 32]).unwrap();
    let attempt = |unlock: Unlock, name: &str, expected: fn(&StoreError) -> bool| {
        let before = snapshot(path);
        let error = Store::open(path, &unlock, [2; 32]).err().unwrap();
        assert!(expected(&error), "{name}: {error}");
        assert_eq!(snapshot(path), before, "{name}");
    };
    attempt(passphrase("wrong"), "wrong passphrase", |error| {
        matches!(error, StoreError::WrongPassphrase)
    });
    attempt(unlock(), "key file for a passphrase", |error| {
        matches!(error, StoreError::WrongUnlock { wanted: "passphrase" })
    });
    let exists = Store::create(path, &passphrase("right"), cheap, [3; 32]);
    assert!(matches!(exists, Err(StoreError::Exists)));

    let database = path.join(DATABASE_FILE);
    let version = |version: u32| {
        let connection = Connection::open(&database).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    version(99);
    attempt(passphrase("right"), "newer schema", |error| {
        matches!(error, StoreError::NewerSchema { found: 99, known: 4 })
    });
    version(4);

    let stranger = tempfile::tempdir().unwrap();
    Store::create(stranger.path(), &passphrase("right"), cheap, [9; 32]).unwrap();
    let keyring = path.join(KEYRING_FILE);
    let own = std::fs::read(&keyring).unwrap();
    std::fs::copy(stranger.path().join(KEYRING_FILE), &keyring).unwrap();
    attempt(passphrase("right"), "keyring of another store", |error| {
        matches!(error, StoreError::Foreign { file: "database" })
    });
    // [magic, version 2, anything]: a form that a later program may define.
    std::fs::write(&keyring, [b"\x83\x70symbolon keyring\x02".as_slice(), &[0]].concat()).unwrap();
    attempt(passphrase("right"), "newer keyring", |error| {
        matches!(error, StoreError::NewerKeyring { found: 2, known: 1 })
    });
    std::fs::write(&keyring, b"something else").unwrap();
    attempt(passphrase("right"), "not a keyring", |error| {
        matches!(error, StoreError::Foreign { file: "keyring" })
    });
    std::fs::write(&keyring, own).unwrap();
    drop(Store::open(path, &passphrase("right"), [4; 32]).unwrap());
    std::fs::write(&database, vec![b'x'; 8192]).unwrap();
    attempt(passphrase("right"), "not a database", |error| {
        matches!(error, StoreError::Foreign { file: "database" })
    });
}

/// Copies what lies in a directory, as a crash would leave it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for (name, (_, bytes)) in snapshot(from) {
        std::fs::write(to.join(name), bytes).unwrap();
    }
}

#[test]
fn a_log_that_was_moved_in_part_is_no_foreign_database() {
    const PAGE: usize = 4_096;
    let parent = tempfile::tempdir().unwrap();
    let [live, dead, other, stranger] =
        ["live", "dead", "other", "stranger"].map(|name| parent.path().join(name));
    let store = create(&live);
    for number in 0..100 {
        store
            .commit(Write::new().record_create(&record(number), vec![]).log(entry(number)))
            .unwrap();
    }
    copy(&live, &dead);
    drop(store);
    // The move has come as far as the first page, which says that there are more than there are.
    let moved = std::fs::read(dead.join(format!("{DATABASE_FILE}-wal"))).unwrap();
    let mut frames = moved.get(32..).unwrap().chunks_exact(24 + PAGE);
    let first = frames.rfind(|frame| frame[..4] == [0, 0, 0, 1]).unwrap();
    let mut main = std::fs::read(dead.join(DATABASE_FILE)).unwrap();
    main[..PAGE].copy_from_slice(&first[24..]);
    let pages = u32::from_be_bytes(*main[28..].first_chunk().unwrap());
    assert!(pages as usize > main.len() / PAGE);
    std::fs::write(dead.join(DATABASE_FILE), main).unwrap();

    // Of another store it is refused all the same, and stays as it is.
    copy(&dead, &stranger);
    Store::create(&other, &unlock(), Cost::dangerous_cheap(), [7; 32]).unwrap();
    std::fs::copy(other.join(KEYRING_FILE), stranger.join(KEYRING_FILE)).unwrap();
    let content = |path| {
        let mut files = snapshot(path);
        files.remove(&format!("{DATABASE_FILE}-shm"));
        files
    };
    let before = content(&stranger);
    let error = Store::open(&stranger, &unlock(), [2; 32]).err().unwrap();
    assert!(matches!(error, StoreError::Foreign { file: "database" }), "{error}");
    assert_eq!(content(&stranger), before);

    let store = open(&dead, 3);
    assert_eq!(store.log_verify(|_| ()).unwrap().size, 100);
    assert_eq!(store.record_count().unwrap(), 100);
}

#[test]
fn one_process_has_the_store_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let second = Store::open(directory.path(), &unlock(), [3; 32]);
    assert!(matches!(second, Err(StoreError::InUse)));
    drop(store);
    drop(open(directory.path(), 3));
}

#[test]
fn keys_rotate_and_the_passphrase_changes() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let (one, keys) = indexed(0);
    store.commit(Write::new().record(&one, keys.clone()).setting("before", b"1")).unwrap();
    store.key_rotate(&passphrase("new"), Cost::dangerous_cheap(), [8; 32]).unwrap();
    store.commit(Write::new().setting("after", b"2").log(entry(1))).unwrap();
    drop(store);

    let old = Store::open(directory.path(), &unlock(), [4; 32]);
    assert!(matches!(old, Err(StoreError::WrongUnlock { .. })));
    let store = Store::open(directory.path(), &passphrase("new"), [4; 32]).unwrap();
    assert_eq!(**store.setting_fetch("before").unwrap().unwrap(), *b"1");
    assert_eq!(**store.setting_fetch("after").unwrap().unwrap(), *b"2");
    assert_eq!(store.record_lookup(&keys[0].key).unwrap()[0].record, one.id());
    drop(store);

    let connection = Connection::open(directory.path().join(DATABASE_FILE)).unwrap();
    let number = |name: &str| -> Vec<u8> {
        let query = "SELECT substr(value, 1, 4) FROM setting WHERE key = ?1";
        connection.query_row(query, [name.as_bytes()], |row| row.get(0)).unwrap()
    };
    assert_eq!((number("before"), number("after")), (vec![0, 0, 0, 1], vec![0, 0, 0, 2]));
}

#[test]
fn a_moved_cell_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let (one, other) = (record(1), record(2));
    let (first, second) = (HitId::generate(1, [1; 32]), HitId::generate(2, [1; 32]));
    let write = Write::new()
        .record(&one, Vec::new())
        .record(&other, Vec::new())
        .hit(&hit(first, "case"))
        .hit(&hit(second, "case"))
        .setting("a", b"1")
        .log(entry(1))
        .log(entry(2));
    store.commit(write).unwrap();
    drop(store);
    let connection = Connection::open(directory.path().join(DATABASE_FILE)).unwrap();
    let swap = |statement: &str, to: &[u8], from: &[u8]| {
        assert_eq!(connection.execute(statement, [to, from]).unwrap(), 1, "{statement}");
    };
    swap(
        "UPDATE record SET value = (SELECT value FROM record WHERE key = ?2) WHERE key = ?1",
        one.id().as_bytes(),
        other.id().as_bytes(),
    );
    swap(
        "UPDATE hit SET value = (SELECT value FROM setting WHERE key = ?2) WHERE key = ?1",
        first.as_bytes(),
        b"a",
    );
    connection
        .execute("UPDATE log_entry SET cell = (SELECT cell FROM log_entry WHERE number = 1) WHERE number = 0", [])
        .unwrap();
    drop(connection);

    let store = open(directory.path(), 3);
    let altered = |error: StoreError| matches!(error, StoreError::Altered { .. });
    assert!(altered(store.record_fetch(one.id()).unwrap_err()));
    assert!(altered(store.hit_fetch(first).unwrap_err()));
    assert!(altered(store.log_entry_fetch(0).unwrap_err()));
    assert!(altered(store.log_verify(|_| ()).unwrap_err()));
    assert_eq!(store.record_fetch(other.id()).unwrap(), Some(other));
    assert!(store.hit_fetch(second).unwrap().is_some());
    assert!(store.log_entry_fetch(1).unwrap().is_some());
}

#[test]
fn a_thief_of_the_files_reads_no_text_and_no_identifier() {
    const MARKER: &str = "XYZZYMARKER";
    let directory = tempfile::tempdir().unwrap();
    let store = create(directory.path());
    let mut content = sample::content(1);
    content.narrative = format!("{MARKER} narrative");
    let one = record(1).revise(content).unwrap();
    let keys = |text: &str| {
        let canonical = Canonical::parse(Kind::VesselName, text).unwrap();
        let keys = canonical.keys().iter();
        keys.map(|key| IndexKey { subject: 0, key: key.clone() }).collect::<Vec<_>>()
    };
    let who = Who { now: 1, actor: MARKER };
    let write = Write::new()
        .record(&one, keys(MARKER))
        .external(MARKER, External { record: one.id(), version: one.version(), run: 1 })
        .setting("seed", MARKER.as_bytes())
        .hit(&hit(HitId::generate(1, [1; 32]), MARKER))
        .admit([1; 16], 1, MARKER.as_bytes().to_vec())
        .log(Entry::heartbeat(who))
        .log_checkpoint(1, MARKER)
        .and(around_alerts(MARKER));
    store.commit(write).unwrap();
    let holds = |bytes: &[u8], text: &str| {
        bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    };
    let search = || {
        for (name, (_, bytes)) in snapshot(directory.path()) {
            assert!(!holds(&bytes, MARKER), "{name}");
            for (field, text) in sample::markers(&one) {
                assert!(!holds(&bytes, &text), "{name} shows {field:?}");
            }
            for key in keys(MARKER) {
                let bytes = bytes.windows(key.key.as_bytes().len());
                assert!(bytes.into_iter().all(|window| window != key.key.as_bytes()), "{name}");
            }
        }
    };
    // With the write-ahead log beside it, and after it was folded in.
    search();
    drop(store);
    search();
    let store = open(directory.path(), 3);
    assert_eq!(store.record_fetch(one.id()).unwrap(), Some(one));
    assert_eq!(store.record_lookup(&keys(MARKER)[0].key).unwrap().len(), 1);
}

/// A text in every row about alerts that has room for one.
fn around_alerts(text: &str) -> Write {
    let key = key(1, 1);
    let mut about = alert(key);
    about.submitter = text.into();
    about.outcome = Some(text.into());
    let sent = Sent {
        statement_hash: [1; 32],
        alert: key.id,
        version: about.version,
        signed: Some(text.into()),
        sent_at: 1,
    };
    let hotline = Hotline {
        name: text.into(),
        token_hash: None,
        certificate_pin: None,
        quota_per_hour: 1,
        burst: 1,
        state: HotlineState::Active,
        made_at: 1,
        changed_at: 1,
        kinds: vec![text.into()],
    };
    let submission = Submission { alert: key.id, body_hash: [1; 32], accepted_at: 1 };
    let watch = Watch {
        id: WatchId::generate(1, [1; 32]),
        name: text.into(),
        made_by: text.into(),
        made_at: 1,
        changed_at: 1,
        state: WatchState::On,
        rule: text.into(),
    };
    Write::new()
        .alert_new(&about)
        .alert_content(&key, Slot::Current, text.as_bytes())
        .sent(&partner_id(), Mode::Live, 1, &sent, Some(&key))
        .sent(&partner_id(), Mode::Live, 2, &sent, None)
        .hotline(&hotline)
        .submission_new(text, text.as_bytes(), &submission)
        .submitted(text, key.id)
        .watch(&watch)
        .relay_put(parcel(7, partner_id(), &[(9, text.as_bytes())]), ROOM)
}

#[test]
fn a_full_disk_is_said_so_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    drop(create(directory.path()));
    let bounded = |seed: u8, pages: u32| {
        Store::open_bounded(directory.path(), &unlock(), [seed; 32], Some(pages)).unwrap()
    };
    let store = bounded(3, 150);
    let mut kept = Vec::new();
    let full = (0..10_000).find_map(|number| {
        let write = Write::new().record(&record(number), Vec::new()).log(entry(number));
        match store.commit(write) {
            Ok(_) => {
                kept.push(record(number));
                None
            }
            Err(error) => Some(error),
        }
    });
    assert!(matches!(full, Some(StoreError::Full)));
    assert!(kept.len() > 20);
    let complete = |store: &Store| {
        assert_eq!(store.record_count().unwrap(), kept.len() as u64);
        assert_eq!(store.log_verify(|_| ()).unwrap().size, kept.len() as u64);
        assert!(kept.iter().all(|one| store.record_fetch(one.id()).unwrap().as_ref() == Some(one)));
    };
    complete(&store);
    // What is deleted makes room again, in the same process.
    let freed: Vec<_> = kept.drain(..kept.len() / 2).collect();
    let write = freed.iter().fold(Write::new(), |write, one| write.record_delete(one.id()));
    store.commit(write).unwrap();
    let size = store.log_size();
    store.commit(Write::new().record(&freed[0], Vec::new()).log(entry(1))).unwrap();
    assert_eq!(store.log_verify(|_| ()).unwrap().size, size + 1);
    drop(store);
    // And so does a larger disk.
    let store = bounded(4, 1_000);
    for one in &freed {
        store.commit(Write::new().record(one, Vec::new())).unwrap();
    }
    assert_eq!(store.record_count().unwrap(), (kept.len() + freed.len()) as u64);
}

const TABLES_OF_2: [&str; 3] = ["partner_checkpoint", "owed", "alarm"];
const TABLES_OF_3: [&str; 19] = [
    "alert",
    "alert_secret",
    "alert_content",
    "delivery",
    "delivery_statement",
    "outbox",
    "sent",
    "stream",
    "due",
    "inbox",
    "hotline",
    "submission",
    "submitter",
    "watch",
    "watch_fit",
    "notice",
    "relay_box",
    "relay",
    "leaf_name",
];
const TABLES_OF_4: [&str; 1] = ["deletion"];

/// Makes a store of this version in `path`, with one setting, as an older program left it.
fn older(path: &Path, version: u32, absent: &[&str]) {
    let store = create(path);
    store.setting_put("kept", b"value").unwrap();
    drop(store);
    let connection = Connection::open(path.join(DATABASE_FILE)).unwrap();
    for table in absent {
        connection.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    connection.pragma_update(None, "user_version", version).unwrap();
}

fn version(path: &Path) -> u32 {
    let connection = Connection::open(path.join(DATABASE_FILE)).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// A database of an older version lacks the tables of the newer: it is brought there when it is
/// opened, and keeps what it holds.
#[test]
fn an_older_schema_is_migrated() {
    let since = |tables: &[&[&'static str]]| tables.concat();
    for (number, absent) in [
        (1, since(&[&TABLES_OF_2, &TABLES_OF_3, &TABLES_OF_4])),
        (2, since(&[&TABLES_OF_3, &TABLES_OF_4])),
        (3, since(&[&TABLES_OF_4])),
    ] {
        let directory = tempfile::tempdir().unwrap();
        older(directory.path(), number, &absent);
        let store = open(directory.path(), 2);
        assert_eq!(**store.setting_fetch("kept").unwrap().unwrap(), *b"value");
        assert_eq!(store.alarm_list().unwrap(), []);
        let key = key(1, 1);
        store
            .commit(Write::new().alert_new(&alert(key)).alert_content(&key, Slot::Current, b"text"))
            .unwrap();
        assert_eq!(store.watch_list().unwrap(), []);
        assert_eq!(store.deletion_due_scan(&partner_id(), None, 1).unwrap(), []);
        drop(store);
        assert_eq!(version(directory.path()), 4);
        let store = open(directory.path(), 3);
        assert_eq!(store.alert_fetch(&key).unwrap(), Some(alert(key)));
    }
}
