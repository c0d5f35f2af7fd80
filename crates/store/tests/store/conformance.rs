//! What every backend must do; each case runs on memory and on SQLite.

use symbolon_audit::{LogSeen, Logged};
use symbolon_ident::{Class, KeyForm, Kind, Strength};
use symbolon_oprf::{ConfirmCode, Tag, TagLookup};
use symbolon_store::{
    Admitted, Alarm, AlarmId, Closing, Evidence, External, Hit, HitId, HitState, Owed, OwedFor,
    Partner, PartnerState, Query, QueryId, QueryState, Route, SetChunk, SetKey, SetSide, SetState,
    Settled, Store, StoreError, Way, Write,
};
use symbolon_tlog::{leaf_hash, verify_consistency, verify_inclusion};
use symbolon_trust::NodeId;

use crate::{
    alerts, around, budget, create, entry, erasure, foreseen, indexed, keys, partner_id, record,
    relays,
};

/// Runs every case on a store of its own.
fn conforms(mut with_store: impl FnMut(&dyn Fn(&Store))) {
    with_store(&records);
    with_store(&records_change_with_their_index);
    with_store(&log);
    with_store(&a_refused_write_changes_nothing);
    with_store(&budgets);
    with_store(&budget_race);
    with_store(&settings_and_progress);
    with_store(&partners);
    with_store(&tag_sets);
    with_store(&hits_queries_evidence);
    with_store(&envelopes);
    with_store(&receipts_owed_and_settled);
    with_store(&alarms_stay_until_closed);
    with_store(&erasure::erases);
    with_store(&erasure::erases_in_parts);
    with_store(&relays::relays);
    with_store(&alerts::alerts);
    with_store(&alerts::contents_are_erased);
    with_store(&alerts::an_erasure_meets_an_update);
    with_store(&alerts::writes_behind_one_on_its_way);
    with_store(&alerts::deliveries);
    with_store(&alerts::deletions);
    with_store(&alerts::outboxes);
    with_store(&alerts::streams);
    with_store(&alerts::named_leaves);
    with_store(&alerts::due_and_inbox);
    with_store(&foreseen::what_is_foreseen_comes_true);
    with_store(&foreseen::what_does_not_come_true_is_not_written);
    with_store(&around::hotlines);
    with_store(&around::watches);
}

#[test]
fn memory_conforms() {
    conforms(|case| case(&Store::memory([1; 32])));
}

#[test]
fn sqlite_conforms() {
    conforms(|case| case(&create(tempfile::tempdir().unwrap().path())));
}

fn records(store: &Store) {
    let (one, keys_of_one) = indexed(0);
    let write = Write::new()
        .record_create(&one, keys_of_one.clone())
        .external("row 1", External { record: one.id(), version: one.version(), run: 5 });
    assert!(store.commit(write).unwrap().receipts().is_empty());
    assert_eq!(store.record_fetch(one.id()).unwrap(), Some(one.clone()));
    assert_eq!(store.record_fetch(record(99).id()).unwrap(), None);

    for key in &keys_of_one {
        let hits = store.record_lookup(&key.key).unwrap();
        let found = hits.iter().find(|hit| hit.subject == key.subject).unwrap();
        assert_eq!((found.record, found.form), (one.id(), key.key.form()));
        assert_eq!(found.strength, key.key.strength());
    }
    let external = store.record_by_external("row 1").unwrap().unwrap();
    assert_eq!((external.record, external.version, external.run), (one.id(), one.version(), 5));
    assert_eq!(store.record_by_external("row 2").unwrap(), None);

    let again = store.commit(Write::new().record_create(&one, Vec::new()));
    assert!(matches!(again, Err(StoreError::Conflict)));

    let mut all = vec![one];
    for number in 1_000..1_050 {
        all.push(record(number));
        store.commit(Write::new().record_create(&record(number), Vec::new())).unwrap();
    }
    all.sort_by_key(|record| record.id());
    assert_eq!(store.record_count().unwrap(), 51);
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = store.record_scan(after, 7).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id());
        read.extend(page);
    }
    assert_eq!(read, all);
}

