//! Every index of the migrations serves the queries that its comment names. The tests read the plans that SQLite makes
//! for the statements that the repository executes, with their binds.

use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity, NewActivityLogEntry};
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;

use crate::database::empty_log;
use crate::statements::{plan, statements};
use crate::support::{TestResult, at, everything, numbered, record_numbered};

pub(crate) type Read = fn(&mut ActivityLogRepository<'_>, &ActivityLogFilters) -> activity_log::Result<()>;

pub(crate) const FIRST_PAGE: Read = |log, filters| log.page(filters, None, 50).map(drop);
const LATER_PAGE: Read = |log, filters| log.page(filters, Some(500), 50).map(drop);
const FOLLOW: Read = |log, filters| log.query_after(filters, 500, 50).map(drop);
pub(crate) const COUNT: Read = |log, filters| log.count(filters).map(drop);

/// SQLite's knowledge of the values in the log when it makes a plan: the result of some earlier ANALYZE.
#[derive(Debug, Clone, Copy)]
enum Statistics {
    None,
    /// From rows that were all alike.
    Stale,
    Fresh,
}

const ALL_STATISTICS: [Statistics; 3] = [Statistics::None, Statistics::Stale, Statistics::Fresh];

/// A log with rows of many kinds.
fn log_with(statistics: Statistics) -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 200)?;
    if let Statistics::Stale = statistics {
        conn.batch_execute("ANALYZE")?;
    }
    let entries = (201..=1_000)
        .map(|number| NewActivityLogEntry {
            category: format!("area {}", number % 5).into(),
            severity: match number % 3 {
                0 => ActivitySeverity::Info,
                1 => ActivitySeverity::Warning,
                _ => ActivitySeverity::Error,
            },
            actor: format!("user {}", number % 50),
            entity_type: Some(format!("type {}", number % 3)),
            entity_id: Some(format!("id_{}", number % 100)),
            ..numbered(number)
        })
        .collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    if let Statistics::Fresh = statistics {
        conn.batch_execute("ANALYZE")?;
    }
    Ok(conn)
}

/// The plan of the last statement of a read. Its subqueries are sorted, because SQLite numbers them in any order.
fn plan_with(statistics: Statistics, read: Read, filters: &ActivityLogFilters) -> TestResult<String> {
    let mut conn = log_with(statistics)?;
    let statements = statements(&mut conn, |log| read(log, filters))?;
    let plan = plan(&mut conn, statements.last().ok_or("nothing was executed")?)?;
    let (outer, inner) = plan.split_once("\nSCALAR SUBQUERY").unwrap_or((&plan, ""));
    let mut inner = inner.lines().filter(|step| !step.contains("SUBQUERY")).skip(1).collect::<Vec<_>>();
    inner.sort_unstable();
    Ok([outer].into_iter().chain(inner).collect::<Vec<_>>().join("\n"))
}

/// The plan of the last statement of a read, which must not depend on the statistics.
pub(crate) fn plan_of(read: Read, filters: &ActivityLogFilters) -> TestResult<String> {
    let plan = plan_with(Statistics::None, read, filters)?;
    for statistics in [Statistics::Stale, Statistics::Fresh] {
        assert_eq!(plan_with(statistics, read, filters)?, plan, "with {statistics:?} statistics");
    }
    Ok(plan)
}

/// The index returns its rows in page order. Nothing is sorted, so SQLite reads no more rows than the page has.
pub(crate) fn assert_walks_in_order(filters: &ActivityLogFilters, index: &str, equality: &str) -> TestResult {
    let by_index = format!("SEARCH activity_log USING INDEX {index} ({equality}");
    assert_eq!(plan_of(FIRST_PAGE, filters)?, format!("{by_index})"));
    assert_eq!(plan_of(LATER_PAGE, filters)?, format!("{by_index} AND rowid<?)"));
    assert_eq!(plan_of(FOLLOW, filters)?, format!("{by_index} AND rowid>?)"));
    assert_counts_in(filters, index, equality)
}

