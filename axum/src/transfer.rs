//! A response body that a thread writes while the client reads it, at the pace of the client.

use std::io;
use std::mem;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::database::DatabaseError;
use crate::error::ApiError;

const CHUNK: usize = 64 << 10;

/// How many chunks may wait for the client.
const BUFFERED: usize = 2;

enum Piece {
    Chunk(Bytes),
    /// The body is complete. Without this piece, the body must not appear complete to the client.
    End,
    Failed(DatabaseError),
}

/// The two ends of a transfer to a client that may take as long as `patience` to receive a chunk. Without this limit, an
/// idle client would keep others from exporting. Must be called within the runtime.
pub(crate) fn transfer(patience: Duration) -> (WriteEnd, ReadEnd) {
    let (sender, receiver) = mpsc::channel(BUFFERED);
    (WriteEnd { sender, patience, runtime: Handle::current() }, ReadEnd { receiver })
}

/// The thread's end.
#[derive(Debug)]
pub(crate) struct WriteEnd {
    sender: mpsc::Sender<Piece>,
    patience: Duration,
    runtime: Handle,
}

impl WriteEnd {
    /// Writes the body, then marks it as complete or failed. Blocks while the client is slow, and stops once the client
    /// is gone.
    pub(crate) fn finish_with(self, write: impl FnOnce(&mut dyn io::Write) -> Result<u64, DatabaseError>) {
        let mut writer = Writer { write_end: self, chunk: Vec::with_capacity(CHUNK) };
        let outcome = write(&mut writer).and_then(|_| Ok(writer.send_chunk().map_err(activity_log::Error::Output)?));
        // The client may be gone, so errors from sending are ignored. Without `End`, the body is cut off anyway.
        match outcome {
            Ok(()) => _ = writer.write_end.send(Piece::End),
            Err(error) => _ = writer.write_end.sender.try_send(Piece::Failed(error)),
        }
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        match self.runtime.block_on(timeout(self.patience, self.sender.send(piece))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Collects the written bytes into chunks.
struct Writer {
    write_end: WriteEnd,
    chunk: Vec<u8>,
}

impl Writer {
    fn send_chunk(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.write_end.send(Piece::Chunk(chunk.into()))
    }
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (now, _) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
        self.chunk.extend_from_slice(now);
        if self.chunk.len() == CHUNK {
            self.send_chunk()?;
        }
        Ok(now.len())
    }

    /// Does nothing: a chunk is sent when it is full, and the last one at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The client's end.
#[derive(Debug)]
pub(crate) struct ReadEnd {
    receiver: mpsc::Receiver<Piece>,
}

impl ReadEnd {
    /// The body, once its first chunk is written. A failure before that becomes an error response.
    ///
    /// A later failure closes the connection, so that the client does not take a part of the body for the whole.
    pub(crate) async fn into_body(mut self) -> Result<Body, ApiError> {
        let first = match self.receiver.recv().await {
            Some(Piece::Failed(error)) => return Err(error.into()),
            first => first,
        };
        Ok(Body::from_stream(try_unfold((first, self.receiver), |(next, mut receiver)| async {
            let next = match next {
                Some(piece) => Some(piece),
                None => receiver.recv().await,
            };
            match next {
                Some(Piece::Chunk(chunk)) => Ok(Some((chunk, (None, receiver)))),
                Some(Piece::End) => Ok(None),
                Some(Piece::Failed(error)) => {
                    tracing::error!("an export failed: {error}");
                    Err(io::Error::other(error))
                }
                None => Err(io::Error::other("the export ended early")),
            }
        })))
    }
}
