//! A future may be dropped wherever it waits: the connection stays usable and is in no transaction.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::task::Poll;

use activity_log::postgres::{
    AsyncActivityLogRepository, disable_rollups_async, enable_rollups_async, summarize_async,
};
use activity_log::{ActivityLogFilters, Facet, NewActivityLogEntry, Result, RetentionPolicy};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use futures_util::TryStreamExt;

use crate::database::{SharedLog, stored_seqs};
use crate::repository::RUNTIME;
use crate::support::{TestResult, everything, numbered, record_numbered};

const ENTRIES: i64 = 3_000;

/// Polls a future this often, and returns its output if it is done by then.
async fn polled<F: Future>(future: F, mut polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[derive(QueryableByName)]
struct Session {
    #[diesel(sql_type = Bool)]
    is_in_transaction: bool,
    #[diesel(sql_type = Text)]
    lock_timeout: String,
}

/// The connection answers, and the statements before did not leave a transaction or a setting behind.
async fn assert_is_clean(conn: &mut AsyncPgConnection, after: usize) -> TestResult {
    // Only within a transaction do two statements begin at the same time.
    let began = || diesel::sql_query("SELECT extract(epoch FROM transaction_timestamp())::text AS began");
    let first = began().get_result::<Began>(conn).await?;
    let second = began().get_result::<Began>(conn).await?;
    let session = diesel::sql_query(
        "SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS is_in_transaction, \
            current_setting('lock_timeout') AS lock_timeout",
    );
    let session = session.get_result::<Session>(conn).await?;
    assert!(!session.is_in_transaction && first.began != second.began, "in a transaction after {after} polls");
    assert_eq!(session.lock_timeout, "0", "after {after} polls");
    Ok(())
}

#[derive(QueryableByName)]
struct Began {
    #[diesel(sql_type = Text)]
    began: String,
}

/// Runs an operation again and again, drops it one poll later each time, and then to its end. The futures can be spawned.
macro_rules! drop_at_each_poll {
    (|$log:ident| $operation:expr) => {{
        let file = SharedLog::create()?;
        record_numbered(&mut file.connect()?, ENTRIES)?;
        let url = file.url();
        RUNTIME.block_on(async {
            let mut conn = AsyncPgConnection::establish(&url).await?;
            for polls in 1.. {
                let mut $log = AsyncActivityLogRepository::new(&mut conn);
                let finished = polled(sendable(async { $operation.await.map(drop) }), polls).await;
                assert_is_clean(&mut conn, polls).await?;
                if let Some(outcome) = finished {
                    outcome?;
                    break;
                }
            }
            TestResult::Ok(())
        })?;
        file
    }};
}

/// The future, which a task may own.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

fn policy() -> RetentionPolicy {
    RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(500)
}

#[test]
fn reads_may_be_dropped() -> TestResult {
    let narrow = ActivityLogFilters {
        actions: vec!["test.*".to_owned(), "tick".to_owned()],
        since: Some(DateTime::UNIX_EPOCH),
        ..everything()
    };
    drop_at_each_poll!(|log| log.page(&narrow, Some(2_000), 50));
    drop_at_each_poll!(|log| log.page_after(&narrow, 1_000, 50));
    drop_at_each_poll!(|log| log.query(&narrow, None, 1_000));
    drop_at_each_poll!(|log| log.query_after(&narrow, 0, 1_000));
    drop_at_each_poll!(|log| log.newest_seq());
    drop_at_each_poll!(|log| log.get("al_00000007"));
    drop_at_each_poll!(|log| log.count(&narrow));
    drop_at_each_poll!(|log| log.count_up_to(&narrow, 100));
    drop_at_each_poll!(|log| log.facets(&narrow, Facet::Action, 10));
    drop_at_each_poll!(|log| log.histogram(&narrow, &[DateTime::UNIX_EPOCH, Utc::now()]));
    Ok(())
}

#[test]
fn summarizing_and_a_count_with_rollups_may_be_dropped() -> TestResult {
    let file = SharedLog::create()?;
    let url = file.url();
    RUNTIME.block_on(async {
        let mut conn = AsyncPgConnection::establish(&url).await?;
        enable_rollups_async(&mut conn).await?;
        let rows = "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
            SELECT gen_random_uuid(), now(), 'auth', 'auth.opened', 'info', 'user_1', 'Entry' \
            FROM generate_series(1, 40000)";
        diesel::sql_query(rows).execute(&mut conn).await?;
        for polls in 1.. {
            let finished = polled(sendable(summarize_async(&mut conn)), polls).await;
            assert_is_clean(&mut conn, polls).await?;
            if let Some(outcome) = finished {
                outcome?;
                break;
            }
        }
        let count = AsyncActivityLogRepository::new(&mut conn).count(&everything()).await?;
        assert_eq!(count, 40_000);
        let blocks = diesel::sql_query("SELECT count(*)::text AS began FROM activity_log_rollup_blocks");
        assert_eq!(blocks.get_result::<Began>(&mut conn).await?.began, "2");
        disable_rollups_async(&mut conn).await?;
        assert_eq!(AsyncActivityLogRepository::new(&mut conn).count(&everything()).await?, 40_000);
        TestResult::Ok(())
    })
}

#[test]
fn an_export_may_be_dropped() -> TestResult {
    drop_at_each_poll!(|log| async {
        let filters = everything();
        let entries = log.stream_export(&filters).await?;
        entries.try_fold(0, async |count, _| Ok(count + 1)).await
    });
    Ok(())
}

#[test]
fn what_is_recorded_is_there_in_full_or_not_at_all_after_a_drop() -> TestResult {
    let mut number = ENTRIES;
    let file = drop_at_each_poll!(|log| {
        number += 1;
        let entry = numbered(number);
        async move { log.record(&entry).await }
    });
    let mut conn = file.connect()?;
    assert!(stored_seqs(&mut conn)?.len() as i64 > ENTRIES);

    let mut round = 0;
    let file = drop_at_each_poll!(|log| {
        round += 1;
        let entries = (0..100).map(|entry| numbered(10_000 + round * 100 + entry)).collect::<Vec<_>>();
        async move { log.record_all(&entries).await }
    });
    assert_eq!(stored_seqs(&mut file.connect()?)?.len() % 100, 0);
    Ok(())
}

#[test]
fn what_deletes_and_rewrites_may_be_dropped() -> TestResult {
    let file = drop_at_each_poll!(|log| log.prune(Some(Utc::now()), Some(1_000)));
    assert_eq!(stored_seqs(&mut file.connect()?)?, [0; 0]);
    let running = AtomicBool::new(false);
    let policy = policy();
    let file = drop_at_each_poll!(|log| log.apply_retention(&policy, Utc::now(), &running));
    assert_eq!(stored_seqs(&mut file.connect()?)?.len(), 500);
    let file = drop_at_each_poll!(|log| log.erase_actor("clock", "somebody"));
    let mut conn = file.connect()?;
    assert_eq!(stored_seqs(&mut conn)?.len() as i64, ENTRIES);
    drop_at_each_poll!(|log| log.rewrite(&everything(), |entry: &mut NewActivityLogEntry| entry.message.push('!')));
    let file = drop_at_each_poll!(|log| log.clear());
    assert_eq!(stored_seqs(&mut file.connect()?)?, [0; 0]);
    Ok(())
}

#[test]
fn a_transaction_goes_on_after_a_dropped_read() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, ENTRIES)?;
    let url = file.url();
    RUNTIME.block_on(async {
        let mut conn = AsyncPgConnection::establish(&url).await?;
        conn.transaction::<_, activity_log::Error, _>(async |conn| {
            AsyncActivityLogRepository::new(conn).record(&numbered(ENTRIES + 1)).await?;
            for polls in 1..=2 {
                let filters = everything();
                let mut log = AsyncActivityLogRepository::new(conn);
                polled(log.page(&filters, None, 50), polls).await;
            }
            Result::Ok(())
        })
        .await?;
        TestResult::Ok(())
    })?;
    let mut conn = file.connect()?;
    conn.batch_execute("SELECT 1")?;
    assert_eq!(stored_seqs(&mut conn)?.len() as i64, ENTRIES + 1);
    Ok(())
}
