//! Counts with rollups are those of the rows.

use activity_log::ActivitySeverity::{Error, Info, Warning};
use activity_log::histogram::equal_edges;
use activity_log::postgres::{ActivityLogRepository, enable_rollups, summarize};
use activity_log::{ActivityLogFilters, Facet};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::database::{Connection, empty_log};
use crate::support::TestResult;

/// The rows of a block.
pub(crate) const BLOCK: i64 = 16_384;

/// The time of row 0. The rows are a minute apart, but for those that are out of order.
pub(crate) const BEGINNING: i64 = 1_577_836_800;

pub(crate) fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(BEGINNING) + TimeDelta::minutes(minute)
}

/// Inserts a row for each number of a set, as another program would, with the columns `columns` and the expressions
/// `values` besides those that each row needs.
pub(crate) fn insert(conn: &mut Connection, numbers: &str, columns: &str, values: &str) -> TestResult {
    Ok(conn.batch_execute(&format!(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, message{columns}) \
         SELECT gen_random_uuid(), timestamptz '2020-01-01Z' + (n + CASE WHEN h % 50 = 7 THEN h % 9000 ELSE 0 END) * interval '1 minute', \
             (ARRAY['device', 'auth', 'system'])[h % 3 + 1], \
             (ARRAY['device', 'auth', 'system'])[h % 3 + 1] || (ARRAY['.opened', '.closed'])[h / 3 % 2 + 1], \
             CASE WHEN h % 40 = 0 THEN 'error' WHEN h % 10 = 1 THEN 'warning' ELSE 'info' END, 'user_' || h % 11, \
             CASE h % 7 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'type_' || h % 4 END, 'Entry'{values} \
         FROM (SELECT n, abs(hashint8(n) % 1000000) AS h FROM {numbers} AS n) AS numbered"
    ))?)
}

