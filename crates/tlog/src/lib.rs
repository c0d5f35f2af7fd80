//! Merkle log, proofs, tiles, signed notes and checkpoints in the C2SP formats; knows neither what
//! a leaf means nor where tiles lie.
//!
//! Implements spec/log.md#hashing, spec/log.md#proofs, spec/log.md#tiles,
//! spec/log.md#signatures and spec/log.md#checkpoints.
//!
//! Invariant: every text and every byte string that a parser accepts is the one that the same
//! value formats to.

pub mod bundle;
pub mod checkpoint;
mod edge;
mod error;
mod frontier;
mod hash;
mod label;
pub mod limits;
pub mod note;
mod proof;
mod reader;
mod signature;
mod signer;
mod text;
pub mod tile;
mod tile_reader;
mod vkey;

pub use checkpoint::{Checkpoint, SignedCheckpoint, VerifiedCheckpoint};
pub use edge::{Edge, EdgeTile};
pub use error::{Format, TlogError};
pub use frontier::Frontier;
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use note::SignedNote;
pub use proof::{
    Consistent, Included, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
pub use reader::{HashReader, MemoryTree, root_from};
pub use signature::SignatureType;
pub use signer::{CheckpointSigner, NoteSigner};
pub use tile::Tile;
pub use tile_reader::{TileReader, TileSource};
pub use vkey::{CheckpointVerifier, NoteVerifier, VerifiedSignature};
