//! The segments of the log, maintained by hand with the same SQL as in activity-log whenever a segment is complete.

use rusqlite::Connection;

use crate::peer::BenchResult;

const SUMMARIZE: [&str; 3] = [
    "INSERT INTO activity_log_segment_actors (first_seq, actor, category, severity, entries) \
        SELECT ?1, actor, category, severity, count(*) FROM activity_log \
        WHERE seq BETWEEN ?1 AND ?1 + 4095 AND actor IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
        GROUP BY actor, category, severity",
    "INSERT INTO activity_log_segment_kinds (first_seq, category, severity, entries) \
        SELECT ?1, category, severity, sum(entries) FROM activity_log_segment_actors \
        WHERE first_seq = ?1 GROUP BY category, severity",
    "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null) \
        SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), FALSE, \
            total(actor IS NULL OR category IS NULL OR severity IS NULL) > 0 \
        FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095",
];

/// The number of consecutive `seq` in a segment. There is nothing to do before the first `seq` of the next segment.
pub(crate) const SEGMENT_ROWS: i64 = 4_096;

/// Adds the segments that are complete now that the log reaches `newest`.
pub(crate) fn add(conn: &Connection, newest: i64) -> BenchResult {
    let next = "SELECT coalesce(max(first_seq) + 4096, 0) FROM activity_log_segments";
    let mut first: i64 = conn.prepare_cached(next)?.query_row([], |row| row.get(0))?;
    while first + SEGMENT_ROWS <= newest {
        for statement in SUMMARIZE {
            conn.prepare_cached(statement)?.execute([first])?;
        }
        first += SEGMENT_ROWS;
    }
    Ok(())
}
