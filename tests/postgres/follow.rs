//! How long a follower waits for transactions that write to the log, and where it cannot follow.

use std::thread;
use std::time::{Duration, Instant};

use activity_log::{ActivityLogPage, Error};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use crate::database::{
    ActivityLogRepository, Connection, SharedLog, empty_log, insert_as_others_do, wait_at_most, with_read_transaction,
};
use crate::support::{TestResult, everything, numbered, printed, seqs};

/// Longer than any follower may wait for other transactions.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// A log with `seq` 1 in a transaction that is open on the first connection, `seq` 2 committed, and a follower's connection.
pub(crate) fn log_with_an_open_transaction() -> TestResult<(SharedLog, Connection, Connection)> {
    let log = SharedLog::create()?;
    let mut open = log.connect()?;
    open.batch_execute("BEGIN")?;
    ActivityLogRepository::new(&mut open).record(&numbered(1))?;
    assert_eq!(ActivityLogRepository::new(&mut log.connect()?).record(&numbered(2))?, 2);
    let follower = log.connect()?;
    Ok((log, open, follower))
}

/// What a follower that has seen nothing yet gets, and how long it waits for that.
pub(crate) fn followed(conn: &mut Connection) -> TestResult<(Vec<i64>, Duration)> {
    let started = Instant::now();
    let entries = ActivityLogRepository::new(conn).query_after(&everything(), 0, 9)?;
    Ok((seqs(&entries), started.elapsed()))
}

#[test]
fn a_follower_waits_for_a_short_transaction_and_gets_everything() -> TestResult {
    let (_log, mut open, mut follower) = log_with_an_open_transaction()?;
    let committing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        open.batch_execute("COMMIT")
    });
    assert_eq!(followed(&mut follower)?.0, [1, 2]);
    committing.join().map_err(|_| "the writer panicked")??;
    Ok(())
}

#[test]
fn a_follower_gets_nothing_beyond_a_long_transaction_and_everything_after_it() -> TestResult {
    let (_log, mut open, mut follower) = log_with_an_open_transaction()?;
    let (seen, waited) = followed(&mut follower)?;
    assert_eq!(seen, [0; 0]);
    assert!(waited < LONGEST_WAIT, "waited for {waited:?}");
    let page = ActivityLogRepository::new(&mut follower).page_after(&everything(), 0, 9)?;
    assert_eq!(page, ActivityLogPage::default());

    open.batch_execute("COMMIT")?;
    assert_eq!(followed(&mut follower)?.0, [1, 2]);
    let page = ActivityLogRepository::new(&mut follower).page_after(&everything(), 0, 9)?;
    assert_eq!(seqs(&page.entries), [2, 1]);
    Ok(())
}

#[test]
fn a_follower_gets_on_although_some_long_transaction_is_always_open() -> TestResult {
    const OPEN_FOR: Duration = Duration::from_millis(1_600);
    const WRITERS: i64 = 3;
    const ROUNDS: i64 = 5;
    let log = SharedLog::create()?;
    let writers = (0..WRITERS).map(|writer| {
        let mut conn = log.connect()?;
        Ok(thread::spawn(move || -> TestResult {
            thread::sleep(OPEN_FOR / 3 * u32::try_from(writer)?);
            for round in 0..ROUNDS {
                conn.batch_execute("BEGIN")?;
                ActivityLogRepository::new(&mut conn).record(&numbered(writer * 100 + round))?;
                thread::sleep(OPEN_FOR);
                conn.batch_execute("COMMIT")?;
            }
            Ok(())
        }))
    });
    let writers = writers.collect::<TestResult<Vec<_>>>()?;
    let mut follower = log.connect()?;
    let (mut seen, mut seen_meanwhile) = (Vec::new(), 0);
    while (seen.len() as i64) < WRITERS * ROUNDS {
        let is_last = writers.iter().all(thread::JoinHandle::is_finished);
        let after_seq = seen.last().copied().unwrap_or(0);
        seen.extend(seqs(&ActivityLogRepository::new(&mut follower).query_after(&everything(), after_seq, 9)?));
        if writers.iter().all(|writer| !writer.is_finished()) {
            seen_meanwhile = seen.len();
        }
        assert!(!is_last || seen.len() as i64 == WRITERS * ROUNDS, "{seen:?}");
    }
    assert_eq!(seen, (1..=WRITERS * ROUNDS).collect::<Vec<_>>());
    assert!(seen_meanwhile >= 3, "{seen_meanwhile}");
    writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| "a writer panicked")?)
}

