//! Each page reads one index, and no more of it than the page has, whatever the statistics say: in generic plans and in plans
//! for the values at hand.

use activity_log::ActivitySeverity::{Error, Info, Warning};
use activity_log::postgres::ActivityLogRepository;
use activity_log::{ActivityLogFilters, ActivitySeverity};
use chrono::DateTime;
use diesel::connection::SimpleConnection;

use crate::database::{Connection, empty_log};
use crate::statements::{plan, statements};
use crate::support::TestResult;

const PAGE: u32 = 50;
/// What one search returns for a page: a row more, rounded up.
const SEARCHED: u64 = 56;
/// How many rows are looked through before anything is looked up, and how many a beginning of actions with few has at most.
const NEAREST: u64 = 2_048;
const FEW: u64 = 65;
/// What one statement looks at to find the blocks of a time window.
const BLOCKS: u64 = 1_024;

/// How each state of the statistics is reached from the one before.
pub(crate) const STATES: [(&str, &str); 3] = [
    ("stale", "SELECT"),
    (
        "none",
        "DELETE FROM pg_statistic WHERE starelid = 'activity_log'::regclass \
            OR starelid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'activity_log'::regclass); \
        UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'activity_log'::regclass",
    ),
    ("fresh", "ANALYZE activity_log"),
];

/// A log of three blocks, analyzed when it had a thousand rows of one category. They were all of entities, and each value was
/// in about as many rows as a page has.
fn log_with_stale_statistics() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = false)")?;
    insert(&mut conn, "generate_series(1, 1000)", "'system'")?;
    conn.batch_execute("ANALYZE activity_log")?;
    let category = "CASE WHEN n % 2000 = 3 THEN 'billing' ELSE (ARRAY['device', 'capture', 'entity'])[n % 3 + 1] END";
    insert(&mut conn, "generate_series(1001, 40000)", category)?;
    Ok(conn)
}

fn insert(conn: &mut Connection, numbers: &str, category: &str) -> TestResult {
    Ok(conn.batch_execute(&format!(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id, message, metadata) \
         SELECT 'id ' || n, timestamptz '2020-01-01Z' + n * interval '1 minute', {category}, {category} || '.changed', \
             CASE WHEN n % 50 = 0 THEN 'error' WHEN n % 10 = 0 THEN 'warning' ELSE 'info' END, 'user_' || n % 20, \
             CASE WHEN n <= 1000 OR n % 4 > 0 THEN 'type_' || n % 3 END, (n % 20)::text, 'Entry ' || n, '{{\"on\":true}}' \
         FROM {numbers} AS n"
    ))?)
}

fn all() -> ActivityLogFilters {
    ActivityLogFilters::default()
}

/// Tests on the rows, which all pass, but which the planner takes for rare.
fn tested(filters: ActivityLogFilters) -> ActivityLogFilters {
    let metadata = [("on".to_owned(), true.into())].into_iter().collect();
    ActivityLogFilters { message_contains: Some("entry".to_owned()), metadata, ..filters }
}

fn severities<const N: usize>(severities: [ActivitySeverity; N]) -> ActivityLogFilters {
    ActivityLogFilters { severities: severities.to_vec(), ..all() }
}

fn category(name: &str) -> ActivityLogFilters {
    ActivityLogFilters { categories: vec![name.into()], ..all() }
}

fn actions<const N: usize>(names: [&str; N]) -> ActivityLogFilters {
    ActivityLogFilters { actions: names.map(ToOwned::to_owned).to_vec(), ..all() }
}

fn actor(name: &str) -> ActivityLogFilters {
    ActivityLogFilters { actor: Some(name.to_owned()), ..all() }
}

