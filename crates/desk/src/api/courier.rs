//! Courier files, piece by piece: the node seals and opens, the caller writes and reads the file.

use serde::{Deserialize, Serialize};

/// Begins a courier file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierBegin {
    /// Name of the partner.
    pub partner: String,
    /// What is a drill, in place of what is real: a file is of one of them.
    #[serde(default)]
    pub exercise: bool,
}

/// A courier file has been begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CourierBegun {
    /// Name of the parcel, for the calls that follow.
    pub parcel: String,
    /// Statements that it will hold.
    pub statements: u64,
    /// Whether there is more than one file holds.
    pub more: bool,
}

/// Names a parcel under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierName {
    /// The parcel.
    pub parcel: String,
}

/// The next envelopes of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CourierPiece {
    /// Envelopes, each in base64; none where the file is complete.
    pub envelopes: Vec<String>,
}

/// The end of a file that is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CourierClosed {
    /// The manifest's envelope, in base64: the first of the file.
    pub manifest: String,
    /// Envelopes behind it.
    pub envelopes: u64,
    /// Place of the first statement in the stream.
    pub first: u64,
    /// Place behind the last.
    pub next: u64,
    /// When the partner can no longer read the file.
    pub expires: u64,
}

/// Begins to read a courier file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierOpen {
    /// The first envelope of the file, in base64.
    pub manifest: String,
}

/// What a file says that it holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CourierOpened {
    /// The parcel, for the calls that follow.
    pub parcel: String,
    /// Who wrote it.
    pub partner: String,
    /// Whether it is a drill's.
    pub exercise: bool,
    /// When it was written.
    pub created: u64,
    /// Envelopes.
    pub envelopes: u64,
    /// Place of the first statement in the stream.
    pub first: u64,
    /// Place behind the last.
    pub next: u64,
    /// The place that this node awaits.
    pub awaited: u64,
}

/// Takes envelopes of a file in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierTake {
    /// The parcel.
    pub parcel: String,
    /// How many envelopes of the file came before these.
    pub index: u64,
    /// Envelopes, each in base64.
    pub envelopes: Vec<String>,
}

/// What became of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CourierTaken {
    /// Applied now.
    pub applied: u64,
    /// Applied before, and acknowledged again.
    pub repeated: u64,
    /// Ahead of their place: something before them is missing.
    pub ahead: u64,
    /// Damaged inside, expired, or of a kind that no agreement covers.
    pub refused: u64,
    /// The first that is not the one that the manifest names; it and all behind it are not taken.
    pub broken: Option<u64>,
    /// The place that this node awaits now.
    pub awaited: u64,
}
