//! Deleting rows, except those that the host's own tables and triggers hold back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::QueryResult;
use diesel::result::Error::BrokenTransactionManager;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use crate::error::postgres::is_lock_timeout;
use crate::error::{Error, Result};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::prune_report::PruneReport;
use crate::postgres::blocks::{BLOCK_ROWS, Parts};
use crate::postgres::execute::Execute;
use crate::postgres::extent::{newest_seq, newest_seq_beyond_rows};
use crate::postgres::references::References;
use crate::postgres::savepoint::attempt;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::is_in_transaction;
use crate::store::deletion::Deletion;
use crate::store::range::{Order, SeqRange};

/// Rows of consecutive `seq`, both ends included.
type Span = (i64, i64);

/// Deletes the rows older than `before_ts` and then all but the newest `max_entries`.
pub(crate) async fn prune(
    conn: &mut impl Execute,
    before_ts: Option<DateTime<Utc>>,
    max_entries: Option<u64>,
) -> Result<PruneReport> {
    let mut report = PruneReport { deleted: 0, held_back: 0 };
    let Some(newest) = newest_seq(conn).await? else { return Ok(report) };
    let deletion = Deleting::begin(conn).await?;
    let until = before_ts.and_then(|before| before.checked_sub_signed(TimeDelta::microseconds(1)));
    if let Some(until) = until {
        let filters = NormalizedFilters { until: Some(until), ..NormalizedFilters::default() };
        let older = Sql::new(" AND ts <= ").bind(until);
        let mut parts = Parts::new(&filters, SeqRange::through(newest), Order::Ascending);
        while let Some(part) = parts.next(conn).await? {
            report.deleted += deletion.delete_range(conn, part, &older).await?;
        }
    }
    let mut last = None;
    if let Some(max_entries) = max_entries {
        last = newest_seq_beyond_rows(conn, max_entries, newest).await?;
        if let Some(last) = last {
            report.deleted += deletion.delete_range(conn, SeqRange::through(last), &Sql::default()).await?;
        }
    }
    if deletion.references.exist() {
        let due = Sql::new("SELECT count(*) FROM activity_log WHERE seq <= ").bind(newest).text(" AND (ts <= ");
        let due = match until {
            Some(until) => due.bind(until),
            None => due.text("'-infinity'"),
        };
        let due = due.text(" OR seq <= ").bind(last.unwrap_or(i64::MIN)).text(")");
        report.held_back = conn.one::<i64, _>(due.returning::<BigInt>()).await?.unsigned_abs();
    }
    Ok(report)
}

/// Deletes these rows in one transaction, or within the caller's. Waits while the database is busy, until `stop` is set.
pub(crate) async fn delete(conn: &mut impl Execute, seqs: &[i64], stop: &AtomicBool) -> Result<Deletion> {
    if seqs.is_empty() {
        return Ok(Deletion::default());
    }
    let deletion = Deleting::begin(conn).await?;
    if deletion.is_in_transaction {
        let deleted = deletion.delete_listed(conn, seqs).await?;
        let held_back = if deleted == seqs.len() as u64 { Vec::new() } else { listed(conn, seqs).await? };
        return Ok(Deletion { deleted, held_back, lock_time: Duration::ZERO });
    }
    let started = Instant::now();
    let deleted = loop {
        match deletion.try_to_delete(conn, seqs).await {
            Err(error) if deletion.references.hold_back(&error) => {
                break Some(deletion.delete_listed(conn, seqs).await?);
            }
            Err(error) if is_lock_timeout(&error) && !stop.load(Ordering::Relaxed) => {}
            Err(error) => return Err(error.into()),
            Ok(deleted) => break deleted,
        }
    };
    let lock_time = started.elapsed();
    let all = seqs.len() as u64;
    let held_back = if deleted == Some(all) { Vec::new() } else { listed(conn, seqs).await? };
    Ok(Deletion { deleted: deleted.unwrap_or(all - held_back.len() as u64), held_back, lock_time })
}

