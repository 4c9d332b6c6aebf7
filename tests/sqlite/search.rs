//! The search index changes no answer: a text is found in the same entries with and without it.

use activity_log::{
    ActivityLogFilters, ActivityLogRepository, MIGRATIONS, NewActivityLogEntry, disable_search, enable_search,
    resummarize, run_migrations, unsummarized,
};
use chrono::{DateTime, TimeDelta};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::MigrationHarness;
use proptest::prelude::*;

use crate::database::{SharedLog, empty_database, empty_log};
use crate::kinds::{insert_as_others_do, segments_where};
use crate::statements::{after_query, plan, statements};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

fn containing(term: &str) -> ActivityLogFilters {
    ActivityLogFilters { message_contains: Some(term.to_owned()), ..everything() }
}

fn searchable_log() -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    enable_search(&mut conn)?;
    Ok(conn)
}

/// Adds a row without a text far beyond the others, so that their segments are complete, and lets the next start add them to
/// the index.
fn add_to_index(conn: &mut SqliteConnection) -> TestResult {
    conn.batch_execute(
        "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
         SELECT max(seq) + 8192, 'far ' || max(seq), '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', '' \
         FROM activity_log",
    )?;
    run_migrations(conn)?;
    assert_eq!(segments_outside_index(conn)?, Vec::<i64>::new());
    Ok(())
}

fn segments_outside_index(conn: &mut SqliteConnection) -> TestResult<Vec<i64>> {
    segments_where(conn, "NOT in_search")
}

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// How many bytes the index takes.
fn index_size(conn: &mut SqliteConnection) -> TestResult<i64> {
    let size = diesel::sql_query("SELECT sum(length(block)) AS bytes FROM activity_log_search_data");
    Ok(size.get_result::<Size>(conn)?.bytes)
}

/// How many messages the index has.
fn index_rows(conn: &mut SqliteConnection) -> TestResult<i64> {
    let rows = diesel::sql_query("SELECT count(*) AS bytes FROM activity_log_search_docsize");
    Ok(rows.get_result::<Size>(conn)?.bytes)
}

/// The matching `seq`s. Every way of reading must find the same ones, page by page.
fn found(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> TestResult<Vec<i64>> {
    let mut log = ActivityLogRepository::new(conn);
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = log.page(filters, before, 3)?;
        found.extend(seqs(&page.entries));
        before = page.next_before_seq;
        if before.is_none() {
            break;
        }
    }
    found.reverse();
    assert_eq!(seqs(&log.query_after(filters, i64::MIN, u32::MAX)?), found);
    assert_eq!(seqs(&log.iter_export(filters)?.collect::<Result<Vec<_>, _>>()?), found);
    assert_eq!(log.count(filters)?, found.len() as u64);
    assert_eq!(log.count_up_to(filters, 2)?, found.len().min(2) as u64);
    Ok(found)
}

fn record(conn: &mut SqliteConnection, message: &str) -> TestResult<i64> {
    let entry = NewActivityLogEntry::new("system", "test", "tester", message);
    Ok(ActivityLogRepository::new(conn).record(&entry)?)
}

fn names(conn: &mut SqliteConnection) -> TestResult<Vec<String>> {
    diesel::table! { sqlite_master (name) { name -> Text, } }
    Ok(sqlite_master::table.select(sqlite_master::name).order(sqlite_master::name).load(conn)?)
}

#[test]
fn entries_recorded_before_the_index_was_enabled_are_found() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 20)?;
    enable_search(&mut conn)?;
    assert_eq!(found(&mut conn, &containing("Tick 1"))?, [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    Ok(())
}

#[test]
fn entries_recorded_after_the_index_was_enabled_are_found() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 20)?;
    assert_eq!(found(&mut conn, &containing("ick 20"))?, [20]);
    add_to_index(&mut conn)?;
    assert_eq!(index_rows(&mut conn)?, 20);
    assert_eq!(found(&mut conn, &containing("ick 20"))?, [20]);
    Ok(())
}

