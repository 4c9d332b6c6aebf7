//! A host's own triggers on the table neither confuse nor stop the log.

use activity_log::ActivityLogRepository;
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
        let deleted = ActivityLogRepository::new(&mut conn).prune(before_ts, max_entries)?;
        let left = stored_seqs(&mut conn)?;
        let kept = |seq: &i64| (*seq <= 600 || seq % 100 == 0) && *seq != 300;
        let expected = (1..=3_000).filter(|seq| *seq > 2_900 || kept(seq)).collect::<Vec<_>>();
        assert_eq!(left, expected);
        assert_eq!(deleted, 3_000 - expected.len() as u64);
    }
    Ok(())
}
