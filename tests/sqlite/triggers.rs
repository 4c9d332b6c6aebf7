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
    for ((before_ts, max_entries), deferred) in to_a_hundred()
        .into_iter()
        .flat_map(|limits| ["", "DEFERRABLE INITIALLY DEFERRED"].map(|deferred| (limits, deferred)))
    {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(&format!(
            "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq) {deferred}); \
             INSERT INTO notes VALUES (7), (2000)"
        ))?;
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

#[test]
fn rows_that_other_kinds_of_foreign_keys_refer_to_are_deleted_or_stay_as_the_keys_say() -> TestResult {
    for (tables, left) in [
        (
            "CREATE TABLE \"no\"\"tes\" (\"en try\" TEXT REFERENCES Activity_Log (id)); \
          INSERT INTO \"no\"\"tes\" VALUES ('al_00000007')",
            101,
        ),
        ("CREATE TABLE notes (entry REFERENCES activity_log ON DELETE CASCADE); INSERT INTO notes VALUES (7)", 100),
        ("CREATE TABLE notes (entry REFERENCES activity_log ON DELETE SET NULL); INSERT INTO notes VALUES (7)", 100),
        // Of two columns, which only trying tells.
        (
            "CREATE UNIQUE INDEX hosts ON activity_log (seq, id); \
          CREATE TABLE notes (entry, id, FOREIGN KEY (entry, id) REFERENCES activity_log (seq, id)); \
          INSERT INTO notes VALUES (7, 'al_00000007'), (8, NULL)",
            101,
        ),
        (
            "PRAGMA foreign_keys = OFF; \
          CREATE TABLE notes (entry REFERENCES activity_log); INSERT INTO notes VALUES (7)",
            100,
        ),
    ] {
        for (before_ts, max_entries) in to_a_hundred() {
            let mut conn = empty_log()?;
            record_numbered(&mut conn, 3_000)?;
            conn.batch_execute(tables)?;
            let report = ActivityLogRepository::new(&mut conn).prune_with_report(before_ts, max_entries)?;
            assert_eq!(stored_seqs(&mut conn)?.len(), left, "{tables}");
            assert_eq!(report.held_back, left as u64 - 100, "{tables}");
        }
    }
    Ok(())
}

#[test]
fn rows_that_a_trigger_of_the_host_refuses_to_delete_do_not_stop_a_prune() -> TestResult {
    for (before_ts, max_entries) in to_a_hundred() {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(
            "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq IN (3, 1700) \
             BEGIN SELECT RAISE(ABORT, 'it''s pinned'); END",
        )?;
        let report = ActivityLogRepository::new(&mut conn).prune_with_report(before_ts, max_entries)?;
        assert_eq!((report.deleted, report.held_back), (2_898, 2));
        assert_eq!(stored_seqs(&mut conn)?.len(), 102);
    }
    Ok(())
}

#[test]
fn a_row_that_is_due_by_age_and_by_number_is_held_back_once() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    conn.batch_execute("CREATE TABLE notes (entry REFERENCES activity_log); INSERT INTO notes VALUES (7)")?;
    let report = ActivityLogRepository::new(&mut conn).prune_with_report(Some(time_of(20)), Some(50))?;
    assert_eq!((report.deleted, report.held_back), (49, 1));
    Ok(())
}