#[test]
fn beside_a_long_transaction_there_is_no_newest_entry_to_follow_from() -> TestResult {
    let (_log, mut open, mut follower) = log_with_an_open_transaction()?;
    let started = Instant::now();
    let newest = ActivityLogRepository::new(&mut follower).newest_seq();
    assert!(matches!(newest, Err(Error::Busy(_))), "{newest:?}");
    assert!(started.elapsed() < LONGEST_WAIT, "waited for {:?}", started.elapsed());

    open.batch_execute("ROLLBACK")?;
    assert_eq!(ActivityLogRepository::new(&mut follower).newest_seq()?, Some(2));
    Ok(())
}

#[test]
fn beside_a_long_transaction_pages_counts_and_exports_have_what_is_visible() -> TestResult {
    let (_log, _open, mut follower) = log_with_an_open_transaction()?;
    let mut log = ActivityLogRepository::new(&mut follower);
    assert_eq!(seqs(&log.page(&everything(), None, 9)?.entries), [2]);
    assert_eq!(log.count(&everything())?, 1);
    let started = Instant::now();
    let exported = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(seqs(&exported), [2]);
    assert!(started.elapsed() < LONGEST_WAIT, "waited for {:?}", started.elapsed());
    Ok(())
}

#[test]
fn a_follower_does_not_wait_for_transactions_that_cannot_add_what_it_would_miss() -> TestResult {
    let (log, mut open, mut follower) = log_with_an_open_transaction()?;
    open.batch_execute("COMMIT; BEGIN; CREATE TABLE orders (id bigint); INSERT INTO orders VALUES (1)")?;
    assert_eq!(ActivityLogRepository::new(&mut open).count(&everything())?, 2);
    let mut rolled_back = log.connect()?;
    rolled_back.batch_execute("BEGIN; SAVEPOINT trial")?;
    ActivityLogRepository::new(&mut rolled_back).record(&numbered(3))?;
    rolled_back.batch_execute("ROLLBACK TO trial")?;

    let (seen, waited) = followed(&mut follower)?;
    assert_eq!(seen, [1, 2]);
    assert!(waited < Duration::from_millis(900), "waited for {waited:?}");
    Ok(())
}

#[test]
fn a_writer_that_waits_for_a_lock_does_not_hold_followers_up() -> TestResult {
    let (log, mut open, mut follower) = log_with_an_open_transaction()?;
    open.batch_execute("COMMIT; BEGIN; LOCK TABLE activity_log IN SHARE MODE")?;
    let mut waiting = log.connect()?;
    wait_at_most(&mut waiting, Duration::from_secs(2))?;
    let recording = thread::spawn(move || ActivityLogRepository::new(&mut waiting).record(&numbered(3)));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(followed(&mut follower)?.0, [1, 2]);
    assert!(!recording.is_finished());
    open.batch_execute("ROLLBACK")?;
    assert_eq!(recording.join().map_err(|_| "the writer panicked")??, 3);
    Ok(())
}

#[test]
fn a_follower_sees_what_its_own_transaction_recorded_at_once() -> TestResult {
    let mut conn = empty_log()?;
    conn.transaction::<_, Error, _>(|conn| {
        let mut log = ActivityLogRepository::new(conn);
        log.record(&numbered(1))?;
        let started = Instant::now();
        assert_eq!(seqs(&log.query_after(&everything(), 0, 9)?), [1]);
        assert_eq!(log.newest_seq()?, Some(1));
        assert!(started.elapsed() < Duration::from_millis(900), "waited for {:?}", started.elapsed());
        Ok(())
    })?;
    Ok(())
}

#[test]
fn a_follower_in_one_transaction_sees_what_others_commit_meanwhile() -> TestResult {
    let log = SharedLog::create()?;
    let mut other = log.connect()?;
    log.connect()?.transaction::<_, Error, _>(|conn| {
        for number in 1..=3 {
            ActivityLogRepository::new(&mut other).record(&numbered(number))?;
            let newer = ActivityLogRepository::new(conn).query_after(&everything(), number - 1, 9)?;
            assert_eq!(seqs(&newer), [number]);
        }
        Ok(())
    })?;
    Ok(())
}

