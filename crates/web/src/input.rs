//! A request body as a blocking reader, for imports that stream.

use std::io::{self, Read};

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::sync::mpsc::{Receiver, channel};

use crate::limits::PIECES_WAITING_MAX;

/// Reads what a task feeds from the body; the task waits while the reader is busy.
pub(crate) struct Input {
    pieces: Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Input {
    /// Starts feeding. Call within a runtime; read outside of it.
    pub(crate) fn new(mut body: Body) -> Input {
        let (feed, pieces) = channel(PIECES_WAITING_MAX);
        tokio::spawn(async move {
            while let Some(frame) = body.frame().await {
                let piece = match frame.map(|frame| frame.into_data()) {
                    Ok(Ok(data)) => Ok(data),
                    Ok(Err(_)) => continue,
                    Err(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                };
                let is_last = piece.is_err();
                if feed.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        });
        Input { pieces, piece: Bytes::new() }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        let taken = self.piece.split_to(count);
        buffer.iter_mut().zip(taken).for_each(|(place, byte)| *place = byte);
        Ok(count)
    }
}
