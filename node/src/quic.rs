//! The QUIC transport: partners call and are called, with pinned keys and bounds on everything.
//! It moves requests and answers; what they mean is decided in `desk`.
//!
//! Implements spec/transport.md.
//!
//! Invariant: no byte of a request reaches [`Service`], and none of an answer reaches a caller of
//! [`Dialer`], before the partner proved with both its identity keys that it is at the other end of
//! this very TLS connection.

mod admission;
mod ask;
mod config;
mod dial;
mod directory;
mod endpoint;
mod error;
mod handshake;
mod label;
mod limits;
mod pin_verifier;
mod serve;
mod stream;
#[cfg(test)]
mod tests;
mod tls_key;

pub(crate) use config::Timing;
pub(crate) use dial::Dialer;
pub(crate) use directory::Directory;
pub(crate) use endpoint::{Endpoint, EndpointConfig};
pub(crate) use error::LinkError;
pub(crate) use serve::{Answer, Service};
pub(crate) use tls_key::{TlsKey, pin_of};
