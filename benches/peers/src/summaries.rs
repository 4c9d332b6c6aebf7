//! The summaries of the log as a hand would keep them that knows what activity-log does: the same SQL, when a block or a
//! chapter is complete.

use rusqlite::{Connection, params};

use crate::peer::BenchResult;

const ADD_BLOCK: &str = "INSERT OR IGNORE INTO activity_log_blocks (first_seq, last_seq, least_ts, greatest_ts) \
    SELECT ?1, ?2, coalesce(min(ts), ''), coalesce(max(ts), '') FROM activity_log WHERE seq BETWEEN ?1 AND ?2";

const ADD_ACTORS: &str = "INSERT OR IGNORE INTO activity_log_chapter_actors (first_seq, actor, category, severity) \
    SELECT ?1, coalesce(actor, x''), coalesce(category, x''), coalesce(severity, x'') \
    FROM (SELECT DISTINCT actor, category, severity FROM activity_log WHERE seq BETWEEN ?1 AND ?2)";

const ADD_COUNTS: &str = "INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries) \
    SELECT ?1, category, severity, ( \
        SELECT count(*) FROM activity_log \
        WHERE category = kind.category AND severity = kind.severity AND severity IS NOT 'info' AND seq BETWEEN ?1 AND ?2 \
    ) \
    FROM (SELECT DISTINCT category, severity FROM activity_log_chapter_actors \
        WHERE first_seq = ?1 AND severity <> 'info') AS kind";

const ADD_COUNTS_OF_INFORMATION: &str = "\
    INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries) \
    SELECT ?1, category, 'info', ( \
        SELECT count(*) FROM activity_log WHERE category = kind.category AND seq BETWEEN ?1 AND ?2 \
    ) - coalesce(( \
        SELECT sum(entries) FROM activity_log_chapter_counts AS other \
        WHERE first_seq = ?1 AND category = kind.category AND severity <> 'info' \
    ), 0) \
    FROM (SELECT DISTINCT category FROM activity_log_chapter_actors \
        WHERE first_seq = ?1 AND severity = 'info') AS kind";

const ADD_CHAPTER: &str = "INSERT OR IGNORE INTO activity_log_chapters (first_seq) SELECT ?1 WHERE ?1 <= ?2";

/// How many rows the smallest part has: there is nothing to do before the first of the next one.
pub(crate) const LEAST_ROWS: i64 = 1_024;

/// Adds the parts that are complete, now that there are rows up to `newest`.
pub(crate) fn keep(conn: &Connection, newest: i64) -> BenchResult {
    let blocks = "SELECT coalesce(max(first_seq) + 1024, 0) FROM activity_log_blocks";
    add(conn, newest, 1_024, blocks, &[ADD_BLOCK])?;
    let chapters = "SELECT coalesce(max(first_seq) + 4096, 0) FROM activity_log_chapters";
    add(conn, newest, 4_096, chapters, &[ADD_ACTORS, ADD_COUNTS, ADD_COUNTS_OF_INFORMATION, ADD_CHAPTER])
}

fn add(conn: &Connection, newest: i64, rows: i64, next: &str, statements: &[&str]) -> BenchResult {
    let mut first: i64 = conn.prepare_cached(next)?.query_row([], |row| row.get(0))?;
    while first + rows <= newest {
        for statement in statements {
            conn.prepare_cached(statement)?.execute(params![first, first + rows - 1])?;
        }
        first += rows;
    }
    Ok(())
}
