//! The TLS and QUIC settings: every limit of the transport, set by name. Opens no socket.
//!
//! Implements spec/transport.md#limits.
//!
//! Invariant: nothing here relies on a default of quinn or rustls that bounds memory, time or
//! cryptography. Their shortcut constructors are avoided because they turn early data on.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use quinn::{
    BloomTokenLog, ClientConfig, ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout,
    ServerConfig, TokenMemoryCache, TransportConfig, ValidationTokenConfig, VarInt,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use symbolon_protocol::limits;
use symbolon_trust::NodeId;

use crate::entropy;

use super::pin_verifier::{Expect, PinVerifier};
use super::{Directory, TlsKey, label, limits as local};

/// How long each phase may take. [`Timing::default`] is the protocol; tests shorten it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// From the first packet to the end of the hello.
    pub(crate) handshake: Duration,
    /// Without a packet from the peer, after which a connection is gone.
    pub(crate) idle: Duration,
    /// Between packets that keep a quiet connection alive.
    pub(crate) keep_alive: Duration,
    /// For one request, or for one step of a bulk transfer.
    pub(crate) request: Duration,
    /// For the streams in flight once the node is told to stop.
    pub(crate) drain: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_millis(limits::HANDSHAKE_DEADLINE_MS),
            idle: Duration::from_millis(limits::IDLE_TIMEOUT_MS),
            keep_alive: Duration::from_millis(limits::KEEP_ALIVE_MS),
            request: Duration::from_millis(limits::REQUEST_DEADLINE_MS),
            drain: Duration::from_millis(local::DRAIN_MS_MAX),
        }
    }
}

/// Settings that cannot be made: a fault of this program or of the operator's configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// rustls refused the combination.
    #[error("the TLS settings do not hold together")]
    Tls(#[from] rustls::Error),
    /// The provider has no suite for QUIC Initial packets.
    #[error("no cipher suite for QUIC Initial packets")]
    Initial(#[from] NoInitialCipherSuite),
    /// A number does not fit a QUIC variable-length integer.
    #[error("a limit is larger than QUIC can say")]
    Limit(#[from] quinn::VarIntBoundsExceeded),
}

/// The one provider: hybrid post-quantum key exchange, two cipher suites.
///
/// "X25519MLKEM768 only": a list that merely begins with it would still accept a classical hello.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768],
        ..default_provider()
    }
}

/// AES-128-GCM protects Initial packets (RFC 9001 §5.2) and is offered for nothing else.
fn initial_suite() -> Result<rustls::quic::Suite, ConfigError> {
    cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .and_then(rustls::Tls13CipherSuite::quic_suite)
        .ok_or_else(|| rustls::Error::General("no QUIC suite".to_owned()).into())
}

pub(super) fn server(
    key: &TlsKey,
    directory: &Arc<dyn Directory>,
    timing: &Timing,
) -> Result<ServerConfig, ConfigError> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = PinVerifier::new(Arc::clone(directory), Expect::AnyPartner, algorithms);
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(key.certificate_chain(), key.private_key())?;
    tls.alpn_protocols = vec![limits::ALPN.to_vec()];
    tls.max_early_data_size = 0;
    tls.send_half_rtt_data = false;
    tls.send_tls13_tickets = 0;
    tls.session_storage = Arc::new(NoServerSessionStorage {});

    let crypto = QuicServerConfig::with_initial(Arc::new(tls), initial_suite()?)?;
    let mut tokens = ValidationTokenConfig::default();
    tokens
        .sent(local::VALIDATION_TOKENS_SENT)
        .lifetime(Duration::from_secs(local::VALIDATION_TOKEN_SECONDS))
        .log(Arc::new(BloomTokenLog::new_expected_items(
            local::VALIDATION_TOKEN_LOG_BYTES,
            local::VALIDATION_TOKENS_EXPECTED,
        )));
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .max_incoming(limits::INCOMING_MAX)
        .incoming_buffer_size(limits::INCOMING_BUFFER_BYTES_MAX)
        .incoming_buffer_size_total(limits::INCOMING_BUFFER_TOTAL_BYTES_MAX)
        .retry_token_lifetime(Duration::from_millis(limits::RETRY_TOKEN_LIFETIME_MS))
        .validation_token_config(tokens)
        .migration(false)
        .preferred_address_v4(None)
        .preferred_address_v6(None)
        .transport_config(Arc::new(transport(Side::Server, timing)?));
    Ok(config)
}

