//! This node's TLS key and the certificate that carries it; vouches for nothing by itself.
//!
//! Implements spec/transport.md#pins.
//!
//! Invariant: the certificate is a container. Who it belongs to follows from the pin of its key in
//! a signed node card, never from a name, date or issuer inside it.

use aws_lc_rs::hmac;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use symbolon_trust::TlsPin;
use webpki::EndEntityCert;
use zeroize::Zeroizing;

/// The pin of the key inside `certificate`, or `None` where there is no readable key.
pub(crate) fn pin_of(certificate: &CertificateDer<'_>) -> Option<TlsPin> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    Some(TlsPin(Sha256::digest(certificate.subject_public_key_info()).into()))
}

/// Why bytes are no TLS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TlsKeyError {
    /// Not PKCS#8, or not an Ed25519 key.
    #[error("not an Ed25519 key in PKCS#8")]
    NotEd25519,
    /// The key cannot carry a certificate: a fault of this program.
    #[error("no certificate could be made for the key")]
    Certificate,
}

/// An Ed25519 key for TLS handshakes and its self-signed certificate.
pub(crate) struct TlsKey {
    pkcs8: Zeroizing<Vec<u8>>,
    certificate: CertificateDer<'static>,
    pin: TlsPin,
}

/// PKCS#8 version 1 around an Ed25519 seed (RFC 8410 §7, `OneAsymmetricKey` without attributes).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl TlsKey {
    /// The key that `seed` determines.
    ///
    /// # Errors
    /// [`TlsKeyError::Certificate`], which no seed is known to cause.
    pub(crate) fn generate(seed: [u8; 32]) -> Result<Self, TlsKeyError> {
        let seed = Zeroizing::new(seed);
        Self::from_der(&Zeroizing::new([PKCS8_PREFIX.as_slice(), seed.as_slice()].concat()))
    }

    /// The key stored as PKCS#8 by [`TlsKey::expose_secret`].
    ///
    /// # Errors
    /// [`TlsKeyError`].
    pub(crate) fn from_der(pkcs8: &[u8]) -> Result<Self, TlsKeyError> {
        let pair =
            KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &PKCS_ED25519)
                .map_err(|_| TlsKeyError::NotEd25519)?;
        // An empty name and rcgen's wide dates: a certificate tells an observer of a stolen key
        // file nothing about the agency.
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let certificate = params.self_signed(&pair).map_err(|_| TlsKeyError::Certificate)?;
        let certificate = certificate.der().clone();
        let pin = pin_of(&certificate).ok_or(TlsKeyError::Certificate)?;
        Ok(Self { pkcs8: Zeroizing::new(pkcs8.to_vec()), certificate, pin })
    }

    /// The pin for this node's card.
    pub(crate) fn pin(&self) -> TlsPin {
        self.pin
    }

    /// The key as PKCS#8, for sealed storage only.
    pub(crate) fn expose_secret(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn certificate_chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(super) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()).into()
    }

    /// A key that outlives the process and is known to nobody else: a restarted node can then tell
    /// its partners by a stateless reset (RFC 9000 §10.3) that their connections are gone.
    pub(super) fn derive(&self, label: &str) -> hmac::Key {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &self.pkcs8);
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, label.as_bytes()).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_has_the_same_pin() {
        let key = TlsKey::generate([7; 32]).unwrap();
        let again = TlsKey::from_der(key.expose_secret()).unwrap();
        assert_eq!(key.pin(), again.pin());
        assert_ne!(key.pin(), TlsKey::generate([8; 32]).unwrap().pin());
    }

    /// RFC 8410 §10.3 and RFC 8032 §7.1 test 1 share this key.
    #[test]
    fn the_pin_is_the_hash_of_the_public_key_info() {
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        // SubjectPublicKeyInfo of RFC 8410 §4: SEQUENCE { SEQUENCE { 1.3.101.112 }, BIT STRING }.
        let info = [hex("302a300506032b6570032100"), public].concat();
        let key = TlsKey::generate(seed.try_into().unwrap()).unwrap();
        assert_eq!(key.pin().0, <[u8; 32]>::from(Sha256::digest(info)));
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&[][..], &[0; 48], b"-----BEGIN PRIVATE KEY-----"] {
            assert_eq!(TlsKey::from_der(bytes).err(), Some(TlsKeyError::NotEd25519));
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }
}
