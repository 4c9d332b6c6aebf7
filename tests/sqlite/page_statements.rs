//! What a page and a lookup cost: how many statements, and that these seek.

use activity_log::ActivityLogRepository;

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
