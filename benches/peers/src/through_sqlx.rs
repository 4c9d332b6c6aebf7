//! sqlx without its compile-time checks, which need a database at build time and cost nothing at run time. It uses one
//! connection instead of its pool, because the other competitors do not pay for a pool either.

use std::path::Path;
use std::time::Duration;

use activity_log::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use sqlx::query::QueryAs;
use sqlx::sqlite::{
    SqliteArguments, SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sqlx::types::Json;
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};
use tokio::runtime::Runtime;

use crate::peer::{BATCH_ROWS, BenchResult, Matching, Peer, contains_pattern, page_of};
use crate::settings::CACHE_SIZE;

const INSERT: &str = "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, \
    entity_name, message, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(crate) struct ThroughSqlx {
    runtime: Runtime,
    conn: SqliteConnection,
}

impl ThroughSqlx {
    pub(crate) fn open(path: &Path) -> BenchResult<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let conn = runtime.block_on(options().filename(path).connect())?;
        Ok(Self { runtime, conn })
    }
}

/// The common settings.
pub(crate) fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .create_if_missing(true)
        .busy_timeout(Duration::from_secs(5))
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", CACHE_SIZE)
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    id: String,
    ts: DateTime<Utc>,
    category: String,
    action: String,
    severity: String,
    actor: String,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    message: String,
    metadata: Json<Map<String, Value>>,
}

impl TryFrom<Row> for ActivityLogEntry {
    type Error = activity_log::ParseSeverityError;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        Ok(Self {
            seq: row.seq,
            id: row.id,
            ts: row.ts,
            category: row.category.into(),
            action: row.action,
            severity: row.severity.parse()?,
            actor: row.actor,
            entity_type: row.entity_type,
            entity_id: row.entity_id,
            entity_name: row.entity_name,
            message: row.message,
            metadata: row.metadata.0,
        })
    }
}

impl Peer for ThroughSqlx {
    fn text(&mut self, statement: &'static str) -> BenchResult<String> {
        Ok(self.runtime.block_on(sqlx::query_scalar(statement).fetch_one(&mut self.conn))?)
    }

    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64> {
        self.runtime.block_on(async {
            let mut transaction = self.conn.begin_with("BEGIN IMMEDIATE").await?;
            let mut seq = 0;
            for entry in entries {
                let inserted = sqlx::query(INSERT)
                    .bind(&entry.id)
                    .bind(entry.ts)
                    .bind(entry.category.as_str())
                    .bind(&entry.action)
                    .bind(entry.severity.as_str())
                    .bind(&entry.actor)
                    .bind(&entry.entity_type)
                    .bind(&entry.entity_id)
                    .bind(&entry.entity_name)
                    .bind(&entry.message)
                    .bind(Json(&entry.metadata))
                    .execute(&mut *transaction)
                    .await?;
                seq = inserted.last_insert_rowid();
            }
            transaction.commit().await?;
            Ok(seq)
        })
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        self.runtime.block_on(async {
            let mut transaction = self.conn.begin_with("BEGIN IMMEDIATE").await?;
            for batch in entries.chunks(BATCH_ROWS) {
                let mut insert = QueryBuilder::<Sqlite>::new(
                    "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, \
                     entity_name, message, metadata) ",
                );
                insert.push_values(batch, |mut row, entry| {
                    row.push_bind(&entry.id)
                        .push_bind(entry.ts)
                        .push_bind(entry.category.as_str())
                        .push_bind(&entry.action)
                        .push_bind(entry.severity.as_str())
                        .push_bind(&entry.actor)
                        .push_bind(&entry.entity_type)
                        .push_bind(&entry.entity_id)
                        .push_bind(&entry.entity_name)
                        .push_bind(&entry.message)
                        .push_bind(Json(&entry.metadata));
                });
                insert.build().execute(&mut *transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage> {
        let rows = self.runtime.block_on(page_query(matching).bind(i64::from(limit) + 1).fetch_all(&mut self.conn))?;
        let entries = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(page_of(entries, limit))
    }

    fn count(&mut self, [one, other]: [&'static str; 2]) -> BenchResult<u64> {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM activity_log WHERE category IN (?, ?)")
            .bind(one)
            .bind(other)
            .fetch_one(&mut self.conn);
        Ok(self.runtime.block_on(count)?.unsigned_abs())
    }

    fn count_up_to(&mut self, [one, other]: [&'static str; 2], most: u64) -> BenchResult<u64> {
        let statement = "SELECT count(*) FROM (SELECT 1 FROM activity_log WHERE category IN (?, ?) LIMIT ?)";
        let count = sqlx::query_scalar::<_, i64>(statement)
            .bind(one)
            .bind(other)
            .bind(i64::try_from(most)?)
            .fetch_one(&mut self.conn);
        Ok(self.runtime.block_on(count)?.unsigned_abs())
    }

    fn prune(&mut self, before_ts: DateTime<Utc>, _at_once: bool) -> BenchResult<u64> {
        let delete = sqlx::query("DELETE FROM activity_log WHERE ts < ?").bind(before_ts).execute(&mut self.conn);
        Ok(self.runtime.block_on(delete)?.rows_affected())
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        self.runtime.block_on(async {
            let mut stream = sqlx::query_as::<_, Row>("SELECT * FROM activity_log ORDER BY seq LIMIT ?")
                .bind(rows as i64)
                .fetch(&mut self.conn);
            while let Some(row) = stream.try_next().await? {
                take(row.try_into()?);
            }
            Ok(())
        })
    }

    fn close(self: Box<Self>) -> BenchResult {
        Ok(self.runtime.block_on(self.conn.close())?)
    }
}

/// The query with every bind except the last one, the limit.
fn page_query(matching: &Matching) -> QueryAs<'static, Sqlite, Row, SqliteArguments> {
    match matching {
        Matching::Everything => sqlx::query_as("SELECT * FROM activity_log ORDER BY seq DESC LIMIT ?"),
        Matching::OlderThan { seq } => {
            sqlx::query_as("SELECT * FROM activity_log WHERE seq < ? ORDER BY seq DESC LIMIT ?").bind(*seq)
        }
        Matching::CategoryAndSeverity { category, severity } => {
            sqlx::query_as("SELECT * FROM activity_log WHERE category = ? AND severity = ? ORDER BY seq DESC LIMIT ?")
                .bind(*category)
                .bind(severity.as_str())
        }
        Matching::Between { since, until } => {
            sqlx::query_as("SELECT * FROM activity_log WHERE ts >= ? AND ts <= ? ORDER BY seq DESC LIMIT ?")
                .bind(*since)
                .bind(*until)
        }
        Matching::MessageContains { term } => {
            sqlx::query_as("SELECT * FROM activity_log WHERE message LIKE ? ESCAPE '\\' ORDER BY seq DESC LIMIT ?")
                .bind(contains_pattern(term))
        }
    }
}
