//! Prune and export work in batches and hold neither a lock nor a snapshot between batches.

use activity_log::ActivityLogRepository;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::behaviour::export::MANY;
use crate::behaviour::prune::{range, time_of};
use crate::database::{SharedLog, empty_log, stored_seqs};
use crate::statements::statements;
use crate::support::{TestResult, everything, numbered, record_numbered};

#[test]
fn a_large_prune_works_in_many_statements_of_bounded_size() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5_000)?;
    let ran = statements(&mut conn, |log| log.prune(Some(time_of(3_000)), Some(1_000)).map(drop))?;
    // Before each batch, one statement finds the last row of it.
    let ends = ran.iter().filter(|statement| statement.sql.starts_with("SELECT x''"));
    let sizes = ends.filter_map(|statement| Some(statement.binds.last()?.as_i64()? + 1)).collect::<Vec<_>>();
    assert!(sizes.len() >= 3, "{ran:?}");
    assert_eq!(sizes.first(), Some(&500));
    assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0].max(500) * 2), "{sizes:?}");
    assert!(ran.iter().filter(|statement| statement.sql.starts_with("DELETE")).count() >= sizes.len());
    assert_eq!(stored_seqs(&mut conn)?, range(4_001, 5_000));
    Ok(())
}

#[test]
fn an_export_reads_in_batches() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, MANY)?;
    let statements =
        statements(&mut conn, |log| log.iter_export(&everything())?.take(10).try_for_each(|e| e.map(drop)))?;
    // The statement for the newest `seq`, and one batch. The remaining rows were not requested.
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert!(statements.last().is_some_and(|batch| batch.sql.contains("LIMIT")), "{statements:?}");
    Ok(())
}

#[test]
fn an_export_ends_at_a_short_batch_without_another_query() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, MANY)?;
    let statements = statements(&mut conn, |log| log.iter_export(&everything())?.try_for_each(|e| e.map(drop)))?;
    // The newest `seq`, two full batches, and the short one.
    assert_eq!(statements.len(), 4, "{statements:?}");
    Ok(())
}

#[test]
fn long_entries_make_small_batches() -> TestResult {
    let columns =
        ["id", "category", "action", "actor", "entity_type", "entity_id", "entity_name", "message", "metadata"];
    for column in columns {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 5)?;
        let megabyte = format!("UPDATE activity_log SET {column} = seq || hex(zeroblob({}))", 1 << 19);
        diesel::sql_query(megabyte).execute(&mut conn)?;
        let statements = statements(&mut conn, |log| {
            log.iter_export(&everything())?.for_each(drop);
            Ok(())
        })?;
        // The newest `seq`, one batch for each entry, and the empty batch that ends the export.
        assert_eq!(statements.len(), 7, "{column}");
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    busy: i64,
    #[diesel(sql_type = BigInt)]
    log: i64,
    #[diesel(sql_type = BigInt)]
    checkpointed: i64,
}

#[test]
fn a_slow_export_blocks_neither_a_writer_nor_a_checkpoint() -> TestResult {
    let file = SharedLog::create()?;
    let (mut reader, mut writer) = (file.connect()?, file.connect()?);
    record_numbered(&mut writer, MANY)?;

    let mut log = ActivityLogRepository::new(&mut reader);
    let mut export = log.iter_export(&everything())?;
    assert_eq!(export.next().ok_or("empty")??.seq, 1);

    ActivityLogRepository::new(&mut writer).record(&numbered(MANY + 1))?;
    let checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(&mut writer)?;
    assert_eq!((checkpoint.busy, checkpoint.log, checkpoint.checkpointed), (0, 0, 0));

    assert_eq!(export.count(), MANY as usize - 1);
    Ok(())
}
