//! The asker's commitment to a query in its own log, and what the asked node checks of it; answers
//! nothing and knows no key.
//!
//! Implements spec/accountability.md#queries.
//!
//! Invariant: a [`CommittedQuery`] exists only where the batch's commitment lies in the asker's
//! log, under a valid checkpoint that continues the log as it was last seen.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::sha256;
use symbolon_ident::Class;
use symbolon_oprf::BlindedElement;
use symbolon_tlog::{CheckpointVerifier, Hash, verify_consistency};
use symbolon_trust::NodeId;
use zeroize::{Zeroize, Zeroizing};

use crate::leaf::LeafData;
use crate::limits::{
    CHECKPOINT_BYTES_MAX, EVIDENCE_BYTES_MAX, PRIVATE_BYTES_MAX, PROOF_HASHES_MAX,
    QUERY_ELEMENTS_MAX, TEXT_BYTES_MAX,
};
use crate::{AuditError, label};

/// The part of a query that stays at home until an auditor asks: who asked whom for what and why.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct QueryPrivate {
    /// The node asked.
    pub partner: NodeId,
    /// The class asked about.
    pub class: Class,
    /// The epoch of the key.
    pub epoch: u64,
    /// The officer who asked.
    pub officer: String,
    /// The purpose, one of the agreement's.
    pub purpose: String,
    /// The legal basis.
    pub legal_basis: String,
    /// The case.
    pub case: String,
    /// The OPRF inputs, in the order of the batch.
    pub identifiers: Vec<serde_bytes::ByteBuf>,
    /// What reproduces the blinded elements from the inputs, padding included.
    #[serde(with = "serde_bytes")]
    pub opening: Vec<u8>,
}

impl QueryPrivate {
    /// Encodes the private part, for the sealed cell that keeps it.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(symbolon_codec::encode(self))
    }

    /// Decodes a private part.
    ///
    /// # Errors
    /// [`AuditError::Decode`] or [`AuditError::TooLong`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let private: Self = symbolon_codec::decode(bytes, PRIVATE_BYTES_MAX)?;
        private.validate()?;
        Ok(private)
    }

    /// Private digest: over the salt too, or a guessed case could be tried against it.
    #[must_use]
    pub fn digest(&self, salt: &[u8; 32]) -> [u8; 32] {
        sha256(label::PRIVATE, &[salt, &self.encode()])
    }

    fn validate(&self) -> Result<(), AuditError> {
        let texts = [&self.officer, &self.purpose, &self.legal_basis, &self.case];
        if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(AuditError::TooLong { field: "text of a query" });
        }
        if self.identifiers.len() > QUERY_ELEMENTS_MAX {
            return Err(AuditError::TooLong { field: "list of identifiers" });
        }
        Ok(())
    }
}

impl Drop for QueryPrivate {
    fn drop(&mut self) {
        self.identifiers.iter_mut().for_each(|identifier| identifier.as_mut_slice().zeroize());
        self.opening.zeroize();
    }
}

impl std::fmt::Debug for QueryPrivate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueryPrivate([redacted])")
    }
}

/// A commitment that is ready for the asker's log: append [`crate::Entry::query`] of it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    partner: NodeId,
    class: Class,
    epoch: u64,
    elements: u32,
    salt: [u8; 32],
    batch_digest: [u8; 32],
    private_digest: [u8; 32],
}

/// Commits to a batch of blinded elements; `salt` is random and serves once.
///
/// # Errors
/// [`AuditError::TooLong`] if the batch or a text is.
pub fn commit(
    salt: [u8; 32],
    blinded: &[BlindedElement],
    private: &QueryPrivate,
) -> Result<Commitment, AuditError> {
    Commitment::over(salt, batch_digest(blinded), elements(blinded)?, private)
}

impl Commitment {
    pub(crate) fn over(
        salt: [u8; 32],
        batch_digest: [u8; 32],
        elements: u32,
        private: &QueryPrivate,
    ) -> Result<Self, AuditError> {
        private.validate()?;
        Ok(Self {
            partner: private.partner,
            class: private.class,
            epoch: private.epoch,
            elements,
            salt,
            batch_digest,
            private_digest: private.digest(&salt),
        })
    }

    /// The node to be asked.
    #[must_use]
    pub const fn partner(&self) -> NodeId {
        self.partner
    }

