//! What TLS lets in and what it does not, below the hello.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, TokioRuntime};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::version::TLS13;
use symbolon_protocol::limits::ALPN;
use symbolon_protocol::{Established, Local, Partner};
use symbolon_tlog::VerifiedCheckpoint;
use symbolon_trust::{NodeId, TlsPin};

use super::super::config::{self, Client};
use super::super::pin_verifier::{Expect, PinVerifier};
use super::super::{Directory, Timing, TlsKey};

/// Pins without cards: enough below the hello.
#[derive(Default)]
struct Pins(Mutex<HashMap<TlsPin, NodeId>>);

impl Directory for Pins {
    fn by_pin(&self, pin: &TlsPin) -> Option<NodeId> {
        self.0.lock().unwrap().get(pin).copied()
    }

    fn partner(&self, _: &NodeId) -> Option<Partner> {
        None
    }

    fn local(&self) -> Local {
        unreachable!("asked for the hello only")
    }

    fn met(&self, _: &Established) {}

    fn contradicted(&self, _: &NodeId, _: VerifiedCheckpoint) {}
}

struct Side {
    key: TlsKey,
    node: NodeId,
    partners: Arc<dyn Directory>,
    pins: Arc<Pins>,
    socket: Endpoint,
}

fn side(number: u8) -> Side {
    let key = TlsKey::generate([number; 32]).unwrap();
    let pins = Arc::new(Pins::default());
    let partners: Arc<dyn Directory> = Arc::clone(&pins) as _;
    let server = config::server(&key, &partners, &Timing::default()).unwrap();
    let socket = Endpoint::new(
        config::endpoint(&key),
        Some(server),
        std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
        Arc::new(TokioRuntime),
    )
    .unwrap();
    Side { key, node: NodeId::from_bytes([number; 32]), partners, pins, socket }
}

