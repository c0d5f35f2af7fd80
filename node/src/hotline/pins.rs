//! The TLS settings of the door and of its client: keys are known by pin, never by an authority.
//!
//! Implements spec/hotlines.md#door.
//!
//! Invariant: a client certificate passes only if some hotline is enrolled with its key, and a
//! server's only if the enrolment file pins it.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
};

use super::Keyring;
use super::remote::ClientKey;
use crate::quic::pin_of;

/// RFC 7301; nothing but HTTP/1.1 is spoken here.
const ALPN: &[u8] = b"http/1.1";

/// The hybrid first; the classical exchange is for ordinary clients that know no other.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519],
        ..default_provider()
    }
}

/// Says whether a pin is accepted.
pub(super) trait Accepts: Send + Sync {
    fn accepts(&self, pin: &[u8; 32]) -> bool;
}

/// The pins that a hotline's client accepts.
pub(super) struct Pinned(pub(super) Vec<[u8; 32]>);

impl Accepts for Pinned {
    fn accepts(&self, pin: &[u8; 32]) -> bool {
        self.0.contains(pin)
    }
}

pub(super) fn server(
    keys: Arc<Keyring>,
    hotlines: Arc<dyn Accepts>,
) -> Result<ServerConfig, Error> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier { pins: hotlines, algorithms });
    let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(keys);
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.ignore_client_order = true;
    tls.max_early_data_size = 0;
    tls.send_half_rtt_data = false;
    tls.send_tls13_tickets = 0;
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(tls)
}

pub(super) fn client(
    pins: Arc<dyn Accepts>,
    own: Option<&ClientKey>,
) -> Result<ClientConfig, Error> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier { pins, algorithms });
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut tls = match own {
        Some(own) => builder.with_client_auth_cert(own.certificate_chain(), own.private_key())?,
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![ALPN.to_vec()];
    tls.resumption = Resumption::disabled();
    tls.enable_early_data = false;
    // The pin says who answers; a network need not read a name.
    tls.enable_sni = false;
    Ok(tls)
}

/// Accepts exactly the pinned keys.
struct Verifier {
    pins: Arc<dyn Accepts>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn check(&self, end_entity: &CertificateDer<'_>) -> Result<(), Error> {
        let pin = pin_of(end_entity).ok_or(CertificateError::BadEncoding)?;
        if self.pins.accepts(&pin.0) {
            return Ok(());
        }
        Err(CertificateError::UnknownIssuer.into())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::ServerDoesNotSupportTls12Or13.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    /// A hotline may prove itself by its token alone.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// No hints: a list of names would tell every caller who the hotlines are.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::ServerDoesNotSupportTls12Or13.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
