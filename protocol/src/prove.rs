//! Asking a partner to open leaves of its own log that it has named to the asker.
//!
//! Implements spec/transport.md#prove.
//!
//! Invariant: what comes in is bounded, and has one opening for each leaf that can be asked for.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::Hash;

use crate::error::ProtocolError;
use crate::exchange::Request;
use crate::limits::{
    PROVE_BYTES_MAX, PROVE_LEAVES_MAX, PROVED_BYTES_MAX, PROVED_ENTRY_BYTES_MAX, PROVED_HASHES_MAX,
};
use crate::message::{Message, both_ways, bound};
use crate::serve::Served;

/// `prove`: open these leaves of your log, in the tree of a checkpoint that I hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Prove {
    size: u64,
    seen: u64,
    leaves: Vec<u64>,
}

impl Prove {
    /// `size` is that of the checkpoint, `seen` that of the newest tree of the log which the asker
    /// has seen, 0 for none; the leaves ascend and are in the tree of the checkpoint.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`] for more than [`PROVE_LEAVES_MAX`],
    /// [`ProtocolError::Field`] for none, or other leaves than these.
    pub fn new(size: u64, seen: u64, leaves: Vec<u64>) -> Result<Self, ProtocolError> {
        let request = Self { size, seen, leaves };
        request.validate()?;
        Ok(request)
    }

    /// Size of the tree in which the leaves are to be proved.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Size of the newest tree that the asker has seen.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// The leaves, one at least, ascending.
    #[must_use]
    pub fn leaves(&self) -> &[u64] {
        &self.leaves
    }
}

/// One leaf, opened.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct OpenedLeaf {
    #[serde(with = "serde_bytes")]
    logged: Vec<u8>,
    proof: Vec<Hash>,
}

impl OpenedLeaf {
    /// The entry with its salt, as `audit::Logged` encodes them, and the inclusion proof.
    #[must_use]
    pub const fn new(logged: Vec<u8>, proof: Vec<Hash>) -> Self {
        Self { logged, proof }
    }

    /// Salt and entry, of which nothing has been verified.
    #[must_use]
    pub fn logged(&self) -> &[u8] {
        &self.logged
    }

    /// The inclusion proof, the leaf's sibling first.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }
}

/// `proved`: every leaf that was asked for, in that order.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Proved {
    consistency: Vec<Hash>,
    openings: Vec<OpenedLeaf>,
}

impl Proved {
    /// `consistency` leads from the smaller of the two trees that the request names to the other;
    /// it is empty where they are the same or the asker has seen none.
    ///
    /// # Errors
    /// [`ProtocolError::FieldTooLong`], or [`ProtocolError::Field`] for no leaf.
    pub fn new(consistency: Vec<Hash>, openings: Vec<OpenedLeaf>) -> Result<Self, ProtocolError> {
        let answer = Self { consistency, openings };
        answer.validate()?;
        Ok(answer)
    }

    /// The consistency proof.
    #[must_use]
    pub fn consistency(&self) -> &[Hash] {
        &self.consistency
    }

    /// The leaves.
    #[must_use]
    pub fn openings(&self) -> &[OpenedLeaf] {
        &self.openings
    }
}

impl std::fmt::Debug for OpenedLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedLeaf({} hashes)", self.proof.len())
    }
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proved({} leaves)", self.openings.len())
    }
}

both_ways!(Prove);

impl Message for Prove {
    const TYPE: u8 = 30;
    const NAME: &'static str = "prove";
    const BYTES_MAX: usize = PROVE_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.leaves.len(), PROVE_LEAVES_MAX, "leaves")?;
        let is_inside = self.leaves.last().is_some_and(|last| *last < self.size);
        if !is_inside || !self.leaves.is_sorted_by(|one, next| one < next) {
            return Err(ProtocolError::Field { field: "leaves" });
        }
        Ok(())
    }
}

impl Request for Prove {
    type Response = Proved;
}

impl Served for Prove {
    type Answer = Proved;
}

both_ways!(Proved);

impl Message for Proved {
    const TYPE: u8 = 31;
    const NAME: &'static str = "proved";
    const BYTES_MAX: usize = PROVED_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.consistency.len(), PROVED_HASHES_MAX, "consistency")?;
        bound(self.openings.len(), PROVE_LEAVES_MAX, "openings")?;
        if self.openings.is_empty() {
            return Err(ProtocolError::Field { field: "openings" });
        }
        for opening in &self.openings {
            bound(opening.logged.len(), PROVED_ENTRY_BYTES_MAX, "logged")?;
            bound(opening.proof.len(), PROVED_HASHES_MAX, "proof")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{decode, encode};

    #[test]
    fn a_request_names_leaves_of_its_tree_once_and_in_order() {
        let made = Prove::new(9, 4, vec![0, 3, 8]).unwrap();
        let decoded: Prove = decode(&encode(&made)[4..]).unwrap();
        assert_eq!((decoded.size(), decoded.seen(), decoded.leaves()), (9, 4, &[0, 3, 8][..]));
        for leaves in [vec![], vec![3, 3], vec![3, 0], vec![9], vec![0, u64::MAX]] {
            assert!(Prove::new(9, 0, leaves).is_err());
        }
        let most: Vec<u64> = (0..PROVE_LEAVES_MAX as u64).map(|leaf| u64::MAX / 2 + leaf).collect();
        let largest = encode(&Prove::new(u64::MAX, u64::MAX, most.clone()).unwrap());
        assert!(decode::<Prove>(&largest[4..]).is_ok(), "the largest fits its limit");
        assert!(Prove::new(u64::MAX, 0, [most, vec![u64::MAX - 1]].concat()).is_err());
    }

    #[test]
    fn the_largest_answer_fits_its_limit() {
        let hashes = vec![Hash([0xff; 32]); PROVED_HASHES_MAX];
        let leaf = OpenedLeaf::new(vec![0xff; PROVED_ENTRY_BYTES_MAX], hashes.clone());
        let leaves = |count: usize| vec![leaf.clone(); count];
        let largest = Proved::new(hashes.clone(), leaves(PROVE_LEAVES_MAX)).unwrap();
        assert_eq!(decode::<Proved>(&encode(&largest)[4..]).unwrap(), largest);
        assert!(Proved::new(hashes.clone(), leaves(PROVE_LEAVES_MAX + 1)).is_err());
        assert!(Proved::new(hashes.clone(), Vec::new()).is_err());
        let long = OpenedLeaf::new(vec![0; PROVED_ENTRY_BYTES_MAX + 1], Vec::new());
        let many = OpenedLeaf::new(Vec::new(), [hashes, vec![Hash([0; 32])]].concat());
        for opening in [long, many] {
            assert!(Proved::new(Vec::new(), vec![opening]).is_err());
        }
    }
}
