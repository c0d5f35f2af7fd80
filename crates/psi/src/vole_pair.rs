//! Both sides of a vector correlation in one thread: honest runs, and runs with a cheating side.

use crate::PsiError;
use crate::vole::{ReceiverPart, SenderPart};
use crate::vole_layout::{CHALLENGE_BYTES, PROOF_BYTES, Setting};
use crate::vole_receiver::{ExpectOffer, ExpectProof, ExpectTrees};
use crate::vole_sender::{ExpectChallenge, ExpectSetup, SenderReady};

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
        && entries.all(|((a, c), b)| *c == (*a * *sender.delta) ^ *b)
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

/// One honest run, with each state and each message as it was sent.
struct Run {
    setting: Setting,
    offered: ExpectSetup,
    offer: Vec<u8>,
    awaiting_trees: ExpectTrees,
    setup: Vec<u8>,
    awaiting_challenge: ExpectChallenge,
    trees: Vec<u8>,
    awaiting_proof: ExpectProof,
    challenge: Vec<u8>,
    ready: SenderReady,
    proof: Vec<u8>,
}

impl Run {
    fn new(length: usize) -> Self {
        let setting = Setting::new([9; 32], length, 1).unwrap();
        let (offered, offer) = ExpectSetup::begin(setting, [4; 32]);
        let receiver = ExpectOffer::begin(setting, [5; 32]);
        let (awaiting_trees, setup) = receiver.handle_offer(&offer).unwrap();
        let (awaiting_challenge, trees) = offered.clone().handle_setup(&setup).unwrap();
        let (awaiting_proof, challenge) = awaiting_trees.clone().handle_trees(&trees).unwrap();
        let (ready, proof) = awaiting_challenge.clone().handle_challenge(&challenge).unwrap();
        Self {
            setting,
            offered,
            offer,
            awaiting_trees,
            setup,
            awaiting_challenge,
            trees,
            awaiting_proof,
            challenge,
            ready,
            proof,
        }
    }

    /// The run with one message replaced; everything after it follows the protocol.
    fn with(&self, step: usize, message: &[u8]) -> Result<(SenderPart, ReceiverPart), PsiError> {
        let (mut trees_state, mut setup) = (self.awaiting_trees.clone(), self.setup.clone());
        if step == 0 {
            let receiver = ExpectOffer::begin(self.setting, [5; 32]);
            (trees_state, setup) = receiver.handle_offer(message)?;
        }
        if step == 1 {
            setup = message.to_vec();
        }
        let (mut sender, mut trees) = (self.awaiting_challenge.clone(), self.trees.clone());
        if step <= 1 {
            (sender, trees) = self.offered.clone().handle_setup(&setup)?;
        }
        if step == 2 {
            trees = message.to_vec();
        }
        let (mut receiver, mut challenge) = (self.awaiting_proof.clone(), self.challenge.clone());
        if step <= 2 {
            (receiver, challenge) = trees_state.handle_trees(&trees)?;
        }
        if step == 3 {
            challenge = message.to_vec();
        }
        let (mut ready, mut proof) = (self.ready.clone(), self.proof.clone());
        if step <= 3 {
            (ready, proof) = sender.handle_challenge(&challenge)?;
        }
        if step == 4 {
            proof = message.to_vec();
        }
        receiver = receiver.encode()?;
        Ok((ready.encode()?, receiver.handle_proof(&proof)?))
    }

    fn message(&self, step: usize) -> &[u8] {
        match step {
            0 => &self.offer,
            1 => &self.setup,
            2 => &self.trees,
            3 => &self.challenge,
            _ => &self.proof,
        }
    }
}

/// A number below `bound`, without pattern.
fn draw(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    ((*state >> 33) as usize * bound) >> 31
}