/// SQLite counts in the index, or in one with the same leading columns, without reading a row.
fn assert_counts_in(filters: &ActivityLogFilters, index: &str, equality: &str) -> TestResult {
    for statistics in ALL_STATISTICS {
        let plan = plan_with(statistics, COUNT, filters)?;
        assert!(plan.starts_with(&format!("SEARCH activity_log USING COVERING INDEX {index}")), "{plan}");
        assert!(plan.ends_with(&format!("({equality})")), "{plan}");
    }
    Ok(())
}

/// For a list, SQLite collects the first rows of each value, which it calls a sort. So this asserts only the search, by
/// the index or by one with the same leading columns.
pub(crate) fn assert_seeks_each_value(filters: &ActivityLogFilters, index: &str, equality: &str) -> TestResult {
    for statistics in ALL_STATISTICS {
        for (read, range) in [(FIRST_PAGE, ")"), (LATER_PAGE, " AND rowid<?)"), (FOLLOW, " AND rowid>?)")] {
            let plan = plan_with(statistics, read, filters)?;
            let search = plan.lines().next().unwrap_or_default();
            assert!(search.starts_with(&format!("SEARCH activity_log USING INDEX {index}")), "{plan}");
            assert!(search.ends_with(&format!("({equality}{range}")), "{plan}");
        }
    }
    assert_counts_in(filters, index, equality)
}

#[test]
fn a_page_without_filters_walks_the_primary_key() -> TestResult {
    assert_eq!(plan_of(FIRST_PAGE, &everything())?, "SCAN activity_log");
    assert_eq!(plan_of(LATER_PAGE, &everything())?, "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid<?)");
    assert_eq!(plan_of(FOLLOW, &everything())?, "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid>?)");
    Ok(())
}

#[test]
fn an_export_seeks_to_where_its_last_batch_ended() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let statements =
        statements(&mut conn, |log| log.iter_export(&everything())?.try_for_each(|entry| entry.map(drop)))?;
    assert_eq!(
        plan(&mut conn, statements.last().ok_or("nothing was executed")?)?,
        "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    );
    Ok(())
}

#[test]
fn an_export_of_one_category_continues_in_its_index() -> TestResult {
    let filters = ActivityLogFilters { categories: vec!["system".into()], ..everything() };
    for (rows, statistics) in [(0, ""), (50, "ANALYZE"), (1_000, "ANALYZE")] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, rows)?;
        conn.batch_execute(statistics)?;
        let rest = (rows + 1..=1_000).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(&mut conn).record_all(&rest)?;
        let statements = statements(&mut conn, |log| log.iter_export(&filters)?.try_for_each(|entry| entry.map(drop)))?;
        assert_eq!(
            plan(&mut conn, statements.last().ok_or("nothing was executed")?)?,
            "SEARCH activity_log USING INDEX idx_activity_log_category (category=? AND rowid>? AND rowid<?)"
        );
    }
    Ok(())
}

#[test]
fn one_category_walks_its_index() -> TestResult {
    let filters = ActivityLogFilters { categories: vec!["auth".into()], ..everything() };
    assert_walks_in_order(&filters, "idx_activity_log_category", "category=?")
}

#[test]
fn several_categories_seek_each_in_the_index() -> TestResult {
    let filters = ActivityLogFilters { categories: vec!["auth".into(), "device".into()], ..everything() };
    assert_seeks_each_value(&filters, "idx_activity_log_category", "category=?")
}

#[test]
fn one_severity_walks_its_index() -> TestResult {
    let filters = ActivityLogFilters { severities: vec![ActivitySeverity::Error], ..everything() };
    assert_walks_in_order(&filters, "idx_activity_log_severity", "severity=?")
}

#[test]
fn several_severities_seek_each_in_the_index() -> TestResult {
    let severities = vec![ActivitySeverity::Warning, ActivitySeverity::Error];
    let filters = ActivityLogFilters { severities, ..everything() };
    assert_seeks_each_value(&filters, "idx_activity_log_severity", "severity=?")
}

