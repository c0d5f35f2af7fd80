//! What lies in the store for other nodes. A case of the conformance suite.

use symbolon_store::{RelayParcel, RelayRoom, RelaySide, RelayUsage, Store, StoreError, Write};
use symbolon_trust::NodeId;

use crate::partner_id;

const fn room(count: u64, bytes: u64) -> RelayUsage {
    RelayUsage { count, bytes }
}

pub(crate) const ROOM: RelayRoom = RelayRoom { recipient: room(100, 100), sender: room(80, 120) };

fn node(byte: u8) -> NodeId {
    NodeId::from_bytes([byte; 32])
}

/// Envelopes by when they are void and their bytes.
pub(crate) fn parcel(sender: u8, recipient: NodeId, envelopes: &[(u64, &[u8])]) -> RelayParcel {
    let envelopes = envelopes.iter().map(|(expires, bytes)| (*expires, bytes.to_vec()));
    let (sender, left_at) = (node(sender), 10);
    RelayParcel { recipient, sender, left_at, envelopes: envelopes.collect() }
}

pub(crate) fn relays(store: &Store) {
    let (one, other) = (partner_id(), node(9));
    let put = |parcel: RelayParcel| store.commit(Write::new().relay_put(parcel, ROOM));
    let usage = |side, node: &NodeId| {
        let usage = store.relay_usage(side, node).unwrap();
        (usage.count, usage.bytes)
    };
    let lying = |node: &NodeId| usage(RelaySide::Recipient, node);
    let left = |byte: u8| usage(RelaySide::Sender, &node(byte));
    let positions = |after, bytes_max, count_max| {
        let entries = store.relay_scan(&one, after, bytes_max, count_max).unwrap();
        entries.iter().map(|entry| entry.position).collect::<Vec<_>>()
    };
    assert_eq!((lying(&one), left(1), positions(0, 99, 9)), ((0, 0), (0, 0), vec![]));
    put(parcel(1, one, &[(50, &[1; 20]), (40, &[2; 30])])).unwrap();
    put(parcel(2, one, &[(60, &[3; 40])])).unwrap();
    put(parcel(1, other, &[(45, &[4; 5])])).unwrap();
    assert_eq!((lying(&one), lying(&other)), ((3, 90), (1, 5)));
    assert_eq!((left(1), left(2)), ((3, 55), (1, 40)));

    // Neither a recipient's nor a sender's room is passed, by count or by bytes, not even by one.
    let full = put(parcel(2, one, &[(60, &[5; 11])]));
    assert!(matches!(full, Err(StoreError::Exhausted { remaining: 10 })));
    let full = put(parcel(1, other, &[(60, &[5; 66])]));
    assert!(matches!(full, Err(StoreError::Exhausted { remaining: 65 })));
    let many = vec![(60, [].as_slice()); 78];
    assert!(matches!(put(parcel(1, other, &many)), Err(StoreError::Exhausted { .. })));
    assert_eq!((lying(&one), lying(&other), left(1)), ((3, 90), (1, 5), (3, 55)));

    let entries = store.relay_scan(&one, 1, 1_000, 9).unwrap();
    let first = &entries[0];
    assert_eq!((first.position, first.left_at, first.expires, first.sender), (2, 10, 40, node(1)));
    assert_eq!((&entries[0].envelope, &entries[1].envelope), (&vec![2; 30], &vec![3; 40]));
    assert_eq!((positions(0, 50, 9), positions(0, 1_000, 1)), (vec![1, 2], vec![1]));
    assert_eq!(positions(0, 1, 9), [1], "one at least");

    // What is void goes, wherever it stands; its room is there again.
    assert_eq!(store.relay_purge(39).unwrap(), 0);
    assert_eq!(store.relay_purge(45).unwrap(), 2);
    assert_eq!((lying(&one), lying(&other), left(1)), ((2, 60), (0, 0), (1, 20)));
    assert_eq!(positions(0, 1_000, 9), [1, 3]);

    store.commit(Write::new().relay_delete_until(&one, 2)).unwrap();
    assert_eq!((lying(&one), positions(0, 1_000, 9)), ((1, 40), vec![3]));
    assert_eq!((left(1), left(2)), ((0, 0), (1, 40)));
    store.commit(Write::new().relay_delete_until(&one, 1_000)).unwrap();
    assert_eq!((lying(&one), left(2)), ((0, 0), (0, 0)));
    put(parcel(1, one, &[(70, &[6; 7])])).unwrap();
    assert_eq!(positions(0, 1_000, 9), [4], "a position is given once");

    // More than one page.
    for _ in 0..5 {
        put(parcel(2, other, &[(80, [1].as_slice()); 10])).unwrap();
    }
    assert_eq!(store.relay_scan(&other, 0, 1_000, 64).unwrap().len(), 50);
    store.commit(Write::new().relay_delete_until(&other, 46)).unwrap();
    assert_eq!((lying(&other), left(2)), ((5, 5), (5, 5)));
    assert_eq!(store.relay_purge(80).unwrap(), 6);
    assert_eq!((lying(&one), lying(&other), left(1), left(2)), ((0, 0), (0, 0), (0, 0), (0, 0)));
}
