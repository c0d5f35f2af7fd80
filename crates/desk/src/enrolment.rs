//! The enrolment file: all that a hotline needs to reach a node and to be known there. A secret.
//!
//! Implements spec/hotlines.md#enrolment-file.
//!
//! Invariant: what [`Enrolment::armor`] writes, [`Enrolment::parse`] reads to the same values.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_trust::{NodeName, armor};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::DeskError;
use crate::limits::{ENROLMENT_BYTES_MAX, HOTLINE_PINS_MAX, HOTLINE_URLS_MAX, URL_BYTES_MAX};

const ARMOR_NAME: &str = "enrolment";
/// The only version so far.
const VERSION: u8 = 1;

/// What an enrolment file says.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    version: u8,
    /// Name on the node's card.
    pub node: String,
    /// Where to call, in the order to be tried: `https://host:port`.
    pub urls: Vec<String>,
    /// SHA-256 of the public key info of the node's certificate, hexadecimal. One must fit.
    pub pins: Vec<String>,
    /// Name of the hotline.
    pub hotline: String,
    /// The token; absent for a hotline that has a certificate alone.
    pub token: Option<String>,
}

impl Enrolment {
    pub(crate) fn new(
        node: String,
        hotline: String,
        (urls, pins): (Vec<String>, Vec<String>),
        token: Option<String>,
    ) -> Enrolment {
        Enrolment { version: VERSION, node, urls, pins, hotline, token }
    }

    /// The text of the file.
    #[must_use]
    pub fn armor(&self) -> String {
        armor::wrap(ARMOR_NAME, &serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`DeskError`] where it is damaged, or of another version.
    pub fn parse(text: &str) -> Result<Enrolment, DeskError> {
        let remedy = "ask the node's officer for 'symbolon hotline renew', which makes a new file";
        let wrong = |what: &str| DeskError::invalid(format!("the enrolment file {what}"), remedy);
        let bytes = armor::unwrap(ARMOR_NAME, text).map_err(|fault| wrong(&fault.to_string()))?;
        if bytes.len() > ENROLMENT_BYTES_MAX {
            return Err(wrong("is too long"));
        }
        let read: Enrolment = serde_json::from_slice(&bytes)
            .map_err(|_| wrong("lacks a part, or is of later make"))?;
        if read.version != VERSION {
            return Err(wrong("is of another version"));
        }
        if !(1..=HOTLINE_URLS_MAX).contains(&read.urls.len())
            || !(1..=HOTLINE_PINS_MAX).contains(&read.pins.len())
            || !read.urls.iter().all(|url| url_is_usable(url))
            || read.pins.iter().any(|pin| pin_parse(pin).is_none())
            || NodeName::parse(&read.hotline).is_err()
        {
            return Err(wrong("names no usable node or hotline"));
        }
        Ok(read)
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Enrolment({} at {})", self.hotline, self.node)
    }
}

/// Whether `url` is `https://` with a host and nothing behind it.
pub(crate) fn url_is_usable(url: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    url.len() <= URL_BYTES_MAX
        && url
            .strip_prefix("https://")
            .is_some_and(|authority| !authority.is_empty() && authority.chars().all(allowed))
}

/// Reads 32 bytes in hexadecimal.
#[must_use]
pub fn pin_parse(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let read: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    read?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Enrolment {
        let places = (vec!["https://node.example:8443".to_owned()], vec!["0f".repeat(32)]);
        Enrolment::new("north".into(), "harbour".into(), places, Some("harbour.abc".into()))
    }

    #[test]
    fn a_file_comes_back_from_the_mail() {
        let text = format!("Dear colleague,\r\n{}\r\n", sample().armor());
        assert_eq!(Enrolment::parse(&text).unwrap(), sample());
        assert!(!format!("{:?}", sample()).contains("abc"), "the token is not printed");
    }

    #[test]
    fn other_files_are_refused_with_what_to_do() {
        let change = |change: &dyn Fn(&mut Enrolment)| {
            let mut changed = sample();
            change(&mut changed);
            changed.armor()
        };
        for text in [
            String::new(),
            sample().armor().replacen("eyJ", "eyK", 1),
            armor::wrap(ARMOR_NAME, b"{}"),
            change(&|file| file.version = 2),
            change(&|file| file.urls.clear()),
            change(&|file| file.urls = vec!["http://node.example".into()]),
            change(&|file| file.urls = vec!["https://node.example/path".into()]),
            change(&|file| file.pins = vec!["0f".into()]),
            change(&|file| file.hotline = "Not A Name".into()),
        ] {
            let error = Enrolment::parse(&text).unwrap_err();
            assert!(error.remedy().contains("hotline renew"), "{error}");
        }
    }
}
