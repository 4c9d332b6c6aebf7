//! A body that a thread writes while a client reads it, neither of them ahead of the other.

use std::io;
use std::mem;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::error::ApiError;

const CHUNK: usize = 64 << 10;

/// How many chunks wait for the client.
const WAITING: usize = 2;

/// How long a client may take for a chunk. One that takes none at all would keep others from exporting.
const PATIENCE: Duration = Duration::from_secs(60);

enum Piece {
    Chunk(Bytes),
    /// All is written. Without it the body must not end as if it were whole.
    End,
    Failed(activity_log::Error),
}

/// The two ends of a transfer; to be called where the runtime is.
pub(crate) fn transfer() -> (Copying, Copied) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Copying { sender, runtime: Handle::current() }, Copied { receiver })
}

/// The thread's end.
#[derive(Debug)]
pub(crate) struct Copying {
    sender: mpsc::Sender<Piece>,
    runtime: Handle,
}

impl Copying {
    /// Writes the body, and whether it is whole. It blocks as long as the client takes, and fails once that is gone.
    pub(crate) fn finish_with(self, write: impl FnOnce(&mut dyn io::Write) -> activity_log::Result<u64>) {
        let mut writer = Writer { copying: self, chunk: Vec::with_capacity(CHUNK) };
        let outcome = write(&mut writer).and_then(|_| writer.send_chunk().map_err(activity_log::Error::Output));
        // Nobody may be there any more to hear it; and without an end the body breaks off in any case.
        match outcome {
            Ok(()) => _ = writer.copying.send(Piece::End),
            Err(error) => _ = writer.copying.sender.try_send(Piece::Failed(error)),
        }
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        match self.runtime.block_on(timeout(PATIENCE, self.sender.send(piece))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Gathers what is written into chunks.
struct Writer {
    copying: Copying,
    chunk: Vec<u8>,
}

impl Writer {
    fn send_chunk(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.copying.send(Piece::Chunk(chunk.into()))
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

    /// Does nothing: chunks are sent when they are full, and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The client's end.
#[derive(Debug)]
pub(crate) struct Copied {
    receiver: mpsc::Receiver<Piece>,
}

impl Copied {
    /// The body, once its beginning is there: what fails before that is an answer of its own.
    ///
    /// What fails later fails the body, which breaks the connection off: the client must not take a part for the whole.
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
                    eprintln!("example-server: an export breaks off: {error}");
                    Err(io::Error::other(error))
                }
                None => Err(io::Error::other("the export broke off")),
            }
        })))
    }
}
