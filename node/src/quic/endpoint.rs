//! The socket: decides which callers get a handshake and ends everything in order.
//!
//! Implements spec/transport.md#limits.
//!
//! Invariant: no memory outlives a packet whose sender has not shown that it receives at its
//! address, and every handshake in progress is counted.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Incoming, TokioRuntime};
use symbolon_protocol::{Code, limits::HANDSHAKES_PENDING_MAX};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::admission::Admission;
use super::config::{self, ConfigError, Timing};
use super::dial::Dialer;
use super::limits::{GOODBYE_MS_MAX, HANDSHAKES_MAX, OPEN_MAX};
use super::serve;
use super::stream::to_wire;
use super::{Directory, Service, TlsKey};

/// What an endpoint needs; all of it is shared with the rest of the node.
pub(crate) struct EndpointConfig {
    /// Where to listen; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// This node's TLS key.
    pub(crate) key: TlsKey,
    /// Who this node is, and who may call and be called.
    pub(crate) directory: Arc<dyn Directory>,
    /// Answers requests.
    pub(crate) service: Arc<dyn Service>,
    /// Deadlines.
    pub(crate) timing: Timing,
}

/// Why the endpoint does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on the UDP address")]
    Socket(#[from] std::io::Error),
    /// The settings cannot be made.
    #[error("cannot set up TLS and QUIC")]
    Config(#[from] ConfigError),
}

/// Counts of one endpoint; names nobody.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statistics {
    /// Connections in any state, closing ones included.
    pub(crate) open: usize,
    /// Handshakes begun for callers, since the start.
    pub(crate) accepted: u64,
    /// Handshakes begun with partners, since the start.
    pub(crate) dialled: u64,
    /// Callers that got no handshake although their address was shown, since the start.
    pub(crate) turned_away: u64,
}

/// Everything that connections share.
pub(super) struct Shared {
    pub(super) key: TlsKey,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) service: Arc<dyn Service>,
    pub(super) timing: Timing,
    pub(super) admission: Arc<Admission>,
    /// True once the node stops.
    pub(super) stopping: watch::Sender<bool>,
}

/// A QUIC socket that accepts partners and dials them.
pub(crate) struct Endpoint {
    socket: quinn::Endpoint,
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    /// Closes when the last serving task has dropped its sender.
    served: mpsc::Receiver<()>,
}

impl Endpoint {
    /// Listens and begins to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`].
    pub(crate) fn bind(config: EndpointConfig) -> Result<Self, BindError> {
        let EndpointConfig { listen, key, directory, service, timing } = config;
        let server = config::server(&key, &directory, &timing)?;
        let socket = std::net::UdpSocket::bind(listen)?;
        let socket = quinn::Endpoint::new(
            config::endpoint(&key),
            Some(server),
            socket,
            Arc::new(TokioRuntime),
        )?;
        let (stopping, _) = watch::channel(false);
        let admission = Admission::new();
        let shared = Shared { key, directory, service, timing, admission, stopping };
        let shared = Arc::new(shared);
        let dialer = Arc::new(Dialer::new(socket.clone(), Arc::clone(&shared))?);
        let (serving, served) = mpsc::channel(1);
        tokio::spawn(accept(socket.clone(), Arc::clone(&shared), Arc::clone(&dialer), serving));
        Ok(Self { socket, shared, dialer, served })
    }

    /// Where the endpoint listens.
    ///
    /// # Errors
    /// When the operating system has lost the socket.
    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Counts of this endpoint.
    #[cfg(test)]
    pub(crate) fn statistics(&self) -> Statistics {
        let stats = self.socket.stats();
        Statistics {
            open: self.socket.open_connections(),
            accepted: stats.accepted_handshakes,
            dialled: stats.outgoing_handshakes,
            turned_away: stats.refused_handshakes + stats.ignored_handshakes,
        }
    }

    /// The side that asks partners.
    pub(crate) fn dialer(&self) -> Arc<Dialer> {
        Arc::clone(&self.dialer)
    }

    /// Takes no new requests, lets those in flight end, then tells all partners; at most
    /// `Timing::drain` and half a second.
    pub(crate) async fn shutdown(mut self) {
        self.shared.stopping.send_replace(true);
        // The channel carries nothing: it ends when every serving task has ended.
        let _ = timeout(self.shared.timing.drain, self.served.recv()).await;
        self.socket.close(to_wire(Code::Closed), &[]);
        let _ = timeout(Duration::from_millis(GOODBYE_MS_MAX), self.socket.wait_idle()).await;
    }
}

async fn accept(
    socket: quinn::Endpoint,
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    serving: mpsc::Sender<()>,
) {
    let mut stopping = shared.stopping.subscribe();
    let mut handshakes = Handshakes::default();
    loop {
        let incoming = tokio::select! {
            incoming = socket.accept() => incoming,
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        let Some(incoming) = incoming else { break };
        let Some(incoming) = handshakes.triage(incoming) else {
            continue;
        };
        if socket.open_connections() >= OPEN_MAX {
            // Silence: an honest caller sends its first packet again, and may find room then.
            incoming.ignore();
            continue;
        }
        let Ok(connecting) = incoming.accept() else {
            continue;
        };
        let handshake =
            serve::admit(connecting, Arc::clone(&shared), Arc::clone(&dialer), serving.clone());
        handshakes.begun(tokio::spawn(handshake).abort_handle());
    }
    socket.set_server_config(None);
    handshakes.abandon();
}

/// The handshakes in progress, oldest first.
#[derive(Default)]
struct Handshakes(VecDeque<AbortHandle>);

impl Handshakes {
    /// "Retry for every unknown address and for all when > 32 handshakes are pending." What comes
    /// back has shown that it receives at its address.
    fn triage(&mut self, incoming: Incoming) -> Option<Incoming> {
        self.0.retain(|handshake| !handshake.is_finished());
        let crowded = self.0.len() > HANDSHAKES_PENDING_MAX && incoming.may_retry();
        if crowded || !incoming.remote_address_validated() {
            // Fails only where `may_retry` is false; the rejected attempt is refused when dropped.
            let _ = incoming.retry();
            return None;
        }
        Some(incoming)
    }

    /// Whoever holds many addresses can begin handshakes and never end them. The oldest gives way:
    /// an honest one takes milliseconds, so it is hardly ever the oldest of so many.
    fn begun(&mut self, handshake: AbortHandle) {
        self.0.push_back(handshake);
        if self.0.len() > HANDSHAKES_MAX
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
    }

    fn abandon(self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
