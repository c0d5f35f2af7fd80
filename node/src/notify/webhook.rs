//! One POST to one address: TLS with the configured roots, or plain to this very machine.
//!
//! Implements spec/watch.md#notices.
//!
//! Invariant: without TLS nothing is sent to an address that is not of the loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::NotifyError;
use crate::exit::Failure;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const ALPN: &[u8] = b"http/1.1";
/// Where systems keep the roots that they trust; the first that is there is taken.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// How webhooks are reached.
pub(super) struct Webhooks {
    tls: TlsConnector,
}

impl Webhooks {
    /// With the roots of `roots`, or those of the system.
    pub(super) fn new(roots: Option<&Path>) -> Result<Webhooks, Failure> {
        let mut trusted = RootCertStore::empty();
        match roots {
            Some(path) => {
                let unusable = |cause: &str| {
                    let message = format!("{}: {cause}", path.display());
                    Failure::invalid(message, "correct notice_roots_file in symbolon.toml")
                };
                let read = CertificateDer::pem_file_iter(path);
                let read = read.map_err(|_| unusable("the roots cannot be read"))?;
                for root in read {
                    let root = root.map_err(|_| unusable("the roots are not PEM"))?;
                    trusted.add(root).map_err(|_| unusable("a root is not a certificate"))?;
                }
                if trusted.is_empty() {
                    return Err(unusable("there is no root"));
                }
            }
            None => {
                let read =
                    SYSTEM_ROOTS.iter().find_map(|path| CertificateDer::pem_file_iter(path).ok());
                // A system may keep roots that this program cannot read: it goes without those.
                let roots = read.into_iter().flatten().filter_map(Result::ok);
                trusted.add_parsable_certificates(roots);
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Failure::new(crate::exit::Exit::Internal, error.to_string(), "report it")
            })?;
        let mut tls = builder.with_root_certificates(trusted).with_no_client_auth();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Webhooks { tls: TlsConnector::from(Arc::new(tls)) })
    }

    /// Posts a JSON body. Any status from 200 to 299 is a yes; a redirection is not followed.
    pub(super) async fn post(&self, address: &str, body: String) -> Result<(), NotifyError> {
        let uri: Uri = address.parse().map_err(|_| NotifyError::Unreachable)?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        match uri.scheme_str() {
            Some("https") => {
                let stream = connect(&host, uri.port_u16().unwrap_or(HTTPS_PORT), |_| true).await?;
                let name = ServerName::try_from(host).map_err(|_| NotifyError::Unreachable)?;
                let stream = self.tls.connect(name, stream).await.map_err(|_| NotifyError::Tls)?;
                request(stream, &uri, body).await
            }
            _ => {
                let here = |address: &SocketAddr| address.ip().is_loopback();
                let stream = connect(&host, uri.port_u16().unwrap_or(HTTP_PORT), here).await?;
                request(stream, &uri, body).await
            }
        }
    }
}

/// Connects to the first address of a host that is allowed and answers.
async fn connect(
    host: &str,
    port: u16,
    is_allowed: impl Fn(&SocketAddr) -> bool,
) -> Result<TcpStream, NotifyError> {
    let found = lookup_host((host, port)).await.map_err(|_| NotifyError::Unreachable)?;
    let mut last = NotifyError::Unreachable;
    for address in found {
        if !is_allowed(&address) {
            last = NotifyError::NotHere;
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(_) => last = NotifyError::Unreachable,
        }
    }
    Err(last)
}

async fn request<S>(stream: S, uri: &Uri, body: String) -> Result<(), NotifyError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| NotifyError::Unreachable)?;
    let driving = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, "symbolon")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| NotifyError::Unreachable)?;
    let answered = sender.send_request(request).await;
    // What the answer says beyond its status is not read.
    driving.abort();
    let status = answered.map_err(|_| NotifyError::Unreachable)?.status();
    if status.is_success() { Ok(()) } else { Err(NotifyError::Status(status.as_u16())) }
}
