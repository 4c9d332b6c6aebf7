//! An error leaves the host's transaction usable where one entry is at fault, and tells nothing that was recorded.

use std::error::Error as _;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use activity_log::{ActivityLogEntry, Error, NewActivityLogEntry, RetentionPolicy};
use chrono::{DateTime, Utc};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::database::{
    ActivityLogRepository, Connection, SharedLog, empty_log, hold_up_writers, stored_seqs, with_read_transaction,
};
use crate::support::{TestResult, everything, numbered, printed, record_numbered};

/// Runs `work` in a transaction that Diesel begins, and in one that is begun as SQL text, each on a log with one entry.
/// Entries 2 and 3, which are recorded around it, must be there afterwards.
fn leaves_transactions_usable(work: impl Fn(&mut ActivityLogRepository<'_>)) -> TestResult {
    let around = |conn: &mut PgConnection| {
        let mut log = ActivityLogRepository::new(conn);
        log.record(&numbered(2))?;
        work(&mut log);
        log.record(&numbered(3))
    };
    for begins_as_text in [false, true] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 1)?;
        if begins_as_text {
            conn.batch_execute("BEGIN")?;
            around(&mut conn)?;
            conn.batch_execute("COMMIT")?;
        } else {
            conn.transaction(around)?;
        }
        let stored = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?;
        let stored = stored.into_iter().map(|entry: ActivityLogEntry| entry.id).collect::<Vec<_>>();
        assert_eq!(stored, [3, 2, 1].map(|number| numbered(number).id), "begins as SQL text: {begins_as_text}");
    }
    Ok(())
}

#[test]
fn record_of_a_taken_id_leaves_the_transaction_usable() -> TestResult {
    leaves_transactions_usable(|log| {
        for number in [1, 2] {
            let taken = log.record(&numbered(number));
            assert!(matches!(taken, Err(Error::DuplicateId { index: 0 })), "{taken:?}");
        }
    })
}

#[test]
fn record_all_of_a_taken_id_leaves_the_transaction_usable() -> TestResult {
    leaves_transactions_usable(|log| {
        for (entries, first) in [([9, 1, 2], 1), ([2, 8, 1], 0), ([7, 8, 7], 2)] {
            let taken = log.record_all(&entries.map(numbered));
            assert!(matches!(taken, Err(Error::DuplicateId { index }) if index == first), "{taken:?}");
        }
        let taken = log.record_all(&[numbered(1)]);
        assert!(matches!(taken, Err(Error::DuplicateId { index: 0 })), "{taken:?}");
    })
}

#[test]
fn an_entry_that_is_refused_leaves_the_transaction_usable() -> TestResult {
    let long = || "x".repeat(2 << 20);
    let refused = [
        numbered(9).ts(DateTime::<Utc>::MAX_UTC),
        numbered(9).id(long()),
        numbered(9).entity(long(), "1"),
        numbered(9).entity("device", long()),
        NewActivityLogEntry { message: long(), ..numbered(9) },
        NewActivityLogEntry { actor: long(), ..numbered(9) },
        NewActivityLogEntry { action: long(), ..numbered(9) },
        NewActivityLogEntry { category: long().as_str().into(), ..numbered(9) },
        NewActivityLogEntry { metadata: [("key".to_owned(), long().into())].into_iter().collect(), ..numbered(9) },
    ];
    leaves_transactions_usable(|log| {
        for entry in &refused {
            let outcome = log.record(entry);
            assert!(matches!(outcome, Err(Error::InvalidEntry { index: 0, .. })), "{outcome:?}");
            let outcome = log.record_all(&[numbered(7), numbered(8), entry.clone()]);
            assert!(matches!(outcome, Err(Error::InvalidEntry { index: 2, .. })), "{outcome:?}");
        }
    })
}

#[test]
fn an_id_that_another_transaction_took_is_found_although_the_snapshot_does_not_have_it() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other) = (log.connect()?, log.connect()?);
    with_read_transaction(&mut conn, |conn| {
        let mut log = ActivityLogRepository::new(conn);
        assert_eq!(log.count(&everything())?, 0);
        ActivityLogRepository::new(&mut other).record(&numbered(2))?;
        let taken = log.record_all(&[numbered(1), numbered(2), numbered(3)]);
        assert!(matches!(taken, Err(Error::DuplicateId { index: 1 })), "{taken:?}");
        log.record(&numbered(4))
    })?;
    assert_eq!(ActivityLogRepository::new(&mut other).count(&everything())?, 2);
    Ok(())
}

fn pid(conn: &mut Connection) -> QueryResult<i32> {
    diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(conn)
}

/// Ends a connection as an administrator does.
fn terminate(pid: i32, administrator: &mut Connection) -> QueryResult<()> {
    let terminate = diesel::sql_query("SELECT pg_terminate_backend($1, 5000)").bind::<Integer, _>(pid);
    terminate.execute(administrator).map(drop)
}

