//! Summarizing gets on and comes to an end, whatever the database is used for besides.

use activity_log::postgres::{enable_rollups, summarize};
use diesel::connection::SimpleConnection;

use crate::database::SharedLog;
use crate::rollups::{BLOCK, assert_agrees_here_and_there, insert, log_with_rollups, settled_blocks};
use crate::support::TestResult;

#[test]
fn what_an_interrupted_call_leaves_is_summarized_by_the_next_one() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other) = (log.connect()?, log.connect()?);
    enable_rollups(&mut conn)?;
    insert(&mut conn, &format!("generate_series(1, {})", 2 * BLOCK + 3_000), "", "")?;
    other.batch_execute("BEGIN; LOCK TABLE activity_log_rollups IN ACCESS EXCLUSIVE MODE")?;
    assert!(summarize(&mut conn).is_err());
    other.batch_execute("ROLLBACK")?;
    summarize(&mut conn)?;
    assert_eq!(settled_blocks(&mut conn)?, 2);
    assert_agrees_here_and_there(&mut conn)
}

#[test]
fn a_publication_of_all_tables_does_not_stop_summarizing() -> TestResult {
    let mut conn = log_with_rollups(2 * BLOCK + 3_000)?;
    conn.batch_execute(
        "DO $$ BEGIN EXECUTE format('CREATE PUBLICATION %I FOR TABLE activity_log, activity_log_rollup_blocks, \
         activity_log_rollup_marks, activity_log_rollup_progress, activity_log_rollups', current_schema()); END $$",
    )?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq % 1000 = 7")?;
    assert_eq!(settled_blocks(&mut conn)?, 0);
    insert(&mut conn, &format!("generate_series(1, {BLOCK})"), "", "")?;
    summarize(&mut conn)?;
    assert_eq!(settled_blocks(&mut conn)?, 3);
    assert_agrees_here_and_there(&mut conn)
}
