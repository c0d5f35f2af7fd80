//! The key of the hotlines' door and its certificate; vouches for nothing by itself.
//!
//! Implements spec/hotlines.md#door.
//!
//! Invariant: the certificate is a container. A hotline knows the node by the pin of this key in
//! its enrolment file, never by a name, date or issuer.

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use symbolon_desk::{Desk, DeskError};
use symbolon_store::Store;
use zeroize::Zeroizing;

use crate::quic::pin_of;

/// An ECDSA P-256 key, which every ordinary TLS client can check, and its certificate. It is not
/// the key of the QUIC transport: partners' pins and hotlines' pins change independently.
pub(crate) struct DoorKey {
    pkcs8: Zeroizing<Vec<u8>>,
    certificate: CertificateDer<'static>,
    pin: [u8; 32],
}

impl DoorKey {
    /// The key in the store; made and kept where there is none.
    pub(crate) fn open(store: &Store) -> Result<DoorKey, DeskError> {
        if let Some(kept) = Desk::hotline_door_key(store)? {
            return DoorKey::from_der(kept).ok_or_else(unusable);
        }
        // The library draws from the operating system, as it does for signatures.
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| unusable())?;
        let pkcs8 = Zeroizing::new(pair.serialize_der());
        Desk::hotline_door_key_keep(store, &pkcs8)?;
        DoorKey::from_der(pkcs8).ok_or_else(unusable)
    }

    fn from_der(pkcs8: Zeroizing<Vec<u8>>) -> Option<DoorKey> {
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).ok()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let certificate = params.self_signed(&pair).ok()?.der().clone();
        let pin = pin_of(&certificate)?.0;
        Some(DoorKey { pkcs8, certificate, pin })
    }

    /// What hotlines pin.
    pub(crate) fn pin(&self) -> [u8; 32] {
        self.pin
    }

    pub(super) fn certificate_chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(super) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()).into()
    }
}

fn unusable() -> DeskError {
    DeskError::internal("the key of the hotlines' door cannot be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_has_the_same_pin() {
        let store = Store::memory([7; 32]);
        let made = DoorKey::open(&store).unwrap();
        assert_eq!(DoorKey::open(&store).unwrap().pin(), made.pin());
        assert_ne!(DoorKey::open(&Store::memory([8; 32])).unwrap().pin(), made.pin());
        assert!(DoorKey::from_der(Zeroizing::new(vec![0; 48])).is_none());
    }
}
