//! The keys of the hotlines' door and their certificates; they vouch for nothing by themselves.
//!
//! Implements spec/hotlines.md#door.
//!
//! Invariant: the certificate is a container. A hotline knows the node by the pin of the key in its
//! enrolment file, never by a name, date or issuer.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use symbolon_desk::DoorKeys;
use zeroize::Zeroizing;

use crate::quic::pin_of;

/// ECDSA P-256 keys, which every ordinary TLS client can check. They are not the key of the QUIC
/// transport: partners' pins and hotlines' pins change independently.
#[derive(Default)]
pub(crate) struct Keyring(RwLock<Option<Arc<CertifiedKey>>>);

impl DoorKeys for Keyring {
    fn fresh(&self) -> Option<Zeroizing<Vec<u8>>> {
        // The library draws from the operating system, as it does for signatures.
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).ok()?;
        Some(Zeroizing::new(pair.serialize_der()))
    }

    fn pin(&self, key: &[u8]) -> Option<[u8; 32]> {
        Some(pin_of(&certificate(key)?)?.0)
    }

    fn answer_with(&self, key: &[u8]) -> Option<()> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
        let certified = CertifiedKey::new(vec![certificate(key)?], any_ecdsa_type(&der).ok()?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certified));
        Some(())
    }
}

fn certificate(key: &[u8]) -> Option<CertificateDer<'static>> {
    let der = PrivatePkcs8KeyDer::from(key);
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).ok()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    Some(params.self_signed(&pair).ok()?.der().clone())
}

impl ResolvesServerCert for Keyring {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_has_the_same_pin() {
        let keys = Keyring::default();
        let (one, other) = (keys.fresh().unwrap(), keys.fresh().unwrap());
        assert_eq!(keys.pin(&one), keys.pin(&one.clone()));
        assert_ne!(keys.pin(&one), keys.pin(&other));
        assert!(keys.pin(&[0; 48]).is_none() && keys.answer_with(&[0; 48]).is_none());
    }
}
