//! A blocking HTTPS client that pins a key: what somebody else would write. Not the product's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a door said.
#[derive(Debug)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The one line of the body; null where it is none.
    pub body: Value,
}

/// Calls one door.
#[derive(Debug, Clone)]
pub struct Https {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    /// Goes with every call, where there is one.
    pub token: Option<String>,
}

impl Https {
    /// A client of the door at `address` whose key has this pin, with the exchange that an older
    /// TLS library has: the classical one alone.
    #[must_use]
    pub fn classical(address: SocketAddr, pin: [u8; 32], token: Option<String>) -> Https {
        let groups = vec![aws_lc_rs::kx_group::X25519];
        Https::new(address, pin, token, groups)
    }

    /// As [`Https::classical`], with these groups.
    #[must_use]
    pub fn new(
        address: SocketAddr,
        pin: [u8; 32],
        token: Option<String>,
        kx_groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    ) -> Https {
        let provider = Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() });
        let verifier = Arc::new(Pinned { pin, provider: Arc::clone(&provider) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Https { address, config: Arc::new(config), token }
    }

    /// One call on a connection of its own; `None` where no answer came.
    #[must_use]
    pub fn post(&self, call: &str, body: &[u8]) -> Option<Said> {
        let stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let name = ServerName::from(self.address.ip());
        let connection = ClientConnection::new(Arc::clone(&self.config), name).ok()?;
        let mut tls = StreamOwned::new(connection, stream);
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!(
            "POST /v1/{call} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            token.unwrap_or_default(),
            body.len()
        );
        // A door that refuses early may close before it has read all.
        let _ = tls.write_all(head.as_bytes()).and_then(|()| tls.write_all(body));
        let mut answer = Vec::new();
        let _ = tls.read_to_end(&mut answer);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = answer.split_at_checked(end + 4)?;
        let head = String::from_utf8_lossy(head).to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let is_chunked = head.contains("transfer-encoding: chunked");
        let body = if is_chunked { crate::http::joined(body) } else { body.to_vec() };
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Some(Said { status, head, body })
    }
}

#[derive(Debug)]
struct Pinned {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = webpki::EndEntityCert::try_from(end_entity).unwrap();
        let pin: [u8; 32] = Sha256::digest(certificate.subject_public_key_info()).into();
        if pin == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
