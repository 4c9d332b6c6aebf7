//! Removes, from the database's file, every trace of texts that are no longer in the log.
//!
//! SQLite leaves a text that was changed or deleted in its file until something else needs the room: in free pages, in
//! the free parts of pages, and in its write-ahead log. The summaries, the search index and the statistics hold copies.

use std::sync::atomic::AtomicBool;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::error::Result;
use crate::sqlite::catalog::object::object_exists;
use crate::sqlite::pragma::{checkpoint_fully, file_space, secure_delete, set_secure_delete};
use crate::sqlite::reclaim::reclaim;
use crate::sqlite::search::fill;
use crate::sqlite::search::index::{create_index, drop_index, is_enabled};
use crate::sqlite::segments::extent::segments_exist;
use crate::sqlite::segments::summarize::{forget_rollups, stale_segments, summarize_segment};
use crate::sqlite::throttle::{in_one_batch, in_throttled_batches};
use crate::sqlite::transaction::{is_in_transaction, with_transaction};

/// The indexes whose columns may name a person. Where their pages were split, they hold copies of index entries.
const INDEXES: [&str; 2] = ["idx_activity_log_actor", "idx_activity_log_entity"];

/// Runs `work` while SQLite overwrites with zeros whatever this connection deletes or changes.
pub(crate) fn with_secure_delete<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let before = secure_delete(conn)?;
    set_secure_delete(conn, 1)?;
    let outcome = work(conn);
    let restored = set_secure_delete(conn, before);
    let value = outcome?;
    restored?;
    Ok(value)
}

/// Rebuilds everything that holds copies of texts, and cleans the unused parts of the file. With `vacuum`, it runs
/// `VACUUM` unless that would change other tables; otherwise it overwrites what can be overwritten. The caller runs it
/// [with secure delete](with_secure_delete).
pub(crate) fn erase_traces(conn: &mut SqliteConnection, vacuum: bool) -> Result<()> {
    if is_in_transaction(conn)? {
        forget_copies(conn)?;
        while summarize_some(conn, i64::MAX)? || fill_some(conn, i64::MAX)? {}
        return Ok(());
    }
    let never = AtomicBool::new(false);
    in_one_batch(conn, &never, forget_copies)?;
    in_throttled_batches(conn, 1, &never, |conn, _| summarize_some(conn, 1))?;
    in_throttled_batches(conn, 1, &never, |conn, _| fill_some(conn, 1))?;
    if vacuum && !vacuum_renumbers_rows(conn)? {
        in_one_batch(conn, &never, |conn| Ok(conn.batch_execute("VACUUM main")?))?;
    } else {
        for index in INDEXES {
            if object_exists(conn, index)? {
                in_one_batch(conn, &never, |conn| Ok(conn.batch_execute(&format!("REINDEX main.{index}"))?))?;
            }
        }
        overwrite_free_pages(conn, &never)?;
    }
    in_one_batch(conn, &never, |conn| Ok(checkpoint_fully(conn)?))?;
    Ok(())
}

/// Drops the rollups, the search index and the statistics. Reading works without them until they are rebuilt.
fn forget_copies(conn: &mut SqliteConnection) -> Result<()> {
    with_transaction(conn, |conn| {
        if segments_exist(conn)? {
            forget_rollups(conn)?;
        }
        if is_enabled(conn)? {
            drop_index(conn)?;
            create_index(conn)?;
            fill::forget(conn)?;
        }
        // Only some builds of SQLite have this table. It quotes rows.
        if object_exists(conn, "sqlite_stat4")? {
            conn.batch_execute("DELETE FROM sqlite_stat4 WHERE tbl LIKE 'activity\\_log%' ESCAPE '\\'")?;
        }
        Ok(())
    })
}

/// Summarizes up to `limit` segments again, and returns whether there are more.
fn summarize_some(conn: &mut SqliteConnection, limit: i64) -> Result<bool> {
    if !segments_exist(conn)? {
        return Ok(false);
    }
    with_transaction(conn, |conn| {
        let stale = stale_segments(conn, limit)?;
        stale.iter().try_for_each(|first| summarize_segment(conn, *first))?;
        Ok(!stale.is_empty())
    })
}

/// Adds up to `limit` segments to the search index, and returns whether there are more.
fn fill_some(conn: &mut SqliteConnection, limit: i64) -> Result<bool> {
    if !segments_exist(conn)? || !fill::is_due(conn)? {
        return Ok(false);
    }
    with_transaction(conn, |conn| Ok(fill::add_some(conn, limit)?))?;
    Ok(fill::is_due(conn)?)
}

/// Whether the host has tables whose rows VACUUM may renumber: those without an INTEGER PRIMARY KEY. A full-text index
/// over such a table, or a reference to its rowid, would then name the wrong rows.
fn vacuum_renumbers_rows(conn: &mut SqliteConnection) -> QueryResult<bool> {
    diesel::select(sql::<Bool>(HAS_TABLE_WITHOUT_NUMBERS)).get_result(conn)
}

/// Overwrites the pages that are free, or returns them to the file system.
fn overwrite_free_pages(conn: &mut SqliteConnection, stop: &AtomicBool) -> Result<()> {
    in_one_batch(conn, stop, |conn| Ok(conn.batch_execute(DROP_FILLER)?))?;
    if file_space(conn)?.incremental_vacuum {
        return reclaim(conn).map(drop);
    }
    let outcome = in_throttled_batches(conn, 64, stop, |conn, pages| {
        let space = file_space(conn)?;
        let bytes = space.free_pages.min(pages).saturating_mul(space.page_size);
        if bytes == 0 {
            return Ok(false);
        }
        conn.batch_execute(&format!("{CREATE_FILLER}; INSERT INTO activity_log_filler VALUES (zeroblob({bytes}))"))?;
        Ok(true)
    });
    // The filler holds only zeros.
    set_secure_delete(conn, 0)?;
    let dropped = in_one_batch(conn, stop, |conn| Ok(conn.batch_execute(DROP_FILLER)?));
    set_secure_delete(conn, 1)?;
    match outcome {
        // No page is free any more, and the disk has no room for another.
        Err(error) if error.is_out_of_space() => {}
        outcome => outcome?,
    }
    dropped.map(drop)
}

const CREATE_FILLER: &str = "CREATE TABLE IF NOT EXISTS activity_log_filler (zeros BLOB)";
const DROP_FILLER: &str = "DROP TABLE IF EXISTS activity_log_filler";

/// Leaves out Diesel's table of versions: it has no INTEGER PRIMARY KEY either, but nothing refers to its rows.
const HAS_TABLE_WITHOUT_NUMBERS: &str = "EXISTS (SELECT 1 FROM pragma_table_list AS list \
    WHERE list.schema = 'main' AND list.type IN ('table', 'shadow') AND NOT list.wr \
        AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND list.name <> '__diesel_schema_migrations' \
        AND (SELECT group_concat(upper(info.type)) FROM pragma_table_info(list.name, 'main') AS info WHERE info.pk > 0) \
            IS NOT 'INTEGER')";
