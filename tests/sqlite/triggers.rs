//! A host's own triggers on the table neither confuse nor stop the log.

use activity_log::ActivityLogRepository;
use chrono::{DateTime, Utc};
use diesel::Connection;
use diesel::connection::SimpleConnection;

use crate::behaviour::prune::time_of;
use crate::database::{empty_log, stored_seqs};
use crate::support::{TestResult, numbered, record_numbered};

#[test]
fn record_returns_its_own_seq_when_a_trigger_of_the_host_inserts_elsewhere() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "CREATE TABLE copies (number INTEGER PRIMARY KEY, id TEXT);
         INSERT INTO copies (number) VALUES (1000);
         CREATE TRIGGER copy AFTER INSERT ON activity_log BEGIN INSERT INTO copies (id) VALUES (new.id); END;",
    )?;
    assert_eq!(ActivityLogRepository::new(&mut conn).record(&numbered(1))?, 1);
    Ok(())
}

#[test]
fn an_entry_that_a_trigger_of_the_host_drops_is_not_reported_as_recorded() -> TestResult {
    let mut conn = empty_log()?;
    conn.batch_execute("CREATE TRIGGER drop_it BEFORE INSERT ON activity_log BEGIN SELECT RAISE(IGNORE); END;")?;
    assert!(ActivityLogRepository::new(&mut conn).record(&numbered(1)).is_err());
    Ok(())
}

#[test]
fn rows_that_a_trigger_of_the_host_protects_do_not_stop_a_prune() -> TestResult {
    for (before_ts, max_entries) in [(None, Some(100)), (Some(time_of(2_901)), None)] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        // The trigger keeps the oldest six hundred rows, more than a batch, except row 300. It also keeps one in a
        // hundred of the rest.
        conn.batch_execute(
            "CREATE TRIGGER hold BEFORE DELETE ON activity_log
             WHEN old.seq <= 600 AND old.seq != 300 OR old.seq % 100 = 0 AND old.seq != 300
             BEGIN SELECT RAISE(IGNORE); END;",
        )?;
        let report = ActivityLogRepository::new(&mut conn).prune_with_report(before_ts, max_entries)?;
        let left = stored_seqs(&mut conn)?;
        let kept = |seq: &i64| (*seq <= 600 || seq % 100 == 0) && *seq != 300;
        let expected = (1..=3_000).filter(|seq| *seq > 2_900 || kept(seq)).collect::<Vec<_>>();
        assert_eq!(left, expected);
        assert_eq!(report.deleted, 3_000 - expected.len() as u64);
        assert_eq!(report.held_back, expected.len() as u64 - 100);
    }
    Ok(())
}

/// Ways of pruning a log of 3,000 rows to its newest hundred.
fn to_a_hundred() -> [(Option<DateTime<Utc>>, Option<u64>); 2] {
    [(None, Some(100)), (Some(time_of(2_901)), None)]
}

#[test]
fn rows_that_foreign_keys_refer_to_stay_and_all_others_that_are_due_go() -> TestResult {
    for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
        for (before_ts, max_entries) in to_a_hundred() {
            let mut conn = empty_log()?;
            record_numbered(&mut conn, 3_000)?;
            conn.batch_execute(&format!(
                "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq) {deferred}); \
                 INSERT INTO notes SELECT seq FROM activity_log WHERE seq IN (1, 2, 700, 701, 1999, 2950) OR seq % 500 = 0"
            ))?;
            let pinned = |seq: &i64| [1, 2, 700, 701, 1_999].contains(seq) || seq % 500 == 0;
            let report = ActivityLogRepository::new(&mut conn).prune_with_report(before_ts, max_entries)?;
            let expected = (1..=3_000).filter(|seq| *seq > 2_900 || pinned(seq)).collect::<Vec<_>>();
            assert_eq!(stored_seqs(&mut conn)?, expected);
            assert_eq!((report.deleted, report.held_back), (2_890, 10));
        }
    }
    Ok(())
}

#[test]
fn rows_that_foreign_keys_refer_to_stay_when_pruned_inside_a_transaction() -> TestResult {
    for (before_ts, max_entries) in to_a_hundred() {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(
            "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq)); INSERT INTO notes VALUES (7), (2000)",
        )?;
        let report =
            conn.transaction(|conn| ActivityLogRepository::new(conn).prune_with_report(before_ts, max_entries))?;
        assert_eq!((report.deleted, report.held_back), (2_898, 2));
        assert_eq!(stored_seqs(&mut conn)?.len(), 102);
    }
    Ok(())
}

#[test]
fn a_prune_goes_on_where_deleting_a_row_deletes_further_rows() -> TestResult {
    for (before_ts, max_entries) in to_a_hundred() {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(
            "CREATE TRIGGER cascade AFTER DELETE ON activity_log WHEN old.seq < 1500 \
             BEGIN DELETE FROM activity_log WHERE seq = old.seq + 1000; END",
        )?;
        let report = ActivityLogRepository::new(&mut conn).prune_with_report(before_ts, max_entries)?;
        assert_eq!(stored_seqs(&mut conn)?, (2_901..=3_000).collect::<Vec<_>>());
        assert_eq!(report.held_back, 0);
    }
    Ok(())
}

#[test]
fn a_prune_by_age_goes_on_behind_rows_of_one_time_that_are_held_back() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute(
        "UPDATE activity_log SET ts = '1970-01-01T00:00:00+00:00' WHERE seq <= 2900; \
         UPDATE activity_log SET ts = CAST(x'3137ff' AS TEXT) WHERE seq = 5; \
         CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq % 3 = 0 BEGIN SELECT RAISE(IGNORE); END",
    )?;
    let report = ActivityLogRepository::new(&mut conn).prune_with_report(Some(time_of(1)), None)?;
    assert_eq!((report.deleted, report.held_back), (2_900 - 966, 966));
    Ok(())
}
