//! Drives the handshake states over one stream of bytes with a deadline; no IO.
//!
//! Implements spec/transport.md#hello.
//!
//! Invariant: whatever comes in, the machine ends with [`Established`] or one error, at the
//! deadline at the latest.

mod state;

use std::collections::VecDeque;

pub use state::{
    Context, Established, ExpectAccept, ExpectClientFinish, ExpectClientHello, ExpectServerHello,
    Local, Partner, Step,
};

use crate::error::ProtocolError;
use crate::frame::FrameReader;
use crate::limits::{HANDSHAKE_DEADLINE_MS, HELLO_FRAME_BYTES_MAX, READ_BYTES_MAX};
use crate::message::{Failure, decode, encode};
use crate::transmit::Transmit;

enum State {
    ExpectServerHello(Box<ExpectServerHello>),
    ExpectAccept(Box<ExpectAccept>),
    ExpectClientHello(Box<ExpectClientHello>, [u8; 32]),
    ExpectClientFinish(Box<ExpectClientFinish>),
    Done,
}

/// One end of the hello stream.
pub struct Handshake {
    state: State,
    reader: FrameReader,
    outbox: VecDeque<Transmit>,
    outcome: Option<Result<Established, ProtocolError>>,
    begun_ms: u64,
    begun_seconds: u64,
}

impl Handshake {
    /// The end that opened the connection. `now_ms` is any monotonic clock, `now` Unix seconds.
    #[must_use]
    pub fn client(context: Context, seed: [u8; 32], now: u64, now_ms: u64) -> Self {
        let Step { send, next } = ExpectServerHello::begin(context, seed, now);
        let mut machine = Self::new(State::ExpectServerHello(Box::new(next)), now, now_ms);
        machine.outbox.push_back(Transmit::Bytes(send));
        machine
    }

    /// The end that accepted the connection.
    #[must_use]
    pub fn server(context: Context, seed: [u8; 32], now: u64, now_ms: u64) -> Self {
        let state = ExpectClientHello::new(context);
        Self::new(State::ExpectClientHello(Box::new(state), seed), now, now_ms)
    }

    const fn new(state: State, now: u64, now_ms: u64) -> Self {
        Self {
            state,
            reader: FrameReader::new(HELLO_FRAME_BYTES_MAX),
            outbox: VecDeque::new(),
            outcome: None,
            begun_ms: now_ms,
            begun_seconds: now,
        }
    }

    /// Takes bytes of the stream.
    pub fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64) {
        if self.expired(now_ms) {
            return;
        }
        for piece in bytes.chunks(READ_BYTES_MAX) {
            if let Err(error) = self.read(piece, now_ms) {
                self.fail(error);
            }
        }
    }

    /// The peer wrote its last byte, or reset the stream.
    pub fn handle_end(&mut self, now_ms: u64) {
        if !self.expired(now_ms) && !matches!(self.state, State::Done) {
            self.fail(ProtocolError::Truncated);
        }
    }

    /// The clock moved.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.expired(now_ms);
    }

    /// When to call [`Self::handle_timeout`], on the clock of `now_ms`.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        match self.state {
            State::Done => None,
            _ => Some(self.deadline_ms()),
        }
    }

    /// The next thing to do on the stream.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// How it ended; once, and after all that is to be sent was queued.
    pub const fn poll_outcome(&mut self) -> Option<Result<Established, ProtocolError>> {
        self.outcome.take()
    }

    const fn deadline_ms(&self) -> u64 {
        self.begun_ms.saturating_add(HANDSHAKE_DEADLINE_MS)
    }

    /// Ends the machine if its time is over.
    fn expired(&mut self, now_ms: u64) -> bool {
        let expired = now_ms >= self.deadline_ms() && !matches!(self.state, State::Done);
        if expired {
            self.fail(ProtocolError::Deadline);
        }
        expired
    }

    fn read(&mut self, bytes: &[u8], now_ms: u64) -> Result<(), ProtocolError> {
        if matches!(self.state, State::Done) {
            return Ok(());
        }
        self.reader.push(bytes)?;
        let now = self.begun_seconds + now_ms.saturating_sub(self.begun_ms) / 1000;
        while let Some(body) = self.reader.frame()? {
            self.step(&body, now)?;
        }
        Ok(())
    }

    fn step(&mut self, body: &[u8], now: u64) -> Result<(), ProtocolError> {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::ExpectServerHello(state) => {
                let Step { send, next } = state.handle(decode(body)?, now)?;
                self.outbox.push_back(Transmit::Bytes(send));
                State::ExpectAccept(Box::new(next))
            }
            State::ExpectAccept(state) => {
                let established = state.handle(decode(body)?);
                self.complete(established)?
            }
            State::ExpectClientHello(state, seed) => {
                let Step { send, next } = state.handle(decode(body)?, seed, now)?;
                self.outbox.push_back(Transmit::Bytes(send));
                State::ExpectClientFinish(Box::new(next))
            }
            State::ExpectClientFinish(state) => {
                let Step { send, next } = state.handle(decode(body)?, now)?;
                let state = self.complete(next)?;
                self.outbox.push_front(Transmit::Bytes(send));
                state
            }
            State::Done => {
                return Err(ProtocolError::Unexpected { expected: "the end" });
            }
        };
        Ok(())
    }

    fn complete(&mut self, established: Established) -> Result<State, ProtocolError> {
        if self.reader.buffered() > 0 {
            return Err(ProtocolError::Unexpected { expected: "the end" });
        }
        self.outcome = Some(Ok(established));
        self.outbox.push_back(Transmit::Finish);
        Ok(State::Done)
    }

    fn fail(&mut self, error: ProtocolError) {
        self.state = State::Done;
        // A peer that sent an error has stopped listening.
        if !matches!(error, ProtocolError::PeerRefused { .. }) {
            self.outbox.push_back(Transmit::Bytes(encode(&Failure::new(&error))));
        }
        self.outbox.push_back(Transmit::Finish);
        self.outcome = Some(Err(error));
    }
}
