//! How large a segment is, and where the segments end.

use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::sqlite::catalog::object::object_exists;
use crate::sqlite::extent::newest_seq;
use crate::sqlite::segments::schema::activity_log_segments::{first_seq, table};
use crate::store::range::SeqRange;

/// How many consecutive `seq` a segment has. The second migration says the same.
pub(crate) const SEGMENT_ROWS: i64 = 4_096;

/// The `seq` with which the segment of this `seq` begins.
pub(crate) fn segment_start(seq: i64) -> i64 {
    seq - seq.rem_euclid(SEGMENT_ROWS)
}

/// The `seq` of the segment that begins with this one.
pub(crate) fn segment_range(first: i64) -> SeqRange {
    SeqRange::from(first).intersection(SeqRange::through(first.saturating_add(SEGMENT_ROWS - 1)))
}

/// Whether the database has segments; one that is at the first migration has none.
pub(crate) fn segments_exist(conn: &mut SqliteConnection) -> QueryResult<bool> {
    object_exists(conn, "activity_log_segments")
}

/// The first `seq` after the last segment, where the unsummarized rows begin; `None` if there is no segment.
pub(crate) fn summarized_before(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let last = table.select(max(first_seq)).get_result::<Option<i64>>(conn)?;
    Ok(last.map(|first| first.saturating_add(SEGMENT_ROWS)))
}

/// The first `seq` of the segment that still grows: SQLite may give its numbers to new rows. `None` if the log is empty.
///
/// SQLite gives numbers beyond its sequence and beyond the newest row. A row that an UPDATE moved beyond the sequence may
/// disappear again, and with it what it said about the numbers to come.
pub(crate) fn growing_segment(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let Some(newest) = newest_seq(conn)? else { return Ok(None) };
    let last_given = if object_exists(conn, "sqlite_sequence")? {
        diesel::select(sql::<Nullable<BigInt>>(SEQUENCE)).get_result::<Option<i64>>(conn)?
    } else {
        None
    };
    let last_given = match last_given {
        Some(last_given) => last_given,
        // SQLite has not noted a number yet, as after an INSERT OR FAIL that failed.
        None if diesel::select(sql::<Bool>(HAS_SEQUENCE)).get_result(conn)? => 0,
        None => newest,
    };
    Ok(Some(segment_start(last_given)))
}

/// The table may be spelled in other letters.
const SEQUENCE: &str = "(SELECT min(seq) FROM sqlite_sequence WHERE name = 'activity_log' COLLATE NOCASE)";

/// An adopted table may lack AUTOINCREMENT.
const HAS_SEQUENCE: &str = "EXISTS (SELECT 1 FROM sqlite_master \
    WHERE type = 'table' AND name = 'activity_log' COLLATE NOCASE AND instr(lower(sql), 'autoincrement'))";
