//! The file: a signed manifest, the items that it names, and the index; decodes, and checks that
//! manifest and items belong together.
//!
//! Implements spec/evidence.md#bundle.
//!
//! Invariant: one bundle has one encoding; items ascend, so none stands there twice.

use serde_bytes::{ByteArray, ByteBuf};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{encode, sha256};

use crate::document::read;
use crate::key::{NodeId, Signatures};
use crate::label;
use crate::left_out::LeftOut;
use crate::limits::{
    BUNDLE_BYTES_MAX, ITEMS_MAX, LEFT_OUT_MAX, MANIFEST_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::reason::{Reason, Refused, require};
use crate::words::{unhex, uuid};

/// The only version of bundles and manifests.
pub(crate) const VERSION: u8 = 1;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ItemKind {
    /// A signed card.
    Card = 1,
    /// A signed agreement.
    Agreement = 2,
    /// A signed epoch card.
    EpochCard = 3,
    /// A signed statement.
    Statement = 4,
    /// The signed checkpoint of the maker's log.
    Checkpoint = 5,
    /// An entry of the maker's log with its salt, place and proof.
    Opening = 6,
    /// The contents of a query whose entry is opened.
    Private = 7,
    /// That the log continues the one of an earlier size.
    Consistency = 8,
    /// A leaf of the partner's log that it opened to the maker.
    TheirOpening = 9,
}

impl ItemKind {
    const ALL: [ItemKind; 9] = [
        ItemKind::Card,
        ItemKind::Agreement,
        ItemKind::EpochCard,
        ItemKind::Statement,
        ItemKind::Checkpoint,
        ItemKind::Opening,
        ItemKind::Private,
        ItemKind::Consistency,
        ItemKind::TheirOpening,
    ];

    fn from_code(code: u8) -> Option<ItemKind> {
        ItemKind::ALL.into_iter().find(|kind| *kind as u8 == code)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Agreement => "agreement",
            Self::EpochCard => "epoch card",
            Self::Statement => "statement",
            Self::Checkpoint => "checkpoint",
            Self::Opening => "opening",
            Self::Private => "private part",
            Self::Consistency => "consistency proof",
            Self::TheirOpening => "partner's opening",
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Item {
    kind: u8,
    bytes: ByteBuf,
}

impl Item {
    pub(crate) fn new(kind: ItemKind, bytes: Vec<u8>) -> Item {
        Item { kind: kind as u8, bytes: ByteBuf::from(bytes) }
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(label::ITEM, &[&[self.kind], &self.bytes])
    }
}

/// What a bundle is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Subject {
    /// `hit`, `case`, `statement` or `alert`.
    pub kind: String,
    /// Its name at the maker's node.
    pub name: String,
}

impl Subject {
    /// The id of the alert, where it is one and is named by it.
    pub(crate) fn alert(&self) -> Option<[u8; 16]> {
        let bytes = unhex(&self.name.replace('-', "")).filter(|_| self.kind == "alert")?;
        let id: [u8; 16] = bytes.try_into().ok()?;
        (uuid(&id) == self.name).then_some(id)
    }

    fn is_well_formed(&self) -> bool {
        match self.kind.as_str() {
            "hit" | "case" | "statement" => true,
            "alert" => self.alert().is_some(),
            _ => false,
        }
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Manifest {
    pub(crate) version: u8,
    pub(crate) builder: NodeId,
    pub(crate) card_digest: ByteArray<32>,
    pub(crate) built_at: u64,
    pub(crate) officer: String,
    pub(crate) reason: String,
    pub(crate) subject: Subject,
    pub(crate) items: Vec<ByteArray<32>>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Manifest {
    fn read(bytes: &[u8]) -> Result<Manifest, Refused> {
        const PART: &str = "manifest";
        let manifest: Manifest = read(bytes, MANIFEST_BYTES_MAX, PART)?;
        require(manifest.version == VERSION, Reason::Version, PART)?;
        let texts = [&manifest.officer, &manifest.reason, &manifest.subject.name];
        let is_well_formed = texts.iter().all(|text| text.len() <= TEXT_BYTES_MAX)
            && manifest.subject.is_well_formed()
            && manifest.items.len() <= ITEMS_MAX
            && manifest.left_out.len() <= LEFT_OUT_MAX
            && manifest.left_out.is_sorted_by(|one, next| one < next);
        require(is_well_formed, Reason::Malformed, PART)?;
        Ok(manifest)
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
struct Wire {
    version: u8,
    manifest: ByteBuf,
    ed25519: ByteArray<64>,
    mldsa65: ByteBuf,
    items: Vec<Item>,
    index: String,
}

/// A bundle whose items are those of its manifest; nobody has checked a signature yet.
pub(crate) struct Bundle {
    pub(crate) manifest: Manifest,
    pub(crate) manifest_bytes: Vec<u8>,
    pub(crate) signatures: Signatures,
    pub(crate) items: Vec<Item>,
    pub(crate) index: String,
}

impl Bundle {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Bundle, Refused> {
        const PART: &str = "bundle";
        let wire: Wire = read(bytes, BUNDLE_BYTES_MAX, PART)?;
        require(wire.version == VERSION, Reason::Version, PART)?;
        require(wire.items.len() <= ITEMS_MAX, Reason::TooLarge, "items")?;
        Bundle::new(&wire.manifest, wire.items, wire.ed25519, wire.mldsa65, wire.index)
    }

    pub(crate) fn new(
        manifest_bytes: &[u8],
        items: Vec<Item>,
        ed25519: ByteArray<64>,
        mldsa65: ByteBuf,
        index: String,
    ) -> Result<Bundle, Refused> {
        let manifest = Manifest::read(manifest_bytes)?;
        let signatures = Signatures { ed25519, mldsa65 };
        require(signatures.is_well_formed(), Reason::Malformed, "signatures of the manifest")?;
        let bundle =
            Bundle { manifest, manifest_bytes: manifest_bytes.to_vec(), signatures, items, index };
        bundle.compare()?;
        Ok(bundle)
    }

    /// "The manifest names every item, and every item that it names is there."
    fn compare(&self) -> Result<(), Refused> {
        for (number, pair) in (1..).zip(self.items.windows(2)) {
            if pair.first() >= pair.last() {
                return Err(Refused::new(Reason::ItemsOrder, part(number + 1, None)));
            }
        }
        let named = &self.manifest.items;
        let there: Vec<[u8; 32]> = self.items.iter().map(Item::hash).collect();
        let is_same_count = named.len() == there.len();
        for (number, hash) in (1..).zip(&there) {
            if !named.iter().any(|name| **name == *hash) {
                let reason = if is_same_count { Reason::ItemAltered } else { Reason::ItemUnnamed };
                return Err(Refused::new(reason, part(number, None)));
            }
        }
        for (number, name) in (1..).zip(named) {
            if !there.contains(name) {
                return Err(Refused::new(Reason::ItemMissing, part(number, None)));
            }
        }
        let is_in_order =
            is_same_count && named.iter().zip(&there).all(|(name, hash)| **name == *hash);
        require(is_in_order, Reason::ItemsOrder, "manifest")
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(&Wire {
            version: VERSION,
            manifest: ByteBuf::from(self.manifest_bytes.clone()),
            ed25519: self.signatures.ed25519,
            mldsa65: self.signatures.mldsa65.clone(),
            items: self.items.clone(),
            index: self.index.clone(),
        })
    }
}

/// The items of a kind, each with what a refusal calls it.
pub(crate) fn of_kind(items: &[Item], kind: ItemKind) -> impl Iterator<Item = (String, &[u8])> {
    (1..).zip(items).filter(move |(_, item)| item.kind == kind as u8).map(move |(number, item)| {
        let bytes: &[u8] = &item.bytes;
        (part(number, Some(kind)), bytes)
    })
}

/// Refuses items of kinds that are not known here.
pub(crate) fn kinds_known(items: &[Item]) -> Result<(), Refused> {
    for (number, item) in (1..).zip(items) {
        if ItemKind::from_code(item.kind).is_none() {
            return Err(Refused::new(Reason::Malformed, part(number, None)));
        }
    }
    Ok(())
}

fn part(number: usize, kind: Option<ItemKind>) -> String {
    match kind {
        Some(kind) => format!("item {number}, {}", kind.as_str()),
        None => format!("item {number}"),
    }
}
