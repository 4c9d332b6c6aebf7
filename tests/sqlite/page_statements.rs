//! What a page and a lookup cost: how many statements, and that these seek.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use activity_log::{ActivityLogFilters, ActivityLogRepository};
use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use serde_json::Value;

use crate::database::empty_log;
use crate::statements::{plan, statements};
use crate::support::{TestResult, everything, numbered, record_numbered};

type Read = fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>;

/// The plans of the statements that a read executes in a log of 1,000 rows.
fn plans(read: Read) -> TestResult<Vec<String>> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_000)?;
    let statements = statements(&mut conn, read)?;
    statements.iter().map(|statement| plan(&mut conn, statement)).collect()
}

#[test]
fn the_newest_page_is_one_statement() -> TestResult {
    assert_eq!(plans(|log| log.page(&everything(), None, 50).map(drop))?, ["SCAN activity_log"]);
    Ok(())
}

#[test]
fn a_page_at_a_cursor_looks_at_one_row_on_the_side_it_does_not_read() -> TestResult {
    let newer = "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid>?)";
    let older = "SEARCH activity_log USING INTEGER PRIMARY KEY (rowid<?)";
    assert_eq!(plans(|log| log.page(&everything(), Some(500), 50).map(drop))?, [newer, older]);
    assert_eq!(plans(|log| log.page_after(&everything(), 500, 50).map(drop))?, [older, newer]);
    Ok(())
}

#[test]
fn a_lookup_seeks_in_the_unique_index_of_the_ids() -> TestResult {
    let plans = plans(|log| log.get(&numbered(700).id).map(drop))?;
    assert_eq!(plans, ["SEARCH activity_log USING INDEX sqlite_autoindex_activity_log_1 (id=?)"]);
    Ok(())
}

#[test]
fn diesel_keeps_no_statement_for_each_combination_of_members() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 10)?;
    let kept = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&kept);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut read = |members: usize, texts: usize| {
        let value = |number| if number < texts { "text".into() } else { Value::from(1) };
        let metadata = (0..members).map(|number| (number.to_string(), value(number))).collect();
        ActivityLogRepository::new(&mut conn).page(&ActivityLogFilters { metadata, ..everything() }, None, 50)
    };
    read(1, 1)?;
    let before = kept.load(Ordering::Relaxed);
    for members in 1..=10 {
        for texts in 0..=members {
            read(members, texts)?;
        }
    }
    assert_eq!(kept.load(Ordering::Relaxed), before);
    Ok(())
}
