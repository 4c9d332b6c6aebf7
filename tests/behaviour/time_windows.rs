//! A time window is exact, whatever the clock did and whichever program wrote the rows.

use activity_log::ActivityLogFilters;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use proptest::prelude::*;

use crate::database::{ActivityLogRepository, Connection, empty_log, insert_as_others_do};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

pub(crate) fn minute(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
}

pub(crate) fn window(first: i64, last: i64) -> ActivityLogFilters {
    ActivityLogFilters { since: Some(minute(first)), until: Some(minute(last)), ..everything() }
}

/// The entries that page, follow and count find in the window. All three must agree.
pub(crate) fn found(conn: &mut Connection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
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
fn rows_of_another_program_are_found_before_they_are_summarized() -> TestResult {
    let mut conn = empty_log()?;
    insert_as_others_do(&mut conn, 3_000)?;
    assert_eq!(found(&mut conn, &window(2_000, 2_003))?, [2_000, 2_001, 2_002, 2_003]);
    Ok(())
}

#[test]
fn a_row_with_a_corrected_time_is_found_at_its_new_time() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute("UPDATE activity_log SET ts = '1970-01-03T00:00:00+00:00' WHERE seq = 7")?;
    assert_eq!(found(&mut conn, &window(2_880, 2_881))?, [7, 2_880, 2_881]);
    assert_eq!(found(&mut conn, &window(7, 7))?, Vec::<i64>::new());
    Ok(())
}

/// A clock that advances, jumps and stands still, for a few thousand entries.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let stretch = (prop_oneof![Just(0_i64), -5_000_i64..5_000], 0_i64..3, 1_usize..1_500);
    proptest::collection::vec(stretch, 1..6).prop_map(|stretches| {
        let mut now = 10_000;
        stretches
            .into_iter()
            .flat_map(|(jump, interval, length)| {
                now += jump;
                let start = now;
                now += interval * length as i64;
                (0..length as i64).map(move |step| start + interval * step)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_window_returns_exactly_the_rows_whose_time_is_in_it(
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
                let ts = minute(time).to_rfc3339_opts(SecondsFormat::Micros, false);
                conn.batch_execute(&format!("UPDATE activity_log SET ts = '{ts}' WHERE seq = {}", row + 1))?;
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
