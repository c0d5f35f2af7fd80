//! The hello between a whole endpoint and peers that do not behave.

use quinn::{Connection, ConnectionError, TokioRuntime};
use symbolon_protocol::limits::{BIDI_STREAMS_MAX, HELLO_RECEIVE_WINDOW_BYTES};
use symbolon_protocol::{Code, Context, Handshake, Role, label};
use tokio::time::timeout;

use super::super::config::{self, Client};
use super::super::error::DialError;
use super::super::stream::{Stream, from_wire};
use super::*;
use crate::entropy;

/// A peer with the right key that speaks as the test makes it speak.
async fn connected(asker: &Node, holder: &Node) -> (quinn::Endpoint, Connection) {
    let key = TlsKey::generate(asker.agency.seed).unwrap();
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let socket =
        quinn::Endpoint::new(config::endpoint(&key), None, socket, Arc::new(TokioRuntime)).unwrap();
    let directory: Arc<dyn Directory> = Arc::clone(&asker.book) as _;
    let config = Client::new(&Timing::default()).unwrap();
    let config = config.config(&key, &directory, holder.id()).unwrap();
    let connection = socket.connect_with(config, holder.address, "x.invalid").unwrap();
    (socket, connection.await.unwrap())
}

fn code(error: &ConnectionError) -> Option<Code> {
    match error {
        ConnectionError::ApplicationClosed(close) => from_wire(close.error_code),
        _ => None,
    }
}

#[tokio::test]
async fn a_connection_without_hello_ends_at_the_deadline() {
    let (asker, holder) = pair(|_| Say::Card);
    let (_socket, connection) = connected(&asker, &holder).await;
    let error = timeout(brisk().handshake * 2, connection.closed()).await.unwrap();
    assert_eq!(code(&error), Some(Code::Deadline));
}

#[tokio::test]
async fn a_hello_that_stalls_ends_at_the_deadline() {
    let (asker, holder) = pair(|_| Say::Card);
    let (_socket, connection) = connected(&asker, &holder).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[0, 0, 1]).await.unwrap();
    let error = timeout(brisk().handshake * 2, connection.closed()).await.unwrap();
    assert_eq!(code(&error), Some(Code::Deadline));
}

#[tokio::test]
async fn bytes_that_are_no_hello_are_told_so() {
    let (asker, holder) = pair(|_| Say::Card);
    let cases: [(&[u8], Code); 3] = [
        (&[0xff, 0xff, 0xff, 0xff], Code::TooLarge),
        (&[0, 0, 0, 1, 0xf6], Code::Malformed),
        (&[0, 0, 0, 4, 0x82, 0x05, 0x80, 0x00], Code::Unexpected),
    ];
    for (bytes, expected) in cases {
        let (_socket, connection) = connected(&asker, &holder).await;
        let (mut send, _recv) = connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        let error = timeout(brisk().handshake, connection.closed()).await.unwrap();
        assert_eq!(code(&error), Some(expected));
    }
}

#[tokio::test]
async fn a_flood_before_the_hello_is_cut_at_the_window() {
    let (asker, holder) = pair(|_| Say::Card);
    let (_socket, connection) = connected(&asker, &holder).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    // An announced frame within its limit, and then no end of bytes.
    let mut flood = vec![0; 4 << 20];
    flood[..4].copy_from_slice(&40_000_u32.to_be_bytes());
    let written = timeout(brisk().handshake * 2, send.write_all(&flood)).await.unwrap();
    assert!(written.is_err());
    let sent = connection.stats().udp_tx.bytes;
    let window = u64::from(HELLO_RECEIVE_WINDOW_BYTES);
    assert!(sent < 4 * window, "{sent} bytes were taken");
}

/// A relay that ends both TLS connections itself (it has stolen a TLS key) and passes the hello on:
/// the exporter of its two connections differs, so the signature fits neither.
#[tokio::test]
async fn a_relay_with_a_stolen_tls_key_fails_at_the_exporter() {
    let (asker, holder) = pair(|_| Say::Card);
    let (_socket, connection) = connected(&asker, &holder).await;
    let (local, partner) = (asker.book.local(), asker.book.partner(&holder.id()).unwrap());
    let names = Context::exporter_context(&asker.id(), &holder.id(), Role::Client);
    let mut exporter = [0; 32];
    connection.export_keying_material(&mut exporter, label::EXPORTER, &names).unwrap();
    exporter[0] ^= 1;
    let context = Context { local, partner, exporter };
    let mut machine =
        Handshake::client(context, entropy::seed(), clock::now(), clock::monotonic_ms());
    let mut stream = Stream::new(connection.open_bi().await.unwrap());
    let outcome = loop {
        if let Some(outcome) = machine.poll_outcome() {
            break outcome;
        }
        stream.step(&mut machine).await.unwrap();
    };
    let error = outcome.err().unwrap();
    assert_eq!(error.code(), Code::Hello);
}

