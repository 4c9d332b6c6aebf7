//! Comparing the summaries with the rows.

use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::schema::activity_log;
use crate::sqlite::segments::extent::{SEGMENT_ROWS, growing_segment, segment_start, summarized_before};
use crate::sqlite::segments::schema::activity_log_segments;

/// The first `seq` of each segment that lacks its summary or has a wrong one, in order.
pub(crate) fn wrong_segments(conn: &mut SqliteConnection) -> QueryResult<Vec<i64>> {
    use activity_log_segments::{first_seq, table};

    let boundary = summarized_before(conn)?.unwrap_or(i64::MIN);
    let growing = growing_segment(conn)?.unwrap_or(i64::MIN);
    let mut wrong = Vec::new();
    let mut position = i64::MIN;
    loop {
        let row = activity_log::table.select(min(activity_log::seq)).filter(activity_log::seq.ge(position));
        let row = row.filter(activity_log::seq.lt(boundary)).get_result::<Option<i64>>(conn)?;
        let segment = table.select(min(first_seq)).filter(first_seq.ge(position)).get_result::<Option<i64>>(conn)?;
        let Some(first) = row.map(segment_start).into_iter().chain(segment).min() else { return Ok(wrong) };
        // A later segment describes numbers that are still to be given.
        if first >= growing
            || diesel::sql_query(IS_WRONG).bind::<BigInt, _>(first).get_result::<Verdict>(conn)?.is_wrong
        {
            wrong.push(first);
        }
        position = first.saturating_add(SEGMENT_ROWS);
    }
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Bool)]
    is_wrong: bool,
}

/// A stale summary has to cover its rows. Any other summary also has to count them.
const IS_WRONG: &str = "\
    WITH \
        entry AS ( \
            SELECT seq, ts, actor, action, category, severity, coalesce(entity_type, '') AS entity_type \
            FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095 \
        ), \
        segment AS (SELECT * FROM activity_log_segments WHERE first_seq = ?1), \
        rollup AS ( \
            SELECT 0 AS level, '' AS actor, '' AS action, category, severity, '' AS entity_type, count(*) AS entries \
                FROM entry GROUP BY category, severity \
            UNION ALL \
            SELECT 1, '', action, category, severity, entity_type, count(*) FROM entry GROUP BY 3, 4, 5, 6 \
            UNION ALL \
            SELECT 2, actor, '', '', '', '', count(*) FROM entry GROUP BY 2 \
            UNION ALL \
            SELECT 3, actor, action, category, severity, entity_type, count(*) FROM entry GROUP BY 2, 3, 4, 5, 6 \
        ), \
        stored AS ( \
            SELECT level, actor, action, category, severity, entity_type, entries \
            FROM activity_log_segment_rollups WHERE first_seq = ?1 \
        ) \
    SELECT CASE \
        WHEN NOT EXISTS (SELECT 1 FROM segment) THEN TRUE \
        WHEN (SELECT has_null FROM segment) THEN FALSE \
        WHEN EXISTS (SELECT 1 FROM entry, segment WHERE ts < min_ts OR ts > max_ts) \
            OR EXISTS (SELECT 1 FROM entry \
                WHERE ts IS NULL OR actor IS NULL OR action IS NULL OR category IS NULL OR severity IS NULL) \
            OR EXISTS (SELECT level, actor, action, category, severity, entity_type FROM rollup EXCEPT \
                SELECT level, actor, action, category, severity, entity_type FROM stored) THEN TRUE \
        WHEN (SELECT stale FROM segment) THEN FALSE \
        ELSE (SELECT count(*) FROM entry) <> (SELECT entries FROM segment) \
            OR EXISTS (SELECT * FROM stored EXCEPT SELECT * FROM rollup) \
            OR (SELECT in_order FROM segment) \
                <> NOT EXISTS (SELECT 1 FROM (SELECT ts, lag(ts) OVER (ORDER BY seq) AS last FROM entry) WHERE ts < last) \
    END AS is_wrong";