#[test]
fn a_connection_that_an_administrator_ends_is_busy() -> TestResult {
    type Use = fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<()>;
    const USES: [(&str, Use); 6] = [
        ("record", |log| log.record(&numbered(2)).map(drop)),
        ("record_all", |log| log.record_all(&[numbered(2), numbered(3)]).map(drop)),
        ("page", |log| log.page(&everything(), None, 9).map(drop)),
        ("query_after", |log| log.query_after(&everything(), 0, 9).map(drop)),
        ("prune", |log| log.prune(None, Some(0)).map(drop)),
        ("rewrite", |log| log.erase_actor("clock", "nobody").map(drop)),
    ];
    let log = SharedLog::create()?;
    let mut other = log.connect()?;
    record_numbered(&mut other, 1)?;
    for (method, use_log) in USES {
        let mut conn = log.connect()?;
        terminate(pid(&mut conn)?, &mut other)?;
        for attempt in 1..=2 {
            let lost = use_log(&mut ActivityLogRepository::new(&mut conn));
            assert!(matches!(lost, Err(Error::Busy(_))), "{method}, attempt {attempt}: {lost:?}");
        }
        let lost = log.connect()?.transaction(|conn| {
            ActivityLogRepository::new(conn).record(&numbered(4))?;
            terminate(pid(conn)?, &mut other)?;
            use_log(&mut ActivityLogRepository::new(conn))
        });
        assert!(matches!(lost, Err(Error::Busy(_))), "{method} in a transaction: {lost:?}");
    }
    assert_eq!(stored_seqs(&mut other)?, [1]);
    Ok(())
}

#[test]
fn a_retention_run_whose_connection_ends_while_it_waits_for_a_lock_does_not_wait_on() -> TestResult {
    let log = SharedLog::create()?;
    let (mut conn, mut other, mut administrator) = (log.connect()?, log.connect()?, log.connect()?);
    record_numbered(&mut conn, 3)?;
    hold_up_writers(&mut other)?;
    let pid = pid(&mut conn)?;
    let terminating = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        terminate(pid, &mut administrator)
    });
    let (policy, never) = (RetentionPolicy::new().max_entries(1), AtomicBool::new(false));
    let run = ActivityLogRepository::new(&mut conn).apply_retention(&policy, numbered(9).ts, &never);
    assert!(matches!(run, Err(Error::Busy(_))), "{run:?}");
    terminating.join().map_err(|_| "the administrator panicked")??;
    Ok(())
}

#[test]
fn a_commit_on_a_connection_that_has_ended_is_busy() -> TestResult {
    let log = SharedLog::create()?;
    let mut other = log.connect()?;
    let lost = log.connect()?.transaction(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(1))?;
        Ok::<_, Error>(terminate(pid(conn)?, &mut other)?)
    });
    assert!(matches!(lost, Err(Error::Busy(_))), "{lost:?}");
    assert_eq!(stored_seqs(&mut other)?, [0; 0]);
    Ok(())
}

#[test]
fn a_commit_on_a_connection_that_diesel_has_noticed_to_be_lost_is_busy() -> TestResult {
    let log = SharedLog::create()?;
    let mut other = log.connect()?;
    let lost = log.connect()?.transaction(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(1))?;
        terminate(pid(conn)?, &mut other)?;
        // As if the server had been lost just after its last answer.
        assert!(pid(conn).is_err());
        Ok::<_, Error>(())
    });
    assert!(matches!(lost, Err(Error::Busy(_))), "{lost:?}");
    assert_eq!(stored_seqs(&mut other)?, [0; 0]);
    Ok(())
}

#[test]
fn no_error_of_the_database_tells_what_was_recorded() -> TestResult {
    const SECRET: &str = "Nineveh";
    let secret = |number| NewActivityLogEntry { actor: SECRET.to_owned(), ..numbered(number) };
    for obstacle in [
        "CREATE UNIQUE INDEX one_of_each ON activity_log (actor)",
        "ALTER TABLE activity_log ADD CHECK (actor <> 'Nineveh' OR seq = 1)",
        "CREATE TABLE users (name text PRIMARY KEY); INSERT INTO users VALUES ('Nineveh'); \
         ALTER TABLE activity_log ADD FOREIGN KEY (actor) REFERENCES users; \
         ALTER TABLE activity_log ALTER COLUMN actor TYPE text USING actor",
        "ALTER TABLE activity_log ALTER COLUMN actor TYPE varchar(7)",
        "ALTER TABLE activity_log ADD EXCLUDE (actor WITH =)",
        "ALTER TABLE activity_log ADD COLUMN more text; UPDATE activity_log SET more = ''; \
         ALTER TABLE activity_log ALTER COLUMN more SET NOT NULL",
    ] {
        let mut conn = empty_log()?;
        ActivityLogRepository::new(&mut conn).record(&secret(1))?;
        conn.batch_execute(obstacle)?;
        let hidden = |number| NewActivityLogEntry { actor: format!("{SECRET}{}", number % 2), ..secret(number) };
        let mut log = ActivityLogRepository::new(&mut conn);
        let recorded = [
            log.record(&secret(2)).map(drop),
            log.record(&hidden(3)).map(drop),
            log.record_all(&[secret(4), hidden(5)]).map(drop),
            log.rewrite(&everything(), |entry| entry.actor = format!("{SECRET} and more")).map(drop),
        ];
        let errors = recorded.into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert!(!errors.is_empty(), "{obstacle}");
        for error in errors {
            let mut told = printed(&error);
            let mut source = error.source();
            while let Some(cause) = source {
                told += &format!("{cause} {cause:?}");
                source = cause.source();
            }
            assert!(!told.contains(SECRET), "{obstacle}: {told}");
        }
    }
    Ok(())
}
