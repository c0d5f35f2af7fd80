//! A match key read back: which kind, form, issuer and value its bytes are made of. For auditors.
//!
//! Implements spec/identifiers.md#match-keys.
//!
//! Invariant: bytes that read back are those of exactly one kind, form, issuer and value.

use std::fmt;

use crate::profile::PROFILE_VERSION;
use crate::{IdentError, KeyForm, Kind};

/// The parts of a match key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyParts<'a> {
    kind: Kind,
    form: KeyForm,
    issuer: &'a str,
    value: Option<&'a str>,
}

impl<'a> KeyParts<'a> {
    /// Reads the bytes of [`crate::MatchKey::as_bytes`].
    ///
    /// # Errors
    /// [`IdentError::KeyBytes`] for bytes of another profile or of no key.
    pub fn decode(bytes: &'a [u8]) -> Result<KeyParts<'a>, IdentError> {
        Self::read(bytes).ok_or(IdentError::KeyBytes)
    }

    fn read(bytes: &'a [u8]) -> Option<KeyParts<'a>> {
        let (profile, rest) = part(bytes)?;
        let (kind, rest) = part(rest)?;
        let (form, rest) = part(rest)?;
        let (issuer, rest) = part(rest)?;
        let (value, rest) = part(rest)?;
        if profile != [PROFILE_VERSION] || !rest.is_empty() {
            return None;
        }
        Some(KeyParts {
            kind: Kind::from_code(one(kind)?)?,
            form: KeyForm::from_code(one(form)?)?,
            issuer: std::str::from_utf8(issuer).ok()?,
            // A long value is there as its hash only.
            value: std::str::from_utf8(value).ok(),
        })
    }

    /// The kind in the key.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Which parts of the identifier it is made of.
    #[must_use]
    pub const fn form(&self) -> KeyForm {
        self.form
    }

    /// The issuer; empty where the form has none.
    #[must_use]
    pub const fn expose_issuer(&self) -> &'a str {
        self.issuer
    }

    /// The canonical value; `None` where only its hash is in the key.
    #[must_use]
    pub const fn expose_value(&self) -> Option<&'a str> {
        self.value
    }
}

/// Kind and form; never issuer or value.
impl fmt::Debug for KeyParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyParts({}, {}, [redacted])", self.kind, self.form)
    }
}

/// A part behind its length, and what follows it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn one(part: &[u8]) -> Option<u8> {
    match part {
        [code] => Some(*code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canonical, Input};

    #[test]
    fn a_key_reads_back() {
        let input = Input { text: "KX-100 2001", issuer: Some("RUS"), date: None };
        let canonical = Canonical::parse(Kind::Passport, input).unwrap();
        for key in canonical.keys() {
            let parts = KeyParts::decode(key.as_bytes()).unwrap();
            assert_eq!((parts.kind(), parts.form()), (key.kind(), key.form()));
            assert_eq!(parts.expose_value(), Some("KX1002001"));
            assert_eq!(parts.expose_issuer() == "RUS", key.form() == KeyForm::WithIssuer);
            assert!(!format!("{parts:?}").contains("KX"));
        }
    }

    #[test]
    fn other_bytes_do_not() {
        let canonical = Canonical::parse(Kind::ImoShip, "9074729").unwrap();
        let good = canonical.keys()[0].as_bytes();
        for cut in 0..good.len() {
            assert_eq!(KeyParts::decode(&good[..cut]), Err(IdentError::KeyBytes), "{cut}");
        }
        let mut longer = good.to_vec();
        longer.push(0);
        assert_eq!(KeyParts::decode(&longer), Err(IdentError::KeyBytes));
        let mut other = good.to_vec();
        other[4] ^= 0x80;
        assert_eq!(KeyParts::decode(&other), Err(IdentError::KeyBytes), "another profile");
    }
}