/// Fails if a plan of a statement that `run` executes reads the log otherwise than in `index`, or if a step of a plan has
/// more than `most` rows, in any state of the statistics. Other indexes are `allowed` to look something up.
fn assert_reads_only(
    index: &str,
    allowed: &[&str],
    most: u64,
    run: impl Fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult {
    let mut conn = log_with_stale_statistics()?;
    for (state, reach) in STATES {
        conn.batch_execute(reach)?;
        let statements = statements(&mut conn, &run)?;
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let mut is_used = false;
            for statement in &statements {
                let plan = plan(&mut conn, statement, mode)?;
                let context = format!("{state}, {mode}: {}\n{plan}", statement.sql);
                is_used |= plan.contains(&format!("using {index} "));
                for line in plan.lines() {
                    let names = std::iter::once(&index).chain(allowed);
                    assert!(!line.contains("Seq Scan on activity_log"), "{context}");
                    assert!(!line.contains("Bitmap"), "{context}");
                    assert!(!line.contains("JIT"), "{context}");
                    assert!(
                        !line.contains(" using ")
                            || names.into_iter().any(|name| line.contains(&format!("using {name} "))),
                        "another index, {context}"
                    );
                    // Other tests hold any number of locks.
                    let is_of_locks = statement.sql.contains("pg_locks");
                    let is_few = is_of_locks || rows(line).is_none_or(|rows| rows <= most);
                    assert!(is_few, "more than {most} rows, {context}");
                }
            }
            assert!(is_used, "{state}, {mode}: {index} is not used by {statements:#?}");
        }
    }
    Ok(())
}