#[test]
fn recording_adds_segments_to_the_index_whoever_wrote_their_rows() -> TestResult {
    let mut conn = searchable_log()?;
    insert_as_others_do(&mut conn, 4_000, 7)?;
    for number in 1..=200 {
        ActivityLogRepository::new(&mut conn).record(&numbered(number))?;
    }
    assert_eq!(index_rows(&mut conn)?, 4_095);
    assert_eq!(found(&mut conn, &containing("Tick 95"))?, [4_095]);
    assert_eq!(found(&mut conn, &containing("Tick 96"))?, [4_096]);
    Ok(())
}

#[test]
fn recording_still_returns_the_seq_of_the_entry() -> TestResult {
    let mut conn = searchable_log()?;
    assert_eq!(record(&mut conn, "one")?, 1);
    assert_eq!(record(&mut conn, "two, with more to index than the one before")?, 2);
    Ok(())
}

#[test]
fn enabling_the_index_twice_changes_nothing() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 3)?;
    let before = names(&mut conn)?;
    enable_search(&mut conn)?;
    assert_eq!(names(&mut conn)?, before);
    assert_eq!(found(&mut conn, &containing("Tick"))?, [1, 2, 3]);
    Ok(())
}

#[test]
fn disabling_the_index_restores_the_schema() -> TestResult {
    let mut conn = empty_log()?;
    let before = names(&mut conn)?;
    enable_search(&mut conn)?;
    disable_search(&mut conn)?;
    assert_eq!(names(&mut conn)?, before);
    disable_search(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    assert_eq!(found(&mut conn, &containing("Tick"))?, [1, 2, 3]);
    Ok(())
}

#[test]
fn enabling_the_index_in_a_transaction_is_part_of_the_transaction() -> TestResult {
    let mut conn = empty_log()?;
    let before = names(&mut conn)?;
    let rolled_back = conn.transaction::<(), activity_log::Error, _>(|conn| {
        enable_search(conn)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(names(&mut conn)?, before);
    Ok(())
}

#[test]
fn several_connections_may_enable_the_index_at_once() -> TestResult {
    let file = SharedLog::create()?;
    record_numbered(&mut file.connect()?, 500)?;
    std::thread::scope(|scope| -> TestResult {
        let starters = (0..4).map(|_| scope.spawn(|| Ok(enable_search(&mut file.connect()?)?))).collect::<Vec<_>>();
        starters.into_iter().try_for_each(|starter| starter.join().map_err(|_| "a thread panicked")?)
    })?;
    assert_eq!(found(&mut file.connect()?, &containing("tick 50"))?, [50, 500]);
    Ok(())
}

#[test]
fn an_index_that_lost_a_part_stops_no_writer_and_is_built_again() -> TestResult {
    let parts = ["", "_data", "_idx", "_docsize", "_config"];
    for part in parts {
        let file = SharedLog::create()?;
        let mut conn = file.connect()?;
        enable_search(&mut conn)?;
        record_numbered(&mut conn, 9_000)?;
        if part.is_empty() {
            // As a dump does that leaves out the virtual table.
            let hide = "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'activity_log_search'";
            conn.batch_execute(hide)?;
        } else {
            conn.batch_execute(&format!("DROP TABLE activity_log_search{part}"))?;
        }
        drop(conn);

        let mut conn = file.connect()?;
        let more = (9_001..=14_000).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(&mut conn).record_all(&more)?;
        ActivityLogRepository::new(&mut conn).prune(None, Some(13_000))?;
        run_migrations(&mut conn)?;
        enable_search(&mut conn)?;
        assert_eq!(found(&mut conn, &containing("tick 9000"))?, [9_000], "{part}");
        assert_eq!(unsummarized(&mut conn)?, 14_000 % 4_096 + 1 + 4_096 - 1_001, "{part}");
        assert_eq!(index_rows(&mut conn)?, 3 * 4_096 - 1_001, "{part}");
    }
    Ok(())
}

#[test]
fn reverting_the_migrations_drops_the_index_with_the_table() -> TestResult {
    let mut conn = searchable_log()?;
    conn.revert_all_migrations(MIGRATIONS)?;
    let left = names(&mut conn)?;
    assert!(left.iter().all(|name| !name.contains("activity_log")), "{left:?}");
    run_migrations(&mut conn)?;
    enable_search(&mut conn)?;
    record_numbered(&mut conn, 3)?;
    assert_eq!(found(&mut conn, &containing("Tick 3"))?, [3]);
    Ok(())
}

#[test]
fn pruned_and_cleared_entries_are_not_found_and_later_ones_are() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 30)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.prune(None, Some(10))?, 20);
    assert_eq!(found(&mut conn, &containing("Tick 2"))?, [21, 22, 23, 24, 25, 26, 27, 28, 29]);
    assert_eq!(ActivityLogRepository::new(&mut conn).clear()?, 10);
    assert_eq!(found(&mut conn, &containing("Tick"))?, Vec::<i64>::new());
    assert_eq!(record(&mut conn, "Tick again")?, 31);
    assert_eq!(found(&mut conn, &containing("Tick"))?, [31]);
    conn.batch_execute("INSERT INTO activity_log_search (activity_log_search) VALUES ('integrity-check')")?;
    Ok(())
}