/// spec/psi.md#correlation-proof: every message is under the hash of the proof, so no altered one
/// gets through to vectors.
#[test]
fn a_thousand_runs_with_one_flipped_bit_are_all_caught() {
    let run = Run::new(40);
    let (sender, receiver) = run.with(5, &[]).unwrap();
    assert!(correlated(&sender, &receiver));
    let mut state = 1;
    for number in 0..1000 {
        let step = number % 5;
        let mut message = run.message(step).to_vec();
        let place = draw(&mut state, 8 * message.len());
        message[place / 8] ^= 1 << (place % 8);
        let result = run.with(step, &message);
        let error = result.err().unwrap_or_else(|| panic!("bit {place} of message {step}"));
        assert!(matches!(error, PsiError::CheckFailed | PsiError::Malformed), "{error}");
    }
}

/// A sender that stands by a wrong tree message is caught where the receiver needed the altered
/// part. Where it did not, the vectors are those of an honest run; the sender learned one bit of
/// one noisy place, and was as likely to be caught.
#[test]
fn a_sender_that_cheats_in_its_trees_is_caught_or_does_no_harm() {
    let run = Run::new(40);
    let layout = run.setting.layout;
    let (mut caught, mut harmless, mut state) = (0, 0, 2);
    for _ in 0..300 {
        let mut trees = run.trees.clone();
        let place = draw(&mut state, 8 * trees.len());
        trees[place / 8] ^= 1 << (place % 8);
        let mut sender = run.awaiting_challenge.clone();
        sender.stand_by(run.awaiting_trees.transcript_after(&trees));
        let (receiver, challenge) = run.awaiting_trees.clone().handle_trees(&trees).unwrap();
        let (ready, proof) = sender.handle_challenge(&challenge).unwrap();
        match receiver.handle_proof(&proof) {
            Ok(receiver) => {
                assert!(correlated(&ready.encode().unwrap(), &receiver));
                harmless += 1;
                // A correction is always needed.
                assert!(place / 8 % layout.tree_bytes() < layout.tree_bytes() - 16);
            }
            Err(error) => {
                assert_eq!(error, PsiError::CheckFailed);
                caught += 1;
            }
        }
    }
    assert!(caught > 100 && harmless > 100, "{caught} and {harmless}");
}

/// A receiver that answers its own challenge wrongly gets a hash that it cannot check: it stops.
#[test]
fn a_wrong_masked_sum_is_caught() {
    let run = Run::new(40);
    let mut challenge = run.challenge.clone();
    *challenge.last_mut().unwrap() ^= 0x40;
    let (_, proof) = run.awaiting_challenge.clone().handle_challenge(&challenge).unwrap();
    assert_eq!(run.awaiting_proof.handle_proof(&proof).err(), Some(PsiError::CheckFailed));
}

/// A message for another length, session or position is refused, not misread.
#[test]
fn foreign_messages_are_refused() {
    let run = Run::new(40);
    for step in 0..5 {
        for other in (0..5).filter(|other| *other != step) {
            assert!(run.with(step, run.message(other)).is_err(), "{other} in place of {step}");
        }
        let message = run.message(step);
        assert!(run.with(step, &message[1..]).is_err());
        assert!(run.with(step, &[message, &[0]].concat()).is_err());
    }
    let setting = Setting::new([10; 32], 40, 1).unwrap();
    let receiver = ExpectOffer::begin(setting, [5; 32]);
    let (_, setup) = receiver.handle_offer(&run.offer).unwrap();
    assert_eq!(run.with(1, &setup).err(), Some(PsiError::CheckFailed));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    /// No bytes of any length make a step panic or allocate by what they say.
    #[test]
    fn arbitrary_messages_are_refused(
        step in 0usize..5,
        message in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..9000),
    ) {
        static RUN: std::sync::LazyLock<Run> = std::sync::LazyLock::new(|| Run::new(8));
        let mut exact = message.clone();
        exact.resize(RUN.message(step).len(), 0x5a);
        proptest::prop_assert!(RUN.with(step, &message).is_err());
        proptest::prop_assert!(RUN.with(step, &exact).is_err());
    }
}
