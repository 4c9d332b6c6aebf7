//! An export that keeps pace with its reader.

use std::io::{self, BufWriter, Write};

use activity_log::{ActivityLogFilters, ActivityLogRepository, Error, export};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Four pieces of 64 KiB may wait for the reader.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 64 << 10;

/// The matching entries as newline-delimited JSON, piece by piece. An error is the last piece.
///
/// It opens its own connection: a pooled one would be in use for as long as the slowest client reads.
#[must_use]
pub fn ndjson(path: String, filters: ActivityLogFilters) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel(PIECES);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(&path, &filters, Pieces(&sender)) {
            // Sending also fails if the reader has gone, and then nobody needs the error.
            let _ = sender.blocking_send(Err(io::Error::other(error)));
        }
    });
    receiver
}

fn write(path: &str, filters: &ActivityLogFilters, pieces: Pieces<'_>) -> activity_log::Result<u64> {
    let mut conn = activity_log::connect(path)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    // A row that cannot be read is left out; any other error ends the export.
    let entries = log.iter_export(filters)?.filter(|entry| !matches!(entry, Err(Error::UnreadableRow { .. })));
    export::write_ndjson(entries, BufWriter::with_capacity(PIECE_BYTES, pieces))
}

/// Blocks while the channel is full, and fails once the reader has gone, which ends the export.
struct Pieces<'a>(&'a Sender<io::Result<Vec<u8>>>);

impl Write for Pieces<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(Ok(piece.to_vec())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_whose_reader_has_gone_ends_with_its_first_piece() -> crate::error::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("server.db").display().to_string();
        let mut conn = activity_log::connect(&path)?;
        activity_log::run_migrations(&mut conn)?;
        let entry = activity_log::NewActivityLogEntry::new("system", "tick", "cron", "Tick");
        ActivityLogRepository::new(&mut conn).record(&entry)?;

        let (sender, receiver) = channel(PIECES);
        drop(receiver);
        let written = write(&path, &ActivityLogFilters::default(), Pieces(&sender));
        assert!(matches!(written, Err(Error::Output(_))), "{written:?}");
        Ok(())
    }
}