/// A log of some blocks, all of which are summarized that can be.
pub(crate) fn log_with_rollups(rows: i64) -> TestResult<Connection> {
    let mut conn = empty_log()?;
    insert(&mut conn, &format!("generate_series(1, {rows})"), "", "")?;
    enable_rollups(&mut conn)?;
    Ok(conn)
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub(crate) fn number(conn: &mut Connection, sql: &str) -> TestResult<i64> {
    Ok(diesel::sql_query(format!("SELECT ({sql})::bigint AS number")).get_result::<Number>(conn)?.number)
}

/// How many blocks are counted from their rollups.
pub(crate) fn settled_blocks(conn: &mut Connection) -> TestResult<i64> {
    number(
        conn,
        "SELECT count(*) FROM activity_log_rollup_blocks AS summary \
         WHERE NOT EXISTS (SELECT 1 FROM activity_log_rollup_marks AS mark WHERE mark.block = summary.block OR mark.block IS NULL)",
    )
}

/// Filters, each with its condition in SQL.
pub(crate) fn filters() -> Vec<(ActivityLogFilters, String)> {
    let all = ActivityLogFilters::default;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let window =
        |since: i64, until: i64| ActivityLogFilters { since: Some(minute(since)), until: Some(minute(until)), ..all() };
    let between = |since: i64, until: i64| {
        format!("ts BETWEEN to_timestamp({}) AND to_timestamp({})", BEGINNING + 60 * since, BEGINNING + 60 * until)
    };
    let (first, last) = (BLOCK + 100, 3 * BLOCK + 50);
    let mut filters = vec![
        (all(), "TRUE".to_owned()),
        (
            ActivityLogFilters { categories: vec!["auth".into(), "system".into()], ..all() },
            "category IN ('auth', 'system')".into(),
        ),
        (ActivityLogFilters { severities: vec![Error, Warning], ..all() }, "severity <> 'info'".into()),
        (ActivityLogFilters { exclude_categories: vec!["auth".into()], ..all() }, "category <> 'auth'".into()),
        (ActivityLogFilters { exclude_severities: vec![Error], ..all() }, "severity <> 'error'".into()),
        (
            ActivityLogFilters { actions: texts(&["auth.opened", "device.*"]), ..all() },
            "(action = 'auth.opened' OR action LIKE 'device.%')".into(),
        ),
        (
            ActivityLogFilters { exclude_actions: texts(&["auth.*", "device.closed"]), ..all() },
            "action NOT LIKE 'auth.%' AND action <> 'device.closed'".into(),
        ),
        (ActivityLogFilters { actor: Some("user_7".into()), ..all() }, "actor = 'user_7'".into()),
        (
            ActivityLogFilters { exclude_actors: texts(&["user_1", "user_2"]), ..all() },
            "actor NOT IN ('user_1', 'user_2')".into(),
        ),
        (ActivityLogFilters { entity_type: Some("type_2".into()), ..all() }, "entity_type = 'type_2'".into()),
        (
            ActivityLogFilters { exclude_entity_types: texts(&["type_1", "type_2"]), ..all() },
            "(entity_type NOT IN ('type_1', 'type_2') OR entity_type IS NULL)".into(),
        ),
        (
            ActivityLogFilters {
                actors: texts(&["user_3", "user_9"]),
                severities: vec![Info],
                actions: texts(&["system.*"]),
                ..all()
            },
            "actor IN ('user_3', 'user_9') AND severity = 'info' AND action LIKE 'system.%'".into(),
        ),
        (ActivityLogFilters { actor: Some("user_99".into()), ..all() }, "actor = 'user_99'".into()),
    ];
    for position in [0, 1, 3, 7, 10] {
        let Some((own, condition)) = filters.get(position).cloned() else { continue };
        for (since, until) in [(first, last), (0, 40), (2 * BLOCK, 2 * BLOCK)] {
            let bounds = window(since, until);
            let own = ActivityLogFilters { since: bounds.since, until: bounds.until, ..own.clone() };
            filters.push((own, format!("{condition} AND {}", between(since, until))));
        }
    }
    filters
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

#[derive(QueryableByName, Debug)]
struct InBucket {
    #[diesel(sql_type = Integer)]
    bucket: i32,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

/// Fails if a count, or for some filters a facet or a histogram, differs from what plain SQL says in the same transaction.
pub(crate) fn assert_agrees_here_and_there(conn: &mut Connection) -> TestResult {
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    for (position, (filters, condition)) in filters().into_iter().enumerate() {
        assert_count_agrees(conn, &filters, &condition)?;
        match position % 8 {
            0 => assert_histogram_agrees(conn, &filters, &condition, 7)?,
            4 => assert_facet_agrees(conn, &filters, &condition, Facet::Actor)?,
            _ => {}
        }
    }
    Ok(conn.batch_execute("COMMIT")?)
}

/// Fails if a count, a facet or a histogram differs from what plain SQL says in the same transaction, for some filters.
pub(crate) fn assert_agrees(conn: &mut Connection) -> TestResult {
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    for (filters, condition) in filters() {
        assert_count_agrees(conn, &filters, &condition)?;
        for facet in [Facet::Category, Facet::Severity, Facet::Action, Facet::Actor, Facet::EntityType] {
            assert_facet_agrees(conn, &filters, &condition, facet)?;
        }
        for buckets in [1, 7, 60] {
            assert_histogram_agrees(conn, &filters, &condition, buckets)?;
        }
    }
    Ok(conn.batch_execute("COMMIT")?)
}

pub(crate) fn assert_count_agrees(conn: &mut Connection, filters: &ActivityLogFilters, condition: &str) -> TestResult {
    let counted = ActivityLogRepository::new(conn).count(filters)?;
    let rows = number(conn, &format!("SELECT count(*) FROM activity_log WHERE {condition}"))?;
    assert_eq!(i64::try_from(counted)?, rows, "{condition}");
    Ok(())
}

fn assert_facet_agrees(
    conn: &mut Connection,
    filters: &ActivityLogFilters,
    condition: &str,
    facet: Facet,
) -> TestResult {
    let column = match facet {
        Facet::Category => "category",
        Facet::Severity => "severity",
        Facet::Action => "action",
        Facet::Actor => "actor",
        Facet::EntityType => "entity_type",
    };
    let found = ActivityLogRepository::new(conn).facets(filters, facet, 5)?;
    let mut values = diesel::sql_query(format!(
        "SELECT {column} AS value, count(*) AS entries FROM activity_log WHERE {condition} AND {column} <> '' \
         GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT 6"
    ))
    .load::<Value>(conn)?;
    assert_eq!(found.more, values.len() > 5, "{column} where {condition}");
    values.truncate(5);
    let found =
        found.values.into_iter().map(|found| Ok(Value { value: found.value, entries: found.entries.try_into()? }));
    assert_eq!(found.collect::<TestResult<Vec<_>>>()?, values, "{column} where {condition}");
    Ok(())
}

fn assert_histogram_agrees(
    conn: &mut Connection,
    filters: &ActivityLogFilters,
    condition: &str,
    buckets: usize,
) -> TestResult {
    let edges = equal_edges(minute(-100), minute(5 * BLOCK), buckets)?;
    let found = ActivityLogRepository::new(conn).histogram(filters, &edges)?;
    let listed = edges.iter().map(|edge| format!("'{edge}'")).collect::<Vec<_>>().join(", ");
    let rows = diesel::sql_query(format!(
        "SELECT width_bucket(ts, ARRAY[{listed}]::timestamptz[]) - 1 AS bucket, severity, count(*) AS entries \
         FROM activity_log WHERE {condition} GROUP BY 1, 2"
    ))
    .load::<InBucket>(conn)?;
    let mut expected = vec![(0, 0, 0); buckets];
    for row in rows {
        let Some(counts) = usize::try_from(row.bucket).ok().and_then(|bucket| expected.get_mut(bucket)) else {
            continue;
        };
        match row.severity.as_str() {
            "info" => counts.0 += row.entries,
            "warning" => counts.1 += row.entries,
            _ => counts.2 += row.entries,
        }
    }
    let found =
        found.iter().map(|counts| Ok((counts.info.try_into()?, counts.warning.try_into()?, counts.error.try_into()?)));
    assert_eq!(found.collect::<TestResult<Vec<_>>>()?, expected, "{buckets} buckets where {condition}");
    Ok(())
}

#[test]
fn counts_facets_and_histograms_of_every_filter_are_those_of_the_rows() -> TestResult {
    let mut conn = log_with_rollups(5 * BLOCK + 3_000)?;
    assert_eq!(settled_blocks(&mut conn)?, 5);
    assert_agrees(&mut conn)
}

#[test]
fn rows_that_are_deleted_or_changed_are_counted_as_they_are() -> TestResult {
    let mut conn = log_with_rollups(5 * BLOCK + 3_000)?;
    for change in [
        "DELETE FROM activity_log WHERE seq = 20000",
        "DELETE FROM activity_log WHERE seq % 40000 BETWEEN 10 AND 500",
        "UPDATE activity_log SET actor = 'user_99' WHERE seq = 70000",
        "UPDATE activity_log SET seq = seq + 30000 WHERE seq BETWEEN 1000 AND 1020",
        "UPDATE activity_log SET ts = ts + interval '40 days' WHERE seq BETWEEN 50000 AND 50100",
        "DELETE FROM activity_log WHERE seq < 40000",
    ] {
        conn.batch_execute(change)?;
        assert!(settled_blocks(&mut conn)? < 5, "{change}");
        assert_agrees_here_and_there(&mut conn)?;
        summarize(&mut conn)?;
        assert!(number(&mut conn, "SELECT count(*) FROM activity_log_rollup_marks")? == 0, "{change}");
        assert_agrees_here_and_there(&mut conn)?;
    }
    assert_eq!(settled_blocks(&mut conn)?, 3);
    Ok(())
}