#[test]
fn an_actor_walks_its_index() -> TestResult {
    let filters = ActivityLogFilters { actor: Some("alice".to_owned()), ..everything() };
    assert_walks_in_order(&filters, "idx_activity_log_actor", "actor=?")
}

#[test]
fn an_entity_walks_its_index() -> TestResult {
    let filters = ActivityLogFilters {
        entity_type: Some("device".to_owned()),
        entity_id: Some("dev_7".to_owned()),
        ..everything()
    };
    assert_walks_in_order(&filters, "idx_activity_log_entity", "entity_type=? AND entity_id=?")
}

#[test]
fn an_entity_type_alone_walks_its_index() -> TestResult {
    let filters = ActivityLogFilters { entity_type: Some("device".to_owned()), ..everything() };
    assert_walks_in_order(&filters, "idx_activity_log_entity_type", "entity_type=?")
}

#[test]
fn an_entity_id_alone_seeks_under_each_of_its_types() -> TestResult {
    let filters = ActivityLogFilters { entity_id: Some("id_7".to_owned()), ..everything() };
    for (read, range) in [(FIRST_PAGE, ")"), (LATER_PAGE, " AND rowid<?)"), (FOLLOW, " AND rowid>?)")] {
        for statistics in ALL_STATISTICS {
            let plan = plan_with(statistics, read, &filters)?;
            let seek = "SEARCH activity_log USING INDEX idx_activity_log_entity (entity_type=? AND entity_id=?";
            assert!(plan.starts_with(&format!("{seek}{range}")), "{plan}");
        }
    }
    Ok(())
}

#[test]
fn an_entity_id_seeks_with_and_without_a_type() -> TestResult {
    let filters = ActivityLogFilters { entity_id: Some("dev_7".to_owned()), ..everything() };
    for statistics in ALL_STATISTICS {
        let mut conn = log_with(statistics)?;
        let untyped = NewActivityLogEntry { entity_id: Some("dev_7".to_owned()), ..numbered(2_000) };
        ActivityLogRepository::new(&mut conn).record(&untyped)?;
        for read in [FIRST_PAGE, LATER_PAGE, FOLLOW, COUNT] {
            let statements = statements(&mut conn, |log| read(log, &filters))?;
            let plan = plan(&mut conn, statements.last().ok_or("nothing was executed")?)?;
            let searches = plan.lines().filter(|step| step.contains("activity_log ") && step.contains("entity_id=?"));
            assert!(searches.count() >= 1, "{plan}");
            assert!(!plan.contains("SCAN activity_log"), "{plan}");
        }
    }
    Ok(())
}

#[test]
fn an_entity_id_is_preferred_to_an_unselective_filter() -> TestResult {
    let filters = ActivityLogFilters {
        actor: Some("clock".to_owned()),
        categories: vec!["system".into()],
        entity_id: Some("id_7".to_owned()),
        ..everything()
    };
    for statistics in ALL_STATISTICS {
        let plan = plan_with(statistics, FIRST_PAGE, &filters)?;
        assert!(plan.contains("entity_id=?") && !plan.contains("actor=?") && !plan.contains("category=?"), "{plan}");
    }
    Ok(())
}