/// What the dialling side keeps between connections: address-validation tokens spare a partner the
/// Retry round trip, and carry no key.
pub(super) struct Client {
    transport: Arc<TransportConfig>,
    tokens: Arc<TokenMemoryCache>,
}

impl Client {
    pub(super) fn new(timing: &Timing) -> Result<Self, ConfigError> {
        let transport = Arc::new(transport(Side::Client, timing)?);
        let tokens =
            TokenMemoryCache::new(local::TOKEN_PARTNERS_MAX, local::TOKENS_PER_PARTNER_MAX);
        Ok(Self { transport, tokens: Arc::new(tokens) })
    }

    /// Settings for one dial: only `partner` passes the verifier.
    pub(super) fn config(
        &self,
        key: &TlsKey,
        directory: &Arc<dyn Directory>,
        partner: NodeId,
    ) -> Result<ClientConfig, ConfigError> {
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let expect = Expect::Partner(partner);
        let verifier = PinVerifier::new(Arc::clone(directory), expect, algorithms);
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(key.certificate_chain(), key.private_key())?;
        tls.alpn_protocols = vec![limits::ALPN.to_vec()];
        tls.resumption = Resumption::disabled();
        tls.enable_early_data = false;
        // The server name exists only as an index for `tokens`; a network must not read it.
        tls.enable_sni = false;

        let crypto = QuicClientConfig::with_initial(Arc::new(tls), initial_suite()?)?;
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::clone(&self.transport));
        config.token_store(Arc::clone(&self.tokens) as _);
        Ok(config)
    }
}

/// The reset key comes from the TLS key, so that a restarted node recognises connections of its
/// former life and ends them with a stateless reset (RFC 9000 §10.3) instead of silence.
pub(super) fn endpoint(key: &TlsKey) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(key.derive(label::RESET)));
    config
        .supported_versions(vec![QUIC_V1])
        .grease_quic_bit(true)
        .min_reset_interval(Duration::from_millis(local::RESET_INTERVAL_MS_MIN))
        .cid_generator(|| Box::new(RandomIds));
    config
}

/// Random connection ids, without the per-process check value of quinn's own generator: with it,
/// a restarted node would take packets for its former life as noise and never reset them.
struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let seed = entropy::seed();
        ConnectionId::new(seed.split_at(CONNECTION_ID_BYTES).0)
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// Long enough that nobody meets a live one by chance.
const CONNECTION_ID_BYTES: usize = 8;

/// RFC 9000 §15.
const QUIC_V1: u32 = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// The narrow limits before the hello; [`widen`] follows it.
fn transport(side: Side, timing: &Timing) -> Result<TransportConfig, ConfigError> {
    let bidi = match side {
        Side::Client => 0,
        Side::Server => limits::HELLO_BIDI_STREAMS_MAX,
    };
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(bidi.into())
        .max_concurrent_uni_streams(limits::HELLO_UNI_STREAMS_MAX.into())
        .receive_window(limits::HELLO_RECEIVE_WINDOW_BYTES.into())
        .stream_receive_window(limits::STREAM_RECEIVE_WINDOW_BYTES.into())
        .send_window(limits::SEND_WINDOW_BYTES)
        .max_idle_timeout(Some(IdleTimeout::try_from(timing.idle)?))
        .keep_alive_interval(Some(timing.keep_alive))
        .crypto_buffer_size(limits::CRYPTO_BUFFER_BYTES)
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0)
        .allow_spin(false);
    Ok(transport)
}

/// What a partner may use once it has proved who it is. The side that dialled asks and is never
/// asked, so it accepts no streams.
pub(super) fn widen(connection: &quinn::Connection) {
    connection.set_receive_window(limits::RECEIVE_WINDOW_BYTES.into());
    if connection.side().is_server() {
        connection.set_max_concurrent_bi_streams(VarInt::from_u32(limits::BIDI_STREAMS_MAX));
        connection.set_max_concurrent_uni_streams(VarInt::from_u32(limits::UNI_STREAMS_MAX));
    }
}
