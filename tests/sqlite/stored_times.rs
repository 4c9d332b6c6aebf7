//! A time is stored as text in one form. Text in any form is read as chrono reads it, or reported with chrono's error.

use activity_log::schema::activity_log as rows;
use activity_log::{ActivityLogRepository, Error};
use chrono::{DateTime, ParseResult, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::behaviour::broken_rows::log_with_a_broken_row;
use crate::behaviour::filters::{since, until};
use crate::behaviour::round_trip::read_only_entry;
use crate::database::{empty_log, stored_seqs};
use crate::support::{TestResult, at, everything, numbered, record_numbered};

/// The times that are read from rows with these texts, with each error as its reason.
fn read(texts: &[String]) -> TestResult<Vec<Result<DateTime<Utc>, String>>> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, texts.len() as i64)?;
    for (text, seq) in texts.iter().zip(1_i64..) {
        diesel::update(rows::table.find(seq)).set(rows::ts.eq(text)).execute(&mut conn)?;
    }
    let mut log = ActivityLogRepository::new(&mut conn);
    let read = log.iter_export(&everything())?.map(|entry| match entry {
        Ok(entry) => Ok(Ok(entry.ts)),
        Err(Error::UnreadableRow { column: "ts", reason, .. }) => Ok(Err(reason)),
        Err(error) => Err(error),
    });
    Ok(read.collect::<Result<_, _>>()?)
}

fn by_chrono(texts: &[String]) -> Vec<Result<DateTime<Utc>, String>> {
    let parsed = texts.iter().map(|text| -> ParseResult<_> { Ok(DateTime::parse_from_rfc3339(text)?.to_utc()) });
    parsed.map(|ts| ts.map_err(|error| format!("is not an RFC 3339 time: {error}"))).collect()
}

/// Texts in the stored form, of times that exist and of some that do not.
fn stored_form() -> impl Strategy<Value = String> {
    let date = (0..10_000, 0..14, 0..33).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let time = (0..26, 0..62, 0..62).prop_map(|(hour, minute, second)| format!("{hour:02}:{minute:02}:{second:02}"));
    (date, time, 0..1_000_000).prop_map(|(date, time, micros)| format!("{date}T{time}.{micros:06}+00:00"))
}

/// The text with one character inserted, removed or replaced.
fn edited(text: String) -> impl Strategy<Value = String> {
    let characters = select("0159-:.+TtZz /é٣".chars().collect::<Vec<_>>());
    (0..=text.len(), 0..=1_usize, proptest::option::of(characters)).prop_map(move |(place, removed, inserted)| {
        let behind = text.chars().skip(place + removed);
        text.chars().take(place).chain(inserted).chain(behind).collect()
    })
}

proptest! {
    #[test]
    fn a_time_in_the_stored_form_is_read_as_chrono_reads_it(texts in vec(stored_form(), 50)) {
        prop_assert_eq!(read(&texts).map_err(|error| TestCaseError::fail(error.to_string()))?, by_chrono(&texts));
    }

    #[test]
    fn a_time_in_almost_the_stored_form_is_read_as_chrono_reads_it(
        texts in vec(stored_form().prop_flat_map(edited), 50),
    ) {
        prop_assert_eq!(read(&texts).map_err(|error| TestCaseError::fail(error.to_string()))?, by_chrono(&texts));
    }
}

#[test]
fn the_extreme_times_and_leap_seconds_are_read_as_chrono_reads_them() -> TestResult {
    let texts = [
        "0000-01-01T00:00:00.000000+00:00",
        "9999-12-31T23:59:59.999999+00:00",
        "2024-02-29T12:00:00.000001+00:00",
        "2025-02-29T12:00:00.000001+00:00",
        "2016-12-31T23:59:60.250000+00:00",
        "2016-12-31T12:30:60.250000+00:00",
        "2016-12-31T23:60:00.000000+00:00",
        "2016-12-31T24:00:00.000000+00:00",
    ]
    .map(str::to_owned);
    assert_eq!(read(&texts)?, by_chrono(&texts));
    Ok(())
}

#[test]
fn other_rfc_3339_forms_are_read() -> TestResult {
    for (stored, read) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00.5+02:00", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456789Z"),
        ("2025-12-31T23:30:00-00:30", "2026-01-01T00:00:00Z"),
    ] {
        let mut conn = log_with_a_broken_row(&format!("ts = '{stored}'"))?;
        let entries = ActivityLogRepository::new(&mut conn).query(&everything(), Some(4), 1)?;
        assert_eq!(entries[0].ts, at(read)?, "{stored}");
    }
    Ok(())
}

#[test]
fn a_time_is_stored_with_six_digits_in_utc() -> TestResult {
    for (ts, stored) in [
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07.000000+00:00"),
        ("2026-03-04T05:06:07.5Z", "2026-03-04T05:06:07.500000+00:00"),
        ("2026-03-04T05:06:07.123456+02:00", "2026-03-04T03:06:07.123456+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ("1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001+00:00"),
    ] {
        let mut conn = empty_log()?;
        let read = read_only_entry(&numbered(1).ts(at(ts)?), &mut conn)?;
        assert_eq!(read.ts, at(ts)?);
        assert_eq!(stored_ts(&mut conn)?, stored);
    }
    Ok(())
}

fn stored_ts(conn: &mut SqliteConnection) -> TestResult<String> {
    use activity_log::schema::activity_log;
    use diesel::prelude::*;
    Ok(activity_log::table.select(activity_log::ts).first(conn)?)
}

#[test]
fn both_spellings_of_a_whole_second_fall_on_the_same_side_of_every_bound() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 2)?;
    let second = "2026-01-01T00:00:05";
    diesel::sql_query(format!("UPDATE activity_log SET ts = '{second}+00:00' WHERE seq = 1")).execute(&mut conn)?;
    diesel::sql_query(format!("UPDATE activity_log SET ts = '{second}.000000+00:00' WHERE seq = 2"))
        .execute(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for (bound, after, before) in [
        ("2026-01-01T00:00:04.999999Z", true, false),
        ("2026-01-01T00:00:05Z", true, true),
        ("2026-01-01T00:00:05.000000001Z", false, true),
        ("2026-01-01T00:00:05.000001Z", false, true),
    ] {
        assert_eq!(log.count(&since(bound)?)?, if after { 2 } else { 0 }, "since {bound}");
        assert_eq!(log.count(&until(bound)?)?, if before { 2 } else { 0 }, "until {bound}");
    }
    Ok(())
}

#[test]
fn rows_with_either_spelling_of_the_cutoff_stay() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    conn.batch_execute(
        "UPDATE activity_log SET ts = '2026-01-01T00:00:04.999999+00:00' WHERE seq = 1;
         UPDATE activity_log SET ts = '2026-01-01T00:00:05+00:00' WHERE seq = 2;
         UPDATE activity_log SET ts = '2026-01-01T00:00:05.000000+00:00' WHERE seq = 3;",
    )?;
    assert_eq!(ActivityLogRepository::new(&mut conn).prune(Some(at("2026-01-01T00:00:05Z")?), None)?, 1);
    assert_eq!(stored_seqs(&mut conn)?, [2, 3]);
    Ok(())
}