/// A transaction that sees one state of the log: following is refused, reading is not, and the transaction goes on.
fn cannot_follow(conn: &mut Connection) -> activity_log::Result<()> {
    let mut log = ActivityLogRepository::new(conn);
    for refused in [
        log.query_after(&everything(), 0, 9).map(drop),
        log.page_after(&everything(), 0, 9).map(drop),
        log.newest_seq().map(drop),
    ] {
        assert!(matches!(refused, Err(Error::CannotFollow { .. })), "{refused:?}");
        let told = refused.err().as_ref().map(printed).unwrap_or_default();
        assert!(told.contains("repeatable read") || told.contains("serializable"), "{told}");
    }
    assert_eq!(seqs(&log.page(&everything(), None, 9)?.entries), [1]);
    assert_eq!(log.count(&everything())?, 1);
    assert_eq!(log.iter_export(&everything())?.count(), 1);
    Ok(())
}

fn log_with_one_entry() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    Ok(conn)
}

#[test]
fn a_transaction_that_sees_one_state_cannot_follow() -> TestResult {
    let mut conn = log_with_one_entry()?;
    with_read_transaction(&mut conn, cannot_follow)?;
    conn.build_transaction().serializable().run(cannot_follow)?;
    conn.build_transaction().serializable().read_only().deferrable().run(cannot_follow)?;
    Ok(())
}

#[test]
fn a_transaction_begun_as_sql_text_that_sees_one_state_cannot_follow() -> TestResult {
    let mut conn = log_with_one_entry()?;
    for begin in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET default_transaction_isolation = 'serializable'; BEGIN",
    ] {
        for statement in begin.split("; ") {
            conn.batch_execute(statement)?;
        }
        cannot_follow(&mut conn)?;
        conn.batch_execute("COMMIT")?;
    }
    Ok(())
}

#[test]
fn outside_of_transactions_a_connection_of_any_isolation_level_can_follow() -> TestResult {
    for level in ["read uncommitted", "read committed", "repeatable read", "serializable"] {
        let (_log, mut open, mut follower) = log_with_an_open_transaction()?;
        follower.batch_execute(&format!("SET default_transaction_isolation = '{level}'"))?;
        let committing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            open.batch_execute("COMMIT")
        });
        assert_eq!(followed(&mut follower)?.0, [1, 2], "{level}");
        assert_eq!(ActivityLogRepository::new(&mut follower).newest_seq()?, Some(2), "{level}");
        committing.join().map_err(|_| "the writer panicked")??;
    }
    Ok(())
}

#[test]
fn a_log_that_never_had_an_entry_can_be_followed() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.newest_seq()?, None);
    assert_eq!(log.query_after(&everything(), 0, 9)?, []);
    assert_eq!(log.page_after(&everything(), 0, 9)?, ActivityLogPage::default());
    assert_eq!(log.iter_export(&everything())?.count(), 0);
    log.record(&numbered(1))?;
    assert_eq!(seqs(&log.query_after(&everything(), 0, 9)?), [1]);
    Ok(())
}

#[test]
fn a_log_that_was_cleared_can_be_followed() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.clear()?;
    assert_eq!(log.newest_seq()?, None);
    assert_eq!(log.query_after(&everything(), 0, 9)?, []);
    log.record(&numbered(1))?;
    assert_eq!(seqs(&log.query_after(&everything(), 0, 9)?), [4]);
    Ok(())
}

#[test]
fn an_open_first_transaction_of_a_new_log_holds_followers_up() -> TestResult {
    let log = SharedLog::create()?;
    let (mut open, mut follower) = (log.connect()?, log.connect()?);
    open.batch_execute("BEGIN")?;
    ActivityLogRepository::new(&mut open).record(&numbered(1))?;
    let (seen, waited) = followed(&mut follower)?;
    assert_eq!(seen, [0; 0]);
    assert!(waited < LONGEST_WAIT, "waited for {waited:?}");
    open.batch_execute("COMMIT")?;
    assert_eq!(followed(&mut follower)?.0, [1]);
    Ok(())
}

#[test]
fn an_export_has_everything_that_is_visible_although_an_earlier_call_has_waited_in_vain() -> TestResult {
    let (log, mut open, mut follower) = log_with_an_open_transaction()?;
    assert_eq!(followed(&mut follower)?.0, [0; 0]);
    open.batch_execute("COMMIT")?;
    let mut writer = log.connect()?;
    ActivityLogRepository::new(&mut writer).record_all(&[numbered(3), numbered(4)])?;
    open.batch_execute("BEGIN")?;
    ActivityLogRepository::new(&mut open).record(&numbered(5))?;

    let mut log = ActivityLogRepository::new(&mut follower);
    let newest = log.newest_seq();
    assert!(matches!(newest, Err(Error::Busy(_))), "{newest:?}");
    let exported = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(seqs(&exported), [1, 2, 3, 4]);
    Ok(())
}
