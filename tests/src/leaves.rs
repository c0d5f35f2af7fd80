//! A partner is asked to open a leaf of its log, and does; no product code.
//!
//! Implements `proofs` of spec/vectors/symbolon.

use serde_json::{Value, json};
use symbolon_audit::{Entry, Logged, Who};
use symbolon_protocol::{OpenedLeaf, Prove, Proved, encode};
use symbolon_tlog::{HashReader, consistency_proof, inclusion_proof, leaf_hash, root_from};

use crate::entries::deleted;
use crate::sample::{self, NOW, SEED};

/// The asker knows the log up to a size, and asks for one leaf behind it in a tree that is larger
/// still.
pub(crate) fn vector() -> Value {
    let mut log = sample::grown().log;
    let seen = log.frontier().size();
    let logged = Logged::new(Entry::deleted(Who { now: NOW, actor: "node" }, deleted()), SEED);
    let other = |number: u8| leaf_hash([number; 32]);
    let leaf = seen + 2;
    let behind = [other(90), other(91), logged.leaf().leaf_hash(), other(92), other(93)];
    for hash in behind {
        log.append(hash).unwrap();
    }
    let size = log.frontier().size();
    let prove = Prove::new(size, seen, vec![leaf]).unwrap();
    let opened =
        OpenedLeaf::new(logged.encode().to_vec(), inclusion_proof(&log, leaf, size).unwrap());
    let consistency = consistency_proof(&log, seen, size).unwrap();
    let proved = Proved::new(consistency, vec![opened]).unwrap();
    json!({
        "seen": head(&log, seen),
        "checkpoint": head(&log, size),
        "leaf": leaf,
        "leaf_hash": hex::encode(logged.leaf().leaf_hash().as_bytes()),
        "salt": hex::encode(SEED),
        "prove": hex::encode(encode(&prove)),
        "proved": hex::encode(encode(&proved)),
    })
}

fn head(log: &impl HashReader, size: u64) -> Value {
    json!({ "size": size, "root": hex::encode(root_from(log, size).unwrap().0) })
}

#[cfg(test)]
mod tests {
    use symbolon_protocol::decode;
    use symbolon_tlog::{Hash, verify_consistency, verify_inclusion};

    use super::*;

    /// What an asker does with the answer.
    #[test]
    fn what_is_answered_proves_the_leaf_that_was_asked_for() {
        let vector = vector();
        let bytes = |name: &str| hex::decode(vector[name].as_str().unwrap()).unwrap();
        let head = |name: &str| {
            let root = hex::decode(vector[name]["root"].as_str().unwrap()).unwrap();
            (vector[name]["size"].as_u64().unwrap(), Hash(root.try_into().unwrap()))
        };
        let ((seen, old), (size, root)) = (head("seen"), head("checkpoint"));
        let prove: Prove = decode(&bytes("prove")[4..]).unwrap();
        let proved: Proved = decode(&bytes("proved")[4..]).unwrap();
        assert_eq!((prove.seen(), prove.size()), (seen, size));
        let continued = verify_consistency(seen, old, size, root, proved.consistency()).unwrap();
        assert_eq!((continued.older(), continued.newer()), ((seen, old), (size, root)));
        let [opened] = proved.openings() else { panic!("one leaf was asked for") };
        let hash = leaf_hash(Logged::decode(opened.logged()).unwrap().leaf().as_bytes());
        assert_eq!(hash.as_bytes().as_slice(), bytes("leaf_hash"));
        let included = |leaf| verify_inclusion(hash, leaf, size, opened.proof(), root);
        assert!(included(prove.leaves()[0]).is_ok());
        assert!(included(prove.leaves()[0] + 1).is_err(), "in its place only");
    }
}
