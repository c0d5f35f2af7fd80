//! What stands around alerts: hotlines, watch rules, the relay. Cases of the conformance suite.

use symbolon_store::{
    Hotline, HotlineState, Notice, NoticeId, Rings, Store, StoreError, Submission, Watch, WatchFit,
    WatchId, WatchState, Write,
};
use symbolon_trust::Mode;

use crate::alerts::{id, key};
use crate::entry;

pub(crate) fn hotlines(store: &Store) {
    let hotline = |name: &str, state| Hotline {
        name: name.into(),
        token_hash: Some([1; 32]),
        certificate_pin: None,
        quota_per_hour: 100,
        burst: 5,
        state,
        made_at: 1,
        changed_at: 2,
        kinds: vec!["seizure".into()],
    };
    let (border, harbour) =
        (hotline("border", HotlineState::Active), hotline("harbour", HotlineState::Active));
    store.commit(Write::new().hotline(&harbour).hotline(&border)).unwrap();
    assert_eq!(store.hotline_list().unwrap(), [border, harbour.clone()]);
    let suspended = hotline("border", HotlineState::Suspended);
    store.commit(Write::new().hotline(&suspended)).unwrap();
    assert_eq!(store.hotline_fetch("border").unwrap(), Some(suspended));
    assert_eq!(store.hotline_fetch("bord").unwrap(), None);

    let submission =
        |number: u64| Submission { alert: id(number), body_hash: [2; 32], accepted_at: number };
    let submit = |hotline: &str, idempotency: &[u8], number| {
        let write = Write::new().submission_new(hotline, idempotency, &submission(number));
        store.commit(write.submitted(hotline, id(number)).log(entry(number)))
    };
    submit("border", b"key", 10).unwrap();
    assert!(matches!(submit("border", b"key", 11), Err(StoreError::Repeated)));
    assert_eq!(store.log_size(), 1, "a repeat leaves nothing");
    // The names are framed: these are others' keys.
    submit("borde", b"rkey", 20).unwrap();
    submit("border", b"key2", 30).unwrap();
    assert_eq!(store.submission_fetch("border", b"key").unwrap(), Some(submission(10)));
    assert_eq!(store.submission_fetch("harbour", b"key").unwrap(), None);
    assert_eq!(store.submitted_scan("border", None, 9).unwrap(), [id(10), id(30)]);
    assert_eq!(store.submitted_scan("border", Some(id(10)), 9).unwrap(), [id(30)]);
    assert_eq!(store.submitted_scan("borde", None, 9).unwrap(), [id(20)]);
    assert_eq!(store.submitted_scan("bord", None, 9).unwrap(), []);
    assert!(store.submitted_by("borde", id(20)).unwrap());
    assert!(!store.submitted_by("border", id(20)).unwrap());
    assert_eq!(store.submission_purge(20).unwrap(), 1);
    assert_eq!(store.submission_fetch("border", b"key").unwrap(), None);
    assert_eq!(store.submission_fetch("borde", b"rkey").unwrap(), Some(submission(20)));
    let long = Write::new().submission_new("border", &[1; 257], &submission(1));
    assert!(matches!(store.commit(long), Err(StoreError::TooLong { .. })));
}

pub(crate) fn watches(store: &Store) {
    let watch_id = |number: u8| WatchId::generate(u64::from(number), [number; 32]);
    let watch = |number: u8, state| Watch {
        id: watch_id(number),
        name: format!("rule {number}"),
        made_by: "officer".into(),
        made_at: 1,
        changed_at: 1,
        state,
        rule: vec![1, 2, 3],
    };
    let (one, other) = (watch(1, WatchState::On), watch(2, WatchState::On));
    store.commit(Write::new().watch(&other).watch(&one)).unwrap();
    let off = watch(2, WatchState::Off);
    store.commit(Write::new().watch(&off)).unwrap();
    assert_eq!(store.watch_list().unwrap(), [one.clone(), off.clone()]);
    assert_eq!(store.watch_fetch(off.id).unwrap(), Some(off.clone()));
    let large = Watch { rule: vec![0; (64 << 10) + 1], ..one.clone() };
    let refused = store.commit(Write::new().watch(&large));
    assert!(matches!(refused, Err(StoreError::TooLong { .. })));

    let fit = |number: u8, at, alert| WatchFit {
        watch: watch_id(number),
        at,
        alert: key(1, alert),
        class: 1,
        mode: Mode::Exercise,
        rings: Rings::Rings,
    };
    let fits = [fit(1, 5, 1), fit(1, 5, 2), fit(1, 300, 1), fit(2, 7, 1)];
    store.commit(fits.iter().fold(Write::new(), Write::watch_fit)).unwrap();
    let scan = |number, since, after: Option<&WatchFit>, limit| {
        store.watch_fit_scan(watch_id(number), since, after, limit).unwrap()
    };
    assert_eq!(scan(1, 0, None, 9), fits[..3]);
    assert_eq!(scan(1, 5, None, 2), fits[..2]);
    assert_eq!(scan(1, 6, None, 9), fits[2..3]);
    assert_eq!(scan(1, 5, Some(&fits[0]), 9), fits[1..3]);
    assert_eq!(scan(1, 6, Some(&fits[0]), 9), fits[2..3], "since holds whatever came before");
    store.commit(Write::new().watch_fit_delete(&fits[0])).unwrap();
    assert_eq!(scan(1, 0, None, 9), fits[1..3]);
    store.commit(Write::new().watch_delete(one.id)).unwrap();
    assert_eq!((store.watch_list().unwrap(), scan(1, 0, None, 9)), (vec![off], vec![]));
    assert_eq!(scan(2, 0, None, 9), fits[3..]);

    let notice = |number: u8, attempts| Notice {
        id: NoticeId::generate(u64::from(number), [number; 32]),
        watch: watch_id(2),
        target: 1,
        alert: key(1, 1),
        class: 1,
        mode: Mode::Live,
        at: 5,
        due_at: 6,
        attempts,
    };
    store.commit(Write::new().notice(&notice(1, 0)).notice(&notice(2, 0))).unwrap();
    store.commit(Write::new().notice(&notice(2, 1))).unwrap();
    assert_eq!(store.notice_list(None, 9).unwrap(), [notice(1, 0), notice(2, 1)]);
    assert_eq!(store.notice_list(Some(notice(1, 0).id), 9).unwrap(), [notice(2, 1)]);
    store.commit(Write::new().notice_delete(notice(1, 0).id)).unwrap();
    assert_eq!(store.notice_list(None, 9).unwrap(), [notice(2, 1)]);
}
