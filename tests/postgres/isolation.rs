//! The log within the host's transactions of every isolation level, and what happens where transactions collide.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use activity_log::export::WriterArchive;
use activity_log::{ActivityLogFilters, Error, NewActivityLogEntry, RetentionHooks, RetentionPolicy};
use chrono::TimeDelta;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use crate::database::{
    ActivityLogRepository, Connection, SharedLog, empty_log, hold_up_writers, stored_seqs, wait_at_most,
    with_read_transaction,
};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

const LEVELS: [&str; 3] = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

/// Runs `work` in a transaction that Diesel begins.
fn with_level<T>(
    conn: &mut Connection,
    level: &str,
    work: impl FnOnce(&mut Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    let transaction = conn.build_transaction();
    match level {
        "READ COMMITTED" => transaction.read_committed().run(work),
        "REPEATABLE READ" => transaction.repeatable_read().run(work),
        _ => transaction.serializable().run(work),
    }
}

fn by(actor: &str) -> ActivityLogFilters {
    ActivityLogFilters { actor: Some(actor.to_owned()), ..everything() }
}

fn of(actor: &str, number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry { actor: actor.to_owned(), ..numbered(number) }
}

/// Every kind of work, on a log with the entries 1 to 10. The entries 7 to 13 are left.
fn use_log(conn: &mut Connection) -> activity_log::Result<()> {
    let mut log = ActivityLogRepository::new(conn);
    assert_eq!(log.record(&of("alice", 11))?, 11);
    assert_eq!(log.record_all(&[of("alice", 12), of("bob", 13)])?, 2);
    assert_eq!(seqs(&log.page(&everything(), None, 3)?.entries), [13, 12, 11]);
    assert_eq!(seqs(&log.query(&by("alice"), Some(12), 3)?), [11]);
    assert_eq!(log.count(&everything())?, 13);
    assert_eq!(log.get(&numbered(4).id)?.map(|entry| entry.seq), Some(4));
    assert_eq!(log.rewrite(&by("alice"), |entry| entry.message = "Rewritten".to_owned())?, 2);
    assert_eq!(log.erase_actor("bob", "nobody")?, 1);
    assert_eq!(log.prune(Some(numbered(3).ts), Some(9))?, 4);
    let policy = RetentionPolicy::new().max_age(TimeDelta::minutes(3));
    let report = log.apply_retention(&policy, numbered(10).ts, &AtomicBool::new(false))?;
    assert_eq!(report.deleted, 2);
    assert_eq!(log.iter_export(&by("clock"))?.count(), 4);
    Ok(())
}

/// What [`use_log`] leaves.
fn assert_used(conn: &mut Connection, level: &str) -> TestResult {
    assert_eq!(stored_seqs(conn)?, [7, 8, 9, 10, 11, 12, 13], "{level}");
    let rewritten = ActivityLogRepository::new(conn).query(&by("alice"), None, 9)?;
    assert!(rewritten.iter().all(|entry| entry.message == "Rewritten") && rewritten.len() == 2, "{level}");
    assert_eq!(ActivityLogRepository::new(conn).count(&by("nobody"))?, 1, "{level}");
    Ok(())
}

#[test]
fn every_method_works_in_a_transaction_of_every_isolation_level() -> TestResult {
    for level in LEVELS {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 10)?;
        with_level(&mut conn, level, use_log)?;
        assert_used(&mut conn, level)?;
    }
    Ok(())
}

#[test]
fn every_method_works_in_a_transaction_that_was_begun_as_sql_text() -> TestResult {
    for level in LEVELS {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 10)?;
        conn.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}"))?;
        use_log(&mut conn)?;
        conn.batch_execute("COMMIT")?;
        assert_used(&mut conn, level)?;
    }
    Ok(())
}

#[test]
fn what_every_method_did_is_undone_with_the_transaction() -> TestResult {
    for begin in LEVELS.map(|level| format!("BEGIN ISOLATION LEVEL {level}")) {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 10)?;
        let before = ActivityLogRepository::new(&mut conn).query(&everything(), None, 99)?;
        conn.batch_execute(&begin)?;
        use_log(&mut conn)?;
        conn.batch_execute("ROLLBACK")?;
        assert_eq!(ActivityLogRepository::new(&mut conn).query(&everything(), None, 99)?, before, "{begin}");
    }
    Ok(())
}