/// The rows among these that [`delete`] would hold back. Only trying tells, so it deletes the rows and takes that back.
pub(crate) async fn held_back(conn: &mut impl Execute, seqs: &[i64], stop: &AtomicBool) -> Result<Vec<i64>> {
    let references = References::find(conn).await?;
    if seqs.is_empty() || !references.exist() {
        return Ok(Vec::new());
    }
    let list = joined(seqs);
    let is_in_transaction = is_in_transaction(conn).await?;
    let call = Uuid::now_v7();
    // One statement, so that nothing is left undone if the caller stops waiting for it.
    let trial = format!(
        "DO $activity_log$ \
        DECLARE \
            tried bigint; \
            held_back bigint[] := '{{}}'; \
        BEGIN \
            BEGIN \
                IF NOT {is_in_transaction} THEN \
                    PERFORM set_config('lock_timeout', '{LOCK_TIMEOUT}', TRUE); \
                END IF; \
                FOREACH tried IN ARRAY '{{{list}}}'::bigint[] LOOP \
                    BEGIN \
                        DELETE FROM activity_log WHERE seq = tried{unreferenced}; \
                        IF EXISTS (SELECT 1 FROM activity_log WHERE seq = tried) THEN \
                            held_back := held_back || tried; \
                        END IF; \
                    EXCEPTION \
                        WHEN lock_not_available OR deadlock_detected OR serialization_failure \
                            OR insufficient_resources OR insufficient_privilege THEN RAISE; \
                        WHEN OTHERS THEN held_back := held_back || tried; \
                    END; \
                END LOOP; \
                RAISE SQLSTATE 'AL000'; \
            EXCEPTION WHEN SQLSTATE 'AL000' THEN \
                NULL; \
            END; \
            PERFORM set_config('activity_log.held_back', '{call} ' || held_back::text, FALSE); \
        END $activity_log$",
        unreferenced = references.unreferenced(),
    );
    loop {
        match conn.batch(&trial).await {
            Err(error) if !is_in_transaction && is_lock_timeout(&error) && !stop.load(Ordering::Relaxed) => {}
            outcome => break outcome?,
        }
    }
    let held_back = told(conn, "activity_log.held_back", call).await?;
    let held_back = held_back.ok_or(Error::Busy(BrokenTransactionManager))?;
    let numbers = held_back.trim_matches(['{', '}']).split(',').filter_map(|number| number.parse().ok());
    Ok(numbers.collect())
}

/// Deletes every row and returns how many.
pub(crate) async fn clear(conn: &mut impl Execute) -> Result<u64> {
    Ok(conn.execute(Sql::new("DELETE FROM activity_log").returning()).await? as u64)
}

/// How long one try waits for a lock before it looks at `stop`.
const LOCK_TIMEOUT: &str = "100ms";

/// Deletes rows in one statement each time, and in halves where rows are held back.
struct Deleting {
    references: References,
    is_in_transaction: bool,
}

impl Deleting {
    async fn begin(conn: &mut impl Execute) -> QueryResult<Self> {
        Ok(Self { references: References::find(conn).await?, is_in_transaction: is_in_transaction(conn).await? })
    }

    /// Deletes the rows of a range that pass a test, which begins with ` AND `, block by block.
    async fn delete_range(&self, conn: &mut impl Execute, mut range: SeqRange, test: &Sql<'_>) -> Result<u64> {
        let mut deleted = 0;
        while let Some(first) = first_of(conn, range).await? {
            let last = first.saturating_add(BLOCK_ROWS - 1);
            let (part, rest) = range.split(Order::Ascending, last);
            let last = part.before.and_then(|before| before.checked_sub(1)).unwrap_or(last);
            deleted += self.delete_span(conn, (first, last), test).await?;
            match rest {
                Some(rest) => range = rest,
                None => break,
            }
        }
        Ok(deleted)
    }