fn records_change_with_their_index(store: &Store) {
    let (one, keys_of_one) = indexed(0);
    let other = (1..)
        .map(|number| indexed(number * 100))
        .find(|(_, keys)| keys.iter().all(|key| keys_of_one.iter().all(|own| own.key != key.key)));
    let (_, keys_of_other) = other.unwrap();
    store.commit(Write::new().record(&one, keys_of_one.clone())).unwrap();
    let mut content = one.content().clone();
    content.title.push('x');
    let changed = one.revise(content).unwrap();
    store.commit(Write::new().record(&changed, keys_of_other.clone())).unwrap();
    assert_eq!(store.record_fetch(one.id()).unwrap(), Some(changed));
    assert!(store.record_lookup(&keys_of_one[0].key).unwrap().is_empty());
    assert_eq!(store.record_lookup(&keys_of_other[0].key).unwrap()[0].record, one.id());

    store.commit(Write::new().record_delete(one.id())).unwrap();
    assert_eq!(store.record_fetch(one.id()).unwrap(), None);
    assert!(store.record_lookup(&keys_of_other[0].key).unwrap().is_empty());
    let again = store.commit(Write::new().record_delete(one.id()));
    assert!(matches!(again, Err(StoreError::Absent { .. })));
}

fn log(store: &Store) {
    assert_eq!(store.log_head().unwrap().root, symbolon_tlog::EMPTY_ROOT);
    let mut heads: Vec<LogSeen> = vec![store.log_head().unwrap()];
    let mut number = 0;
    while store.log_size() < 700 {
        let write = (0..7).fold(Write::new(), |write, _| {
            number += 1;
            write.log(entry(number))
        });
        let committed = store.commit(write).unwrap();
        for (at, receipt) in committed.receipts().iter().enumerate() {
            assert_eq!(receipt.tree_size, store.log_size());
            assert_eq!(receipt.leaf_index, store.log_size() - 7 + at as u64);
            let leaf = store.log_leaf_fetch(receipt.leaf_index).unwrap().unwrap();
            assert_eq!(leaf.leaf_hash(), receipt.leaf_hash);
        }
        heads.push(store.log_head().unwrap());
    }
    let head = store.log_head().unwrap();
    assert_eq!(store.log_verify(|_| ()).unwrap(), head);
    let logged: Logged = store.log_entry_fetch(300).unwrap().unwrap();
    assert_eq!(logged.entry(), &entry(301));
    assert!(store.log_entry_fetch(700).unwrap().is_none());
    for index in [0, 255, 256, 511, 512, 699] {
        let leaf = store.log_leaf_fetch(index).unwrap().unwrap().leaf_hash();
        let proof = store.log_inclusion(index, head.size).unwrap();
        let _ = verify_inclusion(leaf, index, head.size, &proof, head.root).unwrap();
    }
    for old in &heads {
        let proof = store.log_consistency(old.size, head.size).unwrap();
        let _ = verify_consistency(old.size, old.root, head.size, head.root, &proof).unwrap();
    }
    assert!(matches!(store.log_inclusion(700, 700), Err(StoreError::BeyondLog)));
    assert_eq!(store.log_checkpoint_fetch().unwrap(), None);
    store.commit(Write::new().log_checkpoint(7, "seven")).unwrap();
    store.commit(Write::new().log_checkpoint(9, "nine")).unwrap();
    assert_eq!(store.log_checkpoint_fetch().unwrap(), Some((9, "nine".into())));
    assert_eq!(store.log_checkpoint_at(7).unwrap(), Some("seven".into()));
}

