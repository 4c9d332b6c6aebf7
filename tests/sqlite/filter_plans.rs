//! The index and the rollups serve filters by action and actors, facets and histograms, whatever SQLite's statistics say.

use activity_log::histogram::equal_edges;
use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity, Facet};
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;

use crate::kinds::category;
use crate::query_plans::{assert_finds_segments, assert_seeks_each_value, assert_walks_in_order, log_with_segments};
use crate::statements::{plan, statements};
use crate::support::{TestResult, at, everything, numbered};

fn actions(actions: &[&str], filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { actions: actions.iter().map(|action| (*action).to_owned()).collect(), ..filters }
}

/// The plans of all statements of `run`, with no and with fresh statistics.
fn plans(
    conn: &mut SqliteConnection,
    run: impl Fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult<Vec<(String, String)>> {
    let mut plans = Vec::new();
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        for statement in statements(conn, &run)? {
            plans.push((statement.sql.clone(), plan(conn, &statement)?));
        }
    }
    Ok(plans)
}

#[test]
fn one_action_walks_its_index() -> TestResult {
    assert_walks_in_order(&actions(&["test.act"], everything()), "idx_activity_log_action", "action=?")
}

#[test]
fn members_of_metadata_are_tested_on_the_rows_that_another_filter_finds() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let metadata = numbered(1).metadata_value("on", true).metadata;
    for (filters, search) in [
        (ActivityLogFilters { metadata: metadata.clone(), ..everything() }, "SCAN activity_log"),
        (
            ActivityLogFilters { metadata: metadata.clone(), actor: Some("user 1".to_owned()), ..everything() },
            "SEARCH activity_log USING INDEX idx_activity_log_actor (actor=?)",
        ),
        (
            ActivityLogFilters { metadata: metadata.clone(), ..actions(&["test.act"], everything()) },
            "SEARCH activity_log USING INDEX idx_activity_log_action (action=?)",
        ),
    ] {
        let plans = plans(&mut conn, |log| log.page(&filters, None, 50).map(drop))?;
        let pages = plans.iter().filter(|(sql, _)| sql.contains("instr(")).collect::<Vec<_>>();
        assert!(!pages.is_empty(), "{plans:?}");
        for (_, plan) in pages {
            assert!(plan.starts_with(search) && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
    Ok(())
}

#[test]
fn several_actions_seek_each_in_the_index() -> TestResult {
    assert_seeks_each_value(&actions(&["a", "test.act"], everything()), "idx_activity_log_action", "action=?")
}

#[test]
fn several_actors_seek_each_in_the_index() -> TestResult {
    let actors = vec!["user 1".to_owned(), "user 2".to_owned()];
    assert_seeks_each_value(&ActivityLogFilters { actors, ..everything() }, "idx_activity_log_actor", "actor=?")
}

#[test]
fn the_actions_with_a_beginning_are_found_by_steps_in_the_index_and_sought_by_name() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let filters = actions(&["test.*"], everything());
    let plans = plans(&mut conn, |log| log.page(&filters, None, 50).map(drop))?;
    let steps = plans.iter().filter(|(sql, _)| sql.contains("RECURSIVE")).collect::<Vec<_>>();
    assert_eq!(steps.len(), 2);
    for (_, plan) in steps {
        assert_eq!(
            plan.matches("SEARCH activity_log USING COVERING INDEX idx_activity_log_action").count(),
            2,
            "{plan}"
        );
        assert!(!plan.contains("SCAN activity_log"), "{plan}");
    }
    for (_, plan) in plans.iter().filter(|(sql, _)| sql.contains("`message`")) {
        assert!(plan.starts_with("SEARCH activity_log USING INDEX idx_activity_log_action (action=?"), "{plan}");
    }
    Ok(())
}

#[test]
fn the_segments_of_filters_that_meet_seldom_or_exclude_much_are_found_in_the_rollups() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let everybody = (0..50).map(|number| format!("user {number}")).collect();
    let by_action = "(first_seq=? AND level=? AND actor=? AND action=?";
    let by_actor = "(first_seq=? AND level=? AND actor=?";
    for (filters, seek) in [
        (actions(&["test.act"], category("auth")), by_action),
        (actions(&["test.act"], ActivityLogFilters { entity_type: Some("x".to_owned()), ..everything() }), by_action),
        (
            actions(&["test.act"], ActivityLogFilters { severities: vec![ActivitySeverity::Error], ..everything() }),
            by_action,
        ),
        (actions(&["test.act"], ActivityLogFilters { actor: Some("user 7".to_owned()), ..everything() }), by_actor),
        (ActivityLogFilters { exclude_actions: texts(&["tick"]), ..everything() }, by_actor),
        (
            ActivityLogFilters { exclude_categories: vec![numbered(1).category], ..everything() },
            "(first_seq=? AND level=?",
        ),
        (ActivityLogFilters { exclude_entity_types: texts(&["lamp"]), ..category("auth") }, by_actor),
        (ActivityLogFilters { exclude_actors: everybody, ..everything() }, "(first_seq=? AND level=?"),
        (ActivityLogFilters { entity_type: Some("x".to_owned()), ..category("auth") }, by_actor),
    ] {
        assert_finds_segments(&mut conn, &filters, seek)?;
    }
    Ok(())
}

/// No statement looks at a row of the log before the unsummarized ones.
fn assert_adds_up(plans: &[(String, String)]) {
    assert!(plans.iter().any(|(sql, _)| sql.contains("sum(entries)")));
    for (sql, plan) in plans {
        if sql.contains("sum(entries)") {
            assert!(plan.contains("SEARCH activity_log_segment_rollups USING PRIMARY KEY (first_seq=?"), "{plan}");
        }
        let looks_at_rows = plan.contains(" activity_log USING") || plan.contains(" activity_log\n");
        let is_end = sql.contains("max(`activity_log`") || sql.contains("min(`activity_log`");
        if looks_at_rows && !is_end {
            let seeks = ["rowid>?", "COVERING INDEX"];
            assert!(seeks.iter().any(|seek| plan.contains(seek)), "{sql}: {plan}");
        }
    }
}

#[test]
fn facets_add_up_the_rollups() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    for facet in [Facet::Category, Facet::Severity, Facet::Action, Facet::Actor, Facet::EntityType] {
        for filters in [everything(), category("auth"), actions(&["test.act"], everything())] {
            assert_adds_up(&plans(&mut conn, |log| log.facets(&filters, facet, 10).map(drop))?);
        }
    }
    Ok(())
}

#[test]
fn a_histogram_adds_up_the_rollups() -> TestResult {
    let (mut conn, _) = log_with_segments()?;
    let edges = equal_edges(at("2020-01-01T00:00:00Z")?, at("2030-01-01T00:00:00Z")?, 10)?;
    for filters in [everything(), category("auth")] {
        assert_adds_up(&plans(&mut conn, |log| log.histogram(&filters, &edges).map(drop))?);
    }
    Ok(())
}
