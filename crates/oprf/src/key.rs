//! Secrets from which everything of one agreement is derived: keys and salts, none of them stored.
//!
//! Implements spec/matching.md#keys.

use curve25519_dalek::{RistrettoPoint, Scalar};
use symbolon_codec::{Framed, sha256};
use symbolon_ident::Class;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::element::{Element, PublicKey};
use crate::{OprfError, label, suite};

/// The holder's secret for one agreement: 32 uniformly random bytes.
///
/// Destroyed one epoch after the agreement's end; with it goes every key derived from it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct EpochSeed([u8; 32]);

impl EpochSeed {
    /// Takes bytes fresh from the system's entropy, or back from the sealed store.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the sealed store and nothing else.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// For whom, for what and for when a key is: the names in its derivation.
#[derive(Clone, Copy)]
pub struct KeyNames<'a> {
    /// Node id of the node that has the key.
    pub holder: &'a [u8; 32],
    /// Node id of the only node that may ask under it.
    pub asker: &'a [u8; 32],
    /// The class of identifiers.
    pub class: Class,
    /// The number of the epoch in the agreement.
    pub epoch: u64,
}

impl KeyNames<'_> {
    fn framed(&self) -> Framed {
        Framed::new()
            .part(self.holder)
            .part(self.asker)
            .part([self.class.code()])
            .part(self.epoch.to_be_bytes())
    }
}

/// The secret scalar, never zero, and its half for batched encoding.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretKey {
    scalar: Scalar,
    half: Scalar,
}

impl SecretKey {
    /// `DeriveKeyPair(seed, "symbolon/1 oprf" ‖ framed names)`.
    pub(crate) fn derive(seed: &EpochSeed, names: &KeyNames<'_>) -> Result<Self, OprfError> {
        let info = [label::KEY.as_bytes(), names.framed().as_bytes()].concat();
        suite::derive_key(seed.expose_secret(), &info).map(Self::new)
    }

    pub(crate) fn new(scalar: Scalar) -> Self {
        Self { scalar, half: scalar.div_by_2() }
    }

    pub(crate) fn expose_secret(&self) -> &Scalar {
        &self.scalar
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(Element::from_point(RistrettoPoint::mul_base(&self.scalar)))
    }

    /// Half of the key times `point`: twice of it is what a batched encoding writes.
    pub(crate) fn evaluate_half(&self, point: &RistrettoPoint) -> RistrettoPoint {
        point * self.half
    }
}

/// The secret of one tag set from which the salts of its record commitments come.
///
/// Derived, so that a commitment can still be opened after a restart with nothing but the seed.
pub struct SetSalt(Zeroizing<[u8; 32]>);

impl SetSalt {
    /// The salt of the tag set with this serial number.
    #[must_use]
    pub fn derive(seed: &EpochSeed, names: &KeyNames<'_>, serial: u64) -> Self {
        let names = names.framed().part(serial.to_be_bytes());
        let salt = sha256(label::SET_SALT, &[seed.expose_secret(), names.as_bytes()]);
        Self(Zeroizing::new(salt))
    }

    /// The salt of one entry: opening it says nothing about any other.
    pub(crate) fn entry(&self, tag: &crate::Tag) -> [u8; 32] {
        sha256(label::RECORD_SALT, &[self.0.as_slice(), tag.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_changes_the_key_and_the_salt() {
        let seed = EpochSeed::new([7; 32]);
        let base = KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Document, epoch: 5 };
        let names = [
            base,
            KeyNames { holder: &[3; 32], ..base },
            KeyNames { asker: &[3; 32], ..base },
            KeyNames { holder: base.asker, asker: base.holder, ..base },
            KeyNames { class: Class::Person, ..base },
            KeyNames { epoch: 6, ..base },
        ];
        let key = |seed: &EpochSeed, names: &KeyNames<'_>| {
            *SecretKey::derive(seed, names).unwrap().public().as_bytes()
        };
        let salt = |names: &KeyNames<'_>, serial| *SetSalt::derive(&seed, names, serial).0;
        let mut keys: Vec<_> = names.iter().map(|names| key(&seed, names)).collect();
        keys.push(key(&EpochSeed::new([8; 32]), &base));
        let mut salts: Vec<_> = names.iter().map(|names| salt(names, 1)).collect();
        salts.push(salt(&base, 2));
        for list in [&mut keys, &mut salts] {
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), names.len() + 1);
        }
    }

    #[test]
    fn the_info_is_the_label_and_the_framed_names() {
        let names =
            KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Account, epoch: 258 };
        let expect = [
            &[0, 0, 0, 32][..],
            &[1; 32],
            &[0, 0, 0, 32],
            &[2; 32],
            &[0, 0, 0, 1, Class::Account.code()],
            &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2],
        ]
        .concat();
        assert_eq!(names.framed().as_bytes(), expect);
    }
}