#[test]
fn categories_and_severities_walk_the_index_of_the_severity() -> TestResult {
    let of = |categories: &[&str], severities: &[ActivitySeverity]| ActivityLogFilters {
        categories: categories.iter().map(|name| (*name).into()).collect(),
        severities: severities.to_vec(),
        ..everything()
    };
    let seek = "SEARCH activity_log USING INDEX idx_activity_log_severity (severity=?";
    for filters in [
        of(&["capture"], &[ActivitySeverity::Error]),
        of(&["capture", "auth"], &[ActivitySeverity::Warning, ActivitySeverity::Error]),
    ] {
        for statistics in ALL_STATISTICS {
            for (read, range) in [(FIRST_PAGE, ")"), (LATER_PAGE, " AND rowid<?)"), (FOLLOW, " AND rowid>?)")] {
                let plan = plan_with(statistics, read, &filters)?;
                assert!(plan.starts_with(&format!("{seek}{range}")), "{plan}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_segments_of_a_category_with_errors_are_found_in_the_rollup_of_kinds() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let severities = vec![ActivitySeverity::Error];
    let filters = ActivityLogFilters { categories: vec!["auth".into()], severities, ..everything() };
    assert_finds_segments(
        &mut conn,
        &filters,
        "(first_seq=? AND level=? AND actor=? AND action=? AND category=? AND severity=?)",
    )
}

#[test]
fn an_actor_and_categories_walk_the_actors_index() -> TestResult {
    let filters = ActivityLogFilters {
        actor: Some("user 7".to_owned()),
        categories: vec!["capture".into(), "auth".into()],
        ..everything()
    };
    let seek = "SEARCH activity_log USING INDEX idx_activity_log_actor (actor=?";
    for statistics in ALL_STATISTICS {
        assert!(plan_with(statistics, FIRST_PAGE, &filters)?.starts_with(&format!("{seek})")));
        assert!(plan_with(statistics, LATER_PAGE, &filters)?.starts_with(&format!("{seek} AND rowid<?)")));
    }
    Ok(())
}

/// A log with segments, and a filter for an actor that has one of the two categories in only one segment.
pub(crate) fn log_with_segments() -> TestResult<(SqliteConnection, ActivityLogFilters)> {
    let mut conn = empty_log()?;
    let entries = (1..=13_000).map(|number| match number {
        5_000 => NewActivityLogEntry { actor: "user 7".into(), category: "auth".into(), ..numbered(number) },
        _ => NewActivityLogEntry { actor: format!("user {}", number % 50), ..numbered(number) },
    });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    let categories = vec!["capture".into(), "auth".into()];
    Ok((conn, ActivityLogFilters { actor: Some("user 7".to_owned()), categories, ..everything() }))
}

#[test]
fn an_actor_and_categories_seek_in_candidate_segments_and_unsummarized_rows() -> TestResult {
    let (mut conn, filters) = log_with_segments()?;
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        let statements = statements(&mut conn, |log| FIRST_PAGE(log, &filters))?;
        let reads = statements.iter().filter(|statement| statement.sql.contains("`message`")).collect::<Vec<_>>();
        for statement in &reads {
            let plan = plan(&mut conn, statement)?;
            let seek = "SEARCH activity_log USING INDEX idx_activity_log_actor (actor=? AND rowid>?";
            assert!(plan.starts_with(seek), "{plan}");
        }
        assert_eq!(reads.len(), 2);
    }
    Ok(())
}

/// The one statement that finds the candidate segments walks the segments in order and seeks in a rollup.
pub(crate) fn assert_finds_segments(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
    seek: &str,
) -> TestResult {
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        let statements = statements(conn, |log| FIRST_PAGE(log, filters))?;
        let finds = statements.iter().filter(|statement| statement.sql.contains("`has_null`")).collect::<Vec<_>>();
        assert!(!finds.is_empty());
        for statement in finds {
            let plan = plan(conn, statement)?;
            let walks = ["SCAN activity_log_segments", "SEARCH activity_log_segments USING INTEGER PRIMARY KEY"];
            assert!(walks.iter().any(|step| plan.starts_with(step)), "{plan}");
            assert!(plan.contains(seek), "{plan}");
            assert!(!plan.contains("ORDER BY"), "{plan}");
        }
    }
    Ok(())
}

#[test]
fn the_segments_of_an_actor_and_categories_are_found_in_the_rollup_of_actors() -> TestResult {
    let (mut conn, filters) = log_with_segments()?;
    assert_finds_segments(&mut conn, &filters, "PRIMARY KEY (first_seq=? AND level=? AND actor=?)")
}

#[test]
fn the_segments_of_a_category_with_info_are_found_in_the_rollup_of_kinds() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let severities = vec![ActivitySeverity::Info];
    let filters = ActivityLogFilters { categories: vec!["auth".into()], severities, ..everything() };
    assert_finds_segments(
        &mut conn,
        &filters,
        "(first_seq=? AND level=? AND actor=? AND action=? AND category=? AND severity=?)",
    )
}

#[test]
fn rare_errors_walk_the_index_of_the_severity() -> TestResult {
    let mut conn = empty_log()?;
    let entries = (1..=5_000).map(|number| {
        let severity = if number % 100 == 0 { ActivitySeverity::Error } else { ActivitySeverity::Info };
        NewActivityLogEntry { actor: format!("user {}", number % 50), severity, ..numbered(number) }
    });
    ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
    let filters = ActivityLogFilters { severities: vec![ActivitySeverity::Error], ..everything() };
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        let statements = statements(&mut conn, |log| FIRST_PAGE(log, &filters))?;
        let plan = plan(&mut conn, statements.last().ok_or("nothing was executed")?)?;
        assert_eq!(plan, "SEARCH activity_log USING INDEX idx_activity_log_severity (severity=?)");
    }
    Ok(())
}

