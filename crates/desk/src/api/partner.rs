//! Partners, cards and agreements, as people see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The node's own card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CardShown {
    /// The card file, to be given to the partner.
    pub armored: String,
    /// Short name.
    pub name: String,
    /// Country, ISO 3166-1 alpha-3.
    pub country: String,
    /// Root fingerprint.
    pub fingerprint: String,
    /// The twelve words to read aloud.
    pub words: Vec<String>,
    /// Sequence of the card.
    pub sequence: u64,
    /// End of validity.
    pub not_after: u64,
    /// Addresses that partners dial.
    pub addresses: Vec<String>,
}

/// Adds a partner, or looks at its card first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerAdd {
    /// The partner's card file.
    pub card: String,
    /// The fingerprint whose words the operator compared; without it nothing is stored.
    #[serde(default)]
    pub confirmed_fingerprint: Option<String>,
}

/// A partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartnerShown {
    /// Short name, unique in this node.
    pub name: String,
    /// Country.
    pub country: String,
    /// Root fingerprint.
    pub fingerprint: String,
    /// The twelve words.
    pub words: Vec<String>,
    /// `not_added`, `pending`, `active` or `suspended`.
    pub state: String,
    /// Addresses on its card.
    pub addresses: Vec<String>,
    /// End of its card's validity.
    pub card_not_after: u64,
    /// The agreement, where there is one.
    pub agreement: Option<AgreementShown>,
    /// By which way alerts reach it: `direct`, `relay:NAME`, `courier`.
    #[serde(default)]
    pub route: String,
}

/// The terms of an agreement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgreementShown {
    /// Digest of the signed text.
    pub digest: String,
    /// Names of both parties, as this node knows them.
    pub parties: Vec<String>,
    /// Purposes.
    pub purposes: Vec<String>,
    /// Record kinds.
    pub kinds: Vec<String>,
    /// Elements per class and epoch.
    pub budgets: BTreeMap<String, u64>,
    /// Length of an epoch.
    pub epoch_seconds: u64,
    /// How long released records may be kept.
    pub retention_days: u32,
    /// Begin.
    pub not_before: u64,
    /// End.
    pub not_after: u64,
    /// True when both have signed.
    pub complete: bool,
}

/// Proposes an agreement: the result is signed by this node only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementPropose {
    /// Name of the partner.
    pub partner: String,
    /// Purposes, for example `nonproliferation`.
    pub purposes: Vec<String>,
    /// Record kinds; empty for all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Elements per class and epoch.
    pub budgets: BTreeMap<String, u64>,
    /// Length of an epoch.
    pub epoch_seconds: u64,
    /// How long released records may be kept.
    pub retention_days: u32,
    /// How long the agreement lasts.
    pub days: u32,
    /// An agreement on drills, beside the one on real data.
    #[serde(default)]
    pub exercise: bool,
}

/// Takes an agreement file: shows it, and with `accept` signs or stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementAccept {
    /// The agreement file.
    pub armored: String,
    /// Digest of the terms that the operator read; without it nothing is signed or stored.
    #[serde(default)]
    pub confirmed_digest: Option<String>,
}

/// An agreement file and its terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgreementFile {
    /// The file to give to the partner.
    pub armored: String,
    /// What it says.
    pub terms: AgreementShown,
    /// True when it is in force here.
    pub stored: bool,
}

/// Suspends or resumes a partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerChange {
    /// Name of the partner.
    pub partner: String,
    /// Why; goes into the log.
    pub reason: String,
}

/// Sets the way to a partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerRoute {
    /// Name of the partner.
    pub partner: String,
    /// `direct`, `relay:NAME` or `courier`.
    pub route: String,
}
