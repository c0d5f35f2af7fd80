//! The asker's side of a transfer: checks chunk after chunk and says where to resume.
//!
//! Implements spec/transport.md#tag-set.
//!
//! Invariant: whatever comes in, the machine ends with the whole set or one error, after a silence
//! of [`REQUEST_DEADLINE_MS`] at the latest.

use std::collections::VecDeque;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_oprf::{ReceivedTagSet, Tag, TagSetTransfer};
use symbolon_tlog::{Frontier, Hash};

use crate::epoch_card::VerifiedEpochCard;
use crate::error::ProtocolError;
use crate::frame::FrameReader;
use crate::handshake::Established;
use crate::limits::{CHUNK_BYTES, REQUEST_DEADLINE_MS, SMALL_REQUEST_BYTES_MAX};
use crate::message::{decode, encode};
use crate::tag_set::{TagSetHeader, TagSetRequest, chunks};
use crate::transmit::Transmit;

/// What to keep to resume a transfer: no tag but the last one of the last chunk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct TagSetProgress {
    chunks: u64,
    hashes: Vec<Hash>,
    #[serde(with = "serde_bytes")]
    last: Option<[u8; 16]>,
}

/// What a transfer gives.
#[derive(Debug)]
pub enum TagSetEvent {
    /// A chunk of 256 tags, in order; to be stored under its number.
    Chunk {
        /// Its number.
        number: u64,
        /// Its tags.
        tags: Vec<Tag>,
    },
    /// The whole set is there, and it is the announced one.
    Done(ReceivedTagSet),
}

enum State {
    ExpectHeader,
    ExpectChunks,
    Ended,
}

/// A transfer under way.
pub struct TagSetDownload {
    state: State,
    reader: FrameReader,
    transfer: Option<TagSetTransfer>,
    count: u64,
    outbox: VecDeque<Transmit>,
    events: VecDeque<Result<TagSetEvent, ProtocolError>>,
    deadline_ms: u64,
}

impl TagSetDownload {
    /// Begins or resumes the transfer of the set that `card` announces, on a new stream.
    ///
    /// # Errors
    /// [`ProtocolError::ProfileDiffers`], or [`ProtocolError::TagSet`] when `progress` is not one
    /// of this set.
    pub fn begin(
        session: &Established,
        card: &VerifiedEpochCard,
        progress: &TagSetProgress,
        now_ms: u64,
    ) -> Result<Self, ProtocolError> {
        session.matching()?;
        let content = card.card();
        let refuse = || ProtocolError::TagSet { rule: "the progress is one of this set" };
        let frontier = Frontier::from_parts(progress.chunks, progress.hashes.clone());
        let transfer = TagSetTransfer::resume(
            content.count,
            content.tags_root,
            frontier.map_err(|_| refuse())?,
            progress.last.map(Tag::from_bytes),
        );
        let transfer = transfer.map_err(|_| refuse())?;
        let mut download = Self {
            state: State::ExpectHeader,
            reader: FrameReader::new(SMALL_REQUEST_BYTES_MAX),
            transfer: None,
            count: content.count,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            deadline_ms: now_ms.saturating_add(REQUEST_DEADLINE_MS),
        };
        if transfer.next_chunk() == chunks(content.count) {
            // All chunks were there before; only the end was missing.
            let done = transfer.finish().map_err(tag_set_error)?;
            download.end(Ok(TagSetEvent::Done(done)));
        } else {
            let request = TagSetRequest::new(card, transfer.next_chunk());
            download.outbox.push_back(Transmit::Bytes(encode(&request)));
            download.outbox.push_back(Transmit::Finish);
            download.transfer = Some(transfer);
        }
        Ok(download)
    }

    /// Takes bytes of the stream.
    pub fn handle_bytes(&mut self, bytes: &[u8], now_ms: u64) {
        self.handle_timeout(now_ms);
        for piece in bytes.chunks(CHUNK_BYTES) {
            if let Err(error) = self.read(piece, now_ms) {
                return self.end(Err(error));
            }
        }
    }

    /// The holder wrote its last byte.
    pub fn handle_end(&mut self, now_ms: u64) {
        self.handle_timeout(now_ms);
        if matches!(self.state, State::Ended) {
            return;
        }
        let end = chunks(self.count);
        let whole = |transfer: &mut TagSetTransfer| transfer.next_chunk() == end;
        let outcome = match self.transfer.take_if(whole) {
            Some(_) if self.reader.buffered() > 0 => Err(UNEXPECTED_BYTES),
            Some(transfer) => transfer.finish().map(TagSetEvent::Done).map_err(tag_set_error),
            None => Err(ProtocolError::Truncated),
        };
        self.end(outcome);
    }

