//! The quorum policy: which logs and witnesses are known, and which of the witnesses must have
//! cosigned a checkpoint for it to count; the text is read in [`crate::policy_text`].
//!
//! Implements spec/log.md#policy (c2sp.org/tlog-policy).
//!
//! Invariant: a [`QuorumMet`] exists only where a log signed and every cosignature that it counts
//! was verified; no witness counts twice.

use crate::checkpoint::SignedCheckpoint;
use crate::cosignature::{CosignatureVerifier, Cosigned};
use crate::error::TlogError;
use crate::log_verifier::{AuthenticCheckpoint, LogVerifier};
use crate::policy_text::read;
use crate::vkey::NoteVerifier;

/// A name in a policy: "opaque octet strings", which have no meaning outside of the policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Vec<u8>);

impl PolicyName {
    pub(crate) fn new(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// The name as it stands in the policy.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for PolicyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl std::fmt::Debug for PolicyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A `log` line.
#[derive(Debug, Clone)]
pub struct PolicyLog {
    pub(crate) key: NoteVerifier,
    pub(crate) url: Option<Vec<u8>>,
}

impl PolicyLog {
    /// The log's key, whose name is the origin.
    #[must_use]
    pub const fn key(&self) -> &NoteVerifier {
        &self.key
    }

    /// The URL as it stands there; its meaning "is application specific".
    #[must_use]
    pub fn url(&self) -> Option<&[u8]> {
        self.url.as_deref()
    }
}

/// A `witness` line.
#[derive(Debug, Clone)]
pub struct PolicyWitness {
    pub(crate) name: PolicyName,
    pub(crate) key: CosignatureVerifier,
    pub(crate) url: Option<Vec<u8>>,
}

impl PolicyWitness {
    /// The name within the policy.
    #[must_use]
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The witness's key.
    #[must_use]
    pub const fn key(&self) -> &CosignatureVerifier {
        &self.key
    }

    /// The URL as it stands there.
    #[must_use]
    pub fn url(&self) -> Option<&[u8]> {
        self.url.as_deref()
    }
}

/// What a name stands for. Members come before their group, so that one pass decides all.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Witness(usize),
    Group { threshold: usize, members: Vec<usize> },
}

/// A policy that was read whole.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) logs: Vec<PolicyLog>,
    pub(crate) witnesses: Vec<PolicyWitness>,
    pub(crate) nodes: Vec<Node>,
    /// `None` is "quorum none".
    pub(crate) quorum: Option<usize>,
}

impl Policy {
    /// Reads a policy. "The policy file is treated as a file of octets".
    ///
    /// # Errors
    /// [`TlogError::PolicyLine`] by the first line that breaks a rule; a missing quorum is an error
    /// of the line after the last.
    pub fn parse(octets: &[u8]) -> Result<Self, TlogError> {
        read(octets)
    }

    /// The logs, in the order of their lines, which "does not imply any preference".
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of their lines.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether a checkpoint is "signed by any one of the listed logs, and […] cosigned by witnesses
    /// according to the defined quorum rule".
    ///
    /// # Errors
    /// [`TlogError::OriginMismatch`] if no listed log has the checkpoint's origin, or as
    /// [`LogVerifier::verify`] and [`Self::evaluate_authentic`].
    pub fn evaluate(&self, signed: &SignedCheckpoint) -> Result<Verdict, TlogError> {
        let origin = signed.checkpoint().origin();
        let of_origin = self.logs.iter().map(PolicyLog::key);
        let keys: Vec<NoteVerifier> =
            of_origin.filter(|key| key.name().as_str() == origin).cloned().collect();
        if keys.is_empty() {
            return Err(TlogError::OriginMismatch);
        }
        let checkpoint = LogVerifier::any(origin, keys)?.verify(signed)?;
        self.evaluate_authentic(checkpoint)
    }

