//! Counting from the rollups, and row by row where these do not tell.
//!
//! Each count is one statement, and so of one moment. It first finds the blocks that are *settled*: summarized, without a
//! mark, and within the time bounds or outside of them as a whole. All `seq` between these are *gaps*, whose rows are read.
//!
//! The plan is the same whatever the statistics say. The rows of each settled block and of each gap are found by a subquery
//! of its own, which the planner cannot join otherwise. The tests with `least(…) = 1` pass what the test in them passes, but
//! the planner takes them for so selective that it expects one gap, or few blocks. Otherwise it would compile the statement,
//! which takes longer than the statement.

use crate::model::histogram::Edges;
use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::blocks::BLOCK_ROWS;
use crate::postgres::conditions::{on_rollups, rest_of_all};
use crate::postgres::execute::Execute;
use crate::postgres::rollups::access::{ARE_MAINTAINED, Access};
use crate::postgres::rollups::level::Level;
use crate::postgres::statement::{Bind, Sql};
use crate::postgres::timestamp;
use crate::store::range::SeqRange;

use diesel::prelude::QueryResult;

/// Filters that the rollups can answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rollups<'a> {
    filters: &'a NormalizedFilters,
    level: Level,
}

impl<'a> Rollups<'a> {
    /// The rollups at a level; `None` if there is no such level, if the connection cannot use the rollups, or if the range
    /// in which rows can match is so short that its rows are soon counted.
    pub(crate) async fn find(
        conn: &mut impl Execute,
        filters: &'a NormalizedFilters,
        range: SeqRange,
        level: Option<Level>,
    ) -> QueryResult<Option<Self>> {
        let Some(level) = level.filter(|_| !is_short(range)) else { return Ok(None) };
        Ok(Access::find(conn).await?.can_read.then_some(Self { filters, level }))
    }

