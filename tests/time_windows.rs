//! A time window is exact, whatever the clock did and whoever wrote: the blocks only say where to look.

mod support;

use activity_log::schema::{activity_log as stored, activity_log_blocks};
use activity_log::{ActivityLogFilters, ActivityLogRepository, MIGRATIONS, NewActivityLogEntry, run_migrations};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use proptest::prelude::*;
use support::{TestResult, empty_log, everything, numbered, older_log, record_numbered, seqs};

fn minute(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
}

fn window(first: i64, last: i64) -> ActivityLogFilters {
    ActivityLogFilters { since: Some(minute(first)), until: Some(minute(last)), ..everything() }
}

/// The first and last `seq` of each block.
fn blocks(conn: &mut SqliteConnection) -> TestResult<Vec<(i64, i64)>> {
    let blocks = activity_log_blocks::table.select((activity_log_blocks::first_seq, activity_log_blocks::last_seq));
    Ok(blocks.order(activity_log_blocks::first_seq).load(conn)?)
}

/// What the window gives by page, by follow and by count; all three must agree.
fn found(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut found = seqs(&log.query(filters, None, 10_000)?);
    found.reverse();
    assert_eq!(seqs(&log.query_after(filters, i64::MIN, 10_000)?), found);
    assert_eq!(log.count(filters)?, found.len() as u64);
    let by_actor = ActivityLogFilters { actor: Some("clock".to_owned()), ..filters.clone() };
    assert_eq!(log.count(&by_actor)?, found.len() as u64);
    Ok(found)
}

#[test]
fn recording_adds_a_block_once_it_has_gone_beyond_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_023)?;
    assert_eq!(blocks(&mut conn)?, []);
    ActivityLogRepository::new(&mut conn).record(&numbered(1_024))?;
    assert_eq!(blocks(&mut conn)?, [(0, 1_023)]);
    Ok(())
}

#[test]
fn recording_many_adds_all_their_blocks() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    assert_eq!(blocks(&mut conn)?, [(0, 1_023), (1_024, 2_047)]);
    Ok(())
}

#[test]
fn blocks_added_in_a_transaction_that_is_rolled_back_go_with_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_023)?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        ActivityLogRepository::new(conn).record(&numbered(1_024))?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(blocks(&mut conn)?, []);
    ActivityLogRepository::new(&mut conn).record(&numbered(1_024))?;
    assert_eq!(blocks(&mut conn)?, [(0, 1_023)]);
    Ok(())
}

#[test]
fn blocks_go_with_their_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    ActivityLogRepository::new(&mut conn).prune(None, Some(1_500))?;
    let more = (3_001..=3_072).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&more)?;
    assert_eq!(blocks(&mut conn)?, [(1_024, 2_047), (2_048, 3_071)]);
    Ok(())
}

/// Rows as a program writes them that knows nothing of the blocks.
fn insert_as_others_do(conn: &mut SqliteConnection, count: i64) -> TestResult {
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'foreign ' || n, strftime('%Y-%m-%dT%H:%M:%S+00:00', n * 60, 'unixepoch'), \
             'system', 'tick', 'info', 'clock', 'Tick' FROM n"
    ))?;
    Ok(())
}

#[test]
fn rows_of_another_program_are_found_before_they_belong_to_a_block() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 3_000)?;
    assert_eq!(found(&mut conn, &window(2_000, 2_003))?, [2_000, 2_001, 2_002, 2_003]);
    Ok(())
}

#[test]
fn recording_catches_up_on_the_rows_of_another_program_bit_by_bit() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 50 * 1_024 - 1)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    assert_eq!(blocks(&mut conn)?.len(), 32);
    let entries = (2..=1_025).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(blocks(&mut conn)?.len(), 51);
    Ok(())
}

/// Back to the schema of the first migration.
fn revert_to_the_first_migration(conn: &mut SqliteConnection) -> TestResult {
    while conn.applied_migrations()?.len() > 1 {
        conn.revert_last_migration(MIGRATIONS)?;
    }
    Ok(())
}

#[test]
fn the_migration_adds_the_blocks_of_the_rows_that_are_there() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    let recorded = blocks(&mut conn)?;
    revert_to_the_first_migration(&mut conn)?;
    run_migrations(&mut conn)?;
    assert_eq!(blocks(&mut conn)?, recorded);
    assert_eq!(found(&mut conn, &window(1_000, 1_002))?, [1_000, 1_001, 1_002]);
    Ok(())
}

#[test]
fn a_log_of_the_first_migration_can_be_recorded_to() -> TestResult {
    let mut conn = empty_log()?;
    revert_to_the_first_migration(&mut conn)?;
    record_numbered(&mut conn, 2_048)?;
    ActivityLogRepository::new(&mut conn).record(&numbered(2_049))?;
    Ok(())
}

#[test]
fn a_time_that_was_corrected_is_found_where_it_now_is() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute("UPDATE activity_log SET ts = '1970-01-03T00:00:00+00:00' WHERE seq = 7")?;
    assert_eq!(found(&mut conn, &window(2_880, 2_881))?, [7, 2_880, 2_881]);
    assert_eq!(found(&mut conn, &window(7, 7))?, Vec::<i64>::new());
    Ok(())
}

#[test]
fn a_log_that_was_made_to_begin_anew_is_found_again_with_its_next_block() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    let entries = (5_001..=6_024).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(blocks(&mut conn)?, [(0, 1_023)]);
    assert_eq!(found(&mut conn, &window(5_002, 5_003))?, [2, 3]);
    Ok(())
}

