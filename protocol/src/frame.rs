//! Cuts a stream of bytes into frames; knows nothing of what is inside.
//!
//! Implements spec/transport.md#frames. A frame is its length as four bytes big-endian and as many
//! bytes.
//!
//! Invariant: a reader holds at most one frame and [`READ_BYTES_MAX`] bytes more, and never
//! allocates for a length that was only announced.

use crate::error::ProtocolError;
use crate::limits::READ_BYTES_MAX;

const LENGTH_BYTES: usize = 4;

/// Collects bytes and gives whole frames.
pub struct FrameReader {
    bytes_max: usize,
    buffer: Vec<u8>,
    start: usize,
}

impl FrameReader {
    /// A reader for frames of at most `bytes_max` bytes.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes_max, buffer: Vec::new(), start: 0 }
    }

    /// Takes what the stream gave.
    ///
    /// # Errors
    /// [`ProtocolError::FrameTooLong`] when more waits than one frame and one read, which can only
    /// be when the caller does not drain the reader or the peer sends what nobody awaits.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let room = (self.bytes_max + LENGTH_BYTES + READ_BYTES_MAX).saturating_sub(self.buffered());
        if bytes.len() > room {
            return Err(ProtocolError::FrameTooLong { bytes_max: self.bytes_max });
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole frame without its length, if it is there.
    ///
    /// # Errors
    /// [`ProtocolError::FrameTooLong`] or [`ProtocolError::FrameEmpty`], as soon as the length is
    /// known.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>, ProtocolError> {
        let rest = self.rest();
        let Some((length, body)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 {
            return Err(ProtocolError::FrameEmpty);
        }
        if length > self.bytes_max {
            return Err(ProtocolError::FrameTooLong { bytes_max: self.bytes_max });
        }
        let Some(frame) = body.get(..length) else {
            return Ok(None);
        };
        let frame = frame.to_vec();
        self.start += LENGTH_BYTES + length;
        Ok(Some(frame))
    }

    /// Announced length and first three bytes of the next frame, as soon as they are there: every
    /// message has as many, and they hold its type.
    pub(crate) fn announced(&self) -> Option<(usize, [u8; 3])> {
        let (length, body) = self.rest().split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        Some((length, *body.first_chunk()?))
    }

    /// The next `N` raw bytes, if they are there: what follows a header frame.
    pub fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let chunk = *self.rest().first_chunk::<N>()?;
        self.start += N;
        Some(chunk)
    }

    /// Bytes taken in and not given out yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

/// Puts its length before `body`.
#[must_use]
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    // Every caller's body is bounded by FRAME_BYTES_MAX, far below 2^32.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_a_length_before_its_bytes_come() {
        let mut reader = FrameReader::new(8);
        reader.push(&[0, 0, 0, 9]).unwrap();
        assert!(matches!(reader.frame(), Err(ProtocolError::FrameTooLong { bytes_max: 8 })));
        let mut reader = FrameReader::new(8);
        reader.push(&[0, 0, 0, 0]).unwrap();
        assert!(matches!(reader.frame(), Err(ProtocolError::FrameEmpty)));
    }

    #[test]
    fn holds_no_more_than_a_frame_and_a_read() {
        let mut reader = FrameReader::new(8);
        reader.push(&vec![0; READ_BYTES_MAX + 12]).unwrap();
        assert!(reader.push(&[0]).is_err());
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            bodies in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 1..50),
                0..8,
            ),
            cut in 1_usize..20,
        ) {
            let stream: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
            let mut reader = FrameReader::new(50);
            let mut seen = Vec::new();
            for piece in stream.chunks(cut) {
                reader.push(piece).unwrap();
                while let Some(body) = reader.frame().unwrap() {
                    seen.push(body);
                }
            }
            prop_assert_eq!(seen, bodies);
            prop_assert_eq!(reader.buffered(), 0);
        }
    }
}
