//! Every way of reading finds exactly the matching rows, after any statement of any program has changed the rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use activity_log::histogram::equal_edges;
use activity_log::schema::activity_log as stored;
use activity_log::{
    ActivityLogFilters, ActivityLogRepository, ActivitySeverity, Facet, NewActivityLogEntry, enable_search,
    resummarize, run_migrations,
};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use proptest::prelude::*;
use proptest::sample::select;

use crate::database::empty_log;
use crate::kinds::{category, insert_as_others_do, of_actor};
use crate::support::{TestResult, at, everything, seqs};

/// Enough rows for eleven segments, so that a filter matches some segments and not others.
const ROWS: i64 = 46_000;

/// A log whose categories, severities, actors and times change from one range of rows to the next.
fn log_of_many_segments(with_search: bool) -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS}) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, message) \
         SELECT 'x' || n, strftime('%Y-%m-%dT%H:%M:%S+00:00', n * 60 + n / 10000 % 2 * 300000, 'unixepoch'), \
             'area ' || (n / 3000 % 5), 'job.' || (n / 2600 % 4), \
             CASE n / 1400 % 6 WHEN 0 THEN 'warning' WHEN 1 THEN 'error' ELSE 'info' END, \
             'user ' || (n / 1800 % 4), 'type ' || (n / 8000 % 3), 'id ' || (n % 500), 'Tick ' || n FROM n"
    ))?;
    if with_search {
        enable_search(&mut conn)?;
    }
    resummarize(&mut conn)?;
    Ok(conn)
}

/// The rows that a statement changes.
#[derive(Debug, Clone)]
enum Rows {
    One(i64),
    /// The rows whose `seq` leaves a given remainder.
    Every(i64, i64),
    Between(i64, i64),
}

impl Rows {
    fn condition(&self) -> String {
        match self {
            Self::One(seq) => format!("seq = {seq}"),
            Self::Every(divisor, rest) => format!("seq % {divisor} = {rest}"),
            Self::Between(first, last) => format!("seq BETWEEN {first} AND {last}"),
        }
    }
}

