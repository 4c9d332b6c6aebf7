//! Filters by kind, and what they find in a log with segments.

use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::support::{TestResult, everything, seqs};

pub(crate) fn kind(category: &str, severity: ActivitySeverity) -> ActivityLogFilters {
    ActivityLogFilters { categories: vec![category.into()], severities: vec![severity], ..everything() }
}

pub(crate) fn category(category: &str) -> ActivityLogFilters {
    ActivityLogFilters { categories: vec![category.into()], ..everything() }
}

pub(crate) fn of_actor(actor: &str, filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { actor: Some(actor.to_owned()), ..filters }
}

pub(crate) fn count(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<u64> {
    Ok(ActivityLogRepository::new(conn).count(filters)?)
}

/// The entries that page, follow and count find, oldest first. All three must agree.
pub(crate) fn found(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut found = Vec::new();
    let mut before_seq = None;
    loop {
        let page = log.page(filters, before_seq, 700)?;
        found.extend(seqs(&page.entries));
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            break;
        }
    }
    found.reverse();
    assert_eq!(seqs(&log.query_after(filters, i64::MIN, 100_000)?), found);
    assert_eq!(log.count(filters)?, found.len() as u64);
    Ok(found)
}

#[derive(QueryableByName)]
struct Segment {
    #[diesel(sql_type = BigInt)]
    first_seq: i64,
}

/// The first `seq` of each segment.
pub(crate) fn segments(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
    segments_where(conn, "TRUE")
}

/// The first `seq` of each stale segment.
pub(crate) fn stale_segments(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
    segments_where(conn, "stale")
}

/// The first `seq` of each segment with this condition.
pub(crate) fn segments_where(conn: &mut SqliteConnection, condition: &str) -> TestResult<Vec<i64>> {
    let segments = format!("SELECT first_seq FROM activity_log_segments WHERE {condition} ORDER BY first_seq");
    let segments = diesel::sql_query(segments);
    Ok(segments.load::<Segment>(conn)?.into_iter().map(|segment| segment.first_seq).collect())
}

/// Inserts rows as a program that does not summarize would. `pattern` determines the kind of each row.
pub(crate) fn insert_as_others_do(conn: &mut SqliteConnection, rows: i64, pattern: i64) -> TestResult {
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT lower(hex(randomblob(16))), '2025-06-01T12:00:00+00:00', 'area ' || (n * {pattern} / 7 % 3), 'tick', \
             CASE n * {pattern} / 11 % 4 WHEN 0 THEN 'warning' WHEN 1 THEN 'error' ELSE 'info' END, \
             'user ' || (n * {pattern} / 13 % 4), 'Tick' FROM n"
    ))?;
    Ok(())
}
