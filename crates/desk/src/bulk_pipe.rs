//! The two byte streams of an attempt at a partition: messages in whole, bytes in pieces.
//!
//! Implements spec/transport.md#bulk.
//!
//! Invariant: a piece that comes again changes nothing, and a gap is an error.

use symbolon_protocol::limits::BULK_PIECE_BYTES_MAX;
use symbolon_psi::{Head, Message, PsiError};

/// Bytes before a header that tell its length.
const LENGTH_BYTES: usize = 4;

/// What arrives.
pub(crate) struct Inbox {
    /// Raw bytes of the longest message that may come.
    bulk_bytes_max: u64,
    /// Bytes that came in all.
    received: u64,
    waiting: Vec<u8>,
}

impl Inbox {
    /// For messages of at most so many raw bytes.
    pub(crate) fn new(bulk_bytes_max: u64) -> Self {
        Self { bulk_bytes_max, received: 0, waiting: Vec::new() }
    }

    /// Bytes that came so far.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Takes a piece that stands at `at` of the stream.
    pub(crate) fn push(&mut self, at: u64, bytes: &[u8]) -> Result<(), PsiError> {
        let end = at.saturating_add(bytes.len() as u64);
        if at > self.received {
            return Err(PsiError::Malformed);
        }
        let known = usize::try_from(self.received - at).map_err(|_| PsiError::Malformed)?;
        if let Some(new) = bytes.get(known..) {
            self.waiting.extend_from_slice(new);
            self.received = self.received.max(end);
        }
        Ok(())
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, PsiError> {
        let Some((length, rest)) = self.waiting.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > symbolon_psi::HEAD_BYTES_MAX {
            return Err(PsiError::Malformed);
        }
        let Some(head) = rest.get(..length) else { return Ok(None) };
        let head = Head::decode(head)?;
        if head.bulk_bytes() > self.bulk_bytes_max {
            return Err(PsiError::Malformed);
        }
        let bulk = usize::try_from(head.bulk_bytes()).map_err(|_| PsiError::Malformed)?;
        let Some(body) = rest.get(length..).and_then(|rest| rest.get(..bulk)) else {
            return Ok(None);
        };
        let message = head.with_bulk(body.to_vec())?;
        self.waiting.drain(..LENGTH_BYTES + length + bulk);
        Ok(Some(message))
    }
}

/// What leaves.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Bytes of the stream before those kept.
    gone: u64,
    kept: Vec<u8>,
    /// Nothing is forgotten any more.
    is_held: bool,
}

impl Outbox {
    /// Adds a message.
    pub(crate) fn push(&mut self, message: Message) {
        let (head, bulk) = message.into_parts();
        self.kept.extend_from_slice(&head);
        self.kept.extend_from_slice(&bulk);
    }

    /// Whether everything before `taken` is all there is.
    pub(crate) fn is_drained(&self, taken: u64) -> bool {
        taken >= self.gone + self.kept.len() as u64
    }

    /// From now on nothing is forgotten: all that follows may be asked for from its beginning.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// The next piece behind `taken`, which is forgotten unless it is held.
    pub(crate) fn from(&mut self, taken: u64) -> Result<Vec<u8>, PsiError> {
        let done = taken.checked_sub(self.gone).and_then(|done| usize::try_from(done).ok());
        let mut done = done.filter(|done| *done <= self.kept.len()).ok_or(PsiError::Malformed)?;
        if !self.is_held {
            self.kept.drain(..done);
            (self.gone, done) = (taken, 0);
        }
        let end = self.kept.len().min(done + BULK_PIECE_BYTES_MAX);
        Ok(self.kept.get(done..end).unwrap_or_default().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_messages_and_repeats_change_nothing() {
        let bytes = [Message::stop().encode(), Message::stop().encode()].concat();
        let mut inbox = Inbox::new(0);
        for (at, byte) in bytes.iter().enumerate() {
            inbox.push(at as u64, &[*byte]).unwrap();
            inbox.push(0, bytes.get(..=at).unwrap()).unwrap();
        }
        assert_eq!(inbox.received(), bytes.len() as u64);
        assert_eq!(inbox.next().unwrap(), Some(Message::stop()));
        assert_eq!(inbox.next().unwrap(), Some(Message::stop()));
        assert_eq!(inbox.next().unwrap(), None);
        assert!(inbox.push(bytes.len() as u64 + 1, &[0]).is_err(), "a gap");
        inbox.push(bytes.len() as u64, &[0xff; 8]).unwrap();
        assert!(inbox.next().is_err(), "a header too long");
    }

    #[test]
    fn what_was_not_taken_is_given_again() {
        let mut outbox = Outbox::default();
        outbox.push(Message::stop());
        let all = outbox.from(0).unwrap();
        assert_eq!(outbox.from(0).unwrap(), all);
        assert!(!outbox.is_drained(1) && outbox.is_drained(all.len() as u64));
        assert_eq!(outbox.from(1).unwrap(), all.get(1..).unwrap());
        assert!(outbox.from(0).is_err(), "what was taken is gone");
        assert!(outbox.from(all.len() as u64 + 1).is_err());
        outbox.hold();
        assert_eq!(outbox.from(all.len() as u64).unwrap(), Vec::<u8>::new());
        assert_eq!(outbox.from(1).unwrap(), all.get(1..).unwrap(), "from where it is held");
        assert!(outbox.from(0).is_err() && outbox.from(all.len() as u64 + 1).is_err());
    }
}
