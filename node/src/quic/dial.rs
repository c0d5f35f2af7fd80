//! Finds a way to a partner and keeps it: one connection each, dialled when first needed.
//!
//! Implements spec/transport.md#dialling.
//!
//! Invariant: a partner that does not answer costs one dial per back-off interval, however many
//! requests wait for it; all of those fail as unreachable, none as "no hit".

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quinn::{ConnectError, Connection, ConnectionError};
use symbolon_protocol::{Code, Established, Partner};
use symbolon_trust::{NodeId, VerifiedCard};
use tokio::net::lookup_host;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};

use crate::wiring::chain;

use super::config::{Client, ConfigError};
use super::endpoint::Shared;
use super::error::DialError;
use super::handshake;
use super::limits::{BACKOFF_MS_MAX, BACKOFF_MS_MIN, DIAL_ADDRESSES_MAX, DIAL_STAGGER_MS};
use super::stream::{from_wire, to_wire};

/// The side that asks: a connection to every partner that was asked lately.
pub(crate) struct Dialer {
    socket: quinn::Endpoint,
    shared: Arc<Shared>,
    client: Client,
    slots: Mutex<HashMap<NodeId, Arc<tokio::sync::Mutex<Slot>>>>,
    runtime: Handle,
}

#[derive(Default)]
struct Slot {
    linked: Option<(Connection, Arc<Established>)>,
    failures: u32,
    rest: Option<Rest>,
}

/// No dial until then, because of what happened last.
struct Rest {
    until: Instant,
    cause: String,
    code: Option<Code>,
}

impl Dialer {
    pub(super) fn new(socket: quinn::Endpoint, shared: Arc<Shared>) -> Result<Self, ConfigError> {
        let client = Client::new(&shared.timing)?;
        let runtime = Handle::current();
        Ok(Self { socket, shared, client, slots: Mutex::default(), runtime })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The living connection to `partner` and what its hello showed, or a new one.
    ///
    /// Whoever waits here while another dials gets that dial's outcome.
    pub(super) async fn connect(
        &self,
        partner: NodeId,
    ) -> Result<(Connection, Arc<Established>), DialError> {
        if *self.shared.stopping.borrow() {
            return Err(DialError::Stopping);
        }
        let directory = Arc::clone(&self.shared.directory);
        let card = spawn_blocking(move || directory.partner(&partner)).await;
        let slot = self.slot(partner);
        let mut slot = slot.lock().await;
        let Some(Partner { card, .. }) = card.ok().flatten() else {
            if let Some((connection, _)) = slot.linked.take() {
                connection.close(to_wire(Code::Unavailable), &[]);
            }
            return Err(DialError::NotAPartner);
        };
        if let Some((connection, session)) = &slot.linked
            && connection.close_reason().is_none()
        {
            return Ok((connection.clone(), Arc::clone(session)));
        }
        slot.linked = None;
        if let Some(rest) = slot.rest.as_ref().filter(|rest| Instant::now() < rest.until) {
            return Err(DialError::BackingOff { cause: rest.cause.clone(), code: rest.code });
        }
        let dialled = timeout(self.shared.timing.handshake, self.dial(partner, &card)).await;
        match dialled.unwrap_or(Err(DialError::NoAnswer)) {
            Ok((connection, session)) => {
                let linked = Some((connection.clone(), Arc::clone(&session)));
                *slot = Slot { linked, ..Slot::default() };
                Ok((connection, session))
            }
            Err(error) => {
                let until = Instant::now() + backoff(slot.failures);
                slot.failures = slot.failures.saturating_add(1);
                slot.rest = Some(Rest { until, cause: chain(&error), code: error.code() });
                Err(error)
            }
        }
    }

    /// `partner` has just called: there is no reason to wait any longer before calling back.
    pub(super) fn heard(&self, partner: NodeId) {
        // A slot that is locked is being dialled, which is just what is wanted.
        if let Ok(mut slot) = self.slot(partner).try_lock() {
            slot.rest = None;
            slot.failures = 0;
        }
    }

    fn slot(&self, partner: NodeId) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(partner).or_default())
    }

    /// Tries all addresses of the card, each with a head start over the next; the first that ends
    /// its hello wins and the others are dropped.
    async fn dial(
        &self,
        partner: NodeId,
        card: &VerifiedCard,
    ) -> Result<(Connection, Arc<Established>), DialError> {
        let addresses = resolve(card).await?;
        let config = self.client.config(&self.shared.key, &self.shared.directory, partner)?;
        let name = server_name(&partner);
        let mut attempts = JoinSet::new();
        for (at, address) in (0_u64..).zip(addresses) {
            let (socket, shared) = (self.socket.clone(), Arc::clone(&self.shared));
            let (config, name) = (config.clone(), name.clone());
            attempts.spawn(async move {
                sleep(Duration::from_millis(DIAL_STAGGER_MS * at)).await;
                let connection = socket.connect_with(config, address, &name)?.await?;
                let session = handshake::as_client(&connection, &shared, partner).await?;
                Ok::<_, DialError>((connection, session))
            });
        }
        let mut error = DialError::NoAnswer;
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(linked)) => return Ok(linked),
                // "No answer" tells least: a refusal at one address explains more.
                Ok(Err(found)) if !matches!(found, DialError::NoAnswer) => error = found,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(error)
    }
}

fn backoff(failures: u32) -> Duration {
    let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
    Duration::from_millis(BACKOFF_MS_MIN.saturating_mul(factor).min(BACKOFF_MS_MAX))
}

async fn resolve(card: &VerifiedCard) -> Result<Vec<SocketAddr>, DialError> {
    let mut found = Vec::new();
    for address in &card.card().addresses {
        if let Ok(resolved) = lookup_host(address.as_str()).await {
            found.extend(resolved);
        }
    }
    found.truncate(DIAL_ADDRESSES_MAX);
    if found.is_empty() { Err(DialError::NoAddress) } else { Ok(found) }
}

/// An index for address-validation tokens; it never leaves this process (SNI is off).
fn server_name(partner: &NodeId) -> String {
    format!("{partner}.invalid")
}

impl From<ConnectError> for DialError {
    fn from(_: ConnectError) -> Self {
        // An address of the other IP family, port 0 or a socket that closes.
        Self::NoAddress
    }
}

impl From<ConnectionError> for DialError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                from_wire(close.error_code).map_or(Self::NoAnswer, Self::Refused)
            }
            ConnectionError::TransportError(error) if is_tls(error.code) => Self::Identity,
            ConnectionError::ConnectionClosed(close) if is_tls(close.error_code) => {
                Self::NotRecognised
            }
            _ => Self::NoAnswer,
        }
    }
}

/// "The error code ... 0x0100-0x01ff ... is reserved for cryptographic handshake failures"
/// (RFC 9000 §20.1).
fn is_tls(code: quinn::TransportErrorCode) -> bool {
    (0x100..0x200).contains(&u64::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = [0, 1, 2, 5, 6, 63, 64, u32::MAX]
            .map(|failures| backoff(failures).as_millis() as u64)
            .into();
        assert_eq!(waits, [250, 500, 1000, 8000, 15_000, 15_000, 15_000, 15_000]);
    }
}