    /// The class asked about.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The epoch of the key.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Blinded elements, padding included.
    #[must_use]
    pub const fn elements(&self) -> u32 {
        self.elements
    }

    /// The salt.
    #[must_use]
    pub const fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// Digest of the blinded elements.
    #[must_use]
    pub const fn batch_digest(&self) -> &[u8; 32] {
        &self.batch_digest
    }

    /// Digest of the private part.
    #[must_use]
    pub const fn private_digest(&self) -> &[u8; 32] {
        &self.private_digest
    }

    /// The leaf for the asker's log.
    #[must_use]
    pub fn leaf(&self) -> LeafData {
        leaf(&self.salt, &self.batch_digest, &self.private_digest)
    }

    /// For the auditor of the asker's state: whether `private` is what was committed to. The
    /// auditor then blinds the identifiers again with the opening and compares the batch digest.
    ///
    /// # Errors
    /// [`AuditError::NotTheQuery`] if it is not.
    pub fn open(&self, private: &QueryPrivate) -> Result<(), AuditError> {
        let same = (private.partner, private.class, private.epoch)
            == (self.partner, self.class, self.epoch);
        if same && private.digest(&self.salt) == self.private_digest {
            Ok(())
        } else {
            Err(AuditError::NotTheQuery)
        }
    }
}

/// What travels with a batch so that the asked node can check the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct QueryEvidence {
    /// Salt of the commitment.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 32],
    /// Digest of the private part.
    #[serde(with = "serde_bytes")]
    pub private_digest: [u8; 32],
    /// Index of the commitment in the asker's log.
    pub leaf_index: u64,
    /// Inclusion proof of the commitment in the checkpoint's tree.
    pub inclusion: Vec<Hash>,
    /// The asker's signed checkpoint.
    pub checkpoint: String,
    /// Consistency proof from the size that the asked node last saw; empty if it saw none.
    pub consistency: Vec<Hash>,
}

impl QueryEvidence {
    /// Encodes the evidence.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        symbolon_codec::encode(self)
    }

    /// Decodes evidence.
    ///
    /// # Errors
    /// [`AuditError::Decode`] or [`AuditError::TooLong`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let evidence: Self = symbolon_codec::decode(bytes, EVIDENCE_BYTES_MAX)?;
        evidence.validate()?;
        Ok(evidence)
    }

    /// Checks the lengths of a decoded evidence.
    ///
    /// # Errors
    /// [`AuditError::TooLong`].
    pub fn validate(&self) -> Result<(), AuditError> {
        if self.inclusion.len() > PROOF_HASHES_MAX || self.consistency.len() > PROOF_HASHES_MAX {
            return Err(AuditError::TooLong { field: "proof" });
        }
        if self.checkpoint.len() > CHECKPOINT_BYTES_MAX {
            return Err(AuditError::TooLong { field: "checkpoint" });
        }
        Ok(())
    }
}

/// Size and root of a partner's log as it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct LogSeen {
    /// Leaves of the log.
    pub size: u64,
    /// Root hash of the log.
    pub root: Hash,
}

/// Evidence that a batch is committed to in the asker's log. Only [`verify_query`] makes one, and
/// nothing is evaluated without one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct CommittedQuery {
    leaf: LeafData,
    leaf_index: u64,
    batch_digest: [u8; 32],
    elements: u32,
    seen: LogSeen,
}

impl CommittedQuery {
    /// The asker's leaf.
    #[must_use]
    pub const fn leaf(&self) -> LeafData {
        self.leaf
    }

    /// Its index in the asker's log.
    #[must_use]
    pub const fn leaf_index(&self) -> u64 {
        self.leaf_index
    }

    /// Blinded elements, padding included: what the budget is charged.
    #[must_use]
    pub const fn elements(&self) -> u32 {
        self.elements
    }

    /// The asker's log as of this query: keep it as the new last one seen.
    #[must_use]
    pub const fn seen(&self) -> LogSeen {
        self.seen
    }

    /// Whether this evidence is about exactly this batch.
    #[must_use]
    pub fn covers(&self, blinded: &[BlindedElement]) -> bool {
        batch_digest(blinded) == self.batch_digest
    }
}