#[test]
fn a_program_that_does_not_know_the_index_keeps_it_current() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 3)?;
    conn.batch_execute(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
         VALUES ('foreign', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', 'Written by Python'); \
         UPDATE activity_log SET message = 'Corrected' WHERE seq = 2; \
         DELETE FROM activity_log WHERE seq = 1;",
    )?;
    assert_eq!(found(&mut conn, &containing("python"))?, [4]);
    assert_eq!(found(&mut conn, &containing("corrected"))?, [2]);
    assert_eq!(found(&mut conn, &containing("Tick"))?, [3]);
    conn.batch_execute("INSERT INTO activity_log_search (activity_log_search) VALUES ('integrity-check')")?;
    Ok(())
}

#[test]
fn the_index_follows_what_other_programs_change() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 5_000)?;
    conn.batch_execute(
        "UPDATE activity_log SET message = 'Corrected' WHERE seq = 2; DELETE FROM activity_log WHERE seq = 7; \
         UPDATE activity_log SET seq = -5 WHERE seq = 9; UPDATE activity_log SET rowid = 7 WHERE seq = 4999",
    )?;
    for _ in 0..2 {
        assert_eq!(found(&mut conn, &containing("corrected"))?, [2]);
        assert_eq!(found(&mut conn, &containing("Tick 7"))?.first(), Some(&70));
        assert_eq!(found(&mut conn, &containing("Tick 4999"))?, [7]);
        assert_eq!(found(&mut conn, &containing("Tick 9"))?.first(), Some(&-5));
        add_to_index(&mut conn)?;
    }
    if can_delete(&mut conn)? {
        assert_eq!(index_rows(&mut conn)?, 4_999 + 1);
    }
    Ok(())
}

/// Triggers of a host's that mask a word, drop a row, or trim a text.
#[test]
fn triggers_of_the_host_that_change_what_is_recorded_confuse_neither_recording_nor_searching() -> TestResult {
    let mut conn = searchable_log()?;
    conn.batch_execute(
        "CREATE TRIGGER mask AFTER INSERT ON activity_log WHEN new.message LIKE '%secret%' \
         BEGIN UPDATE activity_log SET message = replace(message, 'secret', '***') WHERE seq = new.seq; END; \
         CREATE TRIGGER drop_row AFTER INSERT ON activity_log WHEN new.message LIKE '%noise%' \
         BEGIN DELETE FROM activity_log WHERE seq = new.seq; END; \
         CREATE TRIGGER trim AFTER UPDATE OF message ON activity_log WHEN new.message <> trim(new.message) \
         BEGIN UPDATE activity_log SET message = trim(message) WHERE seq = new.seq; END",
    )?;
    record(&mut conn, "the secret word")?;
    record(&mut conn, "mere noise")?;
    record_numbered(&mut conn, 4_200)?;
    conn.batch_execute("UPDATE activity_log SET message = '  trimmed  ' WHERE seq IN (100, 4150)")?;
    for _ in 0..2 {
        assert_eq!(found(&mut conn, &containing("secret"))?, Vec::<i64>::new());
        assert_eq!(found(&mut conn, &containing("*** word"))?, [1]);
        assert_eq!(found(&mut conn, &containing("noise"))?, Vec::<i64>::new());
        assert_eq!(found(&mut conn, &containing("trimmed"))?, [100, 4_150]);
        add_to_index(&mut conn)?;
    }
    Ok(())
}

