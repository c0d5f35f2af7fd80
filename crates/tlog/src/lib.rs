//! Merkle log, proofs, tiles, signed notes, checkpoints, cosignatures, policies and the rules of a
//! witness in the C2SP formats; knows neither what a leaf means nor where anything lies.
//!
//! Implements spec/log.md#hashing, spec/log.md#proofs, spec/log.md#tiles, spec/log.md#signatures,
//! spec/log.md#checkpoints, spec/log.md#cosignatures, spec/log.md#log-proofs, spec/log.md#policy,
//! spec/log.md#witness and spec/log.md#split-views.
//!
//! Invariant: every text and every byte string that a parser accepts is the one that the same
//! value formats to.

pub mod add_checkpoint;
pub mod bundle;
pub mod checkpoint;
mod cosignature;
mod cosigner;
mod edge;
mod error;
mod frontier;
mod hash;
mod label;
pub mod limits;
mod log_proof;
mod log_verifier;
pub mod note;
mod policy;
mod policy_text;
mod proof;
mod reader;
mod signature;
mod signer;
mod split_view;
mod text;
pub mod tile;
mod tile_reader;
mod vkey;
pub mod witness;

pub use add_checkpoint::AddCheckpoint;
pub use checkpoint::{Checkpoint, SignedCheckpoint, VerifiedCheckpoint};
pub use cosignature::{CosignatureType, CosignatureVerifier, Cosigned};
pub use cosigner::CosignatureSigner;
pub use edge::{Edge, EdgeTile};
pub use error::{Format, TlogError};
pub use frontier::Frontier;
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use log_proof::{LogProof, Logged};
pub use log_verifier::{AuthenticCheckpoint, LogVerifier};
pub use note::SignedNote;
pub use policy::{Policy, PolicyLog, PolicyName, PolicyWitness, QuorumMet, QuorumMissing, Verdict};
pub use proof::{
    Consistent, Included, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
pub use reader::{HashReader, MemoryTree, root_from};
pub use signature::SignatureType;
pub use signer::{CheckpointSigner, NoteSigner};
pub use split_view::{ProvenSplit, SplitView};
pub use tile::Tile;
pub use tile_reader::{TileReader, TileSource};
pub use vkey::{CheckpointVerifier, NoteVerifier, VerifiedSignature};
