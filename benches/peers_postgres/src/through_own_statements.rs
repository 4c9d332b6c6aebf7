//! tokio-postgres with the statements of activity-log, written by hand: what the crate costs beside its SQL.

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use chrono::{DateTime, Utc};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;

use crate::connection::{Connection, decode, runtime};
use crate::peer::{BATCH_ROWS, BenchResult, MOST, Matching, PAGE, Page, Peer};

const INSERT: &str = "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, \
    entity_name, message, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
    ON CONFLICT (id) DO NOTHING RETURNING seq";

const INSERT_ALL: &str = "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, \
    entity_name, message, metadata) SELECT id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, \
    message, metadata FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], \
    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY AS entry (id, ts, category, action, \
    severity, actor, entity_type, entity_id, entity_name, message, metadata, position) ORDER BY position";

const ACTIONS: &str = "WITH RECURSIVE step AS ( \
        SELECT (SELECT action FROM activity_log WHERE action >= $1 AND action < $2 ORDER BY action, (seq + 5) LIMIT 1) \
        UNION ALL \
        SELECT (SELECT action FROM activity_log WHERE action > step.action AND action < $2 \
            ORDER BY action, (seq + 5) LIMIT 1) FROM step WHERE action IS NOT NULL \
    ) SELECT action FROM step WHERE action IS NOT NULL";

/// The blocks of 16,384 numbers from this one down that have entries in a window.
const BLOCKS: &str = "WITH first AS (SELECT seq >> 14 AS block FROM activity_log WHERE seq < $1 ORDER BY seq DESC LIMIT 1) \
    SELECT found.block FROM first, LATERAL (SELECT block FROM generate_series(first.block, greatest(first.block - 1023, \
        (SELECT seq >> 14 FROM activity_log ORDER BY seq LIMIT 1)), -1) AS block \
    WHERE (SELECT TRUE FROM activity_log WHERE seq >> 14 = block AND ts >= $2 AND ts <= $3 ORDER BY ts LIMIT 1) LIMIT 64) \
        AS found";

const ALL_COLUMNS: &str =
    "id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";

pub(crate) struct ThroughOwnStatements {
    runtime: Runtime,
    conn: Connection,
}

/// The first rows that an index finds, in its order.
fn search(condition: &str, order: &str) -> String {
    let rows = PAGE + 1;
    format!(
        "SELECT generate_series(seq, seq) AS seq, {ALL_COLUMNS} FROM activity_log WHERE {condition} \
         ORDER BY {order} DESC LIMIT {rows}"
    )
}

impl ThroughOwnStatements {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        let runtime = runtime()?;
        let conn = runtime.block_on(Connection::open(url))?;
        Ok(Box::new(Self { runtime, conn }))
    }
}

async fn page(conn: &mut Connection, matching: &Matching) -> BenchResult<Vec<ActivityLogEntry>> {
    match *matching {
        Matching::Everything => conn.entries(&search("TRUE", "activity_log.seq"), &[]).await,
        Matching::OlderThan { seq } => {
            // The crate's page also says whether there are newer entries.
            let page = search("activity_log.seq < $2", "activity_log.seq");
            let sql = format!(
                "SELECT seq, {ALL_COLUMNS}, (SELECT TRUE FROM (SELECT generate_series(seq, seq) AS seq FROM activity_log \
                 WHERE activity_log.seq > $1 ORDER BY activity_log.seq LIMIT 1) AS beyond) \
                 FROM ({page}) AS page ORDER BY seq DESC"
            );
            conn.entries(&sql, &[&(seq - 1), &seq]).await
        }
        Matching::Actor(actor) => conn.entries(&search("actor = $1", "(seq + 0)"), &[&actor]).await,
        Matching::CategoryAndSeverity(category, severity) => {
            let condition = "category = $1 AND severity = $2";
            conn.entries(&search(condition, "(seq + 0)"), &[&category, &severity.as_str()]).await
        }
        Matching::ActionBeginning(beginning) => {
            let end = format!("{}/", beginning.trim_end_matches('.'));
            let rows = conn.rows(ACTIONS, &[&beginning, &end]).await?;
            let actions = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
            let searches = (1..=actions.len()).map(|n| format!("({})", search(&format!("action = ${n}"), "(seq + 5)")));
            let union = searches.collect::<Vec<_>>().join(" UNION ALL ");
            let actions = actions.iter().map(|action| action as &(dyn ToSql + Sync));
            let sql = format!("SELECT seq, {ALL_COLUMNS} FROM ({union}) AS found ORDER BY seq DESC LIMIT {}", PAGE + 1);
            conn.entries(&sql, &actions.collect::<Vec<_>>()).await
        }
        Matching::Between { since, until } => window(conn, since, until).await,
    }
}