    async fn delete_span(&self, conn: &mut impl Execute, span: Span, test: &Sql<'_>) -> Result<u64> {
        let mut deleted = 0;
        let mut spans = vec![span];
        while let Some((first, last)) = spans.pop() {
            let rows = Sql::new("DELETE FROM activity_log WHERE seq BETWEEN ").bind(first).text(" AND ").bind(last);
            match self.delete_rows(conn, rows.sql(test.clone())).await? {
                Some(rows) => deleted += rows,
                None if first < last => {
                    let middle = first + (last - first) / 2;
                    spans.extend([(first, middle), (middle + 1, last)]);
                }
                None => {}
            }
        }
        Ok(deleted)
    }

    /// Deletes the rows, unless a lock is in the way for long. Returns how many, if that is known: behind a proxy, the next
    /// statement may run in another session.
    ///
    /// It is one statement, so that the session keeps its own limit whatever happens.
    async fn try_to_delete(&self, conn: &mut impl Execute, seqs: &[i64]) -> QueryResult<Option<u64>> {
        let list = joined(seqs);
        let unreferenced = self.references.unreferenced();
        let call = Uuid::now_v7();
        conn.batch(&format!(
            "DO $activity_log$ \
            DECLARE \
                deleted bigint; \
            BEGIN \
                PERFORM set_config('lock_timeout', '{LOCK_TIMEOUT}', TRUE); \
                DELETE FROM activity_log WHERE seq = ANY('{{{list}}}'::bigint[]){unreferenced}; \
                GET DIAGNOSTICS deleted = ROW_COUNT; \
                PERFORM set_config('activity_log.deleted', '{call} ' || deleted, FALSE); \
            END $activity_log$"
        ))
        .await?;
        Ok(told(conn, "activity_log.deleted", call).await?.and_then(|deleted| deleted.parse().ok()))
    }

    async fn delete_listed(&self, conn: &mut impl Execute, seqs: &[i64]) -> QueryResult<u64> {
        let mut deleted = 0;
        let mut lists = vec![seqs];
        while let Some(list) = lists.pop() {
            let rows = Sql::new("DELETE FROM activity_log WHERE seq = ANY(").bind(list).text(")");
            match self.delete_rows(conn, rows).await? {
                Some(rows) => deleted += rows,
                None if list.len() > 1 => lists.extend(<[_; 2]>::from(list.split_at(list.len() / 2))),
                None => {}
            }
        }
        Ok(deleted)
    }

    /// Returns how many rows it deleted, or `None` if one of them is held back and none is deleted.
    async fn delete_rows(&self, conn: &mut impl Execute, rows: Sql<'_>) -> QueryResult<Option<u64>> {
        let statement = rows.text(self.references.unreferenced()).returning();
        match attempt(conn, self.is_in_transaction, statement).await {
            Ok(rows) => Ok(Some(rows as u64)),
            Err(error) if self.references.hold_back(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The least `seq` of a range.
async fn first_of(conn: &mut impl Execute, range: SeqRange) -> QueryResult<Option<i64>> {
    let mut first = Sql::new("SELECT seq FROM activity_log WHERE TRUE");
    first = first.within(range, "seq", 0);
    conn.first::<i64, _>(first.text(" ORDER BY seq LIMIT 1").returning::<BigInt>()).await
}

/// Those of the rows that are there.
pub(crate) async fn listed(conn: &mut impl Execute, seqs: &[i64]) -> QueryResult<Vec<i64>> {
    let rows = Sql::new("SELECT seq FROM activity_log WHERE seq = ANY(").bind(seqs).text(") ORDER BY seq");
    conn.load::<i64, _>(rows.returning::<BigInt>()).await
}

/// What a call has left in a setting of the session. `None` if it is not from this call: behind a proxy, the statement that
/// asks may run in another session.
async fn told(conn: &mut impl Execute, setting: &'static str, call: Uuid) -> QueryResult<Option<String>> {
    let told = Sql::new("SELECT current_setting(").bind(setting).text(", TRUE)").returning::<Nullable<Text>>();
    let told = conn.one::<Option<String>, _>(told).await?;
    Ok(told.and_then(|told| told.strip_prefix(&format!("{call} ")).map(ToOwned::to_owned)))
}

/// The elements of an array in SQL text.
fn joined(seqs: &[i64]) -> String {
    seqs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
