//! Where a log exceeds a number of rows or of bytes.

use std::sync::atomic::{AtomicBool, Ordering};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::extent::oldest_seq;
use crate::sqlite::fragments::WithLimit;
use crate::sqlite::transaction::with_read_transaction;

/// Walking over this many rows takes next to no time.
const FEW_ROWS: i64 = 4_096;
/// How many rows are measured before the next look at `stop`.
const MEASURED_ROWS: i64 = 512;

/// The greatest `seq` up to `through` that is not among the newest `rows` up to there.
///
/// It walks over rows from the nearer end, and counts the log in an index to learn which end is nearer.
pub(crate) fn newest_seq_beyond_rows(conn: &mut SqliteConnection, rows: u64, through: i64) -> Result<Option<i64>> {
    use activity_log::{seq, table};

    // No log holds more than i64::MAX rows.
    let Ok(rows) = i64::try_from(rows) else { return Ok(None) };
    let up_to_there = table.select(seq).filter(seq.le(through)).into_boxed();
    let newest_first = up_to_there.order(seq.desc()).offset(rows).limit(1);
    if rows <= FEW_ROWS {
        return Ok(newest_first.first(conn).optional()?);
    }
    with_read_transaction(conn, |conn| {
        // No log holds more rows than its `seq` span.
        let Some(oldest) = oldest_seq(conn)?.filter(|oldest| through.saturating_sub(*oldest) >= rows) else {
            return Ok(None);
        };
        let newer = table.filter(seq.gt(through)).count().get_result::<i64>(conn)?;
        let excess = table.count().get_result::<i64>(conn)? - newer - rows;
        if excess <= 0 {
            return Ok(None);
        }
        if rows <= excess {
            return Ok(newest_first.first(conn).optional()?);
        }
        let oldest_first = table.select(seq).filter(seq.ge(oldest)).order(seq.asc()).offset(excess - 1).limit(1);
        Ok(oldest_first.first(conn).optional()?)
    })
}

/// The greatest `seq` for which the stored texts from that row to `through` have more than `bytes`.
pub(crate) fn newest_seq_beyond_bytes(
    conn: &mut SqliteConnection,
    bytes: u64,
    through: i64,
    stop: &AtomicBool,
) -> Result<Option<i64>> {
    use activity_log::{seq, table};

    let mut left = bytes;
    let mut last = through;
    let mut rows = table.filter(seq.le(last)).into_boxed();
    while !stop.load(Ordering::Relaxed) {
        let query = rows.select((seq, sql::<BigInt>(STORED_BYTES))).order(seq.desc());
        let measured = WithLimit { query, limit: MEASURED_ROWS }.load::<(i64, i64)>(conn)?;
        let is_last = (measured.len() as i64) < MEASURED_ROWS;
        for (row, bytes) in measured {
            let Some(rest) = left.checked_sub(bytes.unsigned_abs()) else { return Ok(Some(row)) };
            left = rest;
            last = row;
        }
        if is_last {
            break;
        }
        rows = table.filter(seq.lt(last)).into_boxed();
    }
    Ok(None)
}

/// SQLite has `octet_length` only since 3.43.
const STORED_BYTES: &str = "coalesce(length(CAST(id AS BLOB)), 0) + coalesce(length(CAST(ts AS BLOB)), 0) \
    + coalesce(length(CAST(category AS BLOB)), 0) + coalesce(length(CAST(action AS BLOB)), 0) \
    + coalesce(length(CAST(severity AS BLOB)), 0) + coalesce(length(CAST(actor AS BLOB)), 0) \
    + coalesce(length(CAST(entity_type AS BLOB)), 0) + coalesce(length(CAST(entity_id AS BLOB)), 0) \
    + coalesce(length(CAST(entity_name AS BLOB)), 0) + coalesce(length(CAST(message AS BLOB)), 0) \
    + coalesce(length(CAST(metadata AS BLOB)), 0)";
