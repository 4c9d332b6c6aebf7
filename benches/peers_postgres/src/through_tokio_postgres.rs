//! tokio-postgres with the statements that a host would write.

use std::pin::pin;

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use futures_util::TryStreamExt;
use tokio::runtime::Runtime;

use crate::connection::{Connection, decode, runtime};
use crate::peer::{BenchResult, MOST, Matching, PAGE, Page, Peer};
use crate::statements::{self, COUNT_UP_TO, EXPORT, INSERT};

pub(crate) struct ThroughTokioPostgres {
    runtime: Runtime,
    conn: Connection,
}

impl ThroughTokioPostgres {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        let runtime = runtime()?;
        let conn = runtime.block_on(Connection::open(url))?;
        Ok(Box::new(Self { runtime, conn }))
    }
}

impl Peer for ThroughTokioPostgres {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        self.runtime.block_on(self.conn.insert(INSERT, entry))
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        self.runtime.block_on(async {
            self.conn.client.batch_execute("BEGIN").await?;
            for entry in entries {
                self.conn.insert(INSERT, entry).await?;
            }
            Ok(self.conn.client.batch_execute("COMMIT").await?)
        })
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        let sql = statements::page(matching);
        let limit = i64::from(PAGE) + 1;
        let conn = &mut self.conn;
        let entries = self.runtime.block_on(async {
            match *matching {
                Matching::Everything => conn.entries(sql, &[&limit]).await,
                Matching::OlderThan { seq } => conn.entries(sql, &[&seq, &limit]).await,
                Matching::Actor(actor) => conn.entries(sql, &[&actor, &limit]).await,
                Matching::CategoryAndSeverity(category, severity) => {
                    conn.entries(sql, &[&category, &severity.as_str(), &limit]).await
                }
                Matching::ActionBeginning(beginning) => conn.entries(sql, &[&format!("{beginning}%"), &limit]).await,
                Matching::Between { since, until } => conn.entries(sql, &[&since, &until, &limit]).await,
            }
        });
        Ok(Page::new(entries?))
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        self.runtime.block_on(self.conn.number(COUNT_UP_TO, &[&category, &MOST]))
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        self.runtime.block_on(async {
            let statement = self.conn.statement(EXPORT).await?;
            let mut stream = pin!(self.conn.client.query_raw(&statement, [rows as i64]).await?);
            while let Some(row) = stream.try_next().await? {
                take(decode(&row)?);
            }
            Ok(())
        })
    }
}