/// How many rows a step of a plan has passed on or removed.
pub(crate) fn rows(line: &str) -> Option<u64> {
    let number = |after: &str| {
        let (_, rest) = line.split_once(after)?;
        rest.split(|character: char| !character.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    match number("actual rows=") {
        Some(rows) => Some(rows * number(" loops=")?),
        None => number("Rows Removed by Filter: "),
    }
}

fn assert_page_reads(index: &str, searches: u64, filters: ActivityLogFilters) -> TestResult {
    for filters in [filters.clone(), tested(filters)] {
        assert_reads_only(index, &[], searches * SEARCHED, |log| {
            log.page(&filters, None, PAGE)?;
            log.page(&filters, Some(39_000), PAGE).map(drop)
        })?;
    }
    Ok(())
}

/// Like [`assert_page_reads`], for filters that are looked up only if the nearest rows do not fill the page.
fn assert_page_begins_near(index: &str, most: u64, searches: u64, filters: &ActivityLogFilters) -> TestResult {
    let page = |filters: &ActivityLogFilters, log: &mut ActivityLogRepository<'_>| {
        log.page(filters, None, PAGE)?;
        log.page(filters, Some(39_000), PAGE).map(drop)
    };
    assert_reads_only(index, &["activity_log_seq"], most, |log| page(filters, log))?;
    let filters = tested(filters.clone());
    assert_reads_only(index, &[], searches * SEARCHED, |log| page(&filters, log))
}

#[test]
fn a_page_without_filters_reads_the_index_on_seq() -> TestResult {
    assert_page_reads("activity_log_seq", 1, all())
}

#[test]
fn a_page_of_an_actor_reads_the_index_on_actors() -> TestResult {
    assert_page_reads("activity_log_actor", 1, actor("user_7"))
}

#[test]
fn a_page_of_an_action_reads_the_index_on_actions() -> TestResult {
    assert_page_reads("activity_log_action", 1, actions(["device.changed"]))
}

#[test]
fn a_page_of_a_beginning_of_actions_reads_the_index_on_actions() -> TestResult {
    assert_page_begins_near("activity_log_action", 3 * SEARCHED, 1, &actions(["device.*"]))
}

#[test]
fn a_page_of_a_beginning_of_actions_with_few_rows_reads_no_others() -> TestResult {
    assert_page_begins_near("activity_log_action", FEW, 1, &actions(["billing.*"]))
}

#[test]
fn a_page_of_a_beginning_of_actions_without_rows_among_the_nearest_reads_no_more_of_these() -> TestResult {
    // The oldest thousand rows.
    assert_page_begins_near("activity_log_action", NEAREST, 1, &actions(["system.*"]))
}

#[test]
fn a_page_of_a_category_reads_the_index_on_kinds() -> TestResult {
    assert_page_reads("activity_log_kind", 3, category("capture"))
}

#[test]
fn a_page_of_errors_of_a_category_reads_the_index_on_kinds() -> TestResult {
    assert_page_reads("activity_log_kind", 1, ActivityLogFilters { severities: vec![Error], ..category("device") })
}

#[test]
fn a_page_of_information_reads_the_nearest_rows() -> TestResult {
    assert_reads_only("activity_log_seq", &[], 2 * SEARCHED, |log| log.page(&severities([Info]), None, PAGE).map(drop))
}

#[test]
fn a_page_of_information_reads_the_index_on_kinds() -> TestResult {
    let filters = tested(severities([Info]));
    assert_reads_only("activity_log_kind", &[], 5 * SEARCHED, |log| log.page(&filters, Some(39_000), PAGE).map(drop))
}

#[test]
fn a_page_of_warnings_and_errors_reads_the_index_on_alarms() -> TestResult {
    assert_page_reads("activity_log_alarm", 2, severities([Warning, Error]))
}

#[test]
fn a_page_of_errors_of_an_actor_reads_their_index() -> TestResult {
    let errors = ActivityLogFilters { severities: vec![Error], ..actor("user_10") };
    assert_page_reads("activity_log_actor_alarm", 1, errors)
}

#[test]
fn a_page_of_errors_of_an_action_reads_their_index() -> TestResult {
    let errors = ActivityLogFilters { severities: vec![Error], ..actions(["device.changed"]) };
    assert_page_reads("activity_log_action_alarm", 1, errors)
}

#[test]
fn a_page_of_an_entity_type_reads_the_index_on_entity_types() -> TestResult {
    let devices = ActivityLogFilters { entity_type: Some("type_1".to_owned()), ..all() };
    assert_page_reads("activity_log_entity_type", 1, devices)
}

#[test]
fn a_page_of_an_entity_reads_the_index_on_entities() -> TestResult {
    let entity =
        ActivityLogFilters { entity_type: Some("type_1".to_owned()), entity_id: Some("7".to_owned()), ..all() };
    assert_page_reads("activity_log_entity", 1, entity)
}

/// Four types, one of which is that of entities without a type.
#[test]
fn a_page_of_an_entity_id_reads_the_index_on_entities() -> TestResult {
    assert_page_reads("activity_log_entity", 4, ActivityLogFilters { entity_id: Some("8".to_owned()), ..all() })
}

#[test]
fn a_page_of_more_actors_than_a_union_has_reads_the_index_on_actors() -> TestResult {
    let actors = (0..40).map(|number| format!("user_{number}")).collect();
    assert_page_reads("activity_log_actor", 20, ActivityLogFilters { actors, ..all() })
}

#[test]
fn a_page_that_excludes_nearly_all_actions_reads_the_index_on_actions() -> TestResult {
    let exclude_actions = ["device", "capture", "entity", "system"].map(|name| format!("{name}.changed")).to_vec();
    assert_page_begins_near("activity_log_action", NEAREST, 1, &ActivityLogFilters { exclude_actions, ..all() })
}

#[test]
fn a_page_that_excludes_nearly_all_categories_reads_the_index_on_categories() -> TestResult {
    let exclude_categories = ["device", "capture", "entity", "system"].map(Into::into).to_vec();
    assert_page_begins_near("activity_log_kind", NEAREST, 1, &ActivityLogFilters { exclude_categories, ..all() })
}

/// Five kinds: the device entries of an actor with two types and without one, of which some have other severities.
#[test]
fn a_page_of_an_actor_and_a_category_reads_the_combined_index() -> TestResult {
    let filters = ActivityLogFilters { actor: Some("user_7".to_owned()), ..category("device") };
    assert_page_reads("activity_log_actor_combined", 3, filters)
}

#[test]
fn a_page_of_a_category_without_some_entity_types_reads_the_combined_index() -> TestResult {
    let exclude_entity_types = ["type_0", "type_1"].map(ToOwned::to_owned).to_vec();
    let filters = ActivityLogFilters { exclude_entity_types, ..category("device") };
    assert_page_reads("activity_log_combined", 6, filters)
}

#[test]
fn a_page_of_an_action_and_an_entity_type_reads_the_combined_index() -> TestResult {
    let filters = ActivityLogFilters { entity_type: Some("type_1".to_owned()), ..actions(["capture.changed"]) };
    assert_page_reads("activity_log_combined", 3, filters)
}

#[test]
fn a_page_of_many_kinds_of_an_actor_reads_the_combined_index() -> TestResult {
    let actors = (0..20).map(|number| format!("user_{number}")).collect();
    let filters = ActivityLogFilters { actors, ..category("entity") };
    assert_page_reads("activity_log_actor_combined", 100, filters)
}

fn assert_finds_no_kind(index: &str, filters: ActivityLogFilters) -> TestResult {
    assert_reads_only(index, &[], 20, |log| log.page(&filters, None, PAGE).map(drop))
}

#[test]
fn filters_that_never_match_together_with_an_actor_take_some_steps_in_the_combined_index() -> TestResult {
    let of_user = |filters| ActivityLogFilters { actor: Some("user_7".to_owned()), ..filters };
    for filters in [
        category("auth"),
        actions(["auth.changed"]),
        actions(["auth.*"]),
        ActivityLogFilters { entity_type: Some("type_9".to_owned()), ..all() },
        ActivityLogFilters { entity_type: Some("type_9".to_owned()), ..category("device") },
        ActivityLogFilters { severities: vec![Error], ..category("device") },
        ActivityLogFilters { exclude_actions: vec!["device.*".to_owned()], ..category("device") },
    ] {
        assert_finds_no_kind("activity_log_actor_combined", of_user(filters))?;
    }
    Ok(())
}

#[test]
fn filters_that_never_match_together_take_some_steps_in_the_combined_index() -> TestResult {
    for filters in [
        ActivityLogFilters { categories: vec!["auth".into()], ..actions(["device.changed"]) },
        ActivityLogFilters { entity_type: Some("type_9".to_owned()), ..actions(["device.*"]) },
        ActivityLogFilters { entity_type: Some("type_9".to_owned()), ..category("device") },
        ActivityLogFilters { entity_type: Some("type_9".to_owned()), ..severities([Error]) },
        ActivityLogFilters { exclude_actions: vec!["device.changed".to_owned()], ..category("device") },
    ] {
        assert_finds_no_kind("activity_log_combined", filters)?;
    }
    Ok(())
}

#[test]
fn counting_several_kinds_up_to_a_limit_reads_no_more_than_the_limit() -> TestResult {
    let filters = ActivityLogFilters { actor: Some("user_7".to_owned()), ..category("device") };
    assert_reads_only("activity_log_actor_combined", &[], 128, |log| log.count_up_to(&filters, 100).map(drop))
}

#[test]
fn counting_up_to_a_limit_reads_no_more_than_the_next_power_of_two() -> TestResult {
    let filters = tested(actor("user_7"));
    assert_reads_only("activity_log_actor", &[], 128, |log| log.count_up_to(&filters, 100).map(drop))
}

#[test]
fn following_reads_the_index_on_seq() -> TestResult {
    let filters = tested(all());
    assert_reads_only("activity_log_seq", &[], SEARCHED, |log| log.query_after(&filters, 20_000, PAGE).map(drop))
}

/// The window ends in the first block, which has far fewer rows in it than not.
#[test]
fn a_page_of_a_time_window_looks_at_its_blocks() -> TestResult {
    let minute = |minute: i64| DateTime::from_timestamp(1_577_836_800 + 60 * minute, 0);
    let window = ActivityLogFilters { since: minute(16_000), until: minute(16_300), ..all() };
    for filters in [window.clone(), tested(window)] {
        assert_reads_only("activity_log_time", &["activity_log_seq"], BLOCKS, |log| {
            log.page(&filters, None, PAGE).map(drop)
        })?;
    }
    Ok(())
}
