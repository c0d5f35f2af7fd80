//! A log, its checkpoints, and witnesses that cosign them, from fixed seeds.

use symbolon_tlog::note::KeyName;
use symbolon_tlog::witness::{Durable, Head, Swap, authenticate};
use symbolon_tlog::{
    AddCheckpoint, Checkpoint, CheckpointSigner, CosignatureSigner, CosignatureType, LogVerifier,
    MemoryTree, SignedCheckpoint, consistency_proof, leaf_hash, root_from,
};

pub(crate) const ORIGIN: &str = "example.com/log";
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn log() -> CheckpointSigner {
    CheckpointSigner::from_seed(ORIGIN, &[7; 32]).unwrap()
}

pub(crate) fn log_verifier() -> LogVerifier {
    log().verifier().into()
}

/// Two histories that part at the fifth leaf.
pub(crate) fn tree(history: &str) -> MemoryTree {
    let leaf = |at: u32| match at {
        0..4 => leaf_hash(format!("leaf {at}")),
        _ => leaf_hash(format!("{history} {at}")),
    };
    (0..20).map(leaf).collect()
}

pub(crate) fn signed(history: &str, size: u64) -> SignedCheckpoint {
    let root = root_from(&tree(history), size).unwrap();
    log().sign(&Checkpoint::new(ORIGIN, size, root).unwrap()).unwrap()
}

pub(crate) fn request(old: u64, size: u64) -> AddCheckpoint {
    let proof = consistency_proof(&tree("a"), old, size).unwrap();
    AddCheckpoint::new(old, proof, &signed("a", size)).unwrap()
}

/// Evidence that a checkpoint is durable, from a store that says so.
pub(crate) fn durable(signed: &SignedCheckpoint, now: u64) -> Durable {
    let request = AddCheckpoint::new(0, Vec::new(), signed).unwrap();
    let accepted = authenticate(&request, &log_verifier()).unwrap().decide(Head::EMPTY).unwrap();
    let stored = accepted.make_durable(now, |_| Ok::<_, std::fmt::Error>(Swap::Stored));
    stored.unwrap().durable().unwrap()
}

pub(crate) fn witness(name: &str, kind: CosignatureType, seed: u8) -> CosignatureSigner {
    CosignatureSigner::from_seed(KeyName::parse(name).unwrap(), kind, &[seed; 32]).unwrap()
}

pub(crate) fn cosigned(
    signed: &SignedCheckpoint,
    witnesses: &[&CosignatureSigner],
) -> SignedCheckpoint {
    let durable = durable(signed, NOW);
    witnesses.iter().fold(signed.clone(), |note, witness| {
        note.with_signature(witness.cosign(&durable).unwrap()).unwrap()
    })
}
