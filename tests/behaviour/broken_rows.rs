//! An unreadable row is reported and never hides other rows.

use activity_log::Error;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::database::{ActivityLogRepository, BREAKING_ASSIGNMENTS, Connection, empty_log, stored_seqs};
use crate::support::{TestResult, everything, record_numbered, seqs};

/// A log of five rows whose third row holds a value that no entry can have.
pub(crate) fn log_with_a_broken_row(assignment: &str) -> TestResult<Connection> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    diesel::sql_query(format!("UPDATE activity_log SET {assignment} WHERE seq = 3")).execute(&mut conn)?;
    Ok(conn)
}

#[test]
fn a_broken_row_is_reported_with_its_seq_and_column() -> TestResult {
    for (broken, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        for read in [
            log.query(&everything(), None, 9).map(drop),
            log.page(&everything(), None, 9).map(drop),
            log.query_after(&everything(), 0, 9).map(drop),
        ] {
            let Err(Error::UnreadableRow { seq, column, .. }) = read else {
                return Err(format!("{assignment}: {read:?}").into());
            };
            assert_eq!((seq, column), (3, broken), "{assignment}");
        }
    }
    Ok(())
}

#[test]
fn a_page_with_a_broken_row_is_recovered_from_both_sides() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    diesel::sql_query("UPDATE activity_log SET metadata = '[1, 2]' WHERE seq = 75").execute(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let Err(Error::UnreadableRow { seq, .. }) = log.page(&everything(), None, 50) else {
        return Err("the broken row was read".into());
    };
    assert_eq!(seqs(&log.query_after(&everything(), seq, 50)?), (76..=100).collect::<Vec<_>>());
    assert_eq!(seqs(&log.query(&everything(), Some(seq), 100)?), (1..=74).rev().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_rows_around_a_broken_row_are_read_by_paging_past_it() -> TestResult {
    for (_, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        assert_eq!(seqs(&log.query(&everything(), None, 2)?), [5, 4], "{assignment}");
        let page = log.page(&everything(), None, 2)?;
        assert_eq!((seqs(&page.entries), page.next_before_seq), (vec![5, 4], Some(4)), "{assignment}");
        assert_eq!(seqs(&log.query(&everything(), Some(3), 9)?), [2, 1], "{assignment}");
        assert_eq!(seqs(&log.query_after(&everything(), 3, 9)?), [4, 5], "{assignment}");
    }
    Ok(())
}

#[test]
fn an_export_reports_a_broken_row_in_place_and_continues() -> TestResult {
    for (broken, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let seen = log
            .iter_export(&everything())?
            .map(|item| match item {
                Ok(entry) => Ok(entry.seq),
                Err(Error::UnreadableRow { seq, column, .. }) => Err((seq, column)),
                Err(_) => Err((0, "another error")),
            })
            .collect::<Vec<_>>();
        assert_eq!(seen, [Ok(1), Ok(2), Err((3, broken)), Ok(4), Ok(5)], "{assignment}");
    }
    Ok(())
}

#[test]
fn a_broken_row_is_counted_pruned_and_cleared_like_any_other() -> TestResult {
    for (_, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        assert_eq!(log.count(&everything())?, 5, "{assignment}");
        assert_eq!(log.prune(None, Some(2))?, 3, "{assignment}");
        assert_eq!(stored_seqs(&mut conn)?, [4, 5], "{assignment}");

        let mut conn = log_with_a_broken_row(assignment)?;
        assert_eq!(ActivityLogRepository::new(&mut conn).clear()?, 5, "{assignment}");
    }
    Ok(())
}

#[test]
fn metadata_with_half_of_a_surrogate_pair_reads_with_the_replacement_character() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    conn.batch_execute(r#"UPDATE activity_log SET metadata = '{"path":"/srv/caf\udce9.txt"}'"#)?;
    let entry = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?.pop().ok_or("no entry")?;
    assert_eq!(entry.metadata.get("path").and_then(|path| path.as_str()), Some("/srv/caf\u{FFFD}.txt"));
    Ok(())
}

#[test]
fn a_double_that_other_programs_wrote_is_read() -> TestResult {
    for number in ["0.33333333333333332", "0.10000000000000001", "1648475731910137.3", "1e-7", "-0.0"] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 1)?;
        conn.batch_execute(&format!("UPDATE activity_log SET metadata = '{{\"seconds\":{number}}}'"))?;
        let entry = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?.pop().ok_or("no entry")?;
        let read = entry.metadata.get("seconds").and_then(|seconds| seconds.as_f64());
        assert_eq!(read, Some(number.parse()?), "{number}");
    }
    Ok(())
}

#[test]
fn a_stored_number_keeps_its_digits_or_its_row_is_reported() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    let stored = r#"{"id":12345678901234567890123,"ratio":3.14159265358979323846}"#;
    conn.batch_execute(&format!("UPDATE activity_log SET metadata = '{stored}'"))?;
    match ActivityLogRepository::new(&mut conn).query(&everything(), None, 9) {
        // As with serde_json's feature `arbitrary_precision`.
        Ok(entries) => {
            let metadata = entries.first().map(|entry| serde_json::to_string(&entry.metadata)).ok_or("no entry")??;
            assert_eq!(metadata, stored);
        }
        Err(error) => assert_eq!(
            error.to_string(),
            "the entry with seq 1 cannot be read: its `metadata` has a number that would lose digits: byte 7"
        ),
    }
    Ok(())
}
