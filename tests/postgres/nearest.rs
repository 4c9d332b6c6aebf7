//! Pages that look through the nearest rows, or find that there are few, where a lookup would take longer.

use activity_log::{ActivityLogFilters, ActivityLogPage};
use diesel::connection::SimpleConnection;

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::TestResult;

fn without_cron() -> ActivityLogFilters {
    ActivityLogFilters { exclude_actors: vec!["cron".to_owned()], ..ActivityLogFilters::default() }
}

fn beginning(name: &str) -> ActivityLogFilters {
    ActivityLogFilters { actions: vec![format!("{name}.*")], ..ActivityLogFilters::default() }
}

/// Adds an entry for each of the numbers.
fn add(conn: &mut Connection, numbers: &str, action: &str) -> TestResult {
    Ok(conn.batch_execute(&format!(
        "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         SELECT n, 'id ' || n, '2026-01-01Z', 'system', '{action}', 'info', 'alice', 'Message' FROM {numbers} AS n"
    ))?)
}

fn seqs(page: &ActivityLogPage) -> Vec<i64> {
    page.entries.iter().map(|entry| entry.seq).collect()
}

#[test]
fn the_least_and_the_greatest_numbers_are_found_from_both_sides() -> TestResult {
    let mut conn = empty_log()?;
    let numbers = [i64::MIN, i64::MIN + 7, 5, i64::MAX - 7];
    add(&mut conn, &format!("unnest(ARRAY{numbers:?}::bigint[])"), "user.seen")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for filters in [without_cron(), beginning("user")] {
        assert_eq!(seqs(&log.page(&filters, None, 10)?), [i64::MAX - 7, 5, i64::MIN + 7, i64::MIN]);
        assert_eq!(seqs(&log.page(&filters, Some(5), 1)?), [i64::MIN + 7]);
        assert_eq!(seqs(&log.page(&filters, Some(i64::MIN + 8), 1)?), [i64::MIN + 7]);
        assert_eq!(seqs(&log.page_after(&filters, 5, 1)?), [i64::MAX - 7]);
        assert_eq!(seqs(&log.page_after(&filters, i64::MAX - 8, 1)?), [i64::MAX - 7]);
    }
    Ok(())
}

#[test]
fn pages_of_any_length_go_through_few_and_many_rows_near_and_far() -> TestResult {
    let mut conn = empty_log()?;
    // Few rows, many that are near, and many that are far, with gaps that are longer than what is looked through.
    add(&mut conn, "generate_series(1, 300)", "far.seen")?;
    add(&mut conn, "generate_series(10001, 10040)", "few_.seen")?;
    add(&mut conn, "generate_series(20001, 20040)", "few%.seen")?;
    add(&mut conn, "generate_series(30001, 32300)", "near.seen")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for (name, first, last) in
        [("far", 1, 300), ("few_", 10_001, 10_040), ("few%", 20_001, 20_040), ("near", 30_001, 32_300)]
    {
        for limit in [1, 7, 50, 127, 128, 200] {
            let mut expected = (first..=last).rev();
            let mut before = None;
            loop {
                let page = log.page(&beginning(name), before, limit)?;
                let wanted = expected.by_ref().take(limit as usize).collect::<Vec<_>>();
                assert_eq!(seqs(&page), wanted, "{name}, {limit}");
                let is_first = page.entries.first().is_none_or(|entry| entry.seq == last);
                assert_eq!(page.prev_after_seq.is_none(), is_first, "{name}, {limit}");
                before = page.next_before_seq;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(expected.next(), None, "{name}, {limit}");
        }
    }
    Ok(())
}