#[test]
fn numbers_that_begin_anew_below_many_blocks_drop_them_all() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    let entries = (10_001..=14_000).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    assert_eq!(found(&mut conn, &window(10_001, 10_003))?, [1, 2, 3]);
    Ok(())
}

#[test]
fn clearing_drops_the_blocks() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    ActivityLogRepository::new(&mut conn).clear()?;
    assert_eq!(blocks(&mut conn)?, []);
    Ok(())
}

#[test]
fn blocks_are_added_also_when_another_program_takes_every_other_number() -> TestResult {
    let mut conn = empty_log()?;
    for number in 1..1_100 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
        conn.batch_execute(&format!(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
             VALUES ('f{number}', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', 'x')"
        ))?;
    }
    assert_eq!(blocks(&mut conn)?, [(0, 1_023), (1_024, 2_047)]);
    Ok(())
}

/// A table that allows NULL for a time, with such rows as `ts` gives, adopted.
fn adopted_with(ts: &str) -> TestResult<SqliteConnection> {
    let mut conn = older_log()?;
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000) \
         INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         SELECT 'x' || n, {ts}, 'system', 'tick', 'info', 'clock', 'm' FROM n"
    ))?;
    run_migrations(&mut conn)?;
    Ok(conn)
}

#[test]
fn a_time_that_was_null_and_is_repaired_is_found() -> TestResult {
    let mut conn = adopted_with("NULL")?;
    conn.batch_execute("UPDATE activity_log SET ts = '1970-01-01T02:00:00+00:00' WHERE seq IN (100, 1500)")?;
    assert_eq!(found(&mut conn, &window(100, 130))?, [100, 1_500]);
    Ok(())
}

#[test]
fn a_time_may_be_made_null_where_the_table_allows_it() -> TestResult {
    let mut conn = adopted_with("'1970-01-01T02:00:00+00:00'")?;
    conn.batch_execute("UPDATE activity_log SET ts = NULL WHERE seq > 2")?;
    assert_eq!(found(&mut conn, &window(100, 130))?, [1, 2]);
    Ok(())
}

#[test]
fn a_block_that_cannot_be_added_does_not_keep_an_entry_from_being_recorded() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1_023)?;
    conn.batch_execute(
        "CREATE TRIGGER hosts BEFORE INSERT ON activity_log_blocks BEGIN SELECT RAISE(ABORT, 'no blocks'); END",
    )?;
    conn.transaction(|conn| ActivityLogRepository::new(conn).record(&numbered(1_024)))?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1_025))?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 1_025);
    Ok(())
}

#[test]
fn a_block_is_added_by_one_of_several_connections() -> TestResult {
    let file = support::LogFile::create()?;
    record_numbered(&mut file.connect()?, 1_000)?;
    std::thread::scope(|scope| -> TestResult {
        let recorders = (0..4)
            .map(|recorder| {
                let mut conn = file.connect()?;
                Ok(scope.spawn(move || -> TestResult {
                    let mut log = ActivityLogRepository::new(&mut conn);
                    for number in 0..300 {
                        log.record(&NewActivityLogEntry { id: format!("{recorder} {number}"), ..numbered(number) })?;
                    }
                    Ok(())
                }))
            })
            .collect::<TestResult<Vec<_>>>()?;
        recorders.into_iter().try_for_each(|recorder| recorder.join().map_err(|_| "it panicked")?)
    })?;
    assert_eq!(blocks(&mut file.connect()?)?, [(0, 1_023), (1_024, 2_047)]);
    Ok(())
}

/// A clock that goes on, jumps, and stands still, for some thousand entries.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let stretch = (prop_oneof![Just(0_i64), -5_000_i64..5_000], 0_i64..3, 1_usize..1_500);
    proptest::collection::vec(stretch, 1..6).prop_map(|stretches| {
        let mut now = 10_000;
        stretches
            .into_iter()
            .flat_map(|(jump, pace, length)| {
                now += jump;
                let start = now;
                now += pace * length as i64;
                (0..length as i64).map(move |step| start + pace * step)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_window_gives_the_rows_whose_time_is_in_it_and_no_others(
        times in times(),
        bounds in (0_i64..20_000, 0_i64..20_000),
        pruned in 0_u64..3_000,
        corrected in proptest::option::of((0_usize..6_000, 0_i64..20_000)),
    ) {
        let check = || -> TestResult {
            let mut conn = empty_log()?;
            let mut expected = Vec::new();
            for (index, chunk) in times.chunks(700).enumerate() {
                let entries = chunk.iter().enumerate().map(|(at, time)| {
                    numbered(0).id(format!("{index} {at}")).ts(minute(*time))
                });
                ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
            }
            if let Some((row, time)) = corrected {
                diesel::update(stored::table.filter(stored::seq.eq(row as i64 + 1)))
                    .set(stored::ts.eq(minute(time).to_rfc3339_opts(chrono::SecondsFormat::Micros, false)))
                    .execute(&mut conn)?;
            }
            let gone = (times.len() as u64).saturating_sub(pruned.max(1));
            ActivityLogRepository::new(&mut conn).prune(None, Some(pruned.max(1)))?;
            for (row, time) in times.iter().enumerate().skip(gone as usize) {
                let time = corrected.filter(|(corrected, _)| *corrected == row).map_or(*time, |(_, time)| time);
                if (bounds.0..=bounds.1).contains(&time) {
                    expected.push(row as i64 + 1);
                }
            }
            assert_eq!(found(&mut conn, &window(bounds.0, bounds.1))?, expected);
            Ok(())
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
