//! An export goes as fast as its reader, and ends when the reader has gone.

use activity_log::{ActivityLogRepository, NewActivityLogEntry, export::read_ndjson};
use async_host::Result;
use async_host::export::ndjson;

use crate::way::{Database, Deadpool, Way, take_write_lock};

async fn database_with_entries(number: usize) -> Result<Database<Deadpool>> {
    let database = Database::<Deadpool>::open(1).await?;
    let record = move |conn: &mut _| {
        let message = "x".repeat(1_000);
        let entries = (0..number).map(|_| NewActivityLogEntry::new("system", "tick", "cron", &*message));
        ActivityLogRepository::new(conn).record_all(&entries.collect::<Vec<_>>())
    };
    database.pool.run(Box::new(record)).await?;
    Ok(database)
}

#[tokio::test]
async fn the_pieces_are_the_whole_log() -> Result<()> {
    let database = database_with_entries(2_000).await?;
    let mut pieces = ndjson(database.path.clone(), Default::default());
    let mut file = Vec::new();
    while let Some(piece) = pieces.recv().await {
        file.extend(piece?);
    }
    let seqs = read_ndjson(&*file).map(|entry| Ok(entry?.seq)).collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(seqs, (1..=2_000).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_slow_reader_holds_up_neither_the_pool_nor_a_writer() -> Result<()> {
    let database = database_with_entries(2_000).await?;
    let mut pieces = ndjson(database.path.clone(), Default::default());
    pieces.recv().await.ok_or("no piece")??;

    // The export waits for its reader. The pool's only connection is free, and so is the write lock.
    assert_eq!(database.state().await?.1, 2_000);
    take_write_lock(&database.path)?;
    Ok(())
}

#[tokio::test]
async fn an_export_of_a_file_that_cannot_be_opened_is_one_error() -> Result<()> {
    let database = database_with_entries(0).await?;
    let nowhere = database.folder().join("nowhere/server.db").display().to_string();
    let mut pieces = ndjson(nowhere, Default::default());
    assert!(pieces.recv().await.is_some_and(|piece| piece.is_err()));
    assert!(pieces.recv().await.is_none());
    Ok(())
}
