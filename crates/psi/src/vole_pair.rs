//! Both sides of a vector correlation in one thread: honest runs, and runs with a cheating side.

use crate::PsiError;
use crate::field::Block;
use crate::vole::{ReceiverPart, SenderPart};
use crate::vole_layout::{CHALLENGE_BYTES, PROOF_BYTES, Setting};
use crate::vole_receiver::ExpectOffer;
use crate::vole_sender::ExpectSetup;

/// Both ends of one run. `alter(step, message)` may change what travels.
fn run(
    length: usize,
    workers: usize,
    mut alter: impl FnMut(usize, &mut Vec<u8>),
) -> Result<(SenderPart, ReceiverPart), PsiError> {
    let setting = Setting::new([3; 32], length, workers)?;
    let (sender, mut offer) = ExpectSetup::begin(setting, [1; 32]);
    let receiver = ExpectOffer::begin(setting, [2; 32]);
    alter(0, &mut offer);
    let (receiver, mut setup) = receiver.handle_offer(&offer)?;
    assert_eq!(setup.len(), setting.layout.setup_bytes());
    alter(1, &mut setup);
    let (sender, mut trees) = sender.handle_setup(&setup)?;
    assert_eq!(trees.len(), setting.layout.trees_bytes());
    alter(2, &mut trees);
    let (receiver, mut challenge) = receiver.handle_trees(&trees)?;
    assert_eq!(challenge.len(), CHALLENGE_BYTES);
    alter(3, &mut challenge);
    let (sender, mut proof) = sender.handle_challenge(&challenge)?;
    assert_eq!(proof.len(), PROOF_BYTES);
    alter(4, &mut proof);
    let receiver = receiver.encode()?.handle_proof(&proof)?;
    Ok((sender.encode()?, receiver))
}

/// `C = A'·Δ + B` at every index.
fn correlated(sender: &SenderPart, receiver: &ReceiverPart) -> bool {
    let (a, c, b) = (&receiver.masks, &receiver.shares, &sender.shares);
    let mut entries = a.iter().zip(c.iter()).zip(b.iter());
    a.len() == b.len()
        && a.len() == c.len()
        && entries.all(|((a, c), b)| *c == *a * *sender.delta ^ *b)
}

#[test]
fn the_vectors_are_correlated_at_every_index() {
    for (length, workers) in [(1, 1), (100, 2), (4000, 1), (10_001, 3), (65_536, 2)] {
        let (sender, receiver) = run(length, workers, |_, _| ()).unwrap();
        assert_eq!(receiver.masks.len(), length);
        assert!(correlated(&sender, &receiver), "{length} entries");
        let distinct: std::collections::HashSet<u128> =
            receiver.masks.iter().map(|a| a.0).collect();
        assert!(distinct.len() == length);
    }
}
