//! The side that is asked: a hello, then one task for each request; answers nothing itself.
//!
//! Implements spec/transport.md#requests.
//!
//! Invariant: a request runs on a thread that may block, at most `SERVING_PER_PARTNER_MAX` of one
//! partner and `SERVING_MAX` in all, and an answer that is cut short never ends with FIN.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connecting, Connection, ConnectionError};
use symbolon_protocol::{
    Code, Established, Failure, Incoming, ProtocolError, Refusal, Reply, Serve, encode,
};
use symbolon_trust::TlsPin;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock;

use super::admission::{Seat, Turn};
use super::dial::Dialer;
use super::endpoint::Shared;
use super::error::DialError;
use super::handshake;
use super::limits::{BUSY_RETRY_SECONDS, LAST_WORD_MS_MAX, PIECES_WAITING_MAX};
use super::stream::{Stream, to_wire};

/// Answers the requests of partners.
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers one request of the partner of `session`. Called on a thread that may block.
    fn serve(&self, session: &Established, incoming: Incoming) -> Answer;
}

/// What goes back on the stream of a request.
pub(crate) enum Answer {
    /// One message.
    Reply(Reply),
    /// A header frame, then raw pieces as the partner takes them; an error ends the stream with
    /// its code instead of FIN. The iterator runs on the same blocking thread.
    Bulk {
        /// The encoded header.
        header: Vec<u8>,
        /// What follows it.
        pieces: Box<dyn Iterator<Item = Result<Vec<u8>, ProtocolError>> + Send>,
    },
}

/// From a caller that receives at its address to a partner that is served, or to nothing.
pub(super) async fn admit(
    connecting: Connecting,
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    serving: mpsc::Sender<()>,
) {
    let deadline = Instant::now() + shared.timing.handshake;
    let connection = match timeout_at(deadline, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) | Err(_) => return tracing::debug!("a caller was refused in the TLS handshake"),
    };
    let refuse = |code| connection.close(to_wire(code), &[]);
    // The pin was known a moment ago, during the handshake; it may have been withdrawn since.
    let Some((partner, pin)) = handshake::peer(&connection, &shared) else {
        return refuse(Code::Unavailable);
    };
    let Ok(seat) = shared.admission.admit(partner) else {
        tracing::warn!(%partner, "refused a connection: all of its seats are taken");
        return refuse(Code::Busy);
    };
    let busy = seat.busy();
    let hello = handshake::as_server(&connection, &shared, partner);
    let hello = timeout_at(deadline, hello).await;
    drop(busy);
    match hello {
        Ok(Ok(session)) => {
            dialer.heard(partner);
            let guest = Guest { connection, session, seat, pin, shared };
            tokio::spawn(Arc::new(guest).serve(serving));
        }
        Ok(Err(DialError::Hello(error))) => {
            tracing::warn!(%partner, %error, "refused a hello");
        }
        Ok(Err(_)) => refuse(Code::Hello),
        Err(_) => refuse(Code::Deadline),
    }
}

/// A partner that was let in.
struct Guest {
    connection: Connection,
    session: Arc<Established>,
    seat: Seat,
    pin: TlsPin,
    shared: Arc<Shared>,
}

