//! Writes whose leaves are known before they are written.

use symbolon_audit::LogSeen;
use symbolon_store::{Foreseen, Foretold, Store, StoreError, Write};

use crate::entry;

const NAME: [u8; 32] = [9; 32];
/// Leaves of a tile.
const TILE: u64 = 256;

fn entries(store: &Store, from: u64, count: u64) -> Foreseen {
    let write = (from..from + count).fold(Write::new(), |write, number| write.log(entry(number)));
    store.foresee(write).unwrap()
}

fn behind(number: u64) -> Write {
    Write::new().log(entry(number))
}

/// Foresees writes that begin, end and cross where a tile does.
pub(crate) fn what_is_foreseen_comes_true(store: &Store) {
    assert_eq!(entries(store, 0, 0).head(), store.log_head().unwrap(), "nothing");
    for count in [1, TILE - 3, 1, 1, TILE, TILE + 1, TILE - 2, 2] {
        let from = store.log_size();
        let foreseen = entries(store, from, count);
        let LogSeen { size, root } = foreseen.head();
        assert_eq!(size, from + count);
        let indexes: Vec<_> = (0..count as usize).map(|one| foreseen.leaf_index(one)).collect();
        assert_eq!(foreseen.leaf_index(count as usize), None);
        assert_eq!(store.log_size(), from, "nothing is written");
        let both = store.commit_foreseen(foreseen, behind(size), "named").unwrap();
        let Foretold::Both(done, "named") = both else { panic!("nothing else was logged") };
        let placed: Vec<_> =
            done.receipts().iter().map(|receipt| Some(receipt.leaf_index)).collect();
        assert_eq!(placed, [indexes, vec![Some(size)]].concat());
        assert_eq!(done.last().unwrap().tree_size, size + 1);
        let reader = store.log_reader().unwrap();
        assert_eq!(symbolon_tlog::root_from(&reader, size).unwrap(), root, "{from} and {count}");
    }
}

pub(crate) fn what_does_not_come_true_is_not_written(store: &Store) {
    let kept = |text: &str| Write::new().setting("of a test", text.as_bytes());
    let setting = || store.setting_fetch("of a test").unwrap().unwrap().to_vec();
    let foreseen = store.foresee(kept("first").log_named(entry(1), NAME)).unwrap();
    store.log_append(entry(0)).unwrap();
    let Foretold::First(done) = store.commit_foreseen(foreseen, behind(2), ()).unwrap() else {
        panic!("the log has grown");
    };
    assert_eq!((done.receipts().len(), done.last().unwrap().leaf_index), (1, 1));
    assert_eq!((store.log_size(), setting()), (2, b"first".to_vec()));
    assert_eq!(store.log_receipt(&NAME).unwrap().unwrap().leaf_index, 1);
    // Behind the first, in that order.
    let foreseen = store.foresee(kept("first")).unwrap();
    let both = store.commit_foreseen(foreseen, kept("second").log(entry(2)), ()).unwrap();
    assert!(matches!(both, Foretold::Both(..)));
    assert_eq!((store.log_size(), setting()), (3, b"second".to_vec()));
    // What is refused for another reason is refused whole.
    let foreseen = store.foresee(Write::new().setting_new("of a test", b"new")).unwrap();
    let refused = store.commit_foreseen(foreseen, behind(3), ());
    assert!(matches!(refused, Err(StoreError::Conflict)));
    assert_eq!((store.log_size(), setting()), (3, b"second".to_vec()));
}
