//! The client of a hotline's door: one call, one connection, the node known by its pinned key.
//!
//! Implements spec/hotlines.md#calls.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig};
use symbolon_desk::{Enrolment, pin_parse};
use symbolon_web::{ErrorLine, Line};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::limits::{ANSWER_BYTES_MAX, CALL_DEADLINE, DIAL_DEADLINE};
use super::pins::{self, Pinned};
use crate::exit::{Exit, Failure};
use crate::quic::{TlsKey, pin_of};

/// The port of `https` where an address names none.
const HTTPS_PORT: u16 = 443;

/// A hotline's own key and certificate, for mutual TLS.
pub(crate) struct ClientKey {
    key: PrivateKeyDer<'static>,
    chain: Vec<CertificateDer<'static>>,
}

impl ClientKey {
    /// Reads a PEM file with a private key and its certificate.
    pub(crate) fn read(path: &Path) -> Result<ClientKey, Failure> {
        let unusable = || {
            Failure::invalid(
                format!("{} holds no private key with its certificate", path.display()),
                "make one with 'symbolon hotline key', or put both into one PEM file",
            )
        };
        let text = Zeroizing::new(std::fs::read(path).map_err(|_| unusable())?);
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| unusable())?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|_| unusable())?;
        if chain.len() != 1 {
            return Err(unusable());
        }
        Ok(ClientKey { key, chain })
    }

    /// The key that `seed` determines, as the text of a PEM file, and its pin.
    pub(crate) fn generate(seed: [u8; 32]) -> Result<(Zeroizing<String>, [u8; 32]), Failure> {
        let made = TlsKey::generate(seed);
        let made = made.map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
        let mut text = Zeroizing::new(pem("PRIVATE KEY", made.expose_secret()));
        for certificate in made.certificate_chain() {
            text.push_str(&pem("CERTIFICATE", &certificate));
        }
        Ok((text, made.pin().0))
    }

    /// The pin of the certificate in a PEM file.
    pub(crate) fn pin_in(path: &Path) -> Result<[u8; 32], Failure> {
        let text = std::fs::read(path).unwrap_or_default();
        let certificate = CertificateDer::from_pem_slice(&text).ok();
        certificate.as_ref().and_then(pin_of).map(|pin| pin.0).ok_or_else(|| {
            Failure::invalid(
                format!("{} holds no certificate", path.display()),
                "give the hotline's certificate as PEM; its private key stays with the hotline",
            )
        })
    }

    pub(super) fn certificate_chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(super) fn private_key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    use base64ct::{Base64, Encoding};
    let encoded = Zeroizing::new(Base64::encode_string(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// Nobody took the call.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// Somebody else answers at the node's address.
    #[error("the key that answers is not the node's: nothing was sent")]
    Key,
    /// The call may or may not have arrived.
    #[error("the connection broke before the answer: {0}")]
    Broken(String),
    /// The node answered, and refused.
    #[error("{}: {}", .0.message, .0.remedy)]
    Refused(ErrorLine),
    /// The answer is not one.
    #[error("the node's answer cannot be read")]
    Unreadable,
}

impl RemoteError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::Unreadable => true,
            Self::Key => false,
            Self::Refused(line) => {
                matches!(line.code.as_str(), "busy" | "unavailable" | "internal")
            }
        }
    }

    /// Whether it is what was handed in that is refused, and not whoever hands it in.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused(line) => {
                matches!(line.code.as_str(), "invalid" | "not_found" | "refused")
            }
            _ => false,
        }
    }

    /// How long the node asks to wait.
    pub(crate) fn retry_seconds(&self) -> Option<u64> {
        match self {
            Self::Refused(line) => line.retry_seconds,
            _ => None,
        }
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Failure {
        match error {
            RemoteError::Refused(line) => Failure::from_code(&line.code, line.message, line.remedy),
            RemoteError::Key => Failure::new(
                Exit::Refused,
                error.to_string(),
                "ask the node's officer whether its key has changed since this machine last greeted \
                 it; 'symbolon hotline renew' there makes an enrolment file with the new one",
            ),
            RemoteError::Unreadable => {
                Failure::new(Exit::Internal, error.to_string(), "is it the right address?")
            }
            RemoteError::Unreachable(_) | RemoteError::Broken(_) => Failure::new(
                Exit::Unavailable,
                error.to_string(),
                "is the node running, and does TCP pass to it?",
            ),
        }
    }
}