fn a_refused_write_changes_nothing(store: &Store) {
    let (one, keys) = indexed(0);
    store.commit(Write::new().setting("taken", b"old").log(entry(1))).unwrap();
    let before = store.log_head().unwrap();
    let write = || {
        Write::new()
            .setting("taken", b"new")
            .setting("fresh", b"new")
            .log(entry(2))
            .record_create(&one, keys.clone())
            .spend(budget(), 5, 10)
    };
    let refused = [
        write().spend(budget(), 6, 10),
        write().setting_new("taken", b"newer"),
        write().record_create(&one, Vec::new()),
        write().admit([1; 16], 9, Vec::new()).admit([1; 16], 9, Vec::new()),
    ];
    for write in refused {
        assert!(store.commit(write).is_err());
        assert_eq!(**store.setting_fetch("taken").unwrap().unwrap(), *b"old");
        assert!(store.setting_fetch("fresh").unwrap().is_none());
        assert_eq!(store.log_head().unwrap(), before);
        assert_eq!(store.record_fetch(one.id()).unwrap(), None);
        assert!(store.record_lookup(&keys[0].key).unwrap().is_empty());
        assert_eq!(store.budget_spent(&budget()).unwrap(), 0);
        assert!(store.envelope_fetch(&[1; 16]).unwrap().is_none());
    }
    assert_eq!(store.commit(write()).unwrap().last().unwrap().leaf_index, 1);
    assert_eq!(store.log_verify(|_| ()).unwrap().size, 2);
}

fn budgets(store: &Store) {
    store.commit(Write::new().spend(budget(), 8, 10)).unwrap();
    match store.commit(Write::new().spend(budget(), 3, 10)) {
        Err(StoreError::Exhausted { remaining }) => assert_eq!(remaining, 2),
        _ => panic!("beyond the budget"),
    }
    store.commit(Write::new().spend(budget(), 2, 10)).unwrap();
    assert_eq!(store.budget_spent(&budget()).unwrap(), 10);
    let mut other = budget();
    other.epoch += 1;
    assert_eq!(store.budget_spent(&other).unwrap(), 0);
    let overflow = store.commit(Write::new().spend(budget(), u64::MAX, u64::MAX));
    assert!(matches!(overflow, Err(StoreError::Exhausted { .. })));
}

