//! Counts are right at each moment while others record, restore, change, delete and summarize.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use activity_log::postgres::{ActivityLogRepository, enable_rollups, summarize};
use activity_log::{ActivityLogFilters, NewActivityLogEntry};
use diesel::connection::SimpleConnection;

use crate::chance::{random, wait_up_to};
use crate::database::{Connection, SharedLog};
use crate::rollups::{BLOCK, assert_agrees_here_and_there, insert, number, settled_blocks};
use crate::support::TestResult;

const LOAD: Duration = Duration::from_secs(6);
const READS: usize = 20;

/// What the threads share.
struct Load {
    log: SharedLog,
    stop: AtomicBool,
    reads: AtomicUsize,
}

impl Load {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

#[test]
fn each_count_is_that_of_the_rows_in_its_snapshot_beside_writers_and_summarizers() -> TestResult {
    let load = Load { log: SharedLog::create()?, stop: AtomicBool::new(false), reads: AtomicUsize::new(0) };
    let mut conn = load.log.connect()?;
    insert(&mut conn, &format!("generate_series(1, {})", 3 * BLOCK), "", "")?;
    enable_rollups(&mut conn)?;
    let work: [fn(&mut Connection, &Load) -> TestResult; 12] = [
        read,
        read,
        record,
        record,
        record,
        record_at_once,
        restore,
        restore,
        change,
        delete,
        summarize_often,
        summarize_often,
    ];
    thread::scope(|scope| -> TestResult {
        let threads = work.map(|work| {
            let load = &load;
            scope.spawn(move || {
                let outcome = load.log.connect().and_then(|mut conn| work(&mut conn, load));
                load.stop.store(true, Ordering::SeqCst);
                outcome
            })
        });
        let mut waited = Duration::ZERO;
        while !load.is_over() && (waited < LOAD || load.reads.load(Ordering::SeqCst) < READS) {
            sleep(Duration::from_millis(20));
            waited += Duration::from_millis(20);
        }
        load.stop.store(true, Ordering::SeqCst);
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    summarize(&mut conn)?;
    assert!(settled_blocks(&mut conn)? > 3);
    assert_agrees_here_and_there(&mut conn)
}

fn read(conn: &mut Connection, load: &Load) -> TestResult {
    let filters = ActivityLogFilters { actor: Some("user_7".to_owned()), ..ActivityLogFilters::default() };
    while !load.is_over() {
        conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        let rows = number(conn, "SELECT count(*) FROM activity_log")?;
        let of_actor = number(conn, "SELECT count(*) FROM activity_log WHERE actor = 'user_7'")?;
        wait_up_to(Duration::from_millis(20));
        let mut log = ActivityLogRepository::new(conn);
        assert_eq!(i64::try_from(log.count(&ActivityLogFilters::default())?)?, rows);
        assert_eq!(i64::try_from(log.count(&filters)?)?, of_actor);
        conn.batch_execute("COMMIT")?;
        load.reads.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

fn entry(actor: u64) -> NewActivityLogEntry {
    NewActivityLogEntry::new("auth", "auth.opened", format!("user_{}", actor % 11), "Entry")
}

/// Some transactions stay open while others use up thousands of numbers, so that blocks are complete before these commit.
fn record(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        conn.batch_execute("BEGIN")?;
        for _ in 0..random(4) {
            ActivityLogRepository::new(conn).record(&entry(random(11)))?;
            wait_up_to(Duration::from_millis(30));
        }
        conn.batch_execute("SAVEPOINT part")?;
        ActivityLogRepository::new(conn).record(&entry(7))?;
        conn.batch_execute(if random(3) == 0 { "ROLLBACK TO part" } else { "RELEASE part" })?;
        conn.batch_execute(if random(5) == 0 { "ROLLBACK" } else { "COMMIT" })?;
    }
    Ok(())
}

/// Uses up numbers, too.
fn record_at_once(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        let entries = (0..200).map(entry).collect::<Vec<_>>();
        ActivityLogRepository::new(conn).record_all(&entries)?;
        let skipped = 2_000 + random(10_000);
        number(conn, &format!("SELECT count(nextval('activity_log_seq_seq')) FROM generate_series(1, {skipped})"))?;
        wait_up_to(Duration::from_millis(10));
    }
    Ok(())
}

/// Inserts rows with numbers near the last ones and in old blocks.
fn restore(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        let last = number(conn, "SELECT last_value FROM activity_log_seq_seq")?;
        let far = if random(2) == 0 { 30_000 } else { last.unsigned_abs() };
        let first = last - i64::try_from(random(far))?;
        conn.batch_execute("BEGIN")?;
        insert(conn, "generate_series(1, 5)", ", seq", &format!(", {first} + 700 * n"))?;
        wait_up_to(Duration::from_millis(20));
        conn.batch_execute(if random(5) == 0 { "ROLLBACK" } else { "COMMIT" })?;
    }
    Ok(())
}

fn change(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        let last = number(conn, "SELECT last_value FROM activity_log_seq_seq")?.unsigned_abs();
        let first = random(last);
        conn.batch_execute(&format!(
            "UPDATE activity_log SET actor = 'user_' || seq % 11, seq = CASE WHEN seq % 3 = 0 THEN {} ELSE seq END \
             WHERE seq BETWEEN {first} AND {first} + 40",
            random(last)
        ))?;
        wait_up_to(Duration::from_millis(20));
    }
    Ok(())
}

fn delete(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        let last = number(conn, "SELECT last_value FROM activity_log_seq_seq")?.unsigned_abs();
        conn.batch_execute("BEGIN; SAVEPOINT part")?;
        for _ in 0..2 {
            let first = random(last);
            conn.batch_execute(&format!("DELETE FROM activity_log WHERE seq BETWEEN {first} AND {first} + 60"))?;
            wait_up_to(Duration::from_millis(20));
        }
        conn.batch_execute(if random(3) == 0 { "ROLLBACK TO part" } else { "RELEASE part" })?;
        conn.batch_execute(if random(5) == 0 { "ROLLBACK" } else { "COMMIT" })?;
    }
    Ok(())
}

fn summarize_often(conn: &mut Connection, load: &Load) -> TestResult {
    while !load.is_over() {
        summarize(conn)?;
        if random(4) == 0 {
            enable_rollups(conn)?;
        }
    }
    Ok(())
}
