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

#[test]
#[ignore]
fn speed_of_stages() {
    fn cpu() -> f64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
    }
    let m: usize = std::env::var("M").map_or(1_363_149, |m| m.parse().unwrap());
    let workers = std::env::var("W").map_or(1, |m| m.parse().unwrap());
    for _ in 0..5 {
        let mut t = cpu();
        let mut lap = |name: &str| {
            print!("{name} {:.1}  ", cpu() - t);
            t = cpu();
        };
        let setting = Setting::new([3; 32], m, workers).unwrap();
        let (sender, offer) = ExpectSetup::begin(setting, [1; 32]);
        lap("offer");
        let receiver = ExpectOffer::begin(setting, [2; 32]);
        let (receiver, setup) = receiver.handle_offer(&offer).unwrap();
        lap("setup");
        let (sender, trees) = sender.handle_setup(&setup).unwrap();
        lap("s-trees");
        let (receiver, challenge) = receiver.handle_trees(&trees).unwrap();
        lap("r-trees");
        let (sender, proof) = sender.handle_challenge(&challenge).unwrap();
        lap("check");
        let receiver = receiver.encode().unwrap();
        lap("r-encode");
        let r = receiver.handle_proof(&proof).unwrap();
        let s = sender.encode().unwrap();
        lap("s-encode");
        drop(r);
        drop(s);
        lap("drop");
        println!(
            " bytes {}",
            offer.len() + setup.len() + trees.len() + challenge.len() + proof.len()
        );
    }
}

#[test]
#[ignore]
fn speed_of_code() {
    use crate::code::*;
    fn cpu() -> f64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
    }
    let m: usize = std::env::var("M").map_or(1_363_149, |m| m.parse().unwrap());
    let code = Code::new([1; 32]);
    let mut blocks = vec![Block(1); 2 * m];
    let mut a = vec![Block(1); m];
    for _ in 0..4 {
        let mut t = cpu();
        let mut lap = |name: &str| {
            print!("{name} {:.1}  ", cpu() - t);
            t = cpu();
        };
        code.convolve(&mut blocks);
        lap("conv1");
        code.expand(&blocks, &mut a, 1).unwrap();
        lap("exp1");
        println!();
    }
}