#[test]
fn retention_that_archives_leaves_a_transaction_begun_as_sql_text_open() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 4)?;
    conn.batch_execute(
        "CREATE TABLE pinned (id text REFERENCES activity_log); BEGIN; \
        INSERT INTO pinned SELECT id FROM activity_log WHERE seq = 2",
    )?;
    let mut archive = WriterArchive::new(Vec::new());
    let (policy, now) = (RetentionPolicy::new().max_entries(1), numbered(9).ts);
    let hooks = RetentionHooks::new().archive(&mut archive);
    let report =
        ActivityLogRepository::new(&mut conn).apply_retention_with(&policy, now, &AtomicBool::new(false), hooks)?;
    assert_eq!((report.deleted, report.held_back), (2, 1));
    conn.batch_execute("ROLLBACK")?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn two_serializable_transactions_that_cannot_both_be_first_are_told_busy() -> TestResult {
    let log = SharedLog::create()?;
    let (mut first, mut second) = (log.connect()?, log.connect()?);
    let record_if_empty = |conn: &mut Connection, number| {
        let mut log = ActivityLogRepository::new(conn);
        assert_eq!(log.count(&everything())?, 0);
        log.record(&numbered(number))
    };
    let refused = with_level(&mut first, "SERIALIZABLE", |first| {
        record_if_empty(first, 1)?;
        with_level(&mut second, "SERIALIZABLE", |second| record_if_empty(second, 2))
    });
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    assert_eq!(ActivityLogRepository::new(&mut log.connect()?).count(&everything())?, 1);
    Ok(())
}

#[test]
fn changing_what_another_transaction_has_changed_since_is_busy_under_repeatable_read() -> TestResult {
    type Change = fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<u64>;
    const CHANGES: [(&str, Change); 4] = [
        ("prune", |log| log.prune(None, Some(0))),
        ("clear", |log| log.clear()),
        ("rewrite", |log| log.rewrite(&everything(), |entry| entry.message = "Changed".to_owned())),
        ("erase_actor", |log| log.erase_actor("clock", "nobody")),
    ];
    for (method, change) in CHANGES {
        let log = SharedLog::create()?;
        let (mut conn, mut other) = (log.connect()?, log.connect()?);
        record_numbered(&mut conn, 3)?;
        let refused = with_read_transaction(&mut conn, |conn| {
            assert_eq!(ActivityLogRepository::new(conn).count(&everything())?, 3);
            ActivityLogRepository::new(&mut other).without_vacuum().erase_actor("clock", "other")?;
            change(&mut ActivityLogRepository::new(conn))
        });
        assert!(matches!(refused, Err(Error::Busy(_))), "{method}: {refused:?}");
        assert_eq!(ActivityLogRepository::new(&mut conn).count(&by("other"))?, 3, "{method}");
    }
    Ok(())
}

#[test]
fn one_of_two_transactions_in_a_deadlock_is_told_busy_and_the_other_goes_on() -> TestResult {
    let log = SharedLog::create()?;
    let (mut first, mut second) = (log.connect()?, log.connect()?);
    ActivityLogRepository::new(&mut first).record_all(&[of("alice", 1), of("bob", 2)])?;
    let erase = |conn: &mut Connection, actor| ActivityLogRepository::new(conn).erase_actor(actor, "nobody");

    first.batch_execute("BEGIN")?;
    erase(&mut first, "alice")?;
    let crossing = second.transaction(|second| {
        erase(second, "bob")?;
        let waiting = thread::spawn(move || {
            let outcome = erase(&mut first, "bob");
            // Whoever is told busy gives up the whole transaction, or the other would wait on.
            first.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).map(|()| outcome)
        });
        thread::sleep(Duration::from_millis(100));
        let outcome = erase(second, "alice");
        Ok::<_, Error>((waiting, outcome))
    });
    let (waiting, outcome_of_second) = crossing?;
    let outcomes = [waiting.join().map_err(|_| "the first transaction panicked")??, outcome_of_second];
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Busy(_)))).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(1))).count(), 1, "{outcomes:?}");
    Ok(())
}

#[test]
fn a_lock_timeout_is_busy_in_every_method() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other) = (log.connect()?, log.connect()?);
    record_numbered(&mut conn, 3)?;
    wait_at_most(&mut conn, Duration::from_millis(20))?;
    hold_up_writers(&mut other)?;
    other.batch_execute("LOCK TABLE activity_log IN ACCESS EXCLUSIVE MODE")?;

    let mut log = ActivityLogRepository::new(&mut conn);
    for (method, outcome) in [
        ("record", log.record(&numbered(4)).map(drop)),
        ("record_all", log.record_all(&[numbered(4), numbered(5)]).map(drop)),
        ("page", log.page(&everything(), None, 9).map(drop)),
        ("query_after", log.query_after(&everything(), 0, 9).map(drop)),
        ("get", log.get("al_1").map(drop)),
        ("newest_seq", log.newest_seq().map(drop)),
        ("count", log.count(&everything()).map(drop)),
        ("iter_export", log.iter_export(&everything()).map(drop)),
        ("prune", log.prune(None, Some(1)).map(drop)),
        ("rewrite", log.erase_actor("clock", "nobody").map(drop)),
        ("clear", log.clear().map(drop)),
    ] {
        assert!(matches!(outcome, Err(Error::Busy(_))), "{method}: {outcome:?}");
    }
    other.batch_execute("ROLLBACK")?;
    assert_eq!(stored_seqs(&mut conn)?, [1, 2, 3]);
    Ok(())
}
