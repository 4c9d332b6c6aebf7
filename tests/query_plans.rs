//! Every index of the migrations serves the queries that its comment names: read off the plans that SQLite makes for
//! the very statements that the repository executes, with their binds.

mod support;

use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity};
use diesel::SqliteConnection;
use support::{TestResult, at, empty_log, everything, plan, record_numbered, statements};

type Read = fn(&mut ActivityLogRepository<'_>, &ActivityLogFilters) -> activity_log::Result<()>;

const FIRST_PAGE: Read = |log, filters| log.page(filters, None, 50).map(drop);
const LATER_PAGE: Read = |log, filters| log.page(filters, Some(500), 50).map(drop);
const FOLLOW: Read = |log, filters| log.query_after(filters, 500, 50).map(drop);
const COUNT: Read = |log, filters| log.count(filters).map(drop);

/// The plan of the last statement of a read, in a log with rows but without statistics.
fn plan_of(read: Read, filters: &ActivityLogFilters) -> TestResult<String> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let statements = statements(&mut conn, |log| read(log, filters))?;
    plan(&mut conn, statements.last().ok_or("nothing was executed")?)
}

/// An index whose rows come out in the order of the page: no sorting, so no more rows read than the page has.
fn assert_walks_in_order(filters: &ActivityLogFilters, index: &str, equality: &str) -> TestResult {
    let by_index = format!("SEARCH activity_log USING INDEX {index} ({equality}");
    assert_eq!(plan_of(FIRST_PAGE, filters)?, format!("{by_index})"));
    assert_eq!(plan_of(LATER_PAGE, filters)?, format!("{by_index} AND rowid<?)"));
    assert_eq!(plan_of(FOLLOW, filters)?, format!("{by_index} AND rowid>?)"));
    assert_eq!(plan_of(COUNT, filters)?, format!("SEARCH activity_log USING COVERING INDEX {index} ({equality})"));
    Ok(())
}

/// A list has SQLite collect the first rows of each value, which it calls a sort: so only the search is asserted.
fn assert_seeks_each_value(filters: &ActivityLogFilters, index: &str, equality: &str) -> TestResult {
    let by_index = format!("SEARCH activity_log USING INDEX {index} ({equality}");
    assert!(plan_of(FIRST_PAGE, filters)?.starts_with(&format!("{by_index})")));
    assert!(plan_of(LATER_PAGE, filters)?.starts_with(&format!("{by_index} AND rowid<?)")));
    assert!(plan_of(FOLLOW, filters)?.starts_with(&format!("{by_index} AND rowid>?)")));
    assert_eq!(plan_of(COUNT, filters)?, format!("SEARCH activity_log USING COVERING INDEX {index} ({equality})"));
    Ok(())
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
fn an_entity_type_alone_seeks_in_the_entity_index() -> TestResult {
    let filters = ActivityLogFilters { entity_type: Some("device".to_owned()), ..everything() };
    let seek = "SEARCH activity_log USING INDEX idx_activity_log_entity (entity_type=?)";
    assert!(plan_of(FIRST_PAGE, &filters)?.starts_with(seek));
    assert!(plan_of(LATER_PAGE, &filters)?.starts_with(seek));
    Ok(())
}

#[test]
fn a_time_window_seeks_in_the_time_index() -> TestResult {
    let window = ActivityLogFilters {
        since: Some(at("1970-01-01T01:00:00Z")?),
        until: Some(at("1970-01-01T02:00:00Z")?),
        ..everything()
    };
    let seek = "SEARCH activity_log USING INDEX idx_activity_log_ts (ts>? AND ts<?)";
    assert!(plan_of(FIRST_PAGE, &window)?.starts_with(seek));
    assert!(plan_of(LATER_PAGE, &window)?.starts_with(seek));
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
fn a_term_is_matched_by_like_unless_like_would_get_it_wrong() -> TestResult {
    let mut conn = empty_log()?;
    for (term, operator) in [("100%", " LIKE "), ("\u{FFFD}", "instr("), (&*"x".repeat(50_000), "instr(")] {
        let filters = ActivityLogFilters { message_contains: Some(term.to_owned()), ..everything() };
        let statements = statements(&mut conn, |log| log.count(&filters).map(drop))?;
        assert!(statements.iter().all(|statement| statement.sql.contains(operator)), "{statements:?}");
    }
    Ok(())
}

/// The plans of the statements of a prune that start and go on so.
fn prune_plans(conn: &mut SqliteConnection, start: &str, part: &str) -> TestResult<Vec<String>> {
    let before = at("1970-01-01T05:00:00Z")?;
    let statements = statements(conn, |log| log.prune(Some(before), Some(600)).map(drop))?;
    let wanted = |sql: &str| sql.starts_with(start) && sql.contains(part);
    statements.iter().filter(|statement| wanted(&statement.sql)).map(|statement| plan(conn, statement)).collect()
}

#[test]
fn prune_finds_what_is_old_in_the_time_index() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let counts = prune_plans(&mut conn, "SELECT COUNT(*)", "WHERE")?;
    assert_eq!(counts, ["SEARCH activity_log USING COVERING INDEX idx_activity_log_ts (ts<?)"]);

    record_numbered_again(&mut conn)?;
    let deletes = prune_plans(&mut conn, "DELETE", "ORDER BY `due_row`.`ts`")?;
    assert!(!deletes.is_empty());
    for delete in deletes {
        assert_eq!(
            delete,
            "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\n\
             SEARCH due_row USING COVERING INDEX idx_activity_log_ts (ts<?)"
        );
    }
    Ok(())
}

/// Entries as old as the first ones, recorded last, as by a clock that was set back.
fn record_numbered_again(conn: &mut SqliteConnection) -> TestResult {
    let entries = (1..=100).map(|number| support::numbered(number).id(format!("late_{number}"))).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

#[test]
fn prune_finds_its_cut_off_from_the_old_end() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let offsets = prune_plans(&mut conn, "SELECT", "IS NULL")?;
    assert_eq!(offsets, ["SCAN activity_log"]);

    record_numbered_more(&mut conn)?;
    let deletes = prune_plans(&mut conn, "DELETE", "ORDER BY `due_row`.`seq`")?;
    assert!(!deletes.is_empty());
    for delete in deletes {
        assert_eq!(
            delete,
            "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\n\
             SEARCH due_row USING INTEGER PRIMARY KEY (rowid<?)"
        );
    }
    Ok(())
}

fn record_numbered_more(conn: &mut SqliteConnection) -> TestResult {
    let entries = (1_001..=2_000).map(support::numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(conn).record_all(&entries)?;
    Ok(())
}

#[test]
fn a_prune_with_nothing_due_by_number_does_not_even_count() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let statements = statements(&mut conn, |log| log.prune(None, Some(1_000)).map(drop))?;
    assert!(statements.iter().all(|statement| !statement.sql.contains("COUNT")), "{statements:?}");
    Ok(())
}
