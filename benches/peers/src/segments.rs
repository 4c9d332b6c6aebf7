//! The segments of the log, maintained by hand with the same SQL as in activity-log whenever a segment is complete.

use rusqlite::Connection;

use crate::peer::BenchResult;

const SUMMARIZE: [&str; 4] = [
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 2, actor, action, category, severity, coalesce(entity_type, ''), count(*) FROM activity_log \
        WHERE seq BETWEEN ?1 AND ?1 + 4095 \
            AND actor IS NOT NULL AND action IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
        GROUP BY 3, 4, 5, 6, 7",
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 1, '', action, category, severity, entity_type, sum(entries) FROM activity_log_segment_rollups \
        WHERE first_seq = ?1 AND level = 2 GROUP BY action, category, severity, entity_type",
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 0, '', '', category, severity, '', sum(entries) FROM activity_log_segment_rollups \
        WHERE first_seq = ?1 AND level = 1 GROUP BY category, severity",
    "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null) \
        SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), FALSE, \
            total(actor IS NULL OR action IS NULL OR category IS NULL OR severity IS NULL) > 0 \
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
