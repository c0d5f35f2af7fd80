//! The asking side of one stream: one request, one answer, a deadline; no IO.
//!
//! Implements spec/transport.md#requests.
//!
//! Invariant: whatever comes in, the machine ends with the one answer that the request has or one
//! error, at the deadline at the latest.

use std::collections::VecDeque;

use crate::error::ProtocolError;
use crate::frame::FrameReader;
use crate::handshake::Established;
use crate::limits::{ERROR_BYTES_MAX, READ_BYTES_MAX, REQUEST_DEADLINE_MS};
use crate::message::{Message, Outgoing, decode, encode};
use crate::transmit::Transmit;

/// A request that a plain answer follows.
pub trait Request: Outgoing {
    /// Its only answer, apart from an error.
    type Response: Message;

    /// Whether the request may go to the partner of this session.
    ///
    /// # Errors
    /// [`ProtocolError::ProfileDiffers`] for requests that match, [`ProtocolError::Misuse`] for an
    /// envelope to somebody else.
    fn permitted(&self, _session: &Established) -> Result<(), ProtocolError> {
        Ok(())
    }
}

/// One request in flight.
pub struct Exchange<R: Request> {
    reader: FrameReader,
    outbox: VecDeque<Transmit>,
    deadline_ms: u64,
    response: Option<R::Response>,
    outcome: Option<Result<R::Response, ProtocolError>>,
    ended: bool,
}

impl<R: Request> Exchange<R> {
    /// Opens an exchange on a new stream. `now_ms` is any monotonic clock.
    ///
    /// # Errors
    /// As [`Request::permitted`], before anything is sent.
    pub fn begin(session: &Established, request: &R, now_ms: u64) -> Result<Self, ProtocolError> {
        request.permitted(session)?;
        let outbox = VecDeque::from([Transmit::Bytes(encode(request)), Transmit::Finish]);
        Ok(Self {
            // The announced length counts before the type is known, so an error fits as well.
            reader: FrameReader::new(R::Response::BYTES_MAX.max(ERROR_BYTES_MAX)),
            outbox,
            deadline_ms: now_ms.saturating_add(REQUEST_DEADLINE_MS),
            response: None,
            outcome: None,
            ended: false,
        })
    }

    /// Takes bytes of the stream.
    pub fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64) {
        self.handle_timeout(now_ms);
        for piece in bytes.chunks(READ_BYTES_MAX) {
            if !self.ended
                && let Err(error) = self.read(piece)
            {
                self.end(Err(error));
            }
        }
    }

    /// The peer wrote its last byte.
    pub fn handle_end(&mut self, now_ms: u64) {
        self.handle_timeout(now_ms);
        if !self.ended {
            let outcome = match self.response.take() {
                Some(response) if self.reader.buffered() == 0 => Ok(response),
                _ => Err(ProtocolError::Truncated),
            };
            self.end(outcome);
        }
    }

    /// The peer reset the stream, or the connection is gone.
    pub fn handle_reset(&mut self) {
        if !self.ended {
            self.end(Err(ProtocolError::Truncated));
        }
    }

    /// The clock moved.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if !self.ended && now_ms >= self.deadline_ms {
            self.end(Err(ProtocolError::Deadline));
        }
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        if self.ended { None } else { Some(self.deadline_ms) }
    }

    /// The next thing to do on the stream.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// How it ended; once.
    pub const fn poll_outcome(&mut self) -> Option<Result<R::Response, ProtocolError>> {
        self.outcome.take()
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.reader.push(bytes)?;
        while let Some(body) = self.reader.frame()? {
            if self.response.is_some() {
                return Err(ProtocolError::Unexpected { expected: "the end" });
            }
            self.response = Some(decode(&body)?);
        }
        Ok(())
    }

    fn end(&mut self, outcome: Result<R::Response, ProtocolError>) {
        self.ended = true;
        self.response = None;
        self.outcome = Some(outcome);
    }
}
