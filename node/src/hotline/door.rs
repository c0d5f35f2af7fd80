//! The HTTPS door: takes connections, proves keys, bounds everything, and hands requests to the
//! router. Decides nothing.
//!
//! Implements spec/hotlines.md#door.
//!
//! Invariant: at most [`CONNECTIONS_MAX`] connections are held, each with a deadline in every
//! phase.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use symbolon_desk::{Desk, Role};
use symbolon_web::PeerPin;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Keyring;
use super::limits::{
    ACCEPT_PAUSE, CONNECTION_LIFE_MAX, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, DRAIN,
    HANDSHAKE_DEADLINE, HEADER_BYTES_MAX, HEADER_DEADLINE, HEADERS_MAX,
};
use super::pins::{self, Accepts};
use crate::exit::{Exit, Failure};
use crate::quic::pin_of;

/// What a door needs.
pub(crate) struct DoorConfig {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Its keys.
    pub(crate) keys: Arc<Keyring>,
    /// What answers behind it.
    pub(crate) desk: Arc<Desk>,
}

/// A door that is bound.
pub(crate) struct Door {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    seats: Arc<Seats>,
}

/// The keys of client certificates that the desk knows at this moment.
struct Enrolled(Arc<Desk>);

impl Accepts for Enrolled {
    fn accepts(&self, pin: &[u8; 32]) -> bool {
        self.0.hotline_has_key(pin)
    }
}

impl Door {
    /// Binds the door.
    pub(crate) async fn bind(config: DoorConfig) -> Result<Door, Failure> {
        let DoorConfig { listen, keys, desk } = config;
        let tls = pins::server(keys, Arc::new(Enrolled(Arc::clone(&desk))));
        let tls = tls.map_err(|error| Failure::new(Exit::Internal, error.to_string(), ""))?;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            let message = format!("the hotlines' door at {listen}: {error}");
            Failure::new(Exit::Unavailable, message, "is another program at this address?")
        })?;
        let router = symbolon_web::router(desk, Role::Hotline);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        Ok(Door { listener, acceptor, router, seats: Arc::default() })
    }

    /// Answers until `stop` changes; then what is under way may end.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<()>) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        // Beyond the bounds a connection is closed before it costs anything.
                        if let Some(seat) = Seats::take(&self.seats, from.ip()) {
                            open.spawn(self.connection(stream, seat, stop.clone()));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the hotlines' door took no connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = open.join_next(), if !open.is_empty() => {}
                _ = stop.changed() => break,
            }
        }
        while open.join_next().await.is_some() {}
    }

    fn connection(
        &self,
        stream: TcpStream,
        seat: Seat,
        stop: watch::Receiver<()>,
    ) -> impl Future<Output = ()> + use<> {
        let (acceptor, router) = (self.acceptor.clone(), self.router.clone());
        async move {
            let _seat = seat;
            let _ = stream.set_nodelay(true);
            match timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await {
                Ok(Ok(tls)) => {
                    let _ = timeout(CONNECTION_LIFE_MAX, requests(tls, router, stop)).await;
                }
                // Anybody can cause these, so they are not worth a line that an operator reads.
                Ok(Err(error)) => tracing::debug!(%error, "a handshake of a hotline failed"),
                Err(_) => tracing::debug!("a handshake of a hotline took too long"),
            }
        }
    }
}

async fn requests(tls: TlsStream<TcpStream>, router: Router, mut stop: watch::Receiver<()>) {
    let (_, session) = tls.get_ref();
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let pin = PeerPin(certificate.and_then(pin_of).map(|pin| pin.0));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(pin);
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(tls), service));
    tokio::select! {
        // A connection that breaks is the caller's business.
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(DRAIN, connection).await;
        }
    }
}

/// The connections that are open, by address.
#[derive(Default)]
struct Seats(Mutex<HashMap<IpAddr, usize>>);

/// The right of one connection to exist.
struct Seat {
    seats: Arc<Seats>,
    from: IpAddr,
}

impl Seats {
    fn take(seats: &Arc<Seats>, from: IpAddr) -> Option<Seat> {
        let mut taken = seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&from).copied().unwrap_or(0);
        if all >= CONNECTIONS_MAX || own >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        taken.insert(from, own + 1);
        drop(taken);
        Some(Seat { seats: Arc::clone(seats), from })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_seats_and_gives_back_what_it_took() {
        let seats = Arc::new(Seats::default());
        let address = |number: u8| IpAddr::from([192, 0, 2, number]);
        let mut held: Vec<Seat> = (0..CONNECTIONS_PER_ADDRESS_MAX)
            .map(|_| Seats::take(&seats, address(1)).unwrap())
            .collect();
        assert!(Seats::take(&seats, address(1)).is_none());
        assert!(Seats::take(&seats, address(2)).is_some(), "another address has room");
        held.pop();
        held.push(Seats::take(&seats, address(1)).unwrap());
        for number in 2.. {
            let Some(seat) = Seats::take(&seats, address(number)) else {
                panic!("there is room for one more address");
            };
            held.push(seat);
            let more = (1..CONNECTIONS_PER_ADDRESS_MAX)
                .map_while(|_| Seats::take(&seats, address(number)));
            held.extend(more);
            if held.len() == CONNECTIONS_MAX {
                break;
            }
        }
        assert!(Seats::take(&seats, address(200)).is_none(), "all seats are taken");
        drop(held);
        assert!(seats.0.lock().unwrap().is_empty(), "nothing is kept of who left");
    }
}
