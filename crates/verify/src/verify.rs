//! The whole check of a bundle, from its bytes to what it proves.
//!
//! Implements spec/evidence.md#checks.
//!
//! Invariant: a [`Verified`] exists only where every check but that of the reader's roots held.

use std::collections::BTreeSet;

use crate::alert::Mode;
use crate::bundle::{Bundle, Item};
use crate::contents::{self, Contents, Maker};
use crate::html;
use crate::key::NodeId;
use crate::label;
use crate::left_out;
use crate::reason::{Reason, Refused, require};
use crate::report::Report;
use crate::root::Root;

/// A bundle in which everything holds.
pub struct Verified {
    report: Report,
    page: String,
    mode: Mode,
    parties: BTreeSet<NodeId>,
    statements: u64,
    leaves: u64,
    cosigners: Vec<NodeId>,
}

/// Checks a bundle.
///
/// # Errors
/// [`Refused`], by the first rule that it breaks.
pub fn verify(bytes: &[u8]) -> Result<Verified, Refused> {
    let bundle = Bundle::decode(bytes)?;
    let verified = examine(&bundle)?;
    require(verified.page == bundle.index, Reason::IndexAltered, "index")?;
    Ok(verified)
}

/// Everything but the index.
pub(crate) fn examine(bundle: &Bundle) -> Result<Verified, Refused> {
    let manifest = &bundle.manifest;
    let (node, built_at) = (manifest.builder, manifest.built_at);
    let maker = Maker { node, built_at, alert: manifest.subject.alert() };
    let cards = contents::cards(&bundle.items)?;
    let mut own = cards.iter().filter(|card| card.node == maker.node);
    let card = own.find(|card| card.digest == *manifest.card_digest);
    let card = card.ok_or_else(|| Refused::new(Reason::BuilderCard, "manifest"))?;
    let is_valid = card.span.covers(maker.built_at);
    require(is_valid, Reason::BuilderCardTime, "manifest")?;
    let bytes = &bundle.manifest_bytes;
    let is_signed = card.signing.signed(label::EVIDENCE, bytes, &bundle.signatures);
    require(is_signed, Reason::ManifestSignature, "manifest")?;
    let contents = Contents::read(&bundle.items, cards, maker)?;
    left_out::check(&manifest.left_out, &contents)?;
    let report = Report::new(manifest, &contents);
    let parties = contents.statements.iter().flat_map(|one| [one.from, one.to]);
    Ok(Verified {
        page: html::page(&report),
        report,
        mode: contents.mode(),
        parties: parties.chain([maker.node]).collect(),
        statements: contents.statements.len() as u64,
        leaves: contents.checkpoint.size,
        cosigners: contents.checkpoint.cosigned.iter().map(|(node, _)| *node).collect(),
    })
}

/// The contents of items that are to become a bundle.
pub(crate) fn contents_of(items: &[Item], maker: Maker) -> Result<Contents, Refused> {
    Contents::read(items, contents::cards(items)?, maker)
}

impl Verified {
    /// What the bundle shows.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The index as a page to print, which is the one in the bundle.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Whether what was said is real or of a drill.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Fingerprints of the roots of all nodes that speak in the bundle.
    pub fn parties(&self) -> impl Iterator<Item = &NodeId> {
        self.parties.iter()
    }

    /// Statements in the bundle.
    #[must_use]
    pub const fn statements(&self) -> u64 {
        self.statements
    }

    /// Leaves of the checkpoint.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Nodes that cosigned the checkpoint.
    #[must_use]
    pub fn cosigners(&self) -> &[NodeId] {
        &self.cosigners
    }

    /// Compares the roots of the nodes with those that a reader expects.
    ///
    /// # Errors
    /// [`Reason::RootUnexpected`] for a node whose root is not among them,
    /// [`Reason::RootAbsent`] for a root that no node here has.
    pub fn compare_roots(&self, expected: &[Root]) -> Result<(), Refused> {
        let is_expected = |node: &NodeId| expected.iter().any(|root| root.is(*node));
        let is_there = |root: &Root| self.parties.iter().any(|node| root.is(*node));
        require(self.parties.iter().all(is_expected), Reason::RootUnexpected, "node")?;
        require(expected.iter().all(is_there), Reason::RootAbsent, "expected root")
    }
}
