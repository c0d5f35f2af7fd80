//! Half-open handshakes by the thousand: bounded memory, and partners still get in.

use std::io::{self, IoSliceMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};
use symbolon_protocol::CardRequest;
use tokio::time::{interval, timeout};

use super::super::config::{self, Client};
use super::super::limits::{HANDSHAKES_MAX, OPEN_MAX};
use super::child::Child;
use super::*;

const HALF_OPEN: usize = 1_100;

/// A socket that sends, and hears only what `hears` lets through.
#[derive(Debug)]
struct Deaf {
    socket: Arc<dyn AsyncUdpSocket>,
    hears: fn(&[u8]) -> bool,
}

impl AsyncUdpSocket for Deaf {
    fn create_io_poller(self: Arc<Self>) -> std::pin::Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = std::task::ready!(self.socket.poll_recv(context, buffers, metas))?;
        for (buffer, meta) in buffers.iter_mut().zip(metas.iter_mut()).take(count) {
            if !(self.hears)(&buffer[..meta.len.min(meta.stride)]) {
                // A datagram of one zero byte is no QUIC packet and is dropped.
                buffer[0] = 0;
                (meta.len, meta.stride) = (1, 1);
            }
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// RFC 9000 §17.2.5: long header, type 3.
fn is_retry(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0xb0 == 0xb0)
}

/// A socket that begins handshakes which never end, and keeps them open.
struct Flood {
    endpoint: quinn::Endpoint,
    config: quinn::ClientConfig,
    target: SocketAddr,
    attempts: Vec<quinn::Connecting>,
}

impl Flood {
    fn new(asker: &Node, target: SocketAddr, hears: fn(&[u8]) -> bool) -> Self {
        let key = TlsKey::generate(asker.agency.seed).unwrap();
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let socket = TokioRuntime.wrap_udp_socket(socket).unwrap();
        let socket = Arc::new(Deaf { socket, hears });
        let (own, runtime) = (config::endpoint(&key), Arc::new(TokioRuntime));
        let endpoint =
            quinn::Endpoint::new_with_abstract_socket(own, None, socket, runtime).unwrap();
        let directory: Arc<dyn Directory> = Arc::clone(&asker.book) as _;
        let config = Client::new(&Timing::default()).unwrap();
        let config = config.config(&key, &directory, AGENCIES[1].id()).unwrap();
        Self { endpoint, config, target, attempts: Vec::new() }
    }

    /// Begins all of them in small parts, so that not most are lost in the receiver's socket
    /// buffer; `arrived` says when the next part may go.
    async fn run(&mut self, arrived: impl Fn(usize) -> bool) {
        while self.attempts.len() < HALF_OPEN {
            for _ in 0..PART {
                let config = self.config.clone();
                let attempt = self.endpoint.connect_with(config, self.target, "x.invalid");
                self.attempts.push(attempt.unwrap());
            }
            let all = async {
                let mut tick = interval(Duration::from_millis(2));
                while !arrived(self.attempts.len()) {
                    tick.tick().await;
                }
            };
            // What was lost all the same is sent again by the client's own timer.
            let _ = timeout(Duration::from_millis(300), all).await;
        }
    }
}

const PART: usize = 20;

async fn answered(asker: &Node, holder: NodeId) {
    let dialer = asker.endpoint.dialer();
    blocking(move || dialer.request(holder, &CardRequest::new())).await.unwrap();
}

/// Senders that never hear anything stand for forged addresses: not even one connection is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_addresses_leave_nothing_behind() {
    let (asker, holder) = pair(|_| Say::Card);
    let mut flood = Flood::new(&asker, holder.address, |_| false);
    flood.run(|_| true).await;
    answered(&asker, holder.id()).await;
    let statistics = holder.endpoint.statistics();
    assert_eq!(statistics.accepted, 1, "only the partner's own handshake was begun");
    assert_eq!(statistics.open, 1);
}

/// Senders that hear the Retry and then fall silent have shown their address, so they cost a
/// handshake each, but never more than the bound at a time, and a partner still gets in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_addresses_are_bounded() {
    let (asker, holder) = pair(|_| Say::Card);
    let mut flood = Flood::new(&asker, holder.address, is_retry);
    let most = AtomicUsize::new(0);
    let arrived = |begun: usize| {
        let statistics = holder.endpoint.statistics();
        most.fetch_max(statistics.open, Ordering::Relaxed);
        statistics.accepted + statistics.turned_away >= begun as u64
    };
    flood.run(arrived).await;
    println!("{:?}, at most {most:?} open", holder.endpoint.statistics());
    assert!(most.load(Ordering::Relaxed) > HANDSHAKES_MAX, "the flood reached its aim");
    assert!(most.load(Ordering::Relaxed) <= OPEN_MAX);
    // There may be no room for a moment, until the first of the flood are forgotten.
    let served = async {
        let mut tick = interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
            if blocking(move || dialer.request(partner, &CardRequest::new())).await.is_ok() {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), served).await.unwrap();
}

/// Both floods against a holder in a process of its own, whose memory is weighed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_bounded() {
    let asker = node(1, brisk(), Desk(|_: &Established| Say::Card));
    let holder = Child::spawn(&asker, "card");
    asker.knows_at(&AGENCIES[1], holder.address);
    answered(&asker, AGENCIES[1].id()).await;
    let before = holder.resident_kib();
    let mut forged = Flood::new(&asker, holder.address, |_| false);
    forged.run(|_| true).await;
    let between = holder.resident_kib();
    let mut real = Flood::new(&asker, holder.address, is_retry);
    real.run(|_| false).await;
    let after = holder.resident_kib();
    println!("resident KiB: {before} before, {between} after forged, {after} after real addresses");
    assert!(between - before.min(between) < 16 << 10);
    assert!(after - before.min(after) < 128 << 10);
    answered(&asker, AGENCIES[1].id()).await;
    let third = node(1, brisk(), Desk(|_: &Established| Say::Card));
    third.knows_at(&AGENCIES[1], holder.address);
    answered(&third, AGENCIES[1].id()).await;
}