    /// As [`Self::evaluate`] "where the appropriate log(s) are known from other context": the log
    /// lines are not asked.
    ///
    /// # Errors
    /// [`TlogError::SignatureInvalid`] or [`TlogError::Malformed`] if a line of a known witness
    /// does not verify, in the quorum or not: "clients SHOULD reject the whole note".
    pub fn evaluate_authentic(
        &self,
        checkpoint: AuthenticCheckpoint,
    ) -> Result<Verdict, TlogError> {
        let mut cosigned = Vec::with_capacity(self.witnesses.len());
        for witness in &self.witnesses {
            cosigned.push(match witness.key.verify(checkpoint.signed()) {
                Ok(cosigned) => Some(cosigned),
                Err(TlogError::SignatureMissing) => None,
                Err(error) => return Err(error),
            });
        }
        let met = self.met(&cosigned);
        let witnessed = |node: usize| met.get(node).copied().unwrap_or(false);
        let enough = self.quorum.is_none_or(witnessed);
        let mut missing = Vec::new();
        if let Some(quorum) = self.quorum.filter(|_| !enough) {
            self.missing(quorum, &met, &mut missing);
        }
        let cosignatures: Vec<(PolicyName, Cosigned)> = self
            .witnesses
            .iter()
            .zip(cosigned)
            .filter_map(|(witness, cosigned)| Some((witness.name.clone(), cosigned?)))
            .collect();
        Ok(if enough {
            Verdict::Met(QuorumMet { checkpoint, cosignatures })
        } else {
            Verdict::Missing(QuorumMissing { missing, cosignatures })
        })
    }

    /// Which nodes have witnessed: a group does "if and only if at least k of its n members have".
    fn met(&self, cosigned: &[Option<Cosigned>]) -> Vec<bool> {
        let mut met: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let witnessed = match node {
                Node::Witness(index) => cosigned.get(*index).is_some_and(Option::is_some),
                Node::Group { threshold, members } => {
                    let has = |member: &&usize| met.get(**member).copied().unwrap_or(false);
                    members.iter().filter(has).count() >= *threshold
                }
            };
            met.push(witnessed);
        }
        met
    }

    /// The witnesses below a node that have not cosigned, but below groups that are satisfied.
    fn missing(&self, quorum: usize, met: &[bool], missing: &mut Vec<PolicyName>) {
        let mut indices = Vec::new();
        let mut open = vec![quorum];
        while let Some(node) = open.pop() {
            if met.get(node).copied().unwrap_or(false) {
                continue;
            }
            match self.nodes.get(node) {
                Some(Node::Witness(index)) => indices.push(*index),
                Some(Node::Group { members, .. }) => open.extend(members),
                None => {}
            }
        }
        indices.sort_unstable();
        let names = indices.into_iter().filter_map(|index| self.witnesses.get(index));
        missing.extend(names.map(|witness| witness.name.clone()));
    }
}

/// What a policy says of a checkpoint.
#[derive(Debug, Clone)]
#[must_use]
pub enum Verdict {
    /// The quorum cosigned.
    Met(QuorumMet),
    /// It did not.
    Missing(QuorumMissing),
}

impl Verdict {
    /// The evidence, or who is missing.
    ///
    /// # Errors
    /// [`QuorumMissing`].
    pub fn met(self) -> Result<QuorumMet, QuorumMissing> {
        match self {
            Self::Met(met) => Ok(met),
            Self::Missing(missing) => Err(missing),
        }
    }
}

/// Evidence that a log signed a checkpoint and a quorum of witnesses cosigned it.
#[derive(Debug, Clone)]
#[must_use]
pub struct QuorumMet {
    checkpoint: AuthenticCheckpoint,
    cosignatures: Vec<(PolicyName, Cosigned)>,
}

impl QuorumMet {
    /// The checkpoint.
    pub const fn checkpoint(&self) -> &AuthenticCheckpoint {
        &self.checkpoint
    }

    /// Every known witness that cosigned, needed for the quorum or not, in the policy's order.
    pub fn cosignatures(&self) -> &[(PolicyName, Cosigned)] {
        &self.cosignatures
    }
}

/// Which witnesses a checkpoint lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the quorum of the policy is not met: {} witnesses could still cosign", .missing.len())]
pub struct QuorumMissing {
    missing: Vec<PolicyName>,
    cosignatures: Vec<(PolicyName, Cosigned)>,
}

impl QuorumMissing {
    /// The witnesses that have not cosigned and whose cosignature would count: not all of them may
    /// be needed. In the policy's order.
    #[must_use]
    pub fn missing(&self) -> &[PolicyName] {
        &self.missing
    }

    /// The known witnesses that did cosign, in the policy's order.
    pub fn cosignatures(&self) -> &[(PolicyName, Cosigned)] {
        &self.cosignatures
    }
}