impl Guest {
    /// Serves until the connection or the node ends; `_serving` tells the node that it is not done.
    async fn serve(self: Arc<Self>, _serving: mpsc::Sender<()>) {
        let mut stopping = self.shared.stopping.subscribe();
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                stream = self.connection.accept_bi() => match stream {
                    Ok(stream) => {
                        let (guest, busy) = (Arc::clone(&self), self.seat.busy());
                        requests.spawn(async move {
                            guest.request(Stream::new(stream)).await;
                            drop(busy);
                        });
                    }
                    Err(_) => break,
                },
                // Room for one-way streams is granted by the protocol; no message uses them yet.
                stream = self.connection.accept_uni() => match stream {
                    Ok(mut stream) => { let _ = stream.stop(to_wire(Code::Unexpected)); }
                    Err(_) => break,
                },
                Some(_) = requests.join_next() => {}
                () = self.seat.displaced() => break,
                _ = stopping.wait_for(|stop| *stop) => break,
            }
        }
        while requests.join_next().await.is_some() {}
        self.connection.close(to_wire(Code::Closed), &[]);
    }

    async fn request(self: Arc<Self>, mut stream: Stream) {
        let failed = match self.exchange(&mut stream).await {
            Ok(()) => None,
            Err(Failed::Before(error)) => {
                // Nothing was answered yet, so a frame can say why.
                let bytes = encode(&Failure::new(&error));
                let written = timeout(self.shared.timing.request, stream.write(&bytes)).await;
                stream.finish();
                written.is_err().then_some(Code::Deadline)
            }
            Err(Failed::Midway(code)) => Some(code),
            Err(Failed::Lost) => return,
        };
        if let Some(code) = failed {
            stream.abandon(code);
        }
        let patience = Duration::from_millis(LAST_WORD_MS_MAX);
        let _ = timeout(patience, stream.delivered()).await;
    }

    async fn exchange(&self, stream: &mut Stream) -> Result<(), Failed> {
        let limit = self.shared.timing.request;
        let deadline = Instant::now() + limit;
        let Some(incoming) = timeout_at(deadline, self.receive(stream)).await?? else {
            return Ok(());
        };
        if self.shared.directory.by_pin(&self.pin) != Some(self.seat.partner()) {
            self.connection.close(to_wire(Code::Unavailable), &[]);
            return Err(Failed::Lost);
        }
        // Half the time for waiting, so that "busy" still arrives before the partner gives up.
        let turn = timeout(limit / 2, self.seat.turn()).await.ok().flatten();
        let turn = turn.ok_or(Failed::Before(BUSY))?;
        let mut pieces = self.answer(incoming, turn);
        let mut piece = timeout_at(deadline, pieces.recv()).await?;
        let mut begun = false;
        loop {
            match piece {
                Some(Piece::Bytes(bytes)) => {
                    let written = timeout(limit, stream.write(&bytes)).await;
                    written.map_err(|_| Failed::Midway(Code::Deadline))??;
                    begun = true;
                }
                Some(Piece::End) => {
                    stream.finish();
                    return Ok(());
                }
                Some(Piece::Failed(code)) => return Err(Failed::Midway(code)),
                // The service panicked: its partner must not take the rest for the whole.
                None if begun => return Err(Failed::Midway(Code::Internal)),
                None => return Err(Failed::Before(ProtocolError::Refused(Refusal::Internal))),
            }
            let next = timeout(limit, pieces.recv()).await;
            piece = next.map_err(|_| Failed::Midway(Code::Deadline))?;
        }
    }

    /// The request, or nothing where the machine itself has told the partner what is wrong.
    async fn receive(&self, stream: &mut Stream) -> Result<Option<Incoming>, ConnectionError> {
        let mut machine = Serve::new(&self.session, clock::monotonic_ms());
        loop {
            if let Some(outcome) = machine.poll_outcome() {
                stream.flush(&mut machine).await?;
                if let Err(error) = &outcome {
                    tracing::debug!(partner = %self.seat.partner(), %error, "refused a request");
                }
                return Ok(outcome.ok());
            }
            stream.step(&mut machine).await?;
        }
    }

    /// Runs the service; the turn is given back when it has nothing more to say, or when nobody
    /// listens any more.
    fn answer(&self, incoming: Incoming, turn: Turn) -> mpsc::Receiver<Piece> {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
        let (service, session) = (Arc::clone(&self.shared.service), Arc::clone(&self.session));
        spawn_blocking(move || {
            let _turn = turn;
            let (first, rest) = match service.serve(&session, incoming) {
                Answer::Reply(reply) => (reply.into_bytes(), None),
                Answer::Bulk { header, pieces } => (header, Some(pieces)),
            };
            let rest = rest.into_iter().flatten().map(|piece| match piece {
                Ok(bytes) => Piece::Bytes(bytes),
                Err(error) => Piece::Failed(error.code()),
            });
            let all = std::iter::once(Piece::Bytes(first)).chain(rest).chain([Piece::End]);
            for piece in all {
                let last = !matches!(piece, Piece::Bytes(_));
                if sender.blocking_send(piece).is_err() || last {
                    return;
                }
            }
        });
        receiver
    }
}

/// A part of an answer on its way from the service's thread.
enum Piece {
    Bytes(Vec<u8>),
    Failed(Code),
    End,
}

/// How a request ended without its answer.
enum Failed {
    Before(ProtocolError),
    Midway(Code),
    Lost,
}

const BUSY: ProtocolError =
    ProtocolError::Refused(Refusal::Busy { retry_seconds: BUSY_RETRY_SECONDS });

impl From<ConnectionError> for Failed {
    fn from(_: ConnectionError) -> Self {
        Self::Lost
    }
}

impl From<tokio::time::error::Elapsed> for Failed {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::Before(ProtocolError::Deadline)
    }
}