    /// Counts the matching rows.
    pub(crate) fn count(self) -> Sql<'a> {
        let counted = match self.level {
            Level::Block => Sql::new("SELECT sum(entries) FROM settled WHERE is_counted"),
            _ => Sql::new("SELECT sum(found.entries) FROM settled").sql(self.rollups("sum(entries) AS entries", "")),
        };
        self.settled(None)
            .text("SELECT (coalesce((")
            .sql(counted)
            .text("), 0) + coalesce((SELECT sum(found.entries) FROM ")
            .sql(self.gaps("count(*) AS entries", ""))
            .text("), 0))::bigint")
    }

    /// How many matching rows have each value of a column. `test` is one more test on the rows, after ` AND `.
    pub(crate) fn values(self, column: &'static str, test: &'static str) -> Sql<'a> {
        let rows = format!("{column} AS value, count(*) AS entries");
        let test = format!("{test} AND {column} IS NOT NULL");
        let by_value = format!("{test} GROUP BY {column}");
        self.settled(None)
            .text("SELECT value, sum(entries)::bigint FROM (SELECT found.value, found.entries FROM settled")
            .sql(self.rollups(&format!("{column} AS value, entries"), &format!("{test} OFFSET 0")))
            .text(" UNION ALL SELECT found.value, found.entries FROM ")
            .sql(self.gaps(&rows, &by_value))
            .text(") AS counted GROUP BY value ORDER BY sum(entries) DESC, value")
    }

    /// How many matching rows each bucket has of each severity. Bucket 0 is before the first of the inner edges.
    pub(crate) fn buckets(self, edges: &Edges) -> Sql<'a> {
        let inner = inner_edges(edges);
        let rows = Sql::new("width_bucket(ts, ").bind(inner.clone()).text(") AS bucket, severity, count(*) AS entries");
        self.settled(Some(inner))
            .text(
                "SELECT bucket, severity, sum(entries)::bigint FROM ( \
                SELECT settled.bucket, found.severity, found.entries FROM settled",
            )
            .sql(self.rollups("severity, entries", " OFFSET 0"))
            .text(" UNION ALL SELECT found.bucket, found.severity, found.entries FROM ")
            .sql(self.gaps_with(rows, " GROUP BY 1, 2"))
            .text(") AS counted GROUP BY bucket, severity")
    }

    /// The settled blocks, and the gaps. With inner edges, a block with rows in more than one bucket is not settled.
    fn settled(self, inner: Option<Bind<'a>>) -> Sql<'a> {
        let NormalizedFilters { since, until, .. } = self.filters;
        let (mut is_counted, mut is_outside) = (Sql::new("TRUE"), Sql::new("FALSE"));
        if let Some(since) = *since {
            is_counted = is_counted.text(" AND min_ts >= ").bind(since);
            is_outside = is_outside.text(" OR max_ts < ").bind(since);
        }
        if let Some(until) = *until {
            is_counted = is_counted.text(" AND max_ts <= ").bind(until);
            is_outside = is_outside.text(" OR min_ts > ").bind(until);
        }
        let mut bucket = Sql::new("0");
        if let Some(inner) = inner {
            bucket = Sql::new("width_bucket(min_ts, ").bind(inner.clone()).text(")");
            is_counted = is_counted.text(" AND ").sql(bucket.clone());
            is_counted = is_counted.text(" = width_bucket(max_ts, ").bind(inner).text(")");
        }
        Sql::new(
            "WITH settled AS MATERIALIZED ( \
                SELECT block, entries, bucket, is_counted FROM ( \
                    SELECT block, entries, ",
        )
        .sql(bucket)
        .text(" AS bucket, ")
        .sql(is_counted)
        .text(" AS is_counted, ")
        .sql(is_outside)
        .text(
            " AS is_outside FROM ( \
                    SELECT block, min(entries) AS entries, min(min_ts) AS min_ts, min(max_ts) AS max_ts FROM ( \
                        SELECT block, entries, min_ts, max_ts, FALSE AS is_marked FROM activity_log_rollup_blocks \
                        UNION ALL SELECT block, NULL, NULL, NULL, TRUE FROM activity_log_rollup_marks \
                    ) AS known GROUP BY block HAVING NOT bool_or(is_marked) \
                ) AS summarized) AS tested WHERE (is_counted OR is_outside) AND ",
        )
        .text(ARE_MAINTAINED)
        .text(GAPS)
    }

    /// A subquery on the rollups of each counted block.
    fn rollups(self, columns: &str, rest: &str) -> Sql<'a> {
        let rows = format!(
            " CROSS JOIN LATERAL (SELECT {columns} FROM activity_log_rollups \
            WHERE block = settled.block AND level = {}",
            self.level.number()
        );
        let counted = ") AS found WHERE least(settled.is_counted::integer, 1) = 1";
        Sql::new(rows).sql(on_rollups(self.filters)).text(rest.to_owned()).text(counted)
    }

    /// A subquery on the rows of each gap.
    fn gaps(self, columns: &str, rest: &str) -> Sql<'a> {
        self.gaps_with(Sql::new(columns.to_owned()), rest)
    }

    fn gaps_with(self, columns: Sql<'a>, rest: &str) -> Sql<'a> {
        Sql::new("gaps CROSS JOIN LATERAL (SELECT ")
            .sql(columns)
            .text(" FROM activity_log WHERE seq BETWEEN gaps.first_seq AND gaps.last_seq")
            .sql(rest_of_all(self.filters))
            .text(format!("{rest}) AS found"))
    }
}

/// The rollups tell nothing of the blocks at both ends of a window, and take some milliseconds to find that out.
fn is_short(range: SeqRange) -> bool {
    let length = range.after.zip(range.before).map(|(after, before)| before.saturating_sub(after));
    length.is_some_and(|length| length <= 8 * BLOCK_ROWS)
}

fn inner_edges<'a>(edges: &Edges) -> Bind<'a> {
    Bind::Times(edges.inner().map(timestamp::encode).collect())
}

/// Before the first block there is the gap after the block that would be before the least `seq`.
const GAPS: &str = "), gaps AS ( \
    SELECT (block + 1) << 14 AS first_seq, coalesce((next << 14) - 1, 9223372036854775807) AS last_seq FROM ( \
        SELECT block, lead(block) OVER (ORDER BY block) AS next FROM ( \
            SELECT block FROM settled UNION ALL SELECT -562949953421313 \
        ) AS ends \
    ) AS pairs \
    WHERE least(coalesce(next - block, 2) - 1, 1) = 1 AND least(coalesce(next - block, 3) - 1, 1) = 1 \
) ";
