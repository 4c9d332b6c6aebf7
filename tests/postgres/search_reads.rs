//! A page by a term reads few rows, whatever the statistics say and however common the term is.

use activity_log::ActivityLogFilters;
use activity_log::postgres::{ActivityLogRepository, enable_search};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use crate::catalog::lines;
use crate::database::{Connection, empty_log};
use crate::search::containing;
use crate::support::{TestResult, seqs};

const ROWS: i64 = 60_000;

/// Rows of which every third says "often", every thousandth "seldom", one "needle", and the older half "formerly".
fn insert(conn: &mut Connection) -> TestResult {
    Ok(conn.batch_execute(&format!(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'x ' || n, timestamptz '2025-01-01' + n * interval '1 s', 'system', 'a', 'info', 'user ' || n % 1000, \
             concat_ws(' ', 'Message', n, CASE WHEN n % 3 = 0 THEN 'often' END, CASE WHEN n % 1000 = 1 THEN 'seldom' END, \
                 CASE WHEN n = 30000 THEN 'needle' END, CASE WHEN n <= {} THEN 'formerly' END) \
         FROM generate_series(1, {ROWS}) AS n",
        ROWS / 2
    ))?)
}

/// How many rows of the log the transaction has read, and how many times it has asked the search index.
fn rows_read(conn: &mut Connection) -> TestResult<(i64, i64)> {
    let read = lines(
        conn,
        "SELECT concat_ws(' ', seq_tup_read + coalesce(idx_tup_fetch, 0), \
             pg_stat_get_xact_numscans('activity_log_search'::regclass)) AS line \
         FROM pg_stat_xact_user_tables WHERE relid = 'activity_log'::regclass",
    )?;
    let (rows, searches) = read.first().and_then(|line| line.split_once(' ')).ok_or("no statistics")?;
    Ok((rows.parse()?, searches.parse()?))
}

struct Read {
    seqs: Vec<i64>,
    rows: i64,
    searches: i64,
}

fn page(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Read> {
    conn.transaction(|conn| {
        let (rows_before, searches_before) = rows_read(conn)?;
        let page = ActivityLogRepository::new(conn).page(filters, None, 50)?;
        let (rows, searches) = rows_read(conn)?;
        Ok(Read { seqs: seqs(&page.entries), rows: rows - rows_before, searches: searches - searches_before })
    })
}

/// A log with the index and with no, stale and fresh statistics, for custom and for generic plans.
fn in_each_state(test: impl Fn(&mut Connection, &str) -> TestResult) -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = off)")?;
    enable_search(&mut conn)?;
    insert(&mut conn)?;
    let stale = "BEGIN; UPDATE activity_log SET message = 'often seldom needle formerly'; ANALYZE activity_log; \
        UPDATE pg_class SET reltuples = 60000 WHERE oid = 'activity_log'::regclass; COMMIT; TRUNCATE activity_log RESTART IDENTITY";
    for statistics in ["none", "stale", "fresh"] {
        match statistics {
            "stale" => {
                conn.batch_execute(stale)?;
                insert(&mut conn)?;
            }
            "fresh" => conn.batch_execute("ANALYZE activity_log")?,
            _ => {}
        }
        for plans in ["force_custom_plan", "force_generic_plan"] {
            conn.batch_execute(&format!("SET plan_cache_mode = {plans}"))?;
            test(&mut conn, &format!("{statistics} statistics, {plans}"))?;
        }
    }
    Ok(())
}

#[test]
fn a_rare_word_is_found_through_the_index() -> TestResult {
    in_each_state(|conn, state| {
        for (term, expected) in [("NEEDLE", vec![30_000]), ("message 12345 ", vec![12_345]), ("absent", vec![])] {
            let read = page(conn, &containing(term))?;
            assert_eq!(read.seqs, expected, "{state}");
            assert!(read.searches > 0, "{term}: {state}");
            assert!(read.rows < 3_000, "{term}: {} rows, {state}", read.rows);
        }
        Ok(())
    })
}

#[test]
fn a_common_word_fills_a_page_without_the_index() -> TestResult {
    in_each_state(|conn, state| {
        let read = page(conn, &containing("often"))?;
        assert_eq!(read.seqs.len(), 50, "{state}");
        assert_eq!(read.seqs.first(), Some(&ROWS));
        assert_eq!(read.searches, 0, "{state}");
        assert!(read.rows < 3_000, "{} rows, {state}", read.rows);
        Ok(())
    })
}

#[test]
fn a_word_that_is_common_in_old_entries_only_is_found_without_reading_the_others() -> TestResult {
    in_each_state(|conn, state| {
        let read = page(conn, &containing("formerly"))?;
        assert_eq!(read.seqs.first(), Some(&(ROWS / 2)), "{state}");
        assert_eq!(read.seqs.len(), 50, "{state}");
        assert!(read.rows < 30_000, "{} rows, {state}", read.rows);
        Ok(())
    })
}

#[test]
fn a_word_in_few_entries_is_read_from_these_alone() -> TestResult {
    in_each_state(|conn, state| {
        let read = page(conn, &containing("seldom"))?;
        assert_eq!(read.seqs.len(), 50, "{state}");
        assert!(read.rows < 3_000, "{} rows, {state}", read.rows);
        Ok(())
    })
}

#[test]
fn a_common_word_of_an_actor_with_few_entries_is_found_among_these() -> TestResult {
    in_each_state(|conn, state| {
        let filters = ActivityLogFilters { actor: Some("user 7".to_owned()), ..containing("often") };
        let read = page(conn, &filters)?;
        assert_eq!(read.seqs.len(), 20, "{state}");
        assert_eq!(read.searches, 0, "{state}");
        assert!(read.rows < 500, "{} rows, {state}", read.rows);
        Ok(())
    })
}
