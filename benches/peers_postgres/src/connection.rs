//! A connection of tokio-postgres that keeps every statement prepared.

use std::collections::HashMap;

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::peer::BenchResult;

pub(crate) struct Connection {
    pub(crate) client: Client,
    statements: HashMap<String, Statement>,
}

pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A runtime of one thread, on which each async peer is measured.
pub(crate) fn runtime() -> BenchResult<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

impl Connection {
    pub(crate) async fn open(url: &str) -> BenchResult<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self { client, statements: HashMap::new() })
    }

    pub(crate) async fn statement(&mut self, sql: &str) -> BenchResult<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn rows(&mut self, sql: &str, values: Values<'_>) -> BenchResult<Vec<Row>> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    pub(crate) async fn entries(&mut self, sql: &str, values: Values<'_>) -> BenchResult<Vec<ActivityLogEntry>> {
        self.rows(sql, values).await?.iter().map(decode).collect()
    }

    pub(crate) async fn number(&mut self, sql: &str, values: Values<'_>) -> BenchResult<i64> {
        Ok(self.rows(sql, values).await?.first().ok_or("no row")?.try_get(0)?)
    }

    /// Executes a statement with an entry's values, in the order of the columns.
    pub(crate) async fn insert(&mut self, sql: &str, entry: &NewActivityLogEntry) -> BenchResult {
        let metadata = serde_json::to_string(&entry.metadata)?;
        let (category, severity) = (entry.category.as_str(), entry.severity.as_str());
        let values: [&(dyn ToSql + Sync); 11] = [
            &entry.id,
            &entry.ts,
            &category,
            &entry.action,
            &severity,
            &entry.actor,
            &entry.entity_type,
            &entry.entity_id,
            &entry.entity_name,
            &entry.message,
            &metadata,
        ];
        self.rows(sql, &values).await.map(drop)
    }
}

pub(crate) fn decode(row: &Row) -> BenchResult<ActivityLogEntry> {
    Ok(ActivityLogEntry {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        ts: row.try_get(2)?,
        category: row.try_get::<_, &str>(3)?.into(),
        action: row.try_get(4)?,
        severity: row.try_get::<_, &str>(5)?.parse()?,
        actor: row.try_get(6)?,
        entity_type: row.try_get(7)?,
        entity_id: row.try_get(8)?,
        entity_name: row.try_get(9)?,
        message: row.try_get(10)?,
        metadata: serde_json::from_str(row.try_get(11)?)?,
    })
}
