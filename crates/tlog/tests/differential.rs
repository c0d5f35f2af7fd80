//! Every root, inclusion proof and consistency proof to 512 leaves against the crate `ct-merkle`,
//! and every way to spoil a proof.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use symbolon_tlog::{
    EMPTY_ROOT, Hash, MemoryTree, TlogError, consistency_proof, inclusion_proof, leaf_hash,
    root_from, verify_consistency, verify_inclusion,
};

const LEAVES_MAX: u64 = 512;

fn leaf(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn agrees_with_ct_merkle() {
    let mut oracle = MemoryBackedTree::<Sha256, [u8; 8]>::new();
    let tree: MemoryTree = (0..LEAVES_MAX).map(|index| leaf_hash(leaf(index))).collect();
    let mut roots = vec![EMPTY_ROOT];
    for size in 1..=LEAVES_MAX {
        oracle.push(leaf(size - 1));
        let root = root_from(&tree, size).unwrap();
        assert_eq!(root.0.as_slice(), oracle.root().as_bytes().as_slice(), "root of {size}");
        roots.push(root);
        for index in 0..size {
            let proof = inclusion_proof(&tree, index, size).unwrap();
            let expect = oracle.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(bytes(&proof), expect.as_bytes(), "leaf {index} of {size}");
            let leaf = leaf_hash(leaf(index));
            let included = verify_inclusion(leaf, index, size, &proof, root).unwrap();
            assert_eq!((included.leaf(), included.index()), (leaf, index));
            assert_eq!((included.size(), included.root()), (size, root));
        }
        for old in 1..=size {
            let proof = consistency_proof(&tree, old, size).unwrap();
            let expect = oracle.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(bytes(&proof), expect.as_bytes(), "{old} to {size}");
            let old_root = roots[usize::try_from(old).unwrap()];
            let consistent = verify_consistency(old, old_root, size, root, &proof).unwrap();
            assert_eq!((consistent.older(), consistent.newer()), ((old, old_root), (size, root)));
        }
    }
}

#[test]
fn a_spoiled_inclusion_proof_is_refused() {
    let tree: MemoryTree = (0..40).map(|index| leaf_hash(leaf(index))).collect();
    let other = leaf_hash("other");
    for size in 1..=40 {
        let root = root_from(&tree, size).unwrap();
        for index in 0..size {
            let leaf = leaf_hash(leaf(index));
            let proof = inclusion_proof(&tree, index, size).unwrap();
            let verify = |leaf, index, size, proof: &[Hash], root| {
                verify_inclusion(leaf, index, size, proof, root).map(|_| ())
            };
            assert_eq!(verify(other, index, size, &proof, root), Err(TlogError::ProofMismatch));
            assert_eq!(verify(leaf, index, size, &proof, other), Err(TlogError::ProofMismatch));
            for wrong in (0..size).filter(|wrong| *wrong != index) {
                assert!(verify(leaf, wrong, size, &proof, root).is_err(), "{index} as {wrong}");
            }
            for position in 0..proof.len() {
                let mut spoiled = proof.clone();
                spoiled[position] = other;
                assert_eq!(
                    verify(leaf, index, size, &spoiled, root),
                    Err(TlogError::ProofMismatch)
                );
                spoiled.remove(position);
                assert!(verify(leaf, index, size, &spoiled, root).is_err());
            }
            let longer = [proof.as_slice(), &[other]].concat();
            assert_eq!(verify(leaf, index, size, &longer, root), Err(TlogError::ProofLength));
            assert_eq!(verify(leaf, size, size, &proof, root), Err(TlogError::BeyondTree));
        }
    }
}

#[test]
fn a_spoiled_consistency_proof_is_refused() {
    let tree: MemoryTree = (0..40).map(|index| leaf_hash(leaf(index))).collect();
    let other = leaf_hash("other");
    let verify = |old, old_root, new, new_root, proof: &[Hash]| {
        verify_consistency(old, old_root, new, new_root, proof).map(|_| ())
    };
    for new in 1..=40 {
        let new_root = root_from(&tree, new).unwrap();
        for old in 1..=new {
            let old_root = root_from(&tree, old).unwrap();
            let proof = consistency_proof(&tree, old, new).unwrap();
            for position in 0..proof.len() {
                let mut spoiled = proof.clone();
                spoiled[position] = other;
                let refused = verify(old, old_root, new, new_root, &spoiled);
                assert_eq!(refused, Err(TlogError::ProofMismatch), "{old} to {new}, {position}");
                spoiled.remove(position);
                assert!(verify(old, old_root, new, new_root, &spoiled).is_err());
            }
            let longer = [proof.as_slice(), &[other]].concat();
            let refused = verify(old, old_root, new, new_root, &longer);
            assert_eq!(refused, Err(TlogError::ProofLength), "{old} to {new}");
            assert!(verify(old, other, new, new_root, &proof).is_err());
            assert!(verify(old, old_root, new, other, &proof).is_err());
        }
    }
}

#[test]
fn edges_of_consistency() {
    let (root, other) = (leaf_hash("a"), leaf_hash("other"));
    let cases = [
        ("from nothing", (0, EMPTY_ROOT, 1, root, vec![]), Ok(())),
        ("nothing to nothing", (0, EMPTY_ROOT, 0, EMPTY_ROOT, vec![]), Ok(())),
        ("same tree", (1, root, 1, root, vec![]), Ok(())),
        ("same size, other root", (1, root, 1, other, vec![]), Err(TlogError::ProofMismatch)),
        ("false empty root", (0, other, 1, root, vec![]), Err(TlogError::ProofMismatch)),
        ("proof from nothing", (0, EMPTY_ROOT, 1, root, vec![root]), Err(TlogError::ProofLength)),
        ("proof of the same", (1, root, 1, root, vec![root]), Err(TlogError::ProofLength)),
        ("no proof", (3, root, 4, other, vec![]), Err(TlogError::ProofLength)),
        ("shrunk", (2, root, 1, root, vec![]), Err(TlogError::TreeShrank)),
        ("beyond", (1, root, u64::MAX, other, vec![]), Err(TlogError::BeyondTree)),
    ];
    for (rule, (old, old_root, new, new_root, proof), expect) in cases {
        let verdict = verify_consistency(old, old_root, new, new_root, &proof).map(|_| ());
        assert_eq!(verdict, expect, "{rule}");
    }
    let tree = MemoryTree::new();
    assert_eq!(consistency_proof(&tree, 0, 7), Ok(Vec::new()));
    assert_eq!(consistency_proof(&tree, 2, 1), Err(TlogError::TreeShrank));
    assert_eq!(inclusion_proof(&tree, 0, 0), Err(TlogError::BeyondTree));
    assert_eq!(inclusion_proof(&tree, 0, u64::MAX), Err(TlogError::BeyondTree));
}
