//! What a bundle shows of the partner's log: leaves that its acknowledgements name, as the partner
//! opened them.
//!
//! Implements spec/evidence.md#checks.
//!
//! Invariant: a [`TheirLeaf`] is in the tree of a checkpoint that an acknowledgement here carries,
//! and says what that acknowledgement says.

use serde_bytes::ByteBuf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::encode;
use symbolon_tlog::{Hash, verify_inclusion};

use crate::alert::{AckItem, Stage};
use crate::bundle::{Item, ItemKind, of_kind};
use crate::contents::{Contents, later};
use crate::document::read;
use crate::entry::{Entry, Event, Opening};
use crate::limits::THEIR_OPENING_BYTES_MAX;
use crate::reason::{Reason, Refused, require};
use crate::statement::{Payload, Statement};

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Wire {
    size: u64,
    opening: ByteBuf,
}

/// A leaf of the partner's log.
pub(crate) struct TheirLeaf {
    /// Leaves of the checkpoint under which it is proved.
    pub(crate) size: u64,
    pub(crate) index: u64,
    pub(crate) entry: Entry,
    /// Hash of the statement that it says was deleted.
    about: [u8; 32],
}

/// The item for an opened leaf.
pub(crate) fn encoded(size: u64, opening: Vec<u8>) -> Vec<u8> {
    encode(&Wire { size, opening: ByteBuf::from(opening) })
}

/// Size and root of the log that a statement by the partner shows.
pub(crate) struct Shown<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// Reads and checks the leaves, after everything that the acknowledgements say.
pub(crate) fn leaves(
    contents: &Contents,
    items: &[Item],
    shown: &[Shown<'_>],
) -> Result<Vec<TheirLeaf>, Refused> {
    let mut leaves: Vec<TheirLeaf> = Vec::new();
    for (part, bytes) in of_kind(items, ItemKind::TheirOpening) {
        let wire: Wire = read(bytes, THEIR_OPENING_BYTES_MAX, &part)?;
        let opening = Opening::read(&wire.opening, &part)?;
        let of_size = shown.iter().filter(|shown| shown.size == wire.size);
        let mut named = of_size.filter_map(|shown| {
            let Payload::Acknowledgement(said) = &shown.statement.payload else { return None };
            let mut its = contents.matter.items_of(said).map(|(item, _)| item);
            Some((shown, its.find(|item| is_named(item, opening.index))?))
        });
        let (shown, item) =
            named.next().ok_or_else(|| Refused::new(Reason::ItemUnneeded, &part))?;
        let included =
            verify_inclusion(opening.leaf, opening.index, shown.size, &opening.proof, shown.root);
        require(included.is_ok(), Reason::Inclusion, &part)?;
        let Event::Deleted(event) = &opening.entry.event else {
            return Err(Refused::new(Reason::OpeningForeign, &part));
        };
        let is_its = contents.maker.alert == Some(*event.alert)
            && event.origin == contents.maker.node
            && event.statement_hash == item.statement_hash
            && event.mode == contents.mode().as_str();
        require(is_its, Reason::OpeningMismatch, &part)?;
        // It was written before it was acknowledged.
        let is_in_time = opening.entry.at <= later(shown.statement.created);
        require(is_in_time, Reason::TimeOrder, &part)?;
        let about = *item.statement_hash;
        let Opening { index, entry, .. } = opening;
        leaves.push(TheirLeaf { size: wire.size, index, entry, about });
    }
    leaves.sort_by_key(|leaf| (leaf.size, leaf.index));
    Ok(leaves)
}

fn is_named(item: &AckItem, index: u64) -> bool {
    item.stage() == Stage::Deleted && item.log_index == index
}

impl Contents {
    /// The leaf that an item of an acknowledgement to the maker names, where it is opened.
    pub(crate) fn their_leaf(&self, by: &Statement, item: &AckItem) -> Option<&TheirLeaf> {
        let mut leaves = self.their_leaves.iter().filter(|_| by.to == self.maker.node);
        leaves.find(|leaf| is_named(item, leaf.index) && leaf.about == *item.statement_hash)
    }
}
