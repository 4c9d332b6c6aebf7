//! sqlx on one connection without a pool, with the statements that a host would write.

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder};
use tokio::runtime::Runtime;

use crate::connection::runtime;
use crate::peer::{BenchResult, MOST, Matching, PAGE, Page, Peer};
use crate::statements::{self, COUNT_UP_TO, EXPORT, INSERT};

pub(crate) struct ThroughSqlx {
    runtime: Runtime,
    conn: PgConnection,
}

impl ThroughSqlx {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        let runtime = runtime()?;
        let conn = runtime.block_on(PgConnection::connect(url))?;
        Ok(Box::new(Self { runtime, conn }))
    }
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
    metadata: String,
}

impl TryFrom<Row> for ActivityLogEntry {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(row: Row) -> BenchResult<Self> {
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
            metadata: serde_json::from_str(&row.metadata)?,
        })
    }
}

impl Peer for ThroughSqlx {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        let insert = sqlx::query(INSERT)
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
            .bind(serde_json::to_string(&entry.metadata)?);
        self.runtime.block_on(insert.fetch_one(&mut self.conn))?;
        Ok(())
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        let metadata = entries.iter().map(|entry| serde_json::to_string(&entry.metadata));
        let metadata = metadata.collect::<Result<Vec<_>, _>>()?;
        let mut insert = QueryBuilder::<Postgres>::new(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, \
             message, metadata) ",
        );
        insert.push_values(entries.iter().zip(metadata), |mut row, (entry, metadata)| {
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
                .push_bind(metadata);
        });
        self.runtime.block_on(insert.build().execute(&mut self.conn))?;
        Ok(())
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        let rows = page_query(matching).bind(i64::from(PAGE) + 1).fetch_all(&mut self.conn);
        let entries = self.runtime.block_on(rows)?.into_iter().map(TryInto::try_into).collect::<BenchResult<_>>()?;
        Ok(Page::new(entries))
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        let count = sqlx::query_scalar(COUNT_UP_TO).bind(category).bind(MOST).fetch_one(&mut self.conn);
        Ok(self.runtime.block_on(count)?)
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        self.runtime.block_on(async {
            let mut stream = sqlx::query_as::<_, Row>(EXPORT).bind(rows as i64).fetch(&mut self.conn);
            while let Some(row) = stream.try_next().await? {
                take(row.try_into()?);
            }
            Ok(())
        })
    }
}

/// The query with every value except the last one, the limit.
fn page_query(matching: &Matching) -> QueryAs<'static, Postgres, Row, PgArguments> {
    let query = sqlx::query_as(statements::page(matching));
    match *matching {
        Matching::Everything => query,
        Matching::OlderThan { seq } => query.bind(seq),
        Matching::Actor(actor) => query.bind(actor),
        Matching::CategoryAndSeverity(category, severity) => query.bind(category).bind(severity.as_str()),
        Matching::ActionBeginning(beginning) => query.bind(format!("{beginning}%")),
        Matching::Between { since, until } => query.bind(since).bind(until),
    }
}