/// The way to the node of one enrolment.
pub(crate) struct Remote {
    enrolment: Enrolment,
    tls: Arc<ClientConfig>,
}

impl Remote {
    /// Where whoever answers must have one of these keys.
    pub(crate) fn new(
        enrolment: Enrolment,
        key: Option<&ClientKey>,
        pins: &[String],
    ) -> Result<Remote, Failure> {
        let pins = pins.iter().filter_map(|pin| pin_parse(pin)).collect();
        let tls = pins::client(Arc::new(Pinned(pins)), key).map_err(|_| {
            Failure::invalid(
                "the client key cannot be used",
                "make one with 'symbolon hotline key'",
            )
        })?;
        Ok(Remote { enrolment, tls: Arc::new(tls) })
    }

    /// What it was enrolled with.
    pub(crate) fn enrolment(&self) -> &Enrolment {
        &self.enrolment
    }

    /// Makes one call: at the first address that takes it. What is repeated at a second one has the
    /// same idempotency key.
    pub(crate) async fn call(
        &self,
        path: &str,
        request: &serde_json::Value,
    ) -> Result<serde_json::Value, RemoteError> {
        let body = Bytes::from(request.to_string());
        let mut last = RemoteError::Unreachable("no address".to_owned());
        for url in &self.enrolment.urls {
            let called = timeout(CALL_DEADLINE, self.call_at(url, path, body.clone())).await;
            match called.unwrap_or(Err(RemoteError::Broken("no answer in time".to_owned()))) {
                Err(
                    error @ (RemoteError::Unreachable(_)
                    | RemoteError::Broken(_)
                    | RemoteError::Key),
                ) => last = error,
                answered => return answered,
            }
        }
        Err(last)
    }

    async fn call_at(
        &self,
        url: &str,
        path: &str,
        body: Bytes,
    ) -> Result<serde_json::Value, RemoteError> {
        let stream = self.connect(url).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        let driving = tokio::spawn(connection);
        let mut request = Request::post(format!("/v1/{path}"))
            .header(header::HOST, url.trim_start_matches("https://"))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.enrolment.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).map_err(|_| RemoteError::Unreadable)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| {
                error.downcast::<hyper::Error>().map_or(RemoteError::Unreadable, |e| broken(&e))
            })
        };
        let answer = answer.await;
        driving.abort();
        read(&answer?)
    }

    async fn connect(&self, url: &str) -> Result<TlsStream<TcpStream>, RemoteError> {
        let unreachable = |cause: &str| RemoteError::Unreachable(cause.to_owned());
        let uri: Uri = url.parse().map_err(|_| unreachable("not an address"))?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(HTTPS_PORT);
        let dialled = timeout(DIAL_DEADLINE, TcpStream::connect((host.as_str(), port))).await;
        let stream = dialled.map_err(|_| unreachable("no answer in time"))?;
        let stream = stream.map_err(|error| unreachable(&error.kind().to_string()))?;
        let _ = stream.set_nodelay(true);
        let name = ServerName::try_from(host).map_err(|_| unreachable("not an address"))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let shaken = timeout(DIAL_DEADLINE, connector.connect(name, stream)).await;
        let shaken = shaken.map_err(|_| unreachable("no TLS handshake in time"))?;
        shaken.map_err(|error| match tls_cause(&error) {
            Some(rustls::Error::InvalidCertificate(_)) => RemoteError::Key,
            _ => unreachable("the TLS handshake failed"),
        })
    }
}

/// The last line of an answer.
fn read(answer: &[u8]) -> Result<serde_json::Value, RemoteError> {
    let mut lines = answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let last = lines.next_back().and_then(|line| serde_json::from_slice(line).ok());
    match last {
        Some(Line::Result(value)) => Ok(value),
        Some(Line::Error(line)) => Err(RemoteError::Refused(line)),
        _ => Err(RemoteError::Unreadable),
    }
}

/// In TLS 1.3 a client learns only after its handshake that its certificate was refused.
fn broken(error: &hyper::Error) -> RemoteError {
    let io = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match io.and_then(tls_cause) {
        Some(rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied,
        )) => RemoteError::Refused(ErrorLine {
            code: "credentials".to_owned(),
            message: "the node knows no hotline with this client key".to_owned(),
            remedy: "give its certificate to the node's officer for 'symbolon hotline renew'"
                .to_owned(),
            retry_seconds: None,
        }),
        _ => RemoteError::Broken(error.to_string()),
    }
}

fn tls_cause(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>())
}
