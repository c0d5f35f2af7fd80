//! Domain-separation labels of this crate, all in one place.

/// Signature in a hello, by both identity keys.
pub const HELLO: &str = "symbolon/1 hello";
/// Hash over both hellos, a part of what a hello signature covers.
pub const HELLO_TRANSCRIPT: &str = "symbolon/1 hello transcript";
/// Signature on an epoch card, by both identity keys of the holder.
pub const EPOCH_CARD: &str = "symbolon/1 epoch card";
/// Digest of an encoded epoch card.
pub const EPOCH_CARD_DIGEST: &str = "symbolon/1 epoch card digest";

/// Label of the TLS exporter (RFC 8446 §7.5); not a hash label, so without the common prefix.
pub const EXPORTER: &[u8] = b"EXPORTER-symbolon-1";
