//! What a recipient may do with a record: TLP 2.0, audience, originator control, purposes.
//!
//! Implements spec/record.md#handling. Marks bind people; what leaves is decided by policy.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_ident::Country;

use crate::OriginatorControl;
use crate::named::named;

named! {
    /// Traffic Light Protocol, version 2.0 (FIRST), from the widest to the narrowest.
    Tlp as "TLP label" {
        /// No limit on disclosure.
        Clear = "clear",
        /// Within the community.
        Green = "green",
        /// The recipient's organisation and its clients, on a need-to-know basis.
        Amber = "amber",
        /// The recipient's organisation only.
        AmberStrict = "amber_strict",
        /// The individual recipients only.
        Red = "red",
    }
}

impl Tlp {
    /// The label as the standard prints it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Tlp::Clear => "TLP:CLEAR",
            Tlp::Green => "TLP:GREEN",
            Tlp::Amber => "TLP:AMBER",
            Tlp::AmberStrict => "TLP:AMBER+STRICT",
            Tlp::Red => "TLP:RED",
        }
    }
}

/// Marks that travel with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Handling {
    /// Traffic light.
    pub tlp: Tlp,
    /// Countries that the record may go to; empty where the originator named none.
    pub releasable_to: Vec<Country>,
    /// Whether every further use needs the originator's consent.
    pub originator_control: OriginatorControl,
    /// Purposes that the record may serve; empty where the originator named none.
    pub purposes: Vec<String>,
}

impl Handling {
    /// Whether the originator's audience includes `country`.
    #[must_use]
    pub fn releasable(&self, country: Country) -> bool {
        self.releasable_to.is_empty() || self.releasable_to.contains(&country)
    }

    /// Whether the originator permits `purpose`.
    #[must_use]
    pub fn serves(&self, purpose: &str) -> bool {
        self.purposes.is_empty() || self.purposes.iter().any(|permitted| permitted == purpose)
    }
}
