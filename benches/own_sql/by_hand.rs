//! The SQL that a host would write by hand.

use std::fmt::Write as _;
use std::sync::OnceLock;

use activity_log::schema::activity_log;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Map, Value};

use crate::due;
use crate::log::{BenchResult, entry, time};

/// The least busy of 50 actors.
pub(crate) const ACTOR: &str = "user_49";
pub(crate) const ERASED: &str = "erased user";
pub(crate) const BUCKETS: usize = 60;
/// The log's.
pub(crate) const SPAN: TimeDelta = TimeDelta::days(2 * 365);

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

pub(crate) fn facets(conn: &mut SqliteConnection, column: &str) -> BenchResult<String> {
    let groups = diesel::sql_query(format!(
        "SELECT {column} AS value, count(*) AS entries FROM activity_log GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"
    ))
    .load::<Group>(conn)?;
    Ok(groups.iter().map(|group| format!("{} {}, ", group.value, group.entries)).collect())
}

#[derive(QueryableByName)]
struct Bucket {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

pub(crate) fn histogram_by_strftime(conn: &mut SqliteConnection, condition: &str) -> BenchResult<String> {
    let (since, seconds) = (time(0, 1).timestamp(), SPAN.num_seconds() / BUCKETS as i64);
    histogram(conn, &format!("(strftime('%s', ts) - {since}) / {seconds}"), condition)
}

/// Compares texts, in the order of the buckets.
pub(crate) fn histogram_by_case(conn: &mut SqliteConnection, condition: &str) -> BenchResult<String> {
    let mut bucket = "CASE".to_owned();
    for number in 0..BUCKETS as i32 {
        let end = stored(time(0, 1) + SPAN / BUCKETS as i32 * (number + 1));
        write!(bucket, " WHEN ts < '{end}' THEN {number}")?;
    }
    histogram(conn, &format!("{bucket} END"), condition)
}

fn histogram(conn: &mut SqliteConnection, bucket: &str, condition: &str) -> BenchResult<String> {
    let (since, end) = (stored(time(0, 1)), stored(time(0, 1) + SPAN));
    let counts = diesel::sql_query(format!(
        "SELECT {bucket} AS bucket, severity, count(*) AS entries FROM activity_log \
         WHERE ts >= '{since}' AND ts < '{end}' AND {condition} GROUP BY 1, 2"
    ))
    .load::<Bucket>(conn)?;
    let entries = |bucket: usize, severity: &str| {
        let found = counts.iter().find(|counts| counts.bucket == bucket as i64 && counts.severity == severity);
        found.map_or(0, |counts| counts.entries)
    };
    let bucket = |bucket| {
        let [info, warning, error] = ["info", "warning", "error"].map(|severity| entries(bucket, severity));
        format!("{info} {warning} {error}, ")
    };
    Ok((0..BUCKETS).map(bucket).collect())
}

pub(crate) fn count(conn: &mut SqliteConnection) -> BenchResult<String> {
    let rows = activity_log::table.filter(activity_log::category.eq_any(["device", "auth"]));
    Ok(rows.count().get_result::<i64>(conn)?.to_string())
}

/// All of them, in their order.
type Columns = (
    i64,
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    String,
);

pub(crate) fn get(conn: &mut SqliteConnection, rows: u64) -> BenchResult<String> {
    let mut bytes = 0;
    for id in ids(rows) {
        let (.., ts, _, _, _, _, _, _, _, message, metadata) =
            activity_log::table.filter(activity_log::id.eq(id)).first::<Columns>(conn)?;
        std::hint::black_box(DateTime::parse_from_rfc3339(&ts)?);
        bytes += message.len() + serde_json::from_str::<Map<String, Value>>(&metadata)?.len();
    }
    Ok(bytes.to_string())
}

pub(crate) fn ids(rows: u64) -> &'static [String] {
    static IDS: OnceLock<Vec<String>> = OnceLock::new();
    IDS.get_or_init(|| (0..1_000).map(|number| entry(rows * number / 1_000, rows).id).collect())
}

pub(crate) fn delete(conn: &mut SqliteConnection, rows: u64) -> BenchResult<String> {
    let cutoff = stored(time(due(rows), rows));
    let deleted = diesel::sql_query("DELETE FROM activity_log WHERE ts < ?").bind::<Text, _>(cutoff).execute(conn)?;
    Ok(deleted.to_string())
}

pub(crate) fn update(conn: &mut SqliteConnection) -> BenchResult<String> {
    let updated = diesel::sql_query(format!(
        "UPDATE activity_log SET actor = '{ERASED}', message = replace(message, '{ACTOR}', '{ERASED}') \
         WHERE actor = '{ACTOR}'"
    ))
    .execute(conn)?;
    Ok(updated.to_string())
}

pub(crate) fn update_and_vacuum(conn: &mut SqliteConnection) -> BenchResult<String> {
    let updated = update(conn)?;
    conn.batch_execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(updated)
}

fn stored(ts: DateTime<Utc>) -> String {
    ts.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
