//! The four messages with which a connection begins, and what a hello signature covers.
//!
//! Implements spec/transport.md#hello. The states that exchange them are in `handshake`.
//!
//! Invariant: a signature covers the TLS exporter of its own connection, so a relay that splices
//! two connections has none that fits.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_codec::{Framed, sha256};
use symbolon_trust::{NodeId, Signatures};

use crate::error::ProtocolError;
use crate::label;
use crate::limits::{CARD_BYTES_MAX, CHECKPOINT_BYTES_MAX, HELLO_FRAME_BYTES_MAX};
use crate::message::{Message, both_ways, bound};

/// The part that a node takes in a connection; its number is signed in the hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Opened the connection.
    Client = 1,
    /// Accepted the connection.
    Server = 2,
}

/// What each node says of itself first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Hello {
    /// Protocol version.
    pub version: u16,
    /// Name of the sender.
    pub node: NodeId,
    /// Sequence of the sender's card.
    pub card_sequence: u64,
    /// Digest of the sender's card.
    #[serde(with = "serde_bytes")]
    pub card_digest: [u8; 32],
    /// Sequence of the receiver's card that the sender holds.
    pub card_held: u64,
    /// Canonicalisation profile of the sender.
    #[serde(with = "serde_bytes")]
    pub profile: [u8; 32],
    /// Fresh random bytes.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 32],
    /// Latest signed checkpoint of the sender's log, as text.
    pub checkpoint: String,
    /// Size of the receiver's log that the sender last saw; 0 for never.
    pub seen: u64,
    /// Clock of the sender, in Unix seconds.
    pub clock: u64,
}

impl Hello {
    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.checkpoint.len(), CHECKPOINT_BYTES_MAX, "checkpoint")
    }
}

/// `client_hello`: the first message of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientHello(pub Hello);

/// `server_hello`: the answer, signed over both hellos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ServerHello {
    /// The server's hello.
    pub hello: Hello,
    /// The server's signed card, present exactly when the client holds an older one.
    #[serde(with = "serde_bytes")]
    pub card: Option<Vec<u8>>,
    /// Both signatures of the server.
    pub signatures: Signatures,
}

/// `client_finish`: the client's signature over both hellos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct ClientFinish {
    /// The client's signed card, present exactly when the server holds an older one.
    #[serde(with = "serde_bytes")]
    pub card: Option<Vec<u8>>,
    /// Both signatures of the client.
    pub signatures: Signatures,
}

/// `accept`: the server verified the client; requests may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Accept([u8; 0]);

both_ways!(ClientHello);

impl Message for ClientHello {
    const TYPE: u8 = 1;
    const NAME: &'static str = "client_hello";
    const BYTES_MAX: usize = HELLO_FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        self.0.validate()
    }
}

both_ways!(ServerHello);

impl Message for ServerHello {
    const TYPE: u8 = 2;
    const NAME: &'static str = "server_hello";
    const BYTES_MAX: usize = HELLO_FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        self.hello.validate()?;
        bound(self.card.as_ref().map_or(0, Vec::len), CARD_BYTES_MAX, "card")
    }
}

both_ways!(ClientFinish);

impl Message for ClientFinish {
    const TYPE: u8 = 3;
    const NAME: &'static str = "client_finish";
    const BYTES_MAX: usize = HELLO_FRAME_BYTES_MAX;

    fn validate(&self) -> Result<(), ProtocolError> {
        bound(self.card.as_ref().map_or(0, Vec::len), CARD_BYTES_MAX, "card")
    }
}

both_ways!(Accept);

impl Message for Accept {
    const TYPE: u8 = 4;
    const NAME: &'static str = "accept";
    const BYTES_MAX: usize = 8;

    fn validate(&self) -> Result<(), ProtocolError> {
        Ok(())
    }
}

/// Context of the TLS exporter: SHA-256(client name ‖ server name).
#[must_use]
pub fn exporter_context(client: &NodeId, server: &NodeId) -> [u8; 32] {
    sha256("", &[client.as_bytes(), server.as_bytes()])
}

/// The bytes that `role` signs under [`label::HELLO`]: role ‖ exporter ‖ client nonce ‖ server
/// nonce ‖ transcript, where the transcript is a hash over both whole hellos, so that no field of
/// either can be changed on the way.
#[must_use]
pub fn signing_input(role: Role, exporter: &[u8; 32], client: &Hello, server: &Hello) -> [u8; 129] {
    let both =
        Framed::new().part(symbolon_codec::encode(client)).part(symbolon_codec::encode(server));
    let transcript = sha256(label::HELLO_TRANSCRIPT, &[both.as_bytes()]);
    let mut input = [role as u8; 129];
    let parts = [exporter, &client.nonce, &server.nonce, &transcript];
    for (place, part) in input.iter_mut().skip(1).zip(parts.into_iter().flatten()) {
        *place = *part;
    }
    input
}
