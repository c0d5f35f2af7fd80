//! The answering side of one stream: reads one request, then waits for the caller's answer; no IO.
//!
//! Implements spec/transport.md#requests.
//!
//! Invariant: a request is given out once, whole, and only with the means to answer it; whatever
//! comes in, the machine ends with a request or one error, at the deadline at the latest.

use std::collections::VecDeque;

use crate::account::AccountRequest;
use crate::bulk::{BulkBegin, BulkCarry, BulkWait};
use crate::card::{CardRequest, EpochsRequest};
use crate::cosign::Cosign;
use crate::deliver::Delivery;
use crate::error::{ProtocolError, Refusal};
use crate::evaluate::Evaluate;
use crate::frame::FrameReader;
use crate::handshake::Established;
use crate::limits::{FRAME_BYTES_MAX, READ_BYTES_MAX, REQUEST_DEADLINE_MS};
use crate::message::{Failure, Message, Outgoing, decode, encode, type_of};
use crate::prove::Prove;
use crate::push::Pushing;
use crate::relay::{Collect, Leaving};
use crate::tag_set::TagSetRequest;
use crate::transmit::Transmit;

/// A request as it arrives, and the only answer that it has.
pub trait Served: Message {
    /// What answers it, apart from an error.
    type Answer: Outgoing;
}

/// A whole request of the partner.
#[derive(Debug)]
pub enum Incoming {
    /// For this node's card.
    Card(Asked<CardRequest>),
    /// For the epoch cards made for the partner.
    Epochs(Asked<EpochsRequest>),
    /// For the chunks of a tag set; answered by [`crate::TagSetUpload`].
    TagSet(Asked<TagSetRequest>),
    /// For the evaluation of a batch.
    Evaluate(Asked<Evaluate>),
    /// To take an envelope.
    Deliver(Asked<Delivery>),
    /// To cosign a checkpoint of the partner's log.
    Cosign(Asked<Cosign>),
    /// For this node's account of what passed.
    Account(Asked<AccountRequest>),
    /// To match a whole set.
    BulkBegin(Asked<BulkBegin>),
    /// Whether the match is ready.
    BulkWait(Asked<BulkWait>),
    /// A piece of the match.
    BulkCarry(Asked<BulkCarry>),
    /// To take envelopes of an ordered stream.
    Push(Asked<Pushing>),
    /// To keep envelopes for somebody else.
    Leave(Asked<Leaving>),
    /// For what lies here for the partner.
    Collect(Asked<Collect>),
    /// To open leaves of this node's log that it has named to the partner.
    Prove(Asked<Prove>),
}

/// One request and the right to answer it once.
#[derive(Debug)]
#[must_use]
pub struct Asked<Q> {
    request: Q,
    deadline_ms: u64,
}

/// The last bytes of a stream; FIN follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Reply(Vec<u8>);

impl Reply {
    /// The bytes to write before FIN.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<Q> Asked<Q> {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &Q {
        &self.request
    }

    /// When the partner stops waiting, on the clock given to [`Serve::new`].
    #[must_use]
    pub const fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    /// Refuses with the one code that the partner may learn.
    pub fn refuse(self, refusal: Refusal) -> Reply {
        Reply(encode(&Failure::new(&refusal.into())))
    }

    /// Refuses because of an error that came up while answering.
    pub fn fail(self, error: &ProtocolError) -> Reply {
        Reply(encode(&Failure::new(error)))
    }
}

impl<Q: Served> Asked<Q> {
    /// Answers.
    pub fn answer(self, answer: &Q::Answer) -> Reply {
        Reply(encode(answer))
    }
}

/// One stream that the partner opened.
pub struct Serve {
    reader: FrameReader,
    outbox: VecDeque<Transmit>,
    deadline_ms: u64,
    matching: Result<(), Refusal>,
    body: Option<Vec<u8>>,
    outcome: Option<Result<Incoming, ProtocolError>>,
    ended: bool,
}

impl Serve {
    /// Awaits a request on a stream of `session`. `now_ms` is any monotonic clock.
    #[must_use]
    pub fn new(session: &Established, now_ms: u64) -> Self {
        Self {
            reader: FrameReader::new(FRAME_BYTES_MAX),
            outbox: VecDeque::new(),
            deadline_ms: now_ms.saturating_add(REQUEST_DEADLINE_MS),
            matching: session.matching().map_err(|_| Refusal::ProfileDiffers),
            body: None,
            outcome: None,
            ended: false,
        }
    }

