//! Hotlines, as officers see them, and the greeting that every door gives.

use serde::{Deserialize, Serialize};

/// How a hotline proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// By the token of its enrolment file.
    #[default]
    Token,
    /// By the key of a client certificate.
    Certificate,
    /// By both.
    Both,
}

impl Proof {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Token => "token",
            Proof::Certificate => "certificate",
            Proof::Both => "both",
        }
    }
}

/// Enrols a hotline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotlineAdd {
    /// Short name: lower-case letters, digits, hyphen.
    pub name: String,
    /// Submissions in an hour.
    pub quota_per_hour: u32,
    /// Submissions at once.
    pub burst: u32,
    /// Record kinds that it may hand in; empty for all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// How it proves who it is.
    #[serde(default)]
    pub proof: Proof,
    /// SHA-256 of the public key info of its certificate, hexadecimal.
    #[serde(default)]
    pub certificate_pin: Option<String>,
}

/// Suspends or resumes a hotline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotlineChange {
    /// Name of the hotline.
    pub name: String,
    /// Why; goes into the log.
    pub reason: String,
}

/// Gives a hotline a new token, or the key of a new certificate. What it had no longer counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotlineRenew {
    /// Name of the hotline.
    pub name: String,
    /// Why; goes into the log.
    pub reason: String,
    /// The new pin, where it proves itself by a certificate; the one that is there if none is
    /// given.
    #[serde(default)]
    pub certificate_pin: Option<String>,
}

/// A hotline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotlineShown {
    /// Name.
    pub name: String,
    /// `active` or `suspended`.
    pub state: String,
    /// How it proves who it is.
    pub proof: Proof,
    /// The pin of its certificate, where it has one.
    pub certificate_pin: Option<String>,
    /// Submissions in an hour.
    pub quota_per_hour: u32,
    /// Submissions at once.
    pub burst: u32,
    /// Record kinds that it may hand in; empty for all.
    pub kinds: Vec<String>,
    /// When it was enrolled.
    pub made_at: u64,
    /// When it was last changed.
    pub changed_at: u64,
    /// When it was last heard of, since the node started.
    pub heard_at: Option<u64>,
    /// Calls that were refused for its quota since the node started.
    pub refused: u64,
}

/// A hotline that was enrolled or has new credentials. Nothing here is shown a second time.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolled {
    /// The hotline.
    pub hotline: HotlineShown,
    /// Where it calls.
    pub urls: Vec<String>,
    /// SHA-256 of the public key info of the node's certificate, hexadecimal; several while keys
    /// change.
    pub pins: Vec<String>,
    /// The token, where it has one.
    pub token: Option<String>,
    /// The enrolment file.
    pub enrolment: String,
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolled({})", self.hotline.name)
    }
}

/// Makes the next key of the hotlines' door.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorNext {
    /// Why; goes into the log.
    pub reason: String,
}

/// Has the hotlines' door answer with its next key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorSwitch {
    /// Why; goes into the log.
    pub reason: String,
    /// Without it nothing is changed, and only shown.
    #[serde(default)]
    pub confirmed: bool,
}

/// The keys of the hotlines' door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorShown {
    /// Pin of the key that answers.
    pub pin: String,
    /// Pin of the next one, if there is one.
    pub next: Option<String>,
    /// How many hotlines are enrolled.
    pub hotlines: usize,
    /// Those of them that were not seen to know the next key.
    pub unlearned: Vec<String>,
}

/// Greets a node.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeHello {
    /// The pins that a hotline's client keeps on its disk, in hexadecimal: so the node knows whom
    /// a change of its key would shut out.
    #[serde(default)]
    pub pins: Vec<String>,
}

/// What a door says to whoever is admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Name on the node's card.
    pub node: String,
    /// Country on the node's card.
    pub country: String,
    /// The node's time, Unix seconds.
    pub now: u64,
    /// The same for people: RFC 3339, UTC.
    pub time: String,
    /// Version of the software.
    pub version: String,
    /// The hotline that asks, where one does.
    pub hotline: Option<String>,
    /// What it may hand in now before it is told to wait.
    pub submissions_left: Option<u64>,
    /// Pins of the hotlines' door in hexadecimal: of the key that answers, and of the next one.
    pub pins: Vec<String>,
}