fn rows() -> impl Strategy<Value = Rows> {
    prop_oneof![
        4 => (1..ROWS).prop_map(Rows::One),
        2 => (2_i64..4_000, 0_i64..3).prop_map(|(divisor, rest)| Rows::Every(divisor, rest)),
        1 => (1..ROWS, 0_i64..5_000).prop_map(|(first, length)| Rows::Between(first, first + length)),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    /// `UPDATE … SET column = value`, with a conflict clause.
    Update {
        or: &'static str,
        column: &'static str,
        value: String,
        rows: Rows,
    },
    /// Renumbers a row, through one of the names of `seq`.
    Renumber {
        or: &'static str,
        alias: &'static str,
        from: i64,
        to: i64,
    },
    /// Gives a row the id of another row, which SQLite then deletes.
    TakeId {
        row: i64,
        other: i64,
    },
    Upsert {
        id: i64,
        column: &'static str,
        value: String,
    },
    InsertOrReplace {
        id: i64,
    },
    Delete(Rows),
    /// Rows of a program that does not summarize.
    InsertAsOthersDo {
        rows: i64,
        pattern: i64,
    },
    Record(i64),
    RecordAll(i64),
    Prune(u64),
    Clear,
    Resummarize,
    /// What a server does at its next start.
    RunMigrations,
}

/// A column and a value for it. Filters read some of these columns and not others.
fn assignment() -> impl Strategy<Value = (&'static str, String)> {
    let assignments = vec![
        ("ts", "'1970-01-05T00:00:00+00:00'"),
        ("ts", "'2001-01-01T00:00:00.5+00:00'"),
        ("category", "'area 1'"),
        ("category", "'area 9'"),
        ("action", "'other'"),
        ("action", "'job.1'"),
        ("severity", "'error'"),
        ("severity", "'info'"),
        ("actor", "'user 1'"),
        ("actor", "'user 9'"),
        ("entity_type", "'type 1'"),
        ("entity_type", "NULL"),
        ("entity_id", "'id 7'"),
        ("entity_name", "'other'"),
        ("message", "'a needle'"),
        ("message", "'Tick 7 '"),
        ("metadata", "'{\"other\":1}'"),
    ];
    select(assignments).prop_map(|(column, value)| (column, value.to_owned()))
}

fn change() -> impl Strategy<Value = Change> {
    let conflict = || select(vec!["", "OR REPLACE", "OR IGNORE", "OR FAIL"]);
    // Among the rows, before them and beyond the newest.
    let target =
        prop_oneof![3 => 1..ROWS, 1 => -9_000_i64..1, 2 => ROWS..90_000, 1 => select(vec![i64::MIN, 1_i64 << 40])];
    prop_oneof![
        6 => (conflict(), assignment(), rows())
            .prop_map(|(or, (column, value), rows)| Change::Update { or, column, value, rows }),
        4 => (select(vec!["OR REPLACE", "OR IGNORE"]), select(vec!["seq", "rowid", "oid", "_rowid_"]), 1..ROWS, target)
            .prop_map(|(or, alias, from, to)| Change::Renumber { or, alias, from, to }),
        2 => (1..ROWS, 1..ROWS).prop_map(|(row, other)| Change::TakeId { row, other }),
        2 => (1..ROWS + 9, assignment()).prop_map(|(id, (column, value))| Change::Upsert { id, column, value }),
        1 => (1..ROWS).prop_map(|id| Change::InsertOrReplace { id }),
        2 => rows().prop_map(Change::Delete),
        1 => (1_i64..6_000, 1_i64..40).prop_map(|(rows, pattern)| Change::InsertAsOthersDo { rows, pattern }),
        2 => (1_i64..300).prop_map(Change::Record),
        1 => (1_i64..5_000).prop_map(Change::RecordAll),
        1 => (0_u64..ROWS.unsigned_abs()).prop_map(Change::Prune),
        1 => Just(Change::Clear),
        1 => Just(Change::Resummarize),
        1 => Just(Change::RunMigrations),
    ]
}

fn recorded(number: i64) -> NewActivityLogEntry {
    let severity = if number % 5 == 0 { ActivitySeverity::Error } else { ActivitySeverity::Info };
    let action = if number % 7 == 0 { "job.9" } else { "tick" };
    NewActivityLogEntry::new(format!("area {}", number % 3), action, format!("user {}", number % 4), "Recorded")
        .severity(severity)
}

fn apply(conn: &mut SqliteConnection, change: &Change) -> TestResult {
    match change {
        Change::Update { or, column, value, rows } => {
            conn.batch_execute(&format!("UPDATE {or} activity_log SET {column} = {value} WHERE {}", rows.condition()))?;
        }
        Change::Renumber { or, alias, from, to } => {
            conn.batch_execute(&format!("UPDATE {or} activity_log SET {alias} = {to} WHERE seq = {from}"))?;
        }
        Change::TakeId { row, other } => {
            conn.batch_execute(&format!("UPDATE OR REPLACE activity_log SET id = 'x{other}' WHERE seq = {row}"))?;
        }
        Change::Upsert { id, column, value } => conn.batch_execute(&format!(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
             VALUES ('x{id}', '1970-01-02T00:00:00+00:00', 'area 1', 'a', 'error', 'user 1', 'Tick') \
             ON CONFLICT (id) DO UPDATE SET {column} = {value}"
        ))?,
        Change::InsertOrReplace { id } => conn.batch_execute(&format!(
            "PRAGMA recursive_triggers = ON; \
             INSERT OR REPLACE INTO activity_log (id, ts, category, action, severity, actor, message) \
             VALUES ('x{id}', '1970-01-02T00:00:00+00:00', 'area 1', 'a', 'error', 'user 1', 'Tick'); \
             PRAGMA recursive_triggers = OFF"
        ))?,
        Change::Delete(rows) => {
            conn.batch_execute(&format!("DELETE FROM activity_log WHERE {}", rows.condition()))?;
        }
        Change::InsertAsOthersDo { rows, pattern } => insert_as_others_do(conn, *rows, *pattern)?,
        Change::Record(count) => {
            for number in 0..*count {
                ActivityLogRepository::new(conn).record(&recorded(number))?;
            }
        }
        Change::RecordAll(count) => {
            let entries = (0..*count).map(recorded).collect::<Vec<_>>();
            ActivityLogRepository::new(conn).record_all(&entries)?;
        }
        Change::Prune(most) => {
            ActivityLogRepository::new(conn).prune(None, Some(*most))?;
        }
        Change::Clear => {
            ActivityLogRepository::new(conn).clear()?;
        }
        Change::Resummarize => resummarize(conn)?,
        Change::RunMigrations => run_migrations(conn)?,
    }
    Ok(())
}

/// Filters that use the segments, an index, both, or the search index.
fn all_filters() -> TestResult<Vec<ActivityLogFilters>> {
    let severe = |severity, filters| ActivityLogFilters { severities: vec![severity], ..filters };
    let (since, until) = (Some(at("1970-01-04T12:00:00Z")?), Some(at("1970-01-09T12:00:00Z")?));
    let within = |filters| ActivityLogFilters { since, until, ..filters };
    let two = ActivityLogFilters { categories: vec!["area 2".into(), "area 9".into()], ..everything() };
    Ok(vec![
        everything(),
        category("area 1"),
        two.clone(),
        severe(ActivitySeverity::Error, everything()),
        severe(ActivitySeverity::Info, category("area 1")),
        severe(ActivitySeverity::Error, category("area 9")),
        of_actor("user 9", everything()),
        of_actor("user 1", category("area 1")),
        // In early segments and among the unsummarized rows.
        of_actor("user 1", category("area 0")),
        severe(ActivitySeverity::Info, category("area 0")),
        ActivityLogFilters { since, ..category("area 0") },
        of_actor("user 2", two.clone()),
        of_actor("user 1", severe(ActivitySeverity::Error, everything())),
        of_actor("user 3", severe(ActivitySeverity::Info, category("area 0"))),
        within(everything()),
        within(category("area 2")),
        within(of_actor("user 1", two)),
        within(severe(ActivitySeverity::Info, category("area 3"))),
        ActivityLogFilters { since, ..severe(ActivitySeverity::Warning, everything()) },
        ActivityLogFilters { until, ..of_actor("user 0", everything()) },
        ActivityLogFilters {
            entity_type: Some("type 1".to_owned()),
            entity_id: Some("id 7".to_owned()),
            ..everything()
        },
        ActivityLogFilters { entity_id: Some("id 7".to_owned()), ..within(everything()) },
        actions(&["job.1"], everything()),
        actions(&["job.2", "other"], everything()),
        actions(&["job.*"], everything()),
        actions(&["job.*"], category("area 1")),
        actions(&["job.3"], category("area 9")),
        actions(&["job.0"], of_actor("user 1", everything())),
        actions(&["job.*"], of_actor("user 2", severe(ActivitySeverity::Error, everything()))),
        within(actions(&["job.1", "job.2"], everything())),
        excluding(&["job.1", "job.2"], &[], everything()),
        excluding(&["job.*"], &[], everything()),
        ActivityLogFilters { exclude_categories: vec!["area 0".into(), "area 1".into()], ..everything() },
        within(ActivityLogFilters {
            exclude_categories: vec!["area 1".into()],
            exclude_severities: vec![ActivitySeverity::Info],
            ..everything()
        }),
        excluding(&["job.*", "a"], &["user 0", "user 1"], category("area 1")),
        within(excluding(&[], &["user 0", "user 2", "user 3"], everything())),
        ActivityLogFilters { actors: vec!["user 1".to_owned(), "user 9".to_owned()], ..category("area 2") },
        ActivityLogFilters { entity_type: Some("type 2".to_owned()), ..of_actor("user 1", everything()) },
        ActivityLogFilters { entity_type: Some("type 1".to_owned()), ..category("area 9") },
        ActivityLogFilters { exclude_entity_types: vec!["type 1".to_owned(), "type 2".to_owned()], ..everything() },
        ActivityLogFilters { message_contains: Some("Needle".to_owned()), ..everything() },
        excluding(&["job.1"], &[], ActivityLogFilters { message_contains: Some("tick 7".to_owned()), ..everything() }),
        ActivityLogFilters { message_contains: Some("tick 7".to_owned()), ..within(category("area 0")) },
    ])
}

fn actions(actions: &[&str], filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { actions: actions.iter().map(|action| (*action).to_owned()).collect(), ..filters }
}

fn excluding(actions: &[&str], actors: &[&str], filters: ActivityLogFilters) -> ActivityLogFilters {
    let [exclude_actions, exclude_actors] =
        [actions, actors].map(|list| list.iter().map(|text| (*text).to_owned()).collect());
    ActivityLogFilters { exclude_actions, exclude_actors, ..filters }
}

type Row = (i64, String, String, String, String, String, Option<String>, Option<String>, String);

/// A row, and its time.
struct Timed {
    row: Row,
    ts: DateTime<Utc>,
}

fn is_action(filter: &str, action: &str) -> bool {
    filter.strip_suffix('*').map_or(filter == action, |beginning| action.starts_with(beginning))
}

fn matches(filters: &ActivityLogFilters, Timed { row, ts }: &Timed) -> bool {
    let (_, _, category, action, severity, actor, entity_type, entity_id, message) = row;
    (filters.categories.is_empty() || filters.categories.iter().any(|any| any.as_str() == category))
        && !filters.exclude_categories.iter().any(|any| any.as_str() == category)
        && !filters.exclude_severities.iter().any(|any| any.as_str() == severity)
        && (filters.severities.is_empty() || filters.severities.iter().any(|any| any.as_str() == severity))
        && (filters.actions.is_empty() || filters.actions.iter().any(|any| is_action(any, action)))
        && !filters.exclude_actions.iter().any(|any| is_action(any, action))
        && (filters.actors.is_empty() || filters.actors.contains(actor))
        && !filters.exclude_actors.contains(actor)
        && filters.actor.as_ref().is_none_or(|name| name == actor)
        && filters.entity_type.as_ref().is_none_or(|name| Some(name) == entity_type.as_ref())
        && !entity_type.as_ref().is_some_and(|name| filters.exclude_entity_types.contains(name))
        && filters.entity_id.as_ref().is_none_or(|id| Some(id) == entity_id.as_ref())
        && filters.since.is_none_or(|since| since <= *ts)
        && filters.until.is_none_or(|until| *ts <= until)
        && filters
            .message_contains
            .as_ref()
            .is_none_or(|term| message.to_ascii_lowercase().contains(&term.to_ascii_lowercase()))
}

/// Every row, oldest first.
fn all_rows(conn: &mut SqliteConnection) -> TestResult<Vec<Timed>> {
    let columns = (
        stored::seq,
        stored::ts,
        stored::category,
        stored::action,
        stored::severity,
        stored::actor,
        stored::entity_type,
        stored::entity_id,
        stored::message,
    );
    let rows = stored::table.select(columns).order(stored::seq).load::<Row>(conn)?;
    rows.into_iter().map(|row| Ok(Timed { ts: at(&row.1)?, row })).collect()
}

/// Compares every way of reading, by every filter, with what looking at each row finds.
fn assert_all_found(conn: &mut SqliteConnection) -> TestResult {
    assert_found_by(conn, all_filters()?)
}

/// Compares by every third filter, which takes a third of the time.
fn assert_some_found(conn: &mut SqliteConnection, first: usize) -> TestResult {
    assert_found_by(conn, all_filters()?.into_iter().skip(first % 3).step_by(3).collect())
}

fn assert_found_by(conn: &mut SqliteConnection, all: Vec<ActivityLogFilters>) -> TestResult {
    let rows = all_rows(conn)?;
    for filters in all {
        let matching = rows.iter().filter(|row| matches(&filters, row)).collect::<Vec<_>>();
        let expected = matching.iter().map(|row| row.row.0).collect::<Vec<_>>();
        assert_found(conn, &filters, &expected)?;
        assert_counted(conn, &filters, &matching)?;
    }
    Ok(())
}

type Value = fn(&Row) -> Option<&str>;

/// Compares facets and a histogram with what looking at each row finds.
fn assert_counted(conn: &mut SqliteConnection, filters: &ActivityLogFilters, matching: &[&Timed]) -> TestResult {
    let mut log = ActivityLogRepository::new(conn);
    let columns: [(Facet, Value); 5] = [
        (Facet::Category, |row| Some(&row.2)),
        (Facet::Action, |row| Some(&row.3)),
        (Facet::Severity, |row| Some(&row.4)),
        (Facet::Actor, |row| Some(&row.5)),
        (Facet::EntityType, |row| row.6.as_deref()),
    ];
    // Two for each filter, which is slow otherwise.
    let first = matching.len() % columns.len();
    for (facet, value) in columns.into_iter().cycle().skip(first).take(2) {
        let mut frequencies = BTreeMap::new();
        for value in matching.iter().filter_map(|row| value(&row.row)) {
            *frequencies.entry(value).or_insert(0_u64) += 1;
        }
        let mut expected = frequencies.into_iter().collect::<Vec<_>>();
        expected.sort_by_key(|(_, entries)| Reverse(*entries));
        let facets = log.facets(filters, facet, 3)?;
        let found = facets.values.iter().map(|value| (value.value.as_str(), value.entries)).collect::<Vec<_>>();
        assert_eq!(found, expected.iter().take(3).copied().collect::<Vec<_>>(), "{facet:?} of {filters:?}");
        assert_eq!(facets.more, expected.len() > 3, "{facet:?} of {filters:?}");
    }
    let edges = equal_edges(at("1970-01-02T07:08:09Z")?, at("1970-02-10T00:00:00Z")?, 13)?;
    let histogram = log.histogram(filters, &edges)?.iter().map(|counts| counts.total()).collect::<Vec<_>>();
    let within = |(from, to)| matching.iter().filter(|row| row.ts >= from && row.ts < to).count() as u64;
    let expected = edges.iter().copied().zip(edges.iter().copied().skip(1)).map(within);
    assert_eq!(histogram, expected.collect::<Vec<_>>(), "histogram of {filters:?}");
    Ok(())
}

fn assert_found(conn: &mut SqliteConnection, filters: &ActivityLogFilters, expected: &[i64]) -> TestResult {
    let newest_first = expected.iter().rev().copied().collect::<Vec<_>>();
    let mut log = ActivityLogRepository::new(conn);

    let (mut paged, mut before_seq) = (Vec::new(), None);
    loop {
        let page = log.page(filters, before_seq, 3_000)?;
        paged.extend(seqs(&page.entries));
        before_seq = page.next_before_seq;
        if before_seq.is_none() {
            break;
        }
    }
    assert_eq!(paged, newest_first, "pages of {filters:?}");

    let middle = expected.get(expected.len() / 2).copied().unwrap_or_default();
    let older = newest_first.iter().copied().filter(|seq| *seq < middle).take(50).collect::<Vec<_>>();
    assert_eq!(seqs(&log.query(filters, Some(middle), 50)?), older, "before {middle}: {filters:?}");
    let newer = expected.iter().copied().filter(|seq| *seq > middle).take(2_500).collect::<Vec<_>>();
    assert_eq!(seqs(&log.query_after(filters, middle, 2_500)?), newer, "after {middle}: {filters:?}");

    let exported = log.iter_export(filters)?.map(|entry| Ok(entry?.seq)).collect::<TestResult<Vec<_>>>()?;
    assert_eq!(exported, expected, "export of {filters:?}");
    assert_eq!(log.count(filters)?, expected.len() as u64, "count of {filters:?}");
    assert_eq!(log.count_up_to(filters, 700)?, expected.len().min(700) as u64, "count up to 700 of {filters:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_way_of_reading_agrees_with_brute_force_after_any_change(
        changes in proptest::collection::vec(change(), 1..8),
        with_search in any::<bool>(),
        first in 0_usize..3,
    ) {
        let check = || -> TestResult {
            let mut conn = log_of_many_segments(with_search)?;
            for change in &changes {
                apply(&mut conn, change)?;
            }
            assert_some_found(&mut conn, first)
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn a_walk_over_many_segments_returns_every_matching_row_once() -> TestResult {
    let mut conn = log_of_many_segments(false)?;
    assert_all_found(&mut conn)
}

#[test]
fn a_row_moved_beyond_the_newest_is_found_there() -> TestResult {
    for (first, alias) in ["seq", "rowid", "oid", "_rowid_"].into_iter().enumerate() {
        let mut conn = log_of_many_segments(true)?;
        conn.batch_execute(&format!("UPDATE activity_log SET {alias} = 90000 WHERE seq = 7000"))?;
        ActivityLogRepository::new(&mut conn).record_all(&(0..5_000).map(recorded).collect::<Vec<_>>())?;
        assert_some_found(&mut conn, first)?;
        let moved = ActivityLogFilters { message_contains: Some("tick 7000".to_owned()), ..everything() };
        assert_eq!(seqs(&ActivityLogRepository::new(&mut conn).query(&moved, None, 9)?), [90_000], "{alias}");
    }
    Ok(())
}