#[test]
fn the_index_of_a_log_that_is_pruned_every_day_stays_as_small_as_a_new_one() -> TestResult {
    let mut conn = searchable_log()?;
    if !can_delete(&mut conn)? {
        return Ok(());
    }
    let record_day = |conn: &mut SqliteConnection, day: i64| -> TestResult {
        let entries = (day * 4_096..(day + 1) * 4_096).map(numbered).collect::<Vec<_>>();
        ActivityLogRepository::new(conn).record_all(&entries)?;
        Ok(())
    };
    (0..8).try_for_each(|day| record_day(&mut conn, day))?;
    let new = index_size(&mut conn)?;
    for day in 8..40 {
        record_day(&mut conn, day)?;
        ActivityLogRepository::new(&mut conn).prune(None, Some(8 * 4_096))?;
        let size = index_size(&mut conn)?;
        assert!(size < new * 3 / 2, "{size} after day {day}, {new} at first");
    }
    assert!(index_rows(&mut conn)? <= 9 * 4_096);
    Ok(())
}

/// Whether this SQLite's index can forget a message.
fn can_delete(conn: &mut SqliteConnection) -> TestResult<bool> {
    let option = "SELECT count(*) AS bytes FROM sqlite_master WHERE sql LIKE '%contentless_delete%'";
    Ok(diesel::sql_query(option).get_result::<Size>(conn)?.bytes > 0)
}

#[test]
fn terms_of_any_length_are_found() -> TestResult {
    let mut conn = searchable_log()?;
    let long = "x".repeat(5_000);
    record(&mut conn, &format!("before {long}y after"))?;
    record(&mut conn, "ab")?;
    for (term, expected) in [("a", vec![1, 2]), ("ab", vec![2]), ("abc", vec![]), (&*format!("{long}y"), vec![1])] {
        assert_eq!(found(&mut conn, &containing(term))?, expected, "{term}");
    }
    assert_eq!(found(&mut conn, &containing(&format!("{long}xy")))?, Vec::<i64>::new());
    Ok(())
}

#[test]
fn an_unselective_term_with_a_selective_filter_finds_a_row_however_old() -> TestResult {
    let mut conn = searchable_log()?;
    record(&mut conn, "Tick of an actor with few entries")?;
    let entries = (1..=40_000).map(numbered).collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    let filters = ActivityLogFilters { actor: Some("tester".to_owned()), ..containing("Tick") };
    assert_eq!(found(&mut conn, &filters)?, [1]);
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&containing("Tick"))?, 40_001);
    Ok(())
}

#[test]
fn candidates_fit_with_the_longest_list_of_categories() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 3_000)?;
    let categories = (1..32_000).map(|number| format!("area {number}").into()).chain(["system".into()]).collect();
    let mut filters = ActivityLogFilters { categories, ..containing("Tick 1") };
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.query(&filters, None, 2_000)?.len(), 1_111);
    assert_eq!(log.count(&filters)?, 1_111);
    // Also with everything else that takes variables.
    filters.metadata = (0..10).map(|number| (number.to_string(), number.into())).collect();
    filters.since = Some(numbered(1).ts);
    filters.until = Some(numbered(3_000).ts);
    assert_eq!(log.query(&filters, Some(3_000), 2_000)?, []);
    Ok(())
}