/// Verifies that the asker committed to `blinded` in its own log before asking, and that its log
/// continues the one last seen.
///
/// # Errors
/// [`AuditError`], by the first check that fails; nothing must be evaluated then.
pub fn verify_query(
    evidence: &QueryEvidence,
    blinded: &[BlindedElement],
    verifier: &CheckpointVerifier,
    last_seen: Option<&LogSeen>,
) -> Result<CommittedQuery, AuditError> {
    verify_committed(evidence, batch_digest(blinded), elements(blinded)?, verifier, last_seen)
}

/// As [`verify_query`], over the digest of what is asked.
pub(crate) fn verify_committed(
    evidence: &QueryEvidence,
    batch_digest: [u8; 32],
    elements: u32,
    verifier: &CheckpointVerifier,
    last_seen: Option<&LogSeen>,
) -> Result<CommittedQuery, AuditError> {
    evidence.validate()?;
    let checkpoint = verifier.verify_text(&evidence.checkpoint).map_err(AuditError::Checkpoint)?;
    let seen = LogSeen { size: checkpoint.size(), root: checkpoint.root() };
    if let Some(last) = last_seen {
        continues(last, &seen, &evidence.consistency)?;
    }
    let leaf = leaf(&evidence.salt, &batch_digest, &evidence.private_digest);
    let _included = checkpoint
        .includes(leaf.leaf_hash(), evidence.leaf_index, &evidence.inclusion)
        .map_err(AuditError::NotCommitted)?;
    Ok(CommittedQuery { leaf, leaf_index: evidence.leaf_index, batch_digest, elements, seen })
}

/// Checks that the log `newer` continues the log `last`.
///
/// # Errors
/// [`AuditError::Stale`] if it is shorter, [`AuditError::NotConsistent`] if it is another log.
pub fn continues(last: &LogSeen, newer: &LogSeen, proof: &[Hash]) -> Result<(), AuditError> {
    if newer.size < last.size {
        return Err(AuditError::Stale);
    }
    verify_consistency(last.size, last.root, newer.size, newer.root, proof)
        .map(|_| ())
        .map_err(AuditError::NotConsistent)
}

/// Digest of a batch, over the blinded elements in their order.
#[must_use]
pub fn batch_digest(blinded: &[BlindedElement]) -> [u8; 32] {
    // Elements are 32 bytes each, so no framing is needed to keep two batches apart.
    let parts: Vec<&[u8]> = blinded.iter().map(|element| &element.as_bytes()[..]).collect();
    sha256(label::BATCH, &parts)
}

pub(crate) fn leaf(
    salt: &[u8; 32],
    batch_digest: &[u8; 32],
    private_digest: &[u8; 32],
) -> LeafData {
    LeafData::from_bytes(sha256(label::QUERY, &[salt, batch_digest, private_digest]))
}

