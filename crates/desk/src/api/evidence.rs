//! Evidence bundles, as people ask for them.

use serde::{Deserialize, Serialize};

/// Asks for a bundle about one matter: exactly one of hit, case, statement and alert is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBuild {
    /// Id of a hit.
    #[serde(default)]
    pub hit: Option<String>,
    /// A case: all of its hits that were confirmed.
    #[serde(default)]
    pub case: Option<String>,
    /// Hash of a statement that was sent or received, or its first 16 digits: the side that was
    /// asked has no hit.
    #[serde(default)]
    pub statement: Option<String>,
    /// Id of an alert, or `ID@PARTNER`.
    #[serde(default)]
    pub alert: Option<String>,
    /// The partner with which the alert is shown, where it went to several.
    #[serde(default)]
    pub partner: Option<String>,
    /// Why: goes into the log and into the bundle.
    pub reason: String,
    /// Whether what the queries asked about is shown too: that is an opening, and logged as one.
    #[serde(default)]
    pub query_contents: bool,
    /// Whether acknowledgements that also speak of other alerts are shown, and logged as shown.
    #[serde(default)]
    pub shared_acknowledgements: bool,
    /// Whether the origin shows what its log says became of the alert, which tells how many nodes
    /// have it; logged as shown.
    #[serde(default)]
    pub alert_entries: bool,
}

/// A bundle that verifies.
#[derive(Clone, Serialize, Deserialize)]
pub struct EvidenceBuilt {
    /// The file, in hexadecimal.
    pub bundle: String,
    /// The index, as a page to print.
    pub page: String,
    /// Whether it is about a drill.
    pub exercise: bool,
    /// Statements in it.
    pub statements: u64,
    /// Leaves of the checkpoint in it.
    pub leaves: u64,
    /// The nodes that speak in it.
    pub nodes: Vec<EvidenceNode>,
    /// Names of partners that cosigned the checkpoint.
    pub cosigned_by: Vec<String>,
    /// What is left out, and why.
    pub left_out: Vec<(String, String)>,
    /// What is proved.
    pub proved: Vec<String>,
    /// What is not.
    pub not_proved: Vec<String>,
}

/// A node that speaks in a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvidenceNode {
    /// Its name on its card.
    pub name: String,
    /// Fingerprint of its root.
    pub fingerprint: String,
    /// The same as twelve words.
    pub words: Vec<String>,
}

impl std::fmt::Debug for EvidenceBuilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceBuilt({} statements, [redacted])", self.statements)
    }
}