    /// Takes bytes of the stream.
    pub fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64) {
        self.handle_timeout(now_ms);
        for piece in bytes.chunks(READ_BYTES_MAX) {
            if !self.ended
                && let Err(error) = self.read(piece)
            {
                self.fail(error);
            }
        }
    }

    /// The partner wrote its last byte: the request is whole.
    pub fn handle_end(&mut self, now_ms: u64) {
        self.handle_timeout(now_ms);
        if self.ended {
            return;
        }
        match self.request() {
            Ok(request) => {
                self.ended = true;
                self.outcome = Some(Ok(request));
            }
            Err(error) => self.fail(error),
        }
    }

    /// The partner reset the stream, or the connection is gone.
    pub fn handle_reset(&mut self) {
        if !self.ended {
            self.ended = true;
            self.outcome = Some(Err(ProtocolError::Truncated));
        }
    }

    /// The clock moved.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if !self.ended && now_ms >= self.deadline_ms {
            self.fail(ProtocolError::Deadline);
        }
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        if self.ended { None } else { Some(self.deadline_ms) }
    }

    /// The next thing to do on the stream; nothing until the request is refused here.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// The request, or why there is none; once.
    pub const fn poll_outcome(&mut self) -> Option<Result<Incoming, ProtocolError>> {
        self.outcome.take()
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.reader.push(bytes)?;
        if self.body.is_none() {
            // A small request may not make this node hold a large frame.
            if let Some((length, start)) = self.reader.announced() {
                let bytes_max = bytes_max(type_of(&start)?)?;
                if length > bytes_max {
                    return Err(ProtocolError::FrameTooLong { bytes_max });
                }
            }
            self.body = self.reader.frame()?;
        }
        if self.body.is_some() && self.reader.buffered() > 0 {
            return Err(ProtocolError::Unexpected { expected: "the end" });
        }
        Ok(())
    }

    fn request(&mut self) -> Result<Incoming, ProtocolError> {
        let body = self.body.take().ok_or(ProtocolError::Truncated)?;
        match type_of(&body)? {
            CardRequest::TYPE => self.asked(&body).map(Incoming::Card),
            EpochsRequest::TYPE => self.asked(&body).map(Incoming::Epochs),
            TagSetRequest::TYPE => {
                self.matching?;
                self.asked(&body).map(Incoming::TagSet)
            }
            Evaluate::TYPE => {
                self.matching?;
                self.asked(&body).map(Incoming::Evaluate)
            }
            Delivery::TYPE => self.asked(&body).map(Incoming::Deliver),
            Cosign::TYPE => self.asked(&body).map(Incoming::Cosign),
            AccountRequest::TYPE => self.asked(&body).map(Incoming::Account),
            BulkBegin::TYPE => {
                self.matching?;
                self.asked(&body).map(Incoming::BulkBegin)
            }
            BulkWait::TYPE => self.asked(&body).map(Incoming::BulkWait),
            BulkCarry::TYPE => self.asked(&body).map(Incoming::BulkCarry),
            Pushing::TYPE => self.asked(&body).map(Incoming::Push),
            Leaving::TYPE => self.asked(&body).map(Incoming::Leave),
            Collect::TYPE => self.asked(&body).map(Incoming::Collect),
            Prove::TYPE => self.asked(&body).map(Incoming::Prove),
            _ => Err(ProtocolError::Unexpected { expected: "a request" }),
        }
    }

    fn asked<Q: Message>(&self, body: &[u8]) -> Result<Asked<Q>, ProtocolError> {
        Ok(Asked { request: decode(body)?, deadline_ms: self.deadline_ms })
    }

    fn fail(&mut self, error: ProtocolError) {
        self.ended = true;
        self.outbox.push_back(Transmit::Bytes(encode(&Failure::new(&error))));
        self.outbox.push_back(Transmit::Finish);
        self.outcome = Some(Err(error));
    }
}

/// The limit of a request by its type.
fn bytes_max(number: u8) -> Result<usize, ProtocolError> {
    match number {
        CardRequest::TYPE => Ok(CardRequest::BYTES_MAX),
        EpochsRequest::TYPE => Ok(EpochsRequest::BYTES_MAX),
        TagSetRequest::TYPE => Ok(TagSetRequest::BYTES_MAX),
        Evaluate::TYPE => Ok(Evaluate::BYTES_MAX),
        Delivery::TYPE => Ok(Delivery::BYTES_MAX),
        Cosign::TYPE => Ok(Cosign::BYTES_MAX),
        AccountRequest::TYPE => Ok(AccountRequest::BYTES_MAX),
        BulkBegin::TYPE => Ok(BulkBegin::BYTES_MAX),
        BulkWait::TYPE => Ok(BulkWait::BYTES_MAX),
        BulkCarry::TYPE => Ok(BulkCarry::BYTES_MAX),
        Pushing::TYPE => Ok(Pushing::BYTES_MAX),
        Leaving::TYPE => Ok(Leaving::BYTES_MAX),
        Collect::TYPE => Ok(Collect::BYTES_MAX),
        Prove::TYPE => Ok(Prove::BYTES_MAX),
        _ => Err(ProtocolError::Unexpected { expected: "a request" }),
    }
}