/// A relay that has stolen the TLS keys of both ends both connections itself and passes every byte
/// on, unchanged: each end sees the pins that it expects, and another exporter than it signed.
#[tokio::test]
async fn a_relay_that_splices_two_connections_is_found_out_by_both_ends() {
    let (asker, holder) = pair(|_| Say::Card);
    let stolen = TlsKey::generate(holder.agency.seed).unwrap();
    let directory: Arc<dyn Directory> = Arc::clone(&holder.book) as _;
    let server = config::server(&stolen, &directory, &brisk()).unwrap();
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let relay = quinn::Endpoint::new(
        config::endpoint(&stolen),
        Some(server),
        socket,
        Arc::new(TokioRuntime),
    );
    let relay = relay.unwrap();
    asker.knows_at(holder.agency, relay.local_addr().unwrap());
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    let asked = tokio::task::spawn_blocking(move || dialer.session(partner).err().unwrap());
    let near = relay.accept().await.unwrap().await.unwrap();
    let (_socket, far) = connected(&asker, &holder).await;
    let (mut near_send, mut near_recv) = near.accept_bi().await.unwrap();
    let (mut far_send, mut far_recv) = far.open_bi().await.unwrap();
    let there = async { tokio::io::copy(&mut near_recv, &mut far_send).await };
    let back = async { tokio::io::copy(&mut far_recv, &mut near_send).await };
    let passing = timeout(brisk().handshake * 2, async { tokio::join!(there, back) }).await;
    assert!(passing.is_ok(), "neither end goes on");
    assert_eq!(code(&near.closed().await), Some(Code::Hello), "the asker names the hello");
    let far = timeout(brisk().handshake * 2, far.closed()).await.unwrap();
    assert_eq!(code(&far), Some(Code::Closed), "told by the asker, the holder lets nobody in");
    let error = asked.await.unwrap();
    assert!(
        matches!(&error, super::super::LinkError::Unreachable(DialError::Hello(cause))
            if cause.code() == Code::Hello),
        "{error:?}"
    );
    // Without the relay the same two have nothing against each other.
    asker.knows(&holder);
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    wait_until_rested(move || dialer.session(partner).is_ok()).await;
}

/// The dial that failed is followed by a short rest.
async fn wait_until_rested(mut done: impl FnMut() -> bool + Send + 'static) {
    blocking(move || {
        let deadline = std::time::Instant::now() + brisk().request;
        while !done() {
            assert!(std::time::Instant::now() < deadline, "no connection without the relay");
            std::thread::yield_now();
        }
    })
    .await;
}

#[tokio::test]
async fn limits_widen_only_after_the_hello() {
    let (asker, holder) = pair(|_| Say::Card);
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    let session = blocking(move || dialer.session(partner).unwrap()).await;
    // The hello stream is one of the 32 until the next update of the limit.
    let mut streams = Vec::new();
    for _ in 1..BIDI_STREAMS_MAX {
        let stream = timeout(brisk().request, session.connection.open_bi()).await;
        streams.push(stream.unwrap().unwrap());
    }
    let none = Duration::from_millis(200);
    assert!(timeout(none, session.connection.open_bi()).await.is_err(), "one stream too many");
}

#[tokio::test]
async fn two_roots_of_one_size_are_reported_with_the_checkpoint() {
    let (asker, holder) = pair(|_| Say::Card);
    let root = |text: &str| symbolon_tlog::leaf_hash(text);
    let log = &asker.agency.log;
    let shown = Checkpoint::new(log.origin(), 1, root("one history")).unwrap();
    let mut local = asker.book.local();
    (local.checkpoint, local.log_size) = (log.sign(&shown).unwrap().to_string(), 1);
    *asker.book.local.lock().unwrap() = Some(local);
    let seen = symbolon_audit::LogSeen { size: 1, root: root("another history") };
    holder.book.partners.lock().unwrap().get_mut(&asker.id()).unwrap().seen = Some(seen);

    let refused = asker.endpoint.dialer().connect(holder.id()).await.err().unwrap();
    assert!(matches!(refused, DialError::Refused(Code::Log)), "{refused:?}");
    let (book, id) = (Arc::clone(&holder.book), asker.id());
    wait_until_rested(move || *book.contradictions.lock().unwrap() == [(id, 1)]).await;
}
