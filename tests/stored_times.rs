//! A stored time reads as chrono reads it, or is reported as chrono reports it, whatever it is.

mod support;

use activity_log::schema::activity_log as rows;
use activity_log::{ActivityLogRepository, Error};
use chrono::{DateTime, ParseResult, Utc};
use diesel::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use support::{TestResult, empty_log, everything, record_numbered};

/// What is read of rows with these times, an error as its reason.
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
    parsed.map(|ts| ts.map_err(|error| format!("is no RFC 3339 time: {error}"))).collect()
}

/// Texts of the stored form, of times that there are and of some that there are not.
fn stored_form() -> impl Strategy<Value = String> {
    let date = (0..10_000, 0..14, 0..33).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let time = (0..26, 0..62, 0..62).prop_map(|(hour, minute, second)| format!("{hour:02}:{minute:02}:{second:02}"));
    (date, time, 0..1_000_000).prop_map(|(date, time, micros)| format!("{date}T{time}.{micros:06}+00:00"))
}

/// The text with a character more, less or another at one place.
fn edited(text: String) -> impl Strategy<Value = String> {
    let characters = select("0159-:.+TtZz /é٣".chars().collect::<Vec<_>>());
    (0..=text.len(), 0..=1_usize, proptest::option::of(characters)).prop_map(move |(place, removed, inserted)| {
        let behind = text.chars().skip(place + removed);
        text.chars().take(place).chain(inserted).chain(behind).collect()
    })
}

proptest! {
    #[test]
    fn a_time_of_the_stored_form_reads_as_chrono_reads_it(texts in vec(stored_form(), 50)) {
        prop_assert_eq!(read(&texts).map_err(|error| TestCaseError::fail(error.to_string()))?, by_chrono(&texts));
    }

    #[test]
    fn a_time_of_nearly_the_stored_form_reads_as_chrono_reads_it(
        texts in vec(stored_form().prop_flat_map(edited), 50),
    ) {
        prop_assert_eq!(read(&texts).map_err(|error| TestCaseError::fail(error.to_string()))?, by_chrono(&texts));
    }
}

#[test]
fn the_first_and_last_times_and_leap_seconds_of_the_stored_form_read_as_chrono_reads_them() -> TestResult {
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
