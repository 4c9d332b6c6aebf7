//! Counts with rollups read few rows of the log, whatever the statistics say: in generic plans and in plans for the values at
//! hand.

use activity_log::histogram::equal_edges;
use activity_log::postgres::{ActivityLogRepository, enable_rollups};
use activity_log::{ActivityLogFilters, Facet};
use diesel::connection::SimpleConnection;

use crate::database::{Connection, empty_log};
use crate::query_plans::{STATES, rows};
use crate::rollups::{BLOCK, insert, minute, settled_blocks};
use crate::statements::{plan, statements};
use crate::support::TestResult;

/// More than what a count reads row by row although it has rollups.
const BLOCKS: i64 = 12;
/// The rows after the last summarized block.
const UNSUMMARIZED: i64 = 3_000;
/// The rows after the last block, or the rollups of all blocks.
const FEW: i64 = 500 * BLOCKS;

const INDEXES: [&str; 6] = [
    "activity_log_seq",
    "activity_log_time",
    "activity_log_rollups_block",
    "activity_log_rollup_blocks_pkey",
    "activity_log_rollup_marks_block",
    "pg_trigger_tgrelid_tgname_index",
];

/// The same for the tables of the rollups.
const STATES_OF_ROLLUPS: [(&str, &str); 2] = [
    ("never analyzed", "SELECT"),
    ("analyzed", "ANALYZE activity_log_rollups; ANALYZE activity_log_rollup_blocks; ANALYZE activity_log_rollup_marks"),
];

/// A log with rollups that was analyzed when it had a thousand rows.
fn log_with_stale_statistics() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = false)")?;
    insert(&mut conn, "generate_series(1, 1000)", "", "")?;
    conn.batch_execute("ANALYZE activity_log")?;
    insert(&mut conn, &format!("generate_series(1001, {})", BLOCKS * BLOCK + UNSUMMARIZED), "", "")?;
    enable_rollups(&mut conn)?;
    for table in ["activity_log_rollups", "activity_log_rollup_blocks", "activity_log_rollup_marks"] {
        conn.batch_execute(&format!("ALTER TABLE {table} SET (autovacuum_enabled = false)"))?;
    }
    assert_eq!(settled_blocks(&mut conn)?, BLOCKS);
    Ok(conn)
}

/// Fails if a plan of a statement that `run` executes reads the log otherwise than by `seq` and block, or if a step of a plan has more
/// than `most` rows, or if the server compiles it.
fn assert_reads_few_rows(
    conn: &mut Connection,
    most: i64,
    run: impl Fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>,
) -> TestResult {
    let most = most.unsigned_abs();
    for statement in statements(conn, &run)? {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let plan = plan(conn, &statement, mode)?;
            let context = format!("{mode}: {}\n{plan}", statement.sql);
            for line in plan.lines() {
                assert!(!line.contains("Seq Scan on activity_log ("), "{context}");
                assert!(!line.contains("JIT"), "{context}");
                let index = line.split_once("Bitmap Index Scan on ").or_else(|| line.split_once(" using "));
                let index = index.and_then(|(_, rest)| rest.split(' ').next());
                assert!(index.is_none_or(|index| INDEXES.contains(&index)), "another index, {context}");
                assert!(rows(line).is_none_or(|rows| rows <= most), "more than {most} rows, {context}");
            }
        }
    }
    Ok(())
}

#[test]
fn counts_facets_and_histograms_read_few_rows_whatever_the_statistics() -> TestResult {
    let mut conn = log_with_stale_statistics()?;
    let all = ActivityLogFilters::default;
    let actor = || ActivityLogFilters { actor: Some("user_7".to_owned()), ..all() };
    let window = ActivityLogFilters { since: Some(minute(100)), until: Some(minute(10 * BLOCK)), ..all() };
    let edges = equal_edges(minute(0), minute(BLOCKS * BLOCK), 3)?;
    for (_, reach) in STATES {
        conn.batch_execute(reach)?;
        for (_, reach) in STATES_OF_ROLLUPS {
            conn.batch_execute(reach)?;
            let conn = &mut conn;
            assert_reads_few_rows(conn, FEW, |log| log.count(&all()).map(drop))?;
            assert_reads_few_rows(conn, FEW, |log| log.count(&actor()).map(drop))?;
            let everybodys = ActivityLogFilters { categories: vec!["auth".into()], ..actor() };
            assert_reads_few_rows(conn, FEW, |log| log.count(&everybodys).map(drop))?;
            assert_reads_few_rows(conn, FEW, |log| log.facets(&all(), Facet::Action, 5).map(drop))?;
            assert_reads_few_rows(conn, FEW, |log| log.facets(&actor(), Facet::Category, 5).map(drop))?;
            // Some rows are days later than their number says: the first blocks are cut.
            assert_reads_few_rows(conn, 3 * BLOCK + FEW, |log| log.count(&window).map(drop))?;
            assert_reads_few_rows(conn, BLOCKS * BLOCK, |log| log.histogram(&all(), &edges).map(drop))?;
        }
    }
    Ok(())
}
