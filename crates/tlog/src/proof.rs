//! Inclusion and consistency proofs: made from a reader, verified without one.
//!
//! Implements spec/log.md#proofs (RFC 6962 §2.1.1 and §2.1.2; verified as in RFC 9162 §2.1.3.2 and
//! §2.1.4.2).
//!
//! Invariant: [`Included`] and [`Consistent`] exist only where a proof was verified.

use crate::TlogError;
use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::limits::TREE_LEAVES_MAX;
use crate::reader::{HashReader, range_root};

/// Evidence that a leaf is in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Included {
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
}

impl Included {
    /// Hash of the leaf.
    #[must_use]
    pub const fn leaf(&self) -> Hash {
        self.leaf
    }

    /// Index of the leaf.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Size of the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }
}

/// Evidence that one tree is a prefix of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Consistent {
    old: (u64, Hash),
    new: (u64, Hash),
}

impl Consistent {
    /// Size and root of the older tree.
    #[must_use]
    pub const fn older(&self) -> (u64, Hash) {
        self.old
    }

    /// Size and root of the newer tree.
    #[must_use]
    pub const fn newer(&self) -> (u64, Hash) {
        self.new
    }
}

/// Proof that the leaf at `index` is in the tree of the first `size` leaves: `PATH(m, D[n])`,
/// the leaf's sibling first.
///
/// # Errors
/// [`TlogError::BeyondTree`] if there is no such leaf or no such tree, or the reader's error.
pub fn inclusion_proof(
    reader: &impl HashReader,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, TlogError> {
    if index >= size || size > TREE_LEAVES_MAX {
        return Err(TlogError::BeyondTree);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + left_leaves(end - start);
        if index < middle {
            proof.push(range_root(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(reader, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the tree of the first `old` leaves is a prefix of that of the first `new`:
/// `PROOF(m, D[n])`. It is empty if `old` is 0 or equal to `new`.
///
/// # Errors
/// [`TlogError::TreeShrank`] if `old` is larger than `new`, [`TlogError::BeyondTree`] if there is
/// no such tree, or the reader's error.
pub fn consistency_proof(
    reader: &impl HashReader,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, TlogError> {
    check_sizes(old, new)?;
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    // Whether the subtree in hand is one whose root the verifier already has.
    let mut known = true;
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + left_leaves(end - start);
        if old <= middle {
            proof.push(range_root(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(reader, start, middle)?);
            start = middle;
            known = false;
        }
    }
    if !known {
        proof.push(range_root(reader, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that `leaf` is at `index` in the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`TlogError::BeyondTree`], [`TlogError::ProofLength`] or [`TlogError::ProofMismatch`].
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<Included, TlogError> {
    if index >= size || size > TREE_LEAVES_MAX {
        return Err(TlogError::BeyondTree);
    }
    // RFC 9162 §2.1.3.2, its names.
    let (mut fnode, mut snode, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if snode == 0 {
            return Err(TlogError::ProofLength);
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            if fnode & 1 == 0 {
                let shift = fnode.trailing_zeros().min(63);
                (fnode, snode) = (fnode >> shift, snode >> shift);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    if snode != 0 {
        return Err(TlogError::ProofLength);
    }
    if hash != root {
        return Err(TlogError::ProofMismatch);
    }
    Ok(Included { leaf, index, size, root })
}

/// Verifies that the tree (`old`, `old_root`) is a prefix of the tree (`new`, `new_root`).
///
/// From the empty tree everything follows, by an empty proof.
///
/// # Errors
/// [`TlogError::TreeShrank`], [`TlogError::BeyondTree`], [`TlogError::ProofLength`] or
/// [`TlogError::ProofMismatch`].
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<Consistent, TlogError> {
    check_sizes(old, new)?;
    let consistent = Consistent { old: (old, old_root), new: (new, new_root) };
    if (old == 0 && old_root != EMPTY_ROOT) || (new == 0 && new_root != EMPTY_ROOT) {
        return Err(TlogError::ProofMismatch);
    }
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(TlogError::ProofLength);
        }
        let same = old == 0 || old_root == new_root;
        return if same { Ok(consistent) } else { Err(TlogError::ProofMismatch) };
    }
    let (old_hash, new_hash) = walk_consistency(old, old_root, new, proof)?;
    if old_hash == old_root && new_hash == new_root {
        Ok(consistent)
    } else {
        Err(TlogError::ProofMismatch)
    }
}

/// The root of the first `old` leaves of the tree (`new`, `new_root`) as a proof that was meant for
/// the other root `old_root` gives it away, if it leads to `new_root`.
///
/// Whoever finds no collisions makes no such proof but from that tree, so the root is its own.
pub(crate) fn prefix_root(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Option<Hash> {
    if old == new {
        return proof.is_empty().then_some(new_root);
    }
    if old == 0 || old > new || new > TREE_LEAVES_MAX {
        return None;
    }
    let (old_hash, new_hash) = walk_consistency(old, old_root, new, proof).ok()?;
    (new_hash == new_root).then_some(old_hash)
}

/// The roots of both trees as the proof has them (RFC 9162 §2.1.4.2), for 0 < `old` < `new`.
fn walk_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    proof: &[Hash],
) -> Result<(Hash, Hash), TlogError> {
    // "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
    let (seed, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(TlogError::ProofLength)?;
        (*first, rest)
    };
    let shift = (old - 1).trailing_ones();
    let (mut fnode, mut snode) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (seed, seed);
    for sibling in rest {
        if snode == 0 {
            return Err(TlogError::ProofLength);
        }
        if fnode & 1 == 1 || fnode == snode {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            if fnode & 1 == 0 {
                let shift = fnode.trailing_zeros().min(63);
                (fnode, snode) = (fnode >> shift, snode >> shift);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    if snode == 0 { Ok((old_hash, new_hash)) } else { Err(TlogError::ProofLength) }
}

fn check_sizes(old: u64, new: u64) -> Result<(), TlogError> {
    if new > TREE_LEAVES_MAX {
        return Err(TlogError::BeyondTree);
    }
    if old > new { Err(TlogError::TreeShrank) } else { Ok(()) }
}

/// "k be the largest power of two smaller than n", for n > 1.
const fn left_leaves(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
