//! The segments of the log, maintained by hand with the same SQL as in activity-log whenever a segment is complete.

use rusqlite::Connection;

use crate::peer::BenchResult;

const SUMMARIZE: [&str; 5] = [
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 3, actor, action, category, severity, coalesce(entity_type, ''), count(*) FROM activity_log \
        WHERE seq BETWEEN ?1 AND ?1 + 4095 \
            AND actor IS NOT NULL AND action IS NOT NULL AND category IS NOT NULL AND severity IS NOT NULL \
        GROUP BY 3, 4, 5, 6, 7",
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 2, actor, '', '', '', '', sum(entries) FROM activity_log_segment_rollups \
        WHERE first_seq = ?1 AND level = 3 GROUP BY actor",
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 1, '', action, category, severity, entity_type, sum(entries) FROM activity_log_segment_rollups \
        WHERE first_seq = ?1 AND level = 3 GROUP BY action, category, severity, entity_type",
    "INSERT INTO activity_log_segment_rollups \
        SELECT ?1, 0, '', '', category, severity, '', sum(entries) FROM activity_log_segment_rollups \
        WHERE first_seq = ?1 AND level = 1 GROUP BY category, severity",
    "INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null, in_order) \
        SELECT ?1, count(*), coalesce(min(ts), ''), coalesce(max(ts), ''), FALSE, \
            total(ts IS NULL OR actor IS NULL OR action IS NULL OR category IS NULL OR severity IS NULL) > 0, \
            CASE WHEN count(*) = max(seq) - min(seq) + 1 THEN NOT EXISTS ( \
                SELECT 1 FROM activity_log AS last JOIN activity_log AS entry ON entry.seq = last.seq + 1 \
                WHERE last.seq BETWEEN ?1 AND ?1 + 4094 AND entry.ts < last.ts \
            ) ELSE NOT EXISTS ( \
                SELECT 1 FROM activity_log AS entry WHERE seq BETWEEN ?1 AND ?1 + 4095 AND ts < ( \
                    SELECT ts FROM activity_log AS last WHERE last.seq < entry.seq AND last.seq >= ?1 \
                    ORDER BY last.seq DESC LIMIT 1 \
                ) \
            ) END \
        FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095 \
        ON CONFLICT (first_seq) DO UPDATE SET entries = excluded.entries, min_ts = excluded.min_ts, \
            max_ts = excluded.max_ts, stale = excluded.stale, has_null = excluded.has_null, in_order = excluded.in_order, in_search = FALSE",
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
