//! Summarizing gets on and comes to an end, whatever the database is used for besides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use activity_log::postgres::{ActivityLogRepository, enable_rollups, summarize};
use activity_log::{Error, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};

use crate::chance::random;
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

#[test]
fn recording_inside_a_transaction_asks_nothing_that_could_abort_it() -> TestResult {
    let mut conn = log_with_rollups(10)?;
    let entries =
        (0..2_000).map(|_| NewActivityLogEntry::new("auth", "auth.opened", "user_1", "Entry")).collect::<Vec<_>>();
    let (sender, queries) = channel();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            sender.send(query.to_string()).ok();
        }
    });
    conn.transaction::<_, Error, _>(|conn| ActivityLogRepository::new(conn).record_all(&entries))?;
    conn.set_instrumentation(None::<Box<dyn Instrumentation>>);
    let after_insert = queries.into_iter().skip_while(|query| !query.starts_with("INSERT")).skip(1).collect::<Vec<_>>();
    assert_eq!(after_insert, ["RELEASE SAVEPOINT activity_log", "COMMIT"]);
    Ok(())
}

#[test]
fn summarizing_comes_to_an_end_beside_a_program_that_goes_on_changing_old_entries() -> TestResult {
    let log = SharedLog::create()?;
    let mut conn = log.connect()?;
    insert(&mut conn, "generate_series(1, 1000)", ", seq", ", 2000 * n")?;
    conn.batch_execute("SELECT setval('activity_log_seq_seq', 2000000)")?;
    enable_rollups(&mut conn)?;
    let (sender, first_changes) = channel();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| -> TestResult {
        let changing = scope.spawn(|| -> TestResult {
            let mut conn = log.connect()?;
            let started = Instant::now();
            while !is_over.load(Ordering::SeqCst) && started.elapsed() < Duration::from_secs(20) {
                let n = random(1000);
                conn.batch_execute(&format!("UPDATE activity_log SET actor = actor WHERE seq = 2000 * {n}"))?;
                sender.send(()).ok();
            }
            Ok(())
        });
        (0..100).try_for_each(|_| first_changes.recv_timeout(Duration::from_secs(10)))?;
        let started = Instant::now();
        let outcome = summarize(&mut conn);
        let elapsed = started.elapsed();
        is_over.store(true, Ordering::SeqCst);
        changing.join().map_err(|_| "a thread panicked")??;
        outcome?;
        assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
        Ok(())
    })?;
    summarize(&mut conn)?;
    assert_agrees_here_and_there(&mut conn)
}
