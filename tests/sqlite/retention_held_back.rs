//! Rows that the host's own tables and triggers hold back from retention stay, and all others go.

use std::io;

use activity_log::{
    ActivityLogEntry, ActivityLogRepository, RetentionArchive, RetentionHooks, RetentionPolicy, RetentionReport,
};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;

use crate::behaviour::prune::range;
use crate::behaviour::retention::{RUNNING, apply};
use crate::database::{empty_log, stored_seqs};
use crate::support::{TestResult, record_numbered, seqs};

/// Calls a function in the place of an archive.
pub(crate) struct Calls<F>(pub(crate) F);

impl<F: FnMut(&[ActivityLogEntry]) -> TestResult> RetentionArchive for Calls<F> {
    fn append(&mut self, entries: &[ActivityLogEntry]) -> io::Result<()> {
        (self.0)(entries).map_err(io::Error::other)
    }
}

/// Rules by which all but the newest hundred entries are due: each of them by the first, the second or both.
fn all_but_a_hundred() -> [RetentionPolicy; 3] {
    let by_age = RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(100);
    [RetentionPolicy::new().max_entries(100), by_age.clone(), by_age.max_entries(100)]
}

fn held_back_by_rule(report: &RetentionReport) -> Vec<u64> {
    report.rules.iter().map(|rule| rule.held_back).collect()
}

#[test]
fn rows_that_the_host_holds_back_stay_and_all_others_that_are_due_go() -> TestResult {
    for hold in [
        "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq)); \
         INSERT INTO notes SELECT seq FROM activity_log WHERE seq % 300 = 0",
        "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq) DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO notes SELECT seq FROM activity_log WHERE seq % 300 = 0",
        "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq % 300 = 0 BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq % 300 = 0 \
         BEGIN SELECT RAISE(ABORT, 'it''s pinned'); END",
    ] {
        for (policy, held_back) in all_but_a_hundred().into_iter().zip([vec![9], vec![9], vec![9, 0]]) {
            let mut conn = empty_log()?;
            record_numbered(&mut conn, 3_000)?;
            conn.batch_execute(hold)?;
            let report = apply(&mut conn, &policy, Utc::now())?;
            let expected = (1..=3_000).filter(|seq| *seq > 2_900 || seq % 300 == 0).collect::<Vec<_>>();
            assert_eq!(stored_seqs(&mut conn)?, expected, "{hold}");
            assert_eq!((report.deleted, report.held_back), (2_891, 9), "{hold}");
            assert_eq!(held_back_by_rule(&report), held_back, "{hold}");
        }
    }
    Ok(())
}

#[test]
fn more_rows_than_a_batch_that_are_held_back_do_not_stop_a_run() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute(
        "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq <= 1500 BEGIN SELECT RAISE(IGNORE); END",
    )?;
    let report = apply(&mut conn, &RetentionPolicy::new().max_entries(100), Utc::now())?;
    assert_eq!((report.deleted, report.held_back), (1_400, 1_500));
    Ok(())
}

#[test]
fn a_run_goes_on_where_deleting_a_row_deletes_further_rows() -> TestResult {
    for policy in all_but_a_hundred() {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(
            "CREATE TRIGGER cascade AFTER DELETE ON activity_log WHEN old.seq < 1500 \
             BEGIN DELETE FROM activity_log WHERE seq = old.seq + 1000; END",
        )?;
        let report = apply(&mut conn, &policy, Utc::now())?;
        assert_eq!(stored_seqs(&mut conn)?, range(2_901, 3_000));
        assert_eq!(report.held_back, 0);
    }
    Ok(())
}

#[test]
fn rows_that_the_host_holds_back_are_not_archived() -> TestResult {
    for hold in [
        "CREATE TABLE notes (entry INTEGER REFERENCES activity_log (seq)); \
         INSERT INTO notes SELECT seq FROM activity_log WHERE seq % 300 = 0",
        "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq % 300 = 0 BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER hold BEFORE DELETE ON activity_log WHEN old.seq % 300 = 0 \
         BEGIN SELECT RAISE(ABORT, 'it''s pinned'); END",
    ] {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 3_000)?;
        conn.batch_execute(hold)?;
        let mut archived = Vec::new();
        for held_back in [10, 10] {
            let mut archive = Calls(|entries: &[ActivityLogEntry]| {
                archived.extend(seqs(entries));
                Ok(())
            });
            let hooks = RetentionHooks::new().archive(&mut archive);
            let policy = RetentionPolicy::new().max_age(TimeDelta::zero()).max_entries(0);
            let mut log = ActivityLogRepository::new(&mut conn);
            let report = log.apply_retention_with(&policy, Utc::now(), &RUNNING, hooks)?;
            assert_eq!(held_back_by_rule(&report), [held_back, 0], "{hold}");
        }
        assert_eq!(archived, (1..=3_000).filter(|seq| seq % 300 != 0).collect::<Vec<_>>(), "{hold}");
        assert_eq!(stored_seqs(&mut conn)?, (1..=3_000).filter(|seq| seq % 300 == 0).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn a_run_in_a_transaction_begun_as_sql_text_is_part_of_it() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute("CREATE TABLE notes (entry REFERENCES activity_log); INSERT INTO notes VALUES (7), (2000)")?;
    for end in ["ROLLBACK", "COMMIT"] {
        conn.batch_execute("BEGIN")?;
        let report = apply(&mut conn, &RetentionPolicy::new().max_entries(100), Utc::now())?;
        assert_eq!((report.deleted, report.held_back), (2_898, 2));
        conn.batch_execute(end)?;
        assert_eq!(stored_seqs(&mut conn)?.len(), if end == "COMMIT" { 102 } else { 3_000 });
    }
    Ok(())
}