fn elements(blinded: &[BlindedElement]) -> Result<u32, AuditError> {
    match u32::try_from(blinded.len()) {
        Ok(count) if blinded.len() <= QUERY_ELEMENTS_MAX => Ok(count),
        _ => Err(AuditError::TooLong { field: "batch" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Logged, Who};
    use symbolon_ident::{Canonical, Kind};
    use symbolon_oprf::Receiver;
    use symbolon_tlog::{
        Checkpoint, CheckpointSigner, MemoryTree, consistency_proof, inclusion_proof, leaf_hash,
    };

    const ORIGIN: &str = "example.org/asker";

    fn private() -> QueryPrivate {
        QueryPrivate {
            partner: NodeId::from_bytes([1; 32]),
            class: Class::Registry,
            epoch: 7,
            officer: "officer".into(),
            purpose: "export control".into(),
            legal_basis: "act".into(),
            case: "case".into(),
            identifiers: Vec::new(),
            opening: Vec::new(),
        }
    }

    struct Asker {
        tree: MemoryTree,
        signer: CheckpointSigner,
    }

    impl Asker {
        fn new() -> Self {
            let tree = (0u32..300).map(|leaf| leaf_hash(leaf.to_be_bytes())).collect();
            Self { tree, signer: CheckpointSigner::from_seed(ORIGIN, &[3; 32]).unwrap() }
        }

        fn seen(&self) -> LogSeen {
            LogSeen { size: self.tree.size(), root: self.tree.root() }
        }

        fn evidence(&self, commitment: &Commitment, leaf_index: u64, from: u64) -> QueryEvidence {
            let size = self.tree.size();
            let checkpoint = Checkpoint::new(ORIGIN, size, self.tree.root()).unwrap();
            QueryEvidence {
                salt: *commitment.salt(),
                private_digest: *commitment.private_digest(),
                leaf_index,
                inclusion: inclusion_proof(&self.tree, leaf_index, size).unwrap(),
                checkpoint: self.signer.sign(&checkpoint).unwrap().to_string(),
                consistency: consistency_proof(&self.tree, from, size).unwrap(),
            }
        }
    }

    fn batch(seed: u8) -> Vec<BlindedElement> {
        let key = Canonical::parse(Kind::ImoShip, "9074729").unwrap();
        Receiver::blind(key.keys(), [seed; 32]).unwrap().blinded().to_vec()
    }

    #[test]
    fn a_committed_query_verifies_and_opens() {
        let mut asker = Asker::new();
        let last = asker.seen();
        let blinded = batch(9);
        let commitment = commit([5; 32], &blinded, &private()).unwrap();
        let who = Who { now: 1, actor: "node" };
        // The entry's leaf is the commitment, whatever salt the store draws.
        let logged = Logged::new(Entry::query(who, &commitment), [8; 32]);
        assert_eq!(logged.leaf(), commitment.leaf());
        assert_eq!(Logged::decode(&logged.encode()), Ok(logged.clone()));
        let index = asker.tree.append(logged.leaf().leaf_hash()).unwrap();

        let evidence = asker.evidence(&commitment, index, last.size);
        let evidence = QueryEvidence::decode(&evidence.encode()).unwrap();
        let verifier = asker.signer.verifier();
        let query = verify_query(&evidence, &blinded, &verifier, Some(&last)).unwrap();
        assert!(query.covers(&blinded) && !query.covers(&batch(10)));
        assert_eq!((query.leaf_index(), query.seen()), (index, asker.seen()));
        assert_eq!(usize::try_from(query.elements()), Ok(blinded.len()));

        assert_eq!(commitment.open(&private()), Ok(()));
        let mut other = private();
        other.case = "another".into();
        assert_eq!(commitment.open(&other), Err(AuditError::NotTheQuery));
    }

    #[test]
    fn what_is_not_committed_is_refused() {
        let mut asker = Asker::new();
        let last = asker.seen();
        let blinded = batch(9);
        let commitment = commit([5; 32], &blinded, &private()).unwrap();
        let index = asker.tree.append(commitment.leaf().leaf_hash()).unwrap();
        let good = asker.evidence(&commitment, index, last.size);
        let verifier = asker.signer.verifier();
        let check = |change: &dyn Fn(&mut QueryEvidence), blinded: &[BlindedElement]| {
            let mut evidence = good.clone();
            change(&mut evidence);
            verify_query(&evidence, blinded, &verifier, Some(&last)).unwrap_err()
        };
        let not_committed = |error| matches!(error, AuditError::NotCommitted(_));
        assert!(not_committed(check(&|_| (), &batch(10))));
        assert!(not_committed(check(&|evidence| evidence.salt = [6; 32], &blinded)));
        assert!(not_committed(check(&|evidence| evidence.private_digest = [6; 32], &blinded)));
        assert!(not_committed(check(&|evidence| evidence.leaf_index -= 1, &blinded)));
        assert!(not_committed(check(&|evidence| evidence.inclusion.clear(), &blinded)));
        let inconsistent = check(&|evidence| evidence.consistency.clear(), &blinded);
        assert!(matches!(inconsistent, AuditError::NotConsistent(_)));
        let unsigned = check(&|evidence| evidence.checkpoint.push('x'), &blinded);
        assert!(matches!(unsigned, AuditError::Checkpoint(_)));

        let other = CheckpointSigner::from_seed(ORIGIN, &[4; 32]).unwrap().verifier();
        let refused = verify_query(&good, &blinded, &other, Some(&last)).unwrap_err();
        assert!(matches!(refused, AuditError::Checkpoint(_)));
        let ahead = LogSeen { size: last.size + 9, root: last.root };
        let stale = verify_query(&good, &blinded, &verifier, Some(&ahead));
        assert_eq!(stale.unwrap_err(), AuditError::Stale);
        let forked = LogSeen { size: last.size, root: leaf_hash("another history") };
        let refused = verify_query(&good, &blinded, &verifier, Some(&forked)).unwrap_err();
        assert!(matches!(refused, AuditError::NotConsistent(_)));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", private()), "QueryPrivate([redacted])");
    }
}
