//! What a machine wants done on its stream.

/// One act on the sending side of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Write these bytes.
    Bytes(Vec<u8>),
    /// Write nothing more (FIN).
    Finish,
}