#[test]
fn the_segments_of_an_actors_errors_are_found_in_the_rollup_of_actors() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let severities = vec![ActivitySeverity::Error];
    let filters = ActivityLogFilters { actor: Some("user 7".to_owned()), severities, ..everything() };
    assert_finds_segments(&mut conn, &filters, "PRIMARY KEY (first_seq=? AND level=? AND actor=?)")
}

#[test]
fn a_category_with_information_walks_the_index_of_the_category() -> TestResult {
    let severities = vec![ActivitySeverity::Info];
    let filters = ActivityLogFilters { categories: vec!["capture".into()], severities, ..everything() };
    let seek = "SEARCH activity_log USING INDEX idx_activity_log_category (category=?";
    assert_eq!(plan_of(FIRST_PAGE, &filters)?, format!("{seek})"));
    assert_eq!(plan_of(LATER_PAGE, &filters)?, format!("{seek} AND rowid<?)"));
    assert_eq!(plan_of(FOLLOW, &filters)?, format!("{seek} AND rowid>?)"));
    assert_eq!(plan_of(COUNT, &filters)?, format!("{seek})"));
    Ok(())
}

#[test]
fn a_count_by_kind_adds_up_the_rollup_and_counts_the_unsummarized_rows() -> TestResult {
    let categories = vec!["auth".into(), "system".into()];
    let severities = vec![ActivitySeverity::Error];
    for (filters, rows) in [
        (everything(), "INTEGER PRIMARY KEY (rowid>?)"),
        (ActivityLogFilters { categories: categories.clone(), ..everything() }, "(category=? AND rowid>?)"),
        (ActivityLogFilters { categories, severities, ..everything() }, "(severity=? AND rowid>?)"),
    ] {
        let (mut conn, _) = log_with_segments()?;
        for statistics in ["", "ANALYZE"] {
            conn.batch_execute(statistics)?;
            let statements = statements(&mut conn, |log| COUNT(log, &filters))?;
            let sum = statements
                .iter()
                .find(|statement| statement.sql.contains("sum("))
                .ok_or("no statement adds up the rollup")?;
            // SQLite scans whichever of the segments and the rollup it takes for the smaller, and seeks in the other.
            let plan_of_sum = plan(&mut conn, sum)?;
            let is_of_summary = |step: &str| step.contains(" activity_log_segment") || step.contains("LIST SUBQUERY");
            assert!(plan_of_sum.lines().all(is_of_summary), "{plan_of_sum}");
            assert_eq!(plan_of_sum.matches("SCAN").count(), 1, "{plan_of_sum}");
            let counts = statements.iter().filter(|statement| statement.sql.starts_with("SELECT COUNT(*)"));
            let [count] = counts.collect::<Vec<_>>()[..] else {
                return Err("more than one statement counts rows".into());
            };
            let plan = plan(&mut conn, count)?;
            assert!(plan.starts_with("SEARCH activity_log USING") && plan.ends_with(rows), "{plan}");
        }
    }
    Ok(())
}

