//! Most entries and most bytes are exact in a log of any size, with gaps and with values that other programs wrote.

use activity_log::{ActivitySeverity, RetentionPolicy, run_migrations};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::behaviour::retention::apply;
use crate::database::{empty_log, stored_seqs};
use crate::foreign_rows::older_log;
use crate::support::{TestResult, record_numbered};

/// A large log with gaps, and the `seq`s in it.
fn log_with_gaps() -> TestResult<(SqliteConnection, Vec<i64>)> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 6_000)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq % 7 = 0 OR seq BETWEEN 3000 AND 3200")?;
    let seqs = stored_seqs(&mut conn)?;
    Ok((conn, seqs))
}

#[test]
fn most_entries_and_the_least_to_keep_count_rows_in_a_large_log_with_gaps() -> TestResult {
    let (_, seqs) = log_with_gaps()?;
    let all = seqs.len();
    assert!(all > 4_500, "{all}");
    // Near either end, and on either side of what is walked without counting.
    for most in [all + 1, all, all - 1, 4_097, 4_096, 1] {
        let by_number = RetentionPolicy::new().max_entries(most as u64);
        let by_age = RetentionPolicy::new().max_age(TimeDelta::zero()).keep_at_least(most as u64);
        for policy in [by_number, by_age] {
            let (mut conn, _) = log_with_gaps()?;
            apply(&mut conn, &policy, Utc::now())?;
            assert_eq!(stored_seqs(&mut conn)?, seqs[all.saturating_sub(most)..], "{policy:?}");
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

#[test]
fn most_bytes_adds_up_the_stored_texts_of_many_rows() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3_000)?;
    conn.batch_execute(
        "UPDATE activity_log SET entity_name = 'é€', entity_id = hex(zeroblob(seq % 50)) WHERE seq % 3 = 0",
    )?;
    let of_the_newest = |conn: &mut SqliteConnection, rows: i64| -> TestResult<u64> {
        let columns = [
            "id",
            "ts",
            "category",
            "action",
            "severity",
            "actor",
            "entity_type",
            "entity_id",
            "entity_name",
            "message",
            "metadata",
        ];
        let bytes = columns.map(|column| format!("ifnull(length(hex({column})) / 2, 0)")).join(" + ");
        let newest = format!("SELECT {bytes} AS bytes FROM activity_log ORDER BY seq DESC LIMIT {rows}");
        let sum = diesel::sql_query(format!("SELECT sum(bytes) AS bytes FROM ({newest})"));
        Ok(sum.get_result::<Bytes>(conn)?.bytes.unsigned_abs())
    };
    for kept in [3_000, 2_500, 1_025, 1_024, 513, 512, 511, 1] {
        let bytes = of_the_newest(&mut conn, kept)?;
        apply(&mut conn, &RetentionPolicy::new().max_bytes(bytes), Utc::now())?;
        assert_eq!(stored_seqs(&mut conn)?.len() as i64, kept);
        apply(&mut conn, &RetentionPolicy::new().max_bytes(bytes - 1), Utc::now())?;
        assert_eq!(stored_seqs(&mut conn)?.len() as i64, kept - 1);
    }
    Ok(())
}

#[test]
fn rows_with_nulls_of_an_older_table_are_due_like_any_others() -> TestResult {
    let policy = RetentionPolicy::new()
        .category("auth", TimeDelta::MAX)
        .severity(ActivitySeverity::Error, TimeDelta::MAX)
        .max_age(TimeDelta::zero());
    for (column, left) in [("category", 0), ("severity", 0), ("actor", 0), ("metadata", 0), ("ts", 1)] {
        let mut conn = older_log()?;
        run_migrations(&mut conn)?;
        record_numbered(&mut conn, 3)?;
        conn.batch_execute(&format!("UPDATE activity_log SET {column} = NULL WHERE seq = 2"))?;
        apply(&mut conn, &policy, Utc::now())?;
        assert_eq!(stored_seqs(&mut conn)?.len(), left, "{column}");
        apply(&mut conn, &RetentionPolicy::new().max_bytes(0), Utc::now())?;
        assert_eq!(stored_seqs(&mut conn)?.len(), 0, "{column}");
    }
    Ok(())
}
