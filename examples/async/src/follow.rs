//! New entries as they arrive.

use std::time::Duration;

use activity_log::Error::UnreadableRow;
use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository};
use deadpool_diesel::sqlite::Pool;
use tokio::sync::mpsc::Sender;

use crate::deadpool::run;
use crate::error::Result;

const BATCH: u32 = 100;
const PAUSE: Duration = Duration::from_secs(1);

/// Sends each entry newer than `after_seq`, oldest first, until the receiver is dropped.
///
/// It waits while the channel is full: entries that have not been sent stay in the database.
pub async fn follow(
    pool: Pool,
    filters: ActivityLogFilters,
    mut after_seq: i64,
    entries: Sender<ActivityLogEntry>,
) -> Result<()> {
    let mut limit = BATCH;
    while !entries.is_closed() {
        let filters = filters.clone();
        let read = run(&pool, move |conn| {
            Ok(match ActivityLogRepository::new(conn).query_after(&filters, after_seq, limit) {
                Err(UnreadableRow { seq, .. }) => Err(seq),
                batch => Ok(batch?),
            })
        });
        match read.await? {
            Ok(batch) => {
                let caught_up = batch.len() < limit as usize;
                for entry in batch {
                    after_seq = entry.seq;
                    if entries.send(entry).await.is_err() {
                        return Ok(());
                    }
                }
                if caught_up {
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = entries.closed() => {}
                    }
                }
            }
            // The row is somewhere in the batch: read the entries before it one by one.
            Err(_) if limit > 1 => limit = 1,
            Err(unreadable) => {
                after_seq = unreadable;
                limit = BATCH;
            }
        }
    }
    Ok(())
}