fn budget_race(store: &Store) {
    const LIMIT: u64 = 100;
    let granted: u64 = std::thread::scope(|scope| {
        let race = |thread: u64| {
            let attempts = (0..50).map(move |_| 1 + thread % 3);
            attempts
                .filter(|amount| {
                    let write = Write::new().spend(budget(), *amount, LIMIT).log(entry(*amount));
                    store.commit(write).is_ok()
                })
                .sum::<u64>()
        };
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || race(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(granted, LIMIT);
    assert_eq!(store.budget_spent(&budget()).unwrap(), LIMIT);
    let logged = store.log_scan(0, 1_000).unwrap();
    assert_eq!(logged.iter().map(|(_, entry)| entry.entry().at()).sum::<u64>(), LIMIT);
}

fn settings_and_progress(store: &Store) {
    store.setting_put("tls key", b"secret").unwrap();
    store.setting_put("tls pin", b"other").unwrap();
    assert_eq!(**store.setting_fetch("tls key").unwrap().unwrap(), *b"secret");
    assert_eq!(store.setting_names("tls").unwrap(), ["tls key", "tls pin"]);
    store.commit(Write::new().setting_delete("tls pin")).unwrap();
    assert!(store.setting_fetch("tls pin").unwrap().is_none());
    assert!(store.setting_put(&"x".repeat(129), b"").is_err());
    store.commit(Write::new().progress("run/1", b"half").progress("run/2", b"done")).unwrap();
    assert_eq!(**store.progress_fetch("run/1").unwrap().unwrap(), *b"half");
    let listed = store.progress_list("run/").unwrap();
    assert_eq!(
        listed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["run/1", "run/2"]
    );
    store.commit(Write::new().progress_delete("run/1")).unwrap();
    assert!(store.progress_fetch("run/1").unwrap().is_none());
}

fn partner(byte: u8, pins: &[u8]) -> Partner {
    Partner {
        node: NodeId::from_bytes([byte; 32]),
        name: "name".into(),
        card: vec![byte],
        pins: pins.iter().map(|pin| [*pin; 32].into()).collect(),
        agreement: None,
        proposal: None,
        state: PartnerState::Active,
        notes: String::new(),
        added_at: 1,
        changed_at: 1,
        drill: None,
        route: Route::Direct,
    }
}

fn partners(store: &Store) {
    store.commit(Write::new().partner(partner(2, &[20, 21])).partner(partner(1, &[10]))).unwrap();
    assert_eq!(store.partner_list().unwrap(), [partner(1, &[10]), partner(2, &[20, 21])]);
    assert_eq!(store.partner_by_pin(&[21; 32]).unwrap(), Some(partner(2, &[20, 21])));
    store.commit(Write::new().partner(partner(2, &[21, 22]))).unwrap();
    assert_eq!(store.partner_by_pin(&[20; 32]).unwrap(), None);
    assert_eq!(store.partner_by_pin(&[22; 32]).unwrap(), Some(partner(2, &[21, 22])));

    let seen = |size: u64| LogSeen { size, root: leaf_hash(size.to_be_bytes()) };
    assert_eq!(store.partner_seen(&partner_id()).unwrap(), None);
    store.commit(Write::new().partner_seen(partner_id(), None, seen(5), "at 5")).unwrap();
    assert_eq!(store.partner_checkpoint(&partner_id()).unwrap().as_deref(), Some("at 5"));
    let late = store.commit(Write::new().partner_seen(partner_id(), None, seen(9), "late"));
    assert!(matches!(late, Err(StoreError::Conflict)));
    let back =
        store.commit(Write::new().partner_seen(partner_id(), Some(seen(5)), seen(4), "back"));
    assert!(matches!(back, Err(StoreError::WentBack)));
    store.commit(Write::new().partner_seen(partner_id(), Some(seen(5)), seen(9), "at 9")).unwrap();
    assert_eq!(store.partner_checkpoint(&partner_id()).unwrap().as_deref(), Some("at 9"));
    assert_eq!(store.partner_seen(&partner_id()).unwrap(), Some(seen(9)));
}

fn tag(number: u64) -> Tag {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Tag::from_bytes(bytes)
}

fn chunk(numbers: impl Iterator<Item = u64>) -> SetChunk {
    let tags = numbers.flat_map(|number| *tag(number).as_bytes()).collect();
    SetChunk { tags, detail: b"detail".to_vec() }
}

fn tag_sets(store: &Store) {
    let set = SetKey {
        side: SetSide::Received,
        partner: partner_id(),
        class: Class::Person,
        epoch: 9,
        serial: 0,
    };
    // Even numbers from 2 on: 256, 256 and 100 tags.
    let even = |from: u64, count: u64| chunk((from..from + count).map(|number| 2 * number + 2));
    store.commit(Write::new().tag_set_begin(set, b"card".to_vec(), 1)).unwrap();
    store.commit(Write::new().tag_set_chunks(set, 0, vec![even(0, 256)])).unwrap();
    // Only the next chunk is taken, and only whole ones before the last.
    let out_of_turn = store.commit(Write::new().tag_set_chunks(set, 2, vec![even(512, 100)]));
    assert!(matches!(out_of_turn, Err(StoreError::TagSet { .. })));
    let short = vec![even(256, 100), even(356, 100)];
    assert!(store.commit(Write::new().tag_set_chunks(set, 1, short)).is_err());
    assert_eq!(store.tag_set_fetch(&set).unwrap().unwrap().chunks, 1);
    assert!(store.tag_set_find(&set, &[tag(2)]).is_err());
    let rest = vec![even(256, 256), even(512, 100)];
    store.commit(Write::new().tag_set_chunks(set, 1, rest)).unwrap();
    store.commit(Write::new().tag_set_finish(set, None)).unwrap();

    let head = store.tag_set_fetch(&set).unwrap().unwrap();
    assert_eq!((head.state, head.chunks, head.tags), (SetState::Complete, 3, 612));
    assert_eq!(**store.tag_set_about(&set).unwrap().unwrap(), *b"card");
    assert_eq!(store.tag_set_list(SetSide::Received, Some(&partner_id())).unwrap(), [(set, head)]);
    assert!(store.tag_set_list(SetSide::Own, None).unwrap().is_empty());
    let numbers: Vec<u64> = (0..1_300).collect();
    let tags: Vec<Tag> = numbers.iter().map(|number| tag(*number)).collect();
    let found = store.tag_set_lookup(set).contains(&tags).unwrap();
    for (number, found) in numbers.iter().zip(found) {
        assert_eq!(found, number % 2 == 0 && (2..=1_224).contains(number), "{number}");
    }
    let place = store.tag_set_find(&set, &[tag(516)]).unwrap()[0].unwrap();
    assert_eq!((place.chunk, place.position), (1, 1));
    assert_eq!(store.tag_set_tags(&set, 2).unwrap().unwrap().len(), 1_600);
    assert_eq!(**store.tag_set_detail(&set, 1).unwrap().unwrap(), *b"detail");

    store.commit(Write::new().tag_set_delete(set)).unwrap();
    assert!(store.tag_set_fetch(&set).unwrap().is_none());
    assert!(store.tag_set_tags(&set, 0).unwrap().is_none());
    assert!(store.tag_set_find(&set, &[tag(2)]).is_err());

    let begin = Write::new().tag_set_begin(set, Vec::new(), 1);
    store.commit(begin).unwrap();
    let twice = vec![chunk((0..256).map(|number| number / 2))];
    store.commit(Write::new().tag_set_chunks(set, 0, twice)).unwrap();
    let unordered = store.commit(Write::new().tag_set_finish(set, None));
    assert!(matches!(unordered, Err(StoreError::TagSet { .. })));
}

pub(crate) fn hit(id: HitId, case: &str) -> Hit {
    Hit {
        id,
        partner: partner_id(),
        class: Class::Registry,
        epoch: 1,
        serial: 0,
        query: None,
        record: Some(record(1).id()),
        subject: 0,
        kind: Kind::ImoShip,
        form: KeyForm::Exact,
        strength: Strength::Strong,
        tag: tag(7),
        tag_index: 3,
        confirm: ConfirmCode::from_bytes([8; 32]),
        state: HitState::Found,
        found_at: 1,
        changed_at: 1,
        case: case.into(),
        purpose: "purpose".into(),
        confirm_hash: None,
        answer_hash: Some([5; 32]),
    }
}

fn hits_queries_evidence(store: &Store) {
    let ids: Vec<HitId> = (0..5).map(|at| HitId::generate(1_000 + at, [1; 32])).collect();
    for id in &ids {
        store.commit(Write::new().hit(&hit(*id, "case"))).unwrap();
    }
    let mut changed = hit(ids[2], "case");
    changed.state = HitState::Released;
    store.commit(Write::new().hit(&changed)).unwrap();
    let listed = store.hit_list(Some(ids[1]), 2).unwrap();
    assert_eq!(listed.iter().map(|hit| hit.id).collect::<Vec<_>>(), &ids[2..4]);
    assert_eq!(store.hit_fetch(ids[2]).unwrap().unwrap().state, HitState::Released);
    assert_eq!(ids[2].to_string().parse::<HitId>().unwrap(), ids[2]);

    let query = Query {
        id: QueryId::generate(1, [2; 32]),
        group: [1; 16],
        partner: partner_id(),
        class: Class::Person,
        epoch: 1,
        officer: "officer".into(),
        purpose: "purpose".into(),
        legal_basis: "basis".into(),
        case: "case".into(),
        inputs: 1,
        state: QueryState::NotAsked,
        hits: 0,
        asked_at: 1,
        answered_at: None,
        leaf_index: None,
        private: vec![1],
    };
    store.commit(Write::new().query(&query)).unwrap();
    let back = store.query_fetch(query.id).unwrap().unwrap();
    assert_eq!((back.state, back.private.clone()), (QueryState::NotAsked, vec![1]));
    assert_eq!(store.query_list(None, 10).unwrap().len(), 1);

    let evidence = Evidence {
        statement_hash: [6; 32],
        way: Way::Sent,
        partner: partner_id(),
        kind: 2,
        at: 1,
        signed: vec![1, 2],
    };
    store.commit(Write::new().evidence(&evidence)).unwrap();
    assert_eq!(store.evidence_fetch(&[6; 32]).unwrap(), Some(evidence.clone()));
    assert_eq!(store.evidence_list(None, 9).unwrap(), [evidence]);
    assert!(keys(&record(1)).len() < 1_000);
}

fn envelopes(store: &Store) {
    let write = || Write::new().log(entry(1));
    let admitted = store.envelope_admit([1; 16], 50, b"answer".to_vec(), write()).unwrap();
    assert!(matches!(admitted, Admitted::New(committed) if committed.receipts().len() == 1));
    match store.envelope_admit([1; 16], 50, b"another".to_vec(), write()).unwrap() {
        Admitted::Repeat(answer) => assert_eq!(**answer, *b"answer"),
        Admitted::New(_) => panic!("applied twice"),
    }
    assert_eq!(store.log_size(), 1);
    store.envelope_admit([2; 16], 90, Vec::new(), Write::new()).unwrap();
    assert_eq!(store.envelope_purge(50).unwrap(), 0);
    assert_eq!(store.envelope_purge(51).unwrap(), 1);
    assert!(store.envelope_fetch(&[1; 16]).unwrap().is_none());
    assert!(store.envelope_fetch(&[2; 16]).unwrap().is_some());
}

fn receipts_owed_and_settled(store: &Store) {
    let owed = |partner: u8, name: u8, what| Owed {
        partner: NodeId::from_bytes([partner; 32]),
        name: [name; 32],
        what,
        since: 100,
    };
    let (query, confirm) = (owed(1, 1, OwedFor::Query), owed(1, 2, OwedFor::Confirm));
    let other = owed(2, 1, OwedFor::Refusal);
    store.commit(Write::new().owed(&query).owed(&confirm).owed(&other)).unwrap();
    assert_eq!(store.owed_list(&query.partner).unwrap(), [query, confirm]);
    assert_eq!(store.owed_fetch(&other.partner, &other.name).unwrap(), Some(other));
    assert_eq!(store.settled_fetch(&query.partner, &query.name).unwrap(), None);

    let settled = Settled { owed: query, receipt_hash: [9; 32], their_index: 77 };
    store.commit(Write::new().settled(&settled)).unwrap();
    assert_eq!(store.owed_list(&query.partner).unwrap(), [confirm]);
    assert_eq!(store.owed_list(&other.partner).unwrap(), [other], "another partner's stays");
    assert_eq!(store.owed_fetch(&query.partner, &query.name).unwrap(), None);
    assert_eq!(store.settled_fetch(&query.partner, &query.name).unwrap(), Some(settled));
    store.commit(Write::new().owed_withdraw(&confirm.partner, &confirm.name)).unwrap();
    assert_eq!(store.owed_list(&query.partner).unwrap(), []);
}

fn alarms_stay_until_closed(store: &Store) {
    let alarm = |number: u8| Alarm {
        id: AlarmId::generate(u64::from(number), [number; 32]),
        kind: "split_view".to_owned(),
        partner: Some(partner_id()),
        raised_at: 5,
        words: "two histories".to_owned(),
        proof: "proof".to_owned(),
        closing: None,
    };
    store.commit(Write::new().alarm_new(&alarm(2))).unwrap();
    store.commit(Write::new().alarm_new(&alarm(1))).unwrap();
    let again = store.commit(Write::new().alarm_new(&alarm(1)));
    assert!(matches!(again, Err(StoreError::Conflict)), "one thing is one alarm");
    assert_eq!(store.alarm_list().unwrap(), [alarm(1), alarm(2)]);

    let mut closed = alarm(1);
    closed.closing =
        Some(Closing { at: 6, officer: "officer".to_owned(), reason: "restored".to_owned() });
    store.commit(Write::new().alarm(&closed)).unwrap();
    assert_eq!(store.alarm_fetch(closed.id).unwrap(), Some(closed));
    assert_eq!(store.alarm_fetch(AlarmId::generate(9, [9; 32])).unwrap(), None);
}