async fn window(
    conn: &mut Connection,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> BenchResult<Vec<ActivityLogEntry>> {
    let mut entries = Vec::new();
    let blocks = conn.rows(BLOCKS, &[&i64::MAX, &since, &until]).await?;
    for row in blocks {
        let first = row.try_get::<_, i64>(0)? << 14;
        let condition = "activity_log.seq >= $1 AND activity_log.seq < $2 \
            AND CASE WHEN TRUE AND ts >= $3 AND ts <= $4 THEN TRUE END";
        let sql = search(condition, "activity_log.seq");
        entries.extend(conn.entries(&sql, &[&first, &(first + (1 << 14)), &since, &until]).await?);
        if entries.len() > PAGE as usize {
            break;
        }
    }
    entries.truncate(PAGE as usize + 1);
    Ok(entries)
}

impl Peer for ThroughOwnStatements {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        self.runtime.block_on(self.conn.insert(INSERT, entry))
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        let texts = |value: fn(&NewActivityLogEntry) -> &str| entries.iter().map(value).collect::<Vec<_>>();
        let optional = |value: fn(&NewActivityLogEntry) -> Option<&str>| entries.iter().map(value).collect::<Vec<_>>();
        let times = entries.iter().map(|entry| entry.ts).collect::<Vec<_>>();
        let metadata = entries.iter().map(|entry| serde_json::to_string(&entry.metadata));
        let metadata = metadata.collect::<Result<Vec<_>, _>>()?;
        let [ids, categories] = [texts(|entry| &entry.id), texts(|entry| entry.category.as_str())];
        let [actions, severities] = [texts(|entry| &entry.action), texts(|entry| entry.severity.as_str())];
        let [actors, messages] = [texts(|entry| &entry.actor), texts(|entry| &entry.message)];
        let types = optional(|entry| entry.entity_type.as_deref());
        let entity_ids = optional(|entry| entry.entity_id.as_deref());
        let names = optional(|entry| entry.entity_name.as_deref());
        let values: [&(dyn ToSql + Sync); 11] = [
            &ids,
            &times,
            &categories,
            &actions,
            &severities,
            &actors,
            &types,
            &entity_ids,
            &names,
            &messages,
            &metadata,
        ];
        self.runtime.block_on(self.conn.rows(INSERT_ALL, &values)).map(drop)
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        Ok(Page::new(self.runtime.block_on(page(&mut self.conn, matching))?))
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        // The crate rounds up, too.
        let rows = MOST.unsigned_abs().next_multiple_of(1_024);
        let search = |number: usize| {
            format!(
                "(SELECT generate_series(seq, seq) AS seq FROM activity_log WHERE category = $1 AND severity = ${number} \
                 ORDER BY (seq + 0) DESC LIMIT {rows})"
            )
        };
        let searches = [search(2), search(3), search(4)].join(" UNION ALL ");
        let sql = format!("SELECT count(*) FROM (SELECT seq FROM ({searches}) AS found LIMIT {rows}) AS counted");
        let values: [&(dyn ToSql + Sync); 4] = [&category, &"info", &"warning", &"error"];
        Ok(self.runtime.block_on(self.conn.number(&sql, &values))?.min(MOST))
    }

    fn export(&mut self, rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let sql = format!(
            "SELECT generate_series(seq, seq) AS seq, {ALL_COLUMNS} FROM activity_log WHERE activity_log.seq > $1 \
             ORDER BY activity_log.seq LIMIT {BATCH_ROWS}"
        );
        let (mut left, mut last) = (rows, 0_i64);
        self.runtime.block_on(async {
            while left > 0 {
                let batch = self.conn.rows(&sql, &[&last]).await?;
                for row in batch.iter().take(left) {
                    last = row.try_get(0)?;
                    take(decode(row)?);
                }
                if batch.len() < BATCH_ROWS {
                    break;
                }
                left = left.saturating_sub(batch.len());
            }
            Ok(())
        })
    }
}
