//! Hand-written code on plain rusqlite: a fixed, cached statement for each purpose, and parsed values borrowed directly
//! from the row.

use std::path::Path;

use activity_log::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, ToSql, TransactionBehavior, params};

use crate::peer::{BATCH_ROWS, BenchResult, Matching, Peer, contains_pattern, page_of};
use crate::segments;
use crate::settings::CACHE_SIZE;

const INSERT: &str = "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, \
    entity_name, message, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, ",
            "metadata FROM activity_log ",
            $rest
        )
    };
}

pub(crate) struct HandWritten {
    conn: Connection,
    /// Whether the log has segments, which must then be maintained like activity-log maintains them.
    summarized: bool,
}

impl HandWritten {
    pub(crate) fn open(path: &Path) -> BenchResult<Self> {
        let conn = Connection::open(path)?;
        conn.pragma_update(None, "busy_timeout", 5_000)?;
        // Switching to write-ahead logging is the first write.
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        conn.pragma_update(None, "cache_size", CACHE_SIZE)?;
        let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'activity_log_segments'";
        let summarized = conn.query_row(tables, [], |row| row.get::<_, i64>(0))? > 0;
        Ok(Self { conn, summarized })
    }

    pub(crate) fn execute(&self, statements: &str) -> BenchResult {
        Ok(self.conn.execute_batch(statements)?)
    }

    fn entries(&self, statement: &str, binds: &[&dyn ToSql]) -> BenchResult<Vec<ActivityLogEntry>> {
        let mut statement = self.conn.prepare_cached(statement)?;
        Ok(statement.query_map(binds, entry)?.collect::<Result<_, _>>()?)
    }
}

impl Peer for HandWritten {
    fn text(&mut self, statement: &'static str) -> BenchResult<String> {
        Ok(self.conn.query_row(statement, [], |row| row.get(0))?)
    }

    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut seq = 0;
        for entry in entries {
            insert(&transaction, entry)?;
            seq = transaction.last_insert_rowid();
            if self.summarized && seq % segments::SEGMENT_ROWS == 0 {
                segments::add(&transaction, seq)?;
            }
        }
        transaction.commit()?;
        Ok(seq)
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for entry in entries {
            insert(&transaction, entry)?;
        }
        if self.summarized {
            segments::add(&transaction, transaction.last_insert_rowid())?;
        }
        Ok(transaction.commit()?)
    }

    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage> {
        let rows = i64::from(limit) + 1;
        let entries = match matching {
            Matching::Everything => self.entries(select!("ORDER BY seq DESC LIMIT ?"), params![rows]),
            Matching::OlderThan { seq } => {
                self.entries(select!("WHERE seq < ? ORDER BY seq DESC LIMIT ?"), params![seq, rows])
            }
            Matching::CategoryAndSeverity { category, severity } => self.entries(
                select!("WHERE category = ? AND severity = ? ORDER BY seq DESC LIMIT ?"),
                params![category, severity.as_str(), rows],
            ),
            Matching::Between { since, until } => self.entries(
                select!("WHERE ts >= ? AND ts <= ? ORDER BY seq DESC LIMIT ?"),
                params![stored(*since), stored(*until), rows],
            ),
            Matching::MessageContains { term } => self.entries(
                select!("WHERE message LIKE ? ESCAPE '\\' ORDER BY seq DESC LIMIT ?"),
                params![contains_pattern(term), rows],
            ),
        };
        Ok(page_of(entries?, limit))
    }

    fn count(&mut self, categories: [&'static str; 2]) -> BenchResult<u64> {
        let statement = "SELECT count(*) FROM activity_log WHERE category IN (?, ?)";
        let count = self.conn.prepare_cached(statement)?.query_row(categories, |row| row.get::<_, i64>(0))?;
        Ok(count.unsigned_abs())
    }

    fn count_up_to(&mut self, [one, other]: [&'static str; 2], most: u64) -> BenchResult<u64> {
        let statement = "SELECT count(*) FROM (SELECT 1 FROM activity_log WHERE category IN (?, ?) LIMIT ?)";
        let binds = params![one, other, i64::try_from(most)?];
        let count = self.conn.prepare_cached(statement)?.query_row(binds, |row| row.get::<_, i64>(0))?;
        Ok(count.unsigned_abs())
    }

    fn prune(&mut self, before_ts: DateTime<Utc>, _at_once: bool) -> BenchResult<u64> {
        let rows = self.conn.execute("DELETE FROM activity_log WHERE ts < ?", [stored(before_ts)])?;
        Ok(rows as u64)
    }

    fn export(&mut self, mut rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let mut statement = self.conn.prepare_cached(select!("WHERE seq > ? ORDER BY seq LIMIT ?"))?;
        let mut after_seq = 0;
        while rows > 0 {
            let batch = rows.min(BATCH_ROWS);
            let entries =
                statement.query_map(params![after_seq, batch as i64], entry)?.collect::<Result<Vec<_>, _>>()?;
            after_seq = entries.last().map_or(after_seq, |entry| entry.seq);
            rows = if entries.len() < batch { 0 } else { rows - batch };
            entries.into_iter().for_each(&mut *take);
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> BenchResult {
        self.conn.close().map_err(|(_, error)| error.into())
    }
}

fn insert(conn: &Connection, entry: &NewActivityLogEntry) -> BenchResult {
    conn.prepare_cached(INSERT)?.execute(params![
        entry.id,
        stored(entry.ts),
        entry.category.as_str(),
        entry.action,
        entry.severity.as_str(),
        entry.actor,
        entry.entity_type,
        entry.entity_id,
        entry.entity_name,
        entry.message,
        serde_json::to_string(&entry.metadata)?,
    ])?;
    Ok(())
}

fn stored(ts: DateTime<Utc>) -> String {
    ts.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<ActivityLogEntry> {
    let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str()?);
    Ok(ActivityLogEntry {
        seq: row.get(0)?,
        id: row.get(1)?,
        ts: DateTime::parse_from_rfc3339(text(2)?).map_err(|error| unreadable(2, error))?.to_utc(),
        category: text(3)?.into(),
        action: row.get(4)?,
        severity: text(5)?.parse().map_err(|error| unreadable(5, error))?,
        actor: row.get(6)?,
        entity_type: row.get(7)?,
        entity_id: row.get(8)?,
        entity_name: row.get(9)?,
        message: row.get(10)?,
        metadata: serde_json::from_str(text(11)?).map_err(|error| unreadable(11, error))?,
    })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