impl Side {
    fn knows(&self, other: &Side) {
        self.pins.0.lock().unwrap().insert(other.key.pin(), other.node);
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Settings with which this side dials `other`.
    fn dialling(&self, other: &Side) -> ClientConfig {
        let client = Client::new(&Timing::default()).unwrap();
        client.config(&self.key, &self.partners, other.node).unwrap()
    }
}

fn pair() -> (Side, Side) {
    let (asker, holder) = (side(1), side(2));
    asker.knows(&holder);
    holder.knows(&asker);
    (asker, holder)
}

/// Both ends of one attempt. The client's end is judged after the server's, because a client is
/// done before its certificate has been looked at.
async fn attempt(
    asker: &Side,
    holder: &Side,
    config: ClientConfig,
) -> (Result<Connection, ConnectionError>, Result<Connection, ConnectionError>) {
    let connecting = asker.socket.connect_with(config, holder.address(), "test.invalid").unwrap();
    let accepting = async { holder.socket.accept().await.unwrap().await };
    tokio::join!(connecting, accepting)
}

/// True when neither end was left with a connection that lives.
async fn refused(asker: &Side, holder: &Side, config: ClientConfig) -> bool {
    let (client, server) = attempt(asker, holder, config).await;
    let server_refused = server.is_err();
    if let Ok(client) = client {
        client.closed().await;
    }
    server_refused
}

#[tokio::test]
async fn the_right_pins_connect_and_share_an_exporter() {
    let (asker, holder) = pair();
    let begun = Instant::now();
    let (client, server) = attempt(&asker, &holder, asker.dialling(&holder)).await;
    let (client, server) = (client.unwrap(), server.unwrap());
    println!("first handshake, without Retry: {:?}", begun.elapsed());
    let export = |connection: &Connection, context: &[u8]| {
        let mut output = [0; 32];
        connection.export_keying_material(&mut output, b"EXPORTER-symbolon-1", context).unwrap();
        output
    };
    assert_eq!(export(&client, b"names"), export(&server, b"names"));
    assert_ne!(export(&client, b"names"), export(&server, b"other names"));
    let data = client.handshake_data().unwrap();
    let data = data.downcast::<quinn::crypto::rustls::HandshakeData>().unwrap();
    assert_eq!(data.protocol.as_deref(), Some(ALPN));
    assert_eq!(data.server_name, None, "no server name on the wire");
}

#[tokio::test]
async fn a_server_with_another_key_is_refused() {
    let (asker, holder) = pair();
    let impostor = side(3);
    impostor.knows(&asker);
    let (client, _) = attempt(&asker, &impostor, asker.dialling(&holder)).await;
    assert!(matches!(client, Err(ConnectionError::TransportError(_))));
}

#[tokio::test]
async fn a_partner_cannot_stand_in_for_another() {
    let (asker, holder) = pair();
    let other = side(3);
    other.knows(&asker);
    asker.knows(&other);
    let (client, _) = attempt(&asker, &other, asker.dialling(&holder)).await;
    assert!(matches!(client, Err(ConnectionError::TransportError(_))));
}

#[tokio::test]
async fn a_client_with_another_key_is_refused() {
    let (asker, holder) = pair();
    let impostor = side(3);
    impostor.knows(&holder);
    assert!(refused(&impostor, &holder, impostor.dialling(&holder)).await);
    assert!(!refused_now(&asker, &holder).await, "the partner itself still gets in");
}

#[tokio::test]
async fn a_pin_that_is_withdrawn_no_longer_connects() {
    let (asker, holder) = pair();
    holder.pins.0.lock().unwrap().clear();
    assert!(refused(&asker, &holder, asker.dialling(&holder)).await);
    holder.knows(&asker);
    assert!(!refused_now(&asker, &holder).await);
}

async fn refused_now(asker: &Side, holder: &Side) -> bool {
    attempt(asker, holder, asker.dialling(holder)).await.1.is_err()
}

/// How a hostile or outdated client differs from ours.
struct Odd {
    groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    protocols: Vec<Vec<u8>>,
    certificate: Certificate,
    resumption: Resumption,
}

enum Certificate {
    Own,
    None,
}

impl Default for Odd {
    fn default() -> Self {
        Self {
            groups: vec![kx_group::X25519MLKEM768],
            protocols: vec![ALPN.to_vec()],
            certificate: Certificate::Own,
            resumption: Resumption::disabled(),
        }
    }
}

impl Odd {
    fn config(self, asker: &Side, holder: &Side) -> ClientConfig {
        let mut provider = default_provider();
        provider.kx_groups = self.groups;
        let algorithms = provider.signature_verification_algorithms;
        let expect = Expect::Partner(holder.node);
        let verifier = PinVerifier::new(Arc::clone(&asker.partners), expect, algorithms);
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut tls = match self.certificate {
            Certificate::Own => builder
                .with_client_auth_cert(asker.key.certificate_chain(), asker.key.private_key())
                .unwrap(),
            Certificate::None => builder.with_no_client_auth(),
        };
        tls.alpn_protocols = self.protocols;
        tls.resumption = self.resumption;
        tls.enable_early_data = true;
        let suite = cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite().unwrap();
        let crypto = QuicClientConfig::with_initial(Arc::new(tls), suite).unwrap();
        ClientConfig::new(Arc::new(crypto))
    }
}

#[tokio::test]
async fn a_classical_key_exchange_is_refused() {
    let (asker, holder) = pair();
    let odd = Odd { groups: vec![kx_group::X25519, kx_group::SECP256R1], ..Odd::default() };
    assert!(refused(&asker, &holder, odd.config(&asker, &holder)).await);
}

/// A client that merely prefers classical is led to the hybrid group, never the other way round.
#[tokio::test]
async fn a_client_that_offers_both_gets_the_hybrid_group() {
    let (asker, holder) = pair();
    let odd = Odd { groups: vec![kx_group::X25519, kx_group::X25519MLKEM768], ..Odd::default() };
    let (client, server) = attempt(&asker, &holder, odd.config(&asker, &holder)).await;
    assert!(client.is_ok() && server.is_ok());
}

#[tokio::test]
async fn another_or_no_application_protocol_is_refused() {
    let (asker, holder) = pair();
    for protocols in [vec![], vec![b"h3".to_vec()], vec![b"symbolon/2".to_vec()]] {
        let odd = Odd { protocols, ..Odd::default() };
        assert!(refused(&asker, &holder, odd.config(&asker, &holder)).await);
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let (asker, holder) = pair();
    let odd = Odd { certificate: Certificate::None, ..Odd::default() };
    assert!(refused(&asker, &holder, odd.config(&asker, &holder)).await);
}

#[tokio::test]
async fn nothing_is_resumed_and_no_early_data_is_possible() {
    let (asker, holder) = pair();
    let cache = Arc::new(ClientSessionMemoryCache::new(8));
    let odd = Odd { resumption: Resumption::store(cache), ..Odd::default() };
    let config = odd.config(&asker, &holder);
    let (client, server) = attempt(&asker, &holder, config.clone()).await;
    let (client, server) = (client.unwrap(), server.unwrap());
    // A ticket would precede the answer on a stream: TLS messages of the server's flight go first.
    let (mut send, mut recv) = client.open_bi().await.unwrap();
    send.write_all(b"?").await.unwrap();
    let (mut answer, _question) = server.accept_bi().await.unwrap();
    answer.write_all(b"!").await.unwrap();
    recv.read_exact(&mut [0]).await.unwrap();
    let again = asker.socket.connect_with(config, holder.address(), "test.invalid").unwrap();
    assert!(again.into_0rtt().is_err(), "early data is possible");
}

#[tokio::test]
async fn streams_and_bytes_before_the_hello_are_few() {
    let (asker, holder) = pair();
    let (client, server) = attempt(&asker, &holder, asker.dialling(&holder)).await;
    let (client, server) = (client.unwrap(), server.unwrap());
    let (mut send, _recv) = client.open_bi().await.unwrap();
    let soon = Duration::from_millis(200);
    assert!(tokio::time::timeout(soon, client.open_bi()).await.is_err(), "a second stream");
    assert!(tokio::time::timeout(soon, client.open_uni()).await.is_err(), "a one-way stream");
    assert!(tokio::time::timeout(soon, server.open_bi()).await.is_err(), "a stream to the asker");
    let flood = vec![0; 1 << 20];
    assert!(tokio::time::timeout(soon, send.write_all(&flood)).await.is_err(), "a flood");
    let received = server.stats().udp_rx.bytes;
    assert!(received < 100 * 1024, "{received} bytes came through a window of 64 KiB");
}