    /// The holder reset the stream, or the connection is gone.
    pub fn handle_reset(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.end(Err(ProtocolError::Truncated));
        }
    }

    /// The clock moved.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if !matches!(self.state, State::Ended) && now_ms >= self.deadline_ms {
            self.end(Err(ProtocolError::Deadline));
        }
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        match self.state {
            State::Ended => None,
            _ => Some(self.deadline_ms),
        }
    }

    /// The next thing to do on the stream.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// What the transfer gave; after [`TagSetEvent::Done`] or an error nothing more comes.
    pub fn poll_event(&mut self) -> Option<Result<TagSetEvent, ProtocolError>> {
        self.events.pop_front()
    }

    /// Where to resume, counting every chunk that was given out: take it once the events are
    /// stored. None when the transfer is complete or the holder broke a rule: a resumed one would
    /// end the same way.
    #[must_use]
    pub fn progress(&self) -> Option<TagSetProgress> {
        let transfer = self.transfer.as_ref()?;
        Some(TagSetProgress {
            chunks: transfer.next_chunk(),
            hashes: transfer.frontier().hashes().to_vec(),
            last: transfer.last().map(|tag| *tag.as_bytes()),
        })
    }

    fn read(&mut self, bytes: &[u8], now_ms: u64) -> Result<(), ProtocolError> {
        if matches!(self.state, State::Ended) {
            return Ok(());
        }
        self.reader.push(bytes)?;
        if matches!(self.state, State::ExpectHeader) {
            let Some(body) = self.reader.frame()? else {
                return Ok(());
            };
            self.header(decode(&body)?)?;
            self.deadline_ms = now_ms.saturating_add(REQUEST_DEADLINE_MS);
        }
        while let Some(chunk) = self.reader.raw::<CHUNK_BYTES>() {
            let transfer = self.transfer.as_mut().ok_or(UNEXPECTED_BYTES)?;
            let number = transfer.next_chunk();
            if number >= chunks(self.count) {
                return Err(UNEXPECTED_BYTES);
            }
            let tags = transfer.accept(&chunk).map_err(tag_set_error)?;
            self.events.push_back(Ok(TagSetEvent::Chunk { number, tags }));
            self.deadline_ms = now_ms.saturating_add(REQUEST_DEADLINE_MS);
        }
        Ok(())
    }

    fn header(&mut self, header: TagSetHeader) -> Result<(), ProtocolError> {
        let due = self.transfer.as_ref().map(TagSetTransfer::next_chunk);
        if header.count != self.count || Some(header.from_chunk) != due {
            return Err(ProtocolError::TagSet { rule: "the header is that of the set asked for" });
        }
        self.state = State::ExpectChunks;
        Ok(())
    }

    fn end(&mut self, outcome: Result<TagSetEvent, ProtocolError>) {
        self.state = State::Ended;
        // After a stop that is nobody's lie, what came so far is worth resuming from.
        let resumable = matches!(outcome, Err(ProtocolError::Truncated | ProtocolError::Deadline));
        if !resumable {
            self.transfer = None;
        }
        self.events.push_back(outcome);
    }
}

const UNEXPECTED_BYTES: ProtocolError = ProtocolError::Unexpected { expected: "the end" };

fn tag_set_error(error: symbolon_oprf::OprfError) -> ProtocolError {
    use symbolon_oprf::OprfError;
    let rule = match error {
        OprfError::TagOrder => "the tags ascend strictly",
        OprfError::TagSetCount => "the set has the announced count",
        _ => "the set has the announced root",
    };
    ProtocolError::TagSet { rule }
}

impl TagSetProgress {
    /// Encodes it for the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        symbolon_codec::encode(self)
    }

    /// Decodes what [`Self::encode`] gave.
    ///
    /// # Errors
    /// [`ProtocolError::Decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ProtocolError> {
        Ok(symbolon_codec::decode(bytes, PROGRESS_BYTES_MAX)?)
    }

    /// Number of chunks that are there.
    #[must_use]
    pub const fn chunks(&self) -> u64 {
        self.chunks
    }
}

/// A hash for each of 63 levels, and the rest.
const PROGRESS_BYTES_MAX: usize = 4096;
