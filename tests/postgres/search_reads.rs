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

/// Rows of which every third says "often", every thousandth "seldom", one "needle", and the older half "formerly". Each
/// actor has 60 of them.
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

/// A log on a fast disk whose statistics only the test gathers.
fn log_without_statistics() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    conn.batch_execute("ALTER TABLE activity_log SET (autovacuum_enabled = off); SET random_page_cost = 1.1")?;
    Ok(conn)
}

/// What a page by each of some terms has and reads, in custom and in generic plans.
fn pages_read_few_rows(conn: &mut Connection) -> TestResult {
    let by_actor = ActivityLogFilters { actor: Some("user 7".to_owned()), ..containing("message") };
    let newest = |step: i64, last: i64| (0..50).map(|number| last - number * step).collect::<Vec<_>>();
    for plans in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {plans}"))?;
        for (filters, expected, is_searched, most_rows) in [
            (containing("NEEDLE"), vec![30_000], true, 2_500),
            (containing("message 12345 "), vec![12_345], true, 2_500),
            (containing("absent"), vec![], true, 2_500),
            (containing("seldom"), newest(1_000, 59_001), true, 2_500),
            (containing("often"), newest(3, ROWS), false, 2_500),
            // The index proposes too many each time that it is asked.
            (containing("formerly"), newest(1, ROWS / 2), true, 180_000),
            (by_actor.clone(), newest(1_000, 59_007), false, 500),
        ] {
            let state = format!("{:?} {:?}, {plans}", filters.message_contains, filters.actor);
            let read = page(conn, &filters)?;
            assert_eq!(read.seqs, expected, "{state}");
            assert_eq!(read.searches > 0, is_searched, "{state}");
            assert!(read.rows < most_rows, "{state}: {} rows", read.rows);
        }
    }
    Ok(())
}

#[test]
fn a_page_by_a_term_reads_few_rows_without_statistics() -> TestResult {
    let mut conn = log_without_statistics()?;
    insert(&mut conn)?;
    enable_search(&mut conn)?;
    pages_read_few_rows(&mut conn)
}

#[test]
fn a_page_by_a_term_reads_few_rows_with_stale_statistics() -> TestResult {
    let mut conn = log_without_statistics()?;
    enable_search(&mut conn)?;
    conn.batch_execute(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT n, now(), 'system', 'a', 'info', 'user 7', 'Message often seldom needle formerly absent' \
         FROM generate_series(1, 500) AS n; \
         ANALYZE activity_log; DELETE FROM activity_log; SELECT setval('activity_log_seq_seq', 1, false)",
    )?;
    insert(&mut conn)?;
    conn.batch_execute("SELECT gin_clean_pending_list('activity_log_search')")?;
    pages_read_few_rows(&mut conn)
}

#[test]
fn a_page_by_a_term_reads_few_rows_with_fresh_statistics() -> TestResult {
    let mut conn = log_without_statistics()?;
    insert(&mut conn)?;
    enable_search(&mut conn)?;
    conn.batch_execute("ANALYZE activity_log")?;
    pages_read_few_rows(&mut conn)
}