/// A log with segments, and a time window within one segment.
fn log_with_window() -> TestResult<(SqliteConnection, ActivityLogFilters)> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 16_000)?;
    let since = Some(at("1970-01-02T12:00:00Z")?);
    Ok((conn, ActivityLogFilters { since, until: Some(at("1970-01-02T13:00:00Z")?), ..everything() }))
}

#[test]
fn a_time_window_walks_ranges_of_the_primary_key() -> TestResult {
    let (mut conn, window) = log_with_window()?;
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        for read in [FIRST_PAGE, |log, filters| log.page(filters, Some(3_000), 50).map(drop), FOLLOW] {
            let statements = statements(&mut conn, |log| read(log, &window))?;
            let reads = statements.iter().filter(|statement| statement.sql.contains("`message`")).collect::<Vec<_>>();
            assert!(!reads.is_empty());
            for statement in reads {
                let plan = plan(&mut conn, statement)?;
                assert!(plan.starts_with("SEARCH activity_log USING INTEGER PRIMARY KEY (rowid>?"), "{plan}");
                assert!(!plan.contains("ORDER BY"), "{plan}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_segments_of_a_time_window_are_found_in_the_zone_map_alone() -> TestResult {
    let (mut conn, window) = log_with_window()?;
    assert_finds_segments(&mut conn, &window, "activity_log_segments")
}

#[test]
fn a_category_within_a_time_window_walks_ranges_of_its_index() -> TestResult {
    let (mut conn, window) = log_with_window()?;
    let filters = ActivityLogFilters { categories: vec!["system".into()], ..window };
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        let statements = statements(&mut conn, |log| FIRST_PAGE(log, &filters))?;
        let last = plan(&mut conn, statements.last().ok_or("nothing was executed")?)?;
        let walk = "SEARCH activity_log USING INDEX idx_activity_log_category (category=? AND rowid>?";
        assert!(last.starts_with(walk), "{last}");
        assert!(!last.contains("ORDER BY"), "{last}");
    }
    Ok(())
}

#[test]
fn a_bounded_count_stops_at_its_limit() -> TestResult {
    let filters = ActivityLogFilters { actor: Some("user 7".to_owned()), ..everything() };
    assert_eq!(
        plan_of(|log, filters| log.count_up_to(filters, 10).map(drop), &filters)?,
        "CO-ROUTINE (subquery-1)\n\
         SEARCH activity_log USING COVERING INDEX idx_activity_log_actor (actor=?)\n\
         SCAN (subquery-1)"
    );
    Ok(())
}

#[test]
fn a_count_by_time_reads_the_time_index_alone() -> TestResult {
    let since = Some(at("1970-01-01T01:00:00Z")?);
    let until = Some(at("1970-01-01T02:00:00Z")?);
    let covering = "SEARCH activity_log USING COVERING INDEX idx_activity_log_ts";
    for (filters, range) in [
        (ActivityLogFilters { since, ..everything() }, "ts>?"),
        (ActivityLogFilters { until, ..everything() }, "ts<?"),
        (ActivityLogFilters { since, until, ..everything() }, "ts>? AND ts<?"),
    ] {
        assert_eq!(plan_of(COUNT, &filters)?, format!("{covering} ({range})"));
    }
    Ok(())
}

#[test]
fn a_term_is_matched_by_like_unless_like_is_wrong_for_it() -> TestResult {
    let mut conn = empty_log()?;
    for (term, operator) in [("100%", " LIKE "), ("\u{FFFD}", "instr("), (&*"x".repeat(50_000), "instr(")] {
        let filters = ActivityLogFilters { message_contains: Some(term.to_owned()), ..everything() };
        let statements = statements(&mut conn, |log| log.count(&filters).map(drop))?;
        assert!(statements.last().is_some_and(|count| count.sql.contains(operator)), "{statements:?}");
    }
    Ok(())
}

/// The plans of the statements of a prune that start with `start` and contain `part`.
fn prune_plans(conn: &mut SqliteConnection, start: &str, part: &str) -> TestResult<Vec<String>> {
    let before = at("1970-01-01T05:00:00Z")?;
    let statements = statements(conn, |log| log.prune(Some(before), Some(600)).map(drop))?;
    let wanted = |sql: &str| sql.starts_with(start) && sql.contains(part);
    statements.iter().filter(|statement| wanted(&statement.sql)).map(|statement| plan(conn, statement)).collect()
}

#[test]
fn prune_finds_old_rows_in_the_time_index() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let counts = prune_plans(&mut conn, "SELECT COUNT(*)", "`ts` <")?;
    assert!(!counts.is_empty());
    for count in counts {
        assert_eq!(count, "SEARCH activity_log USING COVERING INDEX idx_activity_log_ts (ts<?)");
    }

    // More than one batch, so that the second begins where the first ended.
    record_old_entries(&mut conn)?;
    conn.batch_execute("ANALYZE")?;
    let in_index = |range| format!("SEARCH activity_log USING COVERING INDEX idx_activity_log_ts ({range})");
    let deletes = prune_plans(&mut conn, "DELETE", "`ts` <")?;
    assert!(!deletes.is_empty());
    for delete in deletes {
        let seek = "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\n";
        let ranges = ["ts<?", "ts>? AND ts<?"].map(|range| format!("{seek}{}", in_index(range)));
        assert!(ranges.contains(&delete), "{delete}");
    }

    record_old_entries(&mut conn)?;
    let ends = prune_plans(&mut conn, "SELECT CAST", "`ts` <")?;
    assert!(ends.len() > 1);
    assert!(ends.iter().all(|end| end.starts_with("SEARCH") && !end.contains("TEMP B-TREE")), "{ends:?}");
    Ok(())
}

/// Records entries last that are as old as the first ones, as if the clock had been set back.
fn record_old_entries(conn: &mut SqliteConnection) -> TestResult {
    let entries = (1..=600)
        .map(|number| numbered(number % 250).id(NewActivityLogEntry::new("a", "b", "c", "d").id))
        .collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

#[test]
fn prune_finds_its_cutoff_from_the_oldest_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let offsets = prune_plans(&mut conn, "SELECT", "IS NULL")?;
    assert_eq!(offsets, ["SCAN activity_log"]);

    record_numbered_more(&mut conn)?;
    let deletes = prune_plans(&mut conn, "DELETE", "`seq` <=")?;
    assert!(!deletes.is_empty());
    for delete in deletes {
        let ranges = ["rowid<?", "rowid>? AND rowid<?"].map(|range| {
            format!(
                "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\n\
                 SEARCH activity_log USING INTEGER PRIMARY KEY ({range})"
            )
        });
        assert!(ranges.contains(&delete), "{delete}");
    }
    Ok(())
}

fn record_numbered_more(conn: &mut SqliteConnection) -> TestResult {
    let entries = (1_001..=2_000).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

#[test]
fn a_prune_with_nothing_due_by_count_does_not_count_the_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let statements = statements(&mut conn, |log| log.prune(None, Some(1_000)).map(drop))?;
    assert!(statements.iter().all(|statement| !statement.sql.contains("COUNT")), "{statements:?}");
    Ok(())
}

#[test]
fn stale_segments_are_found_in_their_partial_index() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    conn.batch_execute("UPDATE activity_log SET category = 'auth' WHERE seq % 7 = 1")?;
    let more = (20_000..25_000).map(numbered).collect::<Vec<_>>();
    let (first, second) = more.split_at(4_900);
    let statements = statements(&mut conn, |log| {
        log.record_all(first)?;
        log.record_all(second).map(drop)
    })?;
    let finds =
        |statement: &&crate::statements::Statement| statement.sql.contains("WHERE `activity_log_segments`.`stale`");
    let statement = statements.iter().find(finds).ok_or("no stale segments were looked for")?;
    let plan = plan(&mut conn, statement)?;
    assert!(plan.contains("idx_activity_log_segments_stale"), "{plan}");
    Ok(())
}
