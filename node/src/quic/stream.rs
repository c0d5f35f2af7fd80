//! Carries bytes between a machine of `symbolon_protocol` and its QUIC stream; decides nothing.
//!
//! Implements spec/transport.md#frames.

use quinn::{ConnectionError, ReadError, RecvStream, SendStream, VarInt, WriteError};
use symbolon_protocol::limits::READ_BYTES_MAX;
use symbolon_protocol::{Code, Exchange, Handshake, Request, Serve, TagSetDownload, Transmit};

use crate::clock::monotonic_ms;

/// What all machines of one stream have in common.
pub(super) trait Machine {
    fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64);
    fn handle_end(&mut self, now_ms: u64);
    fn handle_reset(&mut self, now_ms: u64);
    fn poll_transmit(&mut self) -> Option<Transmit>;
}

macro_rules! machine {
    ([$($generics:tt)*] $machine:ty, $reset:expr) => {
        impl $($generics)* Machine for $machine {
            fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64) {
                <$machine>::handle_bytes(self, bytes, now_ms);
            }
            fn handle_end(&mut self, now_ms: u64) {
                <$machine>::handle_end(self, now_ms);
            }
            fn handle_reset(&mut self, now_ms: u64) {
                let reset: fn(&mut $machine, u64) = $reset;
                reset(self, now_ms);
            }
            fn poll_transmit(&mut self) -> Option<Transmit> {
                <$machine>::poll_transmit(self)
            }
        }
    };
}

machine!([] Handshake, |machine, now_ms| machine.handle_end(now_ms));
machine!([] Serve, |machine, _| machine.handle_reset());
machine!([] TagSetDownload, |machine, _| machine.handle_reset());
machine!([<R: Request>] Exchange<R>, |machine, _| machine.handle_reset());

/// Both directions of one stream.
pub(super) struct Stream {
    send: SendStream,
    recv: RecvStream,
    /// The code with which the peer reset its direction.
    reset: Option<Code>,
}

impl Stream {
    pub(super) fn new((send, recv): (SendStream, RecvStream)) -> Self {
        Self { send, recv, reset: None }
    }

    /// Writes all that `machine` has to say, then gives it what comes next.
    pub(super) async fn step(&mut self, machine: &mut impl Machine) -> Result<(), ConnectionError> {
        self.flush(machine).await?;
        match self.recv.read_chunk(READ_BYTES_MAX, true).await {
            Ok(Some(chunk)) => machine.handle_bytes(&chunk.bytes, monotonic_ms()),
            Ok(None) => machine.handle_end(monotonic_ms()),
            Err(ReadError::ConnectionLost(error)) => return Err(error),
            Err(ReadError::Reset(code)) => {
                self.reset = from_wire(code);
                machine.handle_reset(monotonic_ms());
            }
            Err(_) => machine.handle_reset(monotonic_ms()),
        }
        Ok(())
    }

    /// Writes all that `machine` has to say.
    pub(super) async fn flush(
        &mut self,
        machine: &mut impl Machine,
    ) -> Result<(), ConnectionError> {
        while let Some(transmit) = machine.poll_transmit() {
            match transmit {
                Transmit::Bytes(bytes) => self.write(&bytes).await?,
                Transmit::Finish => self.finish(),
            }
        }
        Ok(())
    }

    /// Writes `bytes`. A peer that wants no more of them may still have an answer to give, so only
    /// the loss of the connection is an error.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        match self.send.write_all(bytes).await {
            Err(WriteError::ConnectionLost(error)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// True once the peer has asked for no more bytes.
    pub(super) fn finish(&mut self) {
        // Fails only where the stream was finished or reset before.
        let _ = self.send.finish();
    }

    /// Ends the stream with a code in place of the rest.
    pub(super) fn abandon(&mut self, code: Code) {
        let code = to_wire(code);
        let _ = self.send.reset(code);
        let _ = self.recv.stop(code);
    }

    /// Waits until the peer has all that was written, or wants no more.
    pub(super) async fn delivered(&mut self) {
        let _ = self.send.stopped().await;
    }

    pub(super) fn reset_code(&self) -> Option<Code> {
        self.reset
    }
}

/// A code as QUIC application error.
pub(super) fn to_wire(code: Code) -> VarInt {
    VarInt::from(code.number())
}

/// The code of a QUIC application error, if it is one of the table.
pub(super) fn from_wire(code: VarInt) -> Option<Code> {
    u16::try_from(code.into_inner()).ok().and_then(Code::from_number)
}
