//! The hello over a fresh TLS connection, from both ends; the states are in `symbolon_protocol`.
//!
//! Implements spec/transport.md#hello.
//!
//! Invariant: the wide limits of [`config::widen`] are set after the hello and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use quinn::Connection;
use rustls::pki_types::CertificateDer;
use symbolon_protocol::{
    Context, Established, Handshake, Local, Partner, ProtocolError, Role, label,
};
use symbolon_trust::{NodeId, TlsPin};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::{clock, entropy};

use super::config;
use super::endpoint::Shared;
use super::error::DialError;
use super::limits::LAST_WORD_MS_MAX;
use super::stream::{Stream, to_wire};
use super::tls_key::pin_of;

/// Who showed the certificate of this connection, by its pin.
pub(super) fn peer(connection: &Connection, shared: &Shared) -> Option<(NodeId, TlsPin)> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let pin = pin_of(chain.first()?)?;
    Some((shared.directory.by_pin(&pin)?, pin))
}

/// The hello of the side that dialled.
pub(super) async fn as_client(
    connection: &Connection,
    shared: &Arc<Shared>,
    partner: NodeId,
) -> Result<Arc<Established>, DialError> {
    let context = context(connection, shared, partner, Role::Client).await?;
    let stream = Stream::new(connection.open_bi().await?);
    let seed = entropy::seed();
    let machine = Handshake::client(context, seed, clock::now(), clock::monotonic_ms());
    complete(connection, shared, partner, machine, stream).await
}

/// The hello of the side that was dialled.
pub(super) async fn as_server(
    connection: &Connection,
    shared: &Arc<Shared>,
    partner: NodeId,
) -> Result<Arc<Established>, DialError> {
    let context = context(connection, shared, partner, Role::Server).await?;
    let stream = Stream::new(connection.accept_bi().await?);
    let seed = entropy::seed();
    let machine = Handshake::server(context, seed, clock::now(), clock::monotonic_ms());
    complete(connection, shared, partner, machine, stream).await
}

async fn complete(
    connection: &Connection,
    shared: &Arc<Shared>,
    partner: NodeId,
    mut machine: Handshake,
    mut stream: Stream,
) -> Result<Arc<Established>, DialError> {
    let outcome = loop {
        if let Some(outcome) = machine.poll_outcome() {
            break outcome;
        }
        stream.step(&mut machine).await?;
    };
    stream.flush(&mut machine).await?;
    match outcome {
        Ok(session) => {
            config::widen(connection);
            let session = Arc::new(session);
            let (directory, met) = (Arc::clone(&shared.directory), Arc::clone(&session));
            let kept = spawn_blocking(move || directory.met(&met)).await;
            kept.map_err(|_| DialError::NoAnswer)?;
            Ok(session)
        }
        Err(error) => {
            // The number beside the code travels on the stream only, so it goes before the close.
            let patience = Duration::from_millis(LAST_WORD_MS_MAX);
            let _ = timeout(patience, stream.delivered()).await;
            connection.close(to_wire(error.code()), &[]);
            let error = match error {
                ProtocolError::LogConflict { shown } => {
                    let (directory, kept) = (Arc::clone(&shared.directory), (*shown).clone());
                    let kept = spawn_blocking(move || directory.contradicted(&partner, kept));
                    kept.await.map_err(|_| DialError::NoAnswer)?;
                    ProtocolError::LogConflict { shown }
                }
                error => error,
            };
            Err(refusal(error))
        }
    }
}

fn refusal(error: ProtocolError) -> DialError {
    match error {
        ProtocolError::PeerRefused { code, .. } => DialError::Refused(code),
        error => DialError::Hello(error),
    }
}

async fn context(
    connection: &Connection,
    shared: &Arc<Shared>,
    partner: NodeId,
    role: Role,
) -> Result<Context, DialError> {
    let directory = Arc::clone(&shared.directory);
    let asked = spawn_blocking(move || Some((directory.local(), directory.partner(&partner)?)));
    let (local, partner): (Local, Partner) =
        asked.await.ok().flatten().ok_or(DialError::NotAPartner)?;
    let names = Context::exporter_context(&local.card.id(), &partner.card.id(), role);
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, label::EXPORTER, &names)
        .map_err(|_| DialError::NoAnswer)?;
    Ok(Context { local, partner, exporter })
}