#[test]
fn a_page_reads_only_the_candidates_of_the_index() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 3_000)?;
    add_to_index(&mut conn)?;
    for statistics in ["", "ANALYZE"] {
        conn.batch_execute(statistics)?;
        for (filters, lookup) in [
            (containing("tick 77"), "INTEGER PRIMARY KEY (rowid=?)"),
            (ActivityLogFilters { categories: vec!["system".into()], ..containing("tick 77") }, "rowid=?)"),
        ] {
            let statements = statements(&mut conn, |log| log.page(&filters, None, 50).map(drop))?;
            let [.., candidates, rows] = &*statements else {
                return Err("fewer than two statements were executed".into());
            };
            let candidates = plan(&mut conn, candidates)?;
            assert!(candidates.starts_with("SCAN activity_log_search VIRTUAL TABLE INDEX"), "{candidates}");
            let rows = plan(&mut conn, rows)?;
            assert!(rows.starts_with("SEARCH activity_log USING") && rows.ends_with(lookup), "{rows}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_found_in_the_same_entries_as_without_the_index(
        messages in proptest::collection::vec("[aAbBkKéÉİıſK\"'%_* \u{FFFD}\u{FFFF}\\\\-]{0,12}", 1..40),
        term in "[aAbBkKéÉİıſK\"'%_* \u{FFFD}\u{FFFF}\\\\-]{1,6}",
    ) {
        let check = || -> TestResult {
            let mut conn = empty_log()?;
            for message in &messages {
                record(&mut conn, message)?;
            }
            let expected = found(&mut conn, &containing(&term))?;
            enable_search(&mut conn)?;
            add_to_index(&mut conn)?;
            assert_eq!(found(&mut conn, &containing(&term))?, expected);
            Ok(())
        };
        check().map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn a_follower_misses_no_entry_recorded_while_it_reads() -> TestResult {
    for meanwhile in ["LIKE", "`rowid` >"] {
        for recorded in [1_023, 10_023] {
            let file = SharedLog::create()?;
            let mut writer = file.connect()?;
            record_numbered(&mut writer, recorded)?;
            enable_search(&mut writer)?;
            let mut reader = file.connect()?;
            after_query(&mut reader, meanwhile, move || {
                let more = (recorded + 1..=recorded + 30).map(numbered).collect::<Vec<_>>();
                ActivityLogRepository::new(&mut writer).record_all(&more)?;
                Ok(())
            });
            let filters = containing("Tick 10");
            let mut log = ActivityLogRepository::new(&mut reader);
            let mut followed = Vec::new();
            while let page = seqs(&log.query_after(&filters, followed.last().copied().unwrap_or_default(), 40)?)
                && !page.is_empty()
            {
                followed.extend(page);
            }
            assert_eq!(followed, found(&mut file.connect()?, &filters)?, "{meanwhile} {recorded}");
        }
    }
    Ok(())
}

#[test]
fn a_read_continues_when_another_connection_removes_the_index() -> TestResult {
    let reads: [fn(&mut ActivityLogRepository<'_>) -> activity_log::Result<usize>; 2] = [
        |log| log.query(&containing("Tick 100"), None, 10).map(|entries| entries.len()),
        |log| log.count(&containing("Tick 100")).map(|count| count as usize),
    ];
    for read in reads {
        let file = SharedLog::create()?;
        let mut writer = file.connect()?;
        record_numbered(&mut writer, 100)?;
        enable_search(&mut writer)?;
        let mut reader = file.connect()?;
        after_query(&mut reader, "sqlite_master", move || Ok(disable_search(&mut writer)?));
        assert_eq!(read(&mut ActivityLogRepository::new(&mut reader))?, 1);
    }
    Ok(())
}

#[test]
fn entries_with_the_smallest_and_largest_seq_are_found() -> TestResult {
    let mut conn = searchable_log()?;
    for seq in [i64::MIN, i64::MIN + 7, 5, i64::MAX] {
        conn.batch_execute(&format!(
            "INSERT INTO activity_log (seq, id, ts, category, action, severity, actor, message) \
             VALUES ({seq}, 'x{seq}', '2025-06-01T12:00:00+00:00', 'system', 'a', 'info', 'b', 'hello')"
        ))?;
    }
    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(seqs(&log.query(&containing("hello"), None, 10)?), [i64::MAX, 5, i64::MIN + 7, i64::MIN]);
    assert_eq!(seqs(&log.query_after(&containing("hello"), i64::MAX - 10, 10)?), [i64::MAX]);
    assert_eq!(log.iter_export(&containing("hello"))?.count(), 4);
    Ok(())
}

/// Messages of a few words and a number, by a few actors, that take the index several rounds.
fn large_log() -> TestResult<SqliteConnection> {
    const WORDS: [&str; 9] = ["alpha", "beta", "Lamp", "été", "K", "foo%bar", "x_y", "gamma", "ALPHA"];
    let mut conn = empty_log()?;
    let entries = (0..20_000_i64)
        .zip(WORDS.iter().cycle())
        .zip(WORDS.iter().cycle().skip(4).step_by(5))
        .map(|((number, one), other)| NewActivityLogEntry {
            message: format!("{one} {other} {}", number * 7_919 % 500),
            actor: format!("user {}", number % 40),
            ..numbered(number)
        })
        .collect::<Vec<_>>();
    ActivityLogRepository::new(&mut conn).record_all(&entries)?;
    conn.batch_execute("DELETE FROM activity_log WHERE seq % 7 = 3")?;
    Ok(conn)
}

#[test]
fn a_large_log_gives_the_same_answers_with_and_without_the_index() -> TestResult {
    let mut without = large_log()?;
    let mut with = large_log()?;
    enable_search(&mut with)?;
    let minute = |number| DateTime::UNIX_EPOCH + TimeDelta::minutes(number);
    let terms = ["alpha", "alpha K", "Lamp 77", " 49", "foo%bar", "x_y ", "été", "a 12", "zzz"];
    for (term, (before, limit)) in terms.iter().flat_map(|term| {
        [(None, 1), (None, 50), (Some(12_345), 600), (Some(3_000), u32::MAX)].map(move |walk| (term, walk))
    }) {
        for filters in [
            containing(term),
            ActivityLogFilters { actor: Some("user 7".to_owned()), ..containing(term) },
            ActivityLogFilters { since: Some(minute(2_000)), until: Some(minute(9_000)), ..containing(term) },
        ] {
            let answer = |conn: &mut SqliteConnection| -> TestResult<_> {
                let mut log = ActivityLogRepository::new(conn);
                let page = log.page(&filters, before, limit)?;
                let after = seqs(&log.query_after(&filters, before.unwrap_or(100), limit)?);
                let exported = log.iter_export(&filters)?.collect::<Result<Vec<_>, _>>()?;
                let counts = (log.count(&filters)?, log.count_up_to(&filters, limit.into())?);
                Ok((seqs(&page.entries), page.next_before_seq, after, seqs(&exported), counts))
            };
            assert_eq!(answer(&mut with)?, answer(&mut without)?, "{filters:?} {before:?} {limit}");
        }
    }
    Ok(())
}

#[test]
fn rows_whose_numbers_began_again_are_found() -> TestResult {
    for sequence in ["AUTOINCREMENT", ""] {
        let mut conn = empty_database()?;
        let create = include_str!("../../migrations/0000-activity-log-0001_create_activity_log/up.sql");
        conn.batch_execute(&create.replace("AUTOINCREMENT", sequence))?;
        run_migrations(&mut conn)?;
        enable_search(&mut conn)?;
        record_numbered(&mut conn, 9_000)?;
        conn.batch_execute("DELETE FROM activity_log")?;
        if !sequence.is_empty() {
            conn.batch_execute("DELETE FROM sqlite_sequence")?;
        }
        for number in 1..=30 {
            // Not what the index has for these numbers.
            let fresh = NewActivityLogEntry { message: format!("Tock {number}"), ..numbered(number) };
            ActivityLogRepository::new(&mut conn).record(&fresh.id(format!("fresh {number}")))?;
            assert_eq!(found(&mut conn, &containing("Tock"))?.len() as i64, number, "{sequence}");
        }
        insert_as_others_do(&mut conn, 13_000, 7)?;
        assert_eq!(ActivityLogRepository::new(&mut conn).count(&containing("Tick"))?, 13_000, "{sequence}");
        resummarize(&mut conn)?;
        assert_eq!(ActivityLogRepository::new(&mut conn).count(&containing("Tick"))?, 13_000, "{sequence}");
        assert_eq!(ActivityLogRepository::new(&mut conn).count(&containing("Tock"))?, 30, "{sequence}");
    }
    Ok(())
}

#[test]
fn a_damaged_index_does_not_stop_the_summaries_and_is_mended_by_resummarizing() -> TestResult {
    let mut conn = searchable_log()?;
    record_numbered(&mut conn, 9_000)?;
    conn.batch_execute("UPDATE activity_log_search_data SET block = x'00' WHERE id > 1")?;
    let more = (9_001..=30_000).map(numbered).collect::<Vec<_>>();
    for entries in more.chunks(100) {
        ActivityLogRepository::new(&mut conn).record_all(entries)?;
    }
    run_migrations(&mut conn)?;
    assert_eq!(unsummarized(&mut conn)?, 30_000 % 4_096 + 1);
    resummarize(&mut conn)?;
    assert_eq!(found(&mut conn, &containing("tick 29999"))?, [29_999]);
    Ok(())
}
