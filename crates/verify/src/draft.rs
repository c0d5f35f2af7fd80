//! A bundle on its way: takes documents, says what is lacking, is signed, and is checked like a
//! stranger's before it is given out. Chooses nothing and keeps no key.
//!
//! Implements spec/evidence.md#bundle.

use serde_bytes::{ByteArray, ByteBuf};
use symbolon_codec::encode;
use symbolon_tlog::Hash;

use crate::bundle::{Bundle, Item, ItemKind, Manifest, Subject, VERSION};
use crate::contents::Maker;
use crate::entry::{Continued, Opening, Private};
use crate::key::NodeId;
use crate::left_out::{LeftOut, lacking};
use crate::reason::Refused;
use crate::verify::{Verified, contents_of, examine, verify};

/// The label under the maker's signatures over a manifest.
pub const MANIFEST_LABEL: &str = crate::label::EVIDENCE;

/// Who makes a bundle, when and why.
#[derive(Debug, Clone)]
pub struct Making {
    /// Fingerprint of the node.
    pub node: [u8; 32],
    /// Digest of the card whose key signs.
    pub card_digest: [u8; 32],
    /// Unix seconds.
    pub built_at: u64,
    /// The officer.
    pub officer: String,
    /// Why.
    pub reason: String,
    /// About what.
    pub subject: Subject,
}

/// Documents on their way into a bundle.
#[derive(Default)]
pub struct Draft {
    items: Vec<Item>,
    left_out: Vec<LeftOut>,
    because: Vec<LeftOut>,
}

impl Draft {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Draft {
        Draft::default()
    }

    /// Adds a document as it is signed: card, agreement, epoch card or statement, or the text of
    /// the checkpoint. What is there already is not added again.
    pub fn add(&mut self, kind: ItemKind, bytes: Vec<u8>) {
        let item = Item::new(kind, bytes);
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    /// Adds an entry of the log with its salt, place and inclusion proof.
    pub fn opening(&mut self, index: u64, salt: [u8; 32], entry: Vec<u8>, proof: Vec<Hash>) {
        self.add(ItemKind::Opening, Opening::encode(index, salt, entry, proof));
    }

    /// Adds a leaf of the partner's log, as it opened it in the tree of `size` leaves.
    pub fn their_opening(
        &mut self,
        size: u64,
        index: u64,
        salt: [u8; 32],
        entry: Vec<u8>,
        proof: Vec<Hash>,
    ) {
        let opening = Opening::encode(index, salt, entry, proof);
        self.add(ItemKind::TheirOpening, crate::their_leaf::encoded(size, opening));
    }

    /// Adds the contents of the query whose entry is at `index`.
    pub fn private(&mut self, index: u64, private: Vec<u8>) {
        self.add(ItemKind::Private, Private::encode(index, private));
    }

    /// Adds the proof that the checkpoint continues the log of an earlier size.
    pub fn consistency(&mut self, size: u64, proof: Vec<Hash>) {
        self.add(ItemKind::Consistency, encode(&Continued { size, proof }));
    }

    /// Names something that is left out.
    pub fn left_out(&mut self, left_out: LeftOut) {
        if !self.left_out.contains(&left_out) {
            self.left_out.push(left_out);
        }
    }

    /// Says why something is left out, should it turn out to be lacking.
    pub fn because(&mut self, left_out: LeftOut) {
        self.because.push(left_out);
    }

    /// Checks the documents, adds to what is left out whatever else is lacking, and gives what is
    /// to be signed.
    ///
    /// # Errors
    /// [`Refused`], by the first rule that the documents break.
    pub fn manifest(mut self, making: Making) -> Result<Unsigned, Refused> {
        self.items.sort();
        let node = NodeId::new(making.node);
        let (built_at, alert) = (making.built_at, making.subject.alert());
        let maker = Maker { node, built_at, alert };
        let contents = contents_of(&self.items, maker)?;
        for lacking in lacking(&contents) {
            let is_it = |one: &LeftOut| (&one.what, &one.about) == (&lacking.what, &lacking.about);
            if !self.left_out.iter().any(is_it) {
                let because = self.because.iter().find(|one| is_it(one)).cloned();
                self.left_out.push(because.unwrap_or(lacking));
            }
        }
        self.left_out.sort();
        let manifest = Manifest {
            version: VERSION,
            builder: node,
            card_digest: ByteArray::new(making.card_digest),
            built_at: making.built_at,
            officer: making.officer,
            reason: making.reason,
            subject: making.subject,
            items: self.items.iter().map(|item| ByteArray::new(item.hash())).collect(),
            left_out: self.left_out,
        };
        Ok(Unsigned { manifest: encode(&manifest), items: self.items })
    }
}

/// A manifest that waits for its signatures.
pub struct Unsigned {
    manifest: Vec<u8>,
    items: Vec<Item>,
}

impl Unsigned {
    /// What both keys of the maker sign, under [`MANIFEST_LABEL`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.manifest
    }

    /// Takes the signatures, writes the index, and verifies the bundle as a reader will.
    ///
    /// # Errors
    /// [`Refused`], by the first rule that the bundle breaks.
    pub fn finish(self, ed25519: [u8; 64], mldsa65: Vec<u8>) -> Result<Finished, Refused> {
        let (ed25519, mldsa65) = (ByteArray::new(ed25519), ByteBuf::from(mldsa65));
        let mut bundle = Bundle::new(&self.manifest, self.items, ed25519, mldsa65, String::new())?;
        bundle.index = examine(&bundle)?.page().to_owned();
        let bytes = bundle.encode();
        let verified = verify(&bytes)?;
        Ok(Finished { bytes, verified })
    }
}

/// A bundle that verifies.
pub struct Finished {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it shows.
    pub verified: Verified,
}
