//! Whatever is recorded or asked for, nothing breaks: it is stored as it is, or refused with the field named.

mod support;

use activity_log::{ActivityLogFilters, ActivityLogRepository, Error, NewActivityLogEntry};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use support::{TestResult, at, empty_log, everything, numbered, read_back, record_numbered, seqs, stored_seqs};

const INJECTIONS: [&str; 5] = [
    "'; DROP TABLE activity_log; --",
    "\" OR \"1\"=\"1",
    "x' OR '1'='1",
    "%' ESCAPE '\\' OR 1=1 --",
    "); DELETE FROM activity_log; SELECT (",
];

#[test]
fn sql_in_every_field_is_text() -> TestResult {
    for sql in INJECTIONS {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 1)?;
        let entry = NewActivityLogEntry::new(sql, sql, sql, sql)
            .id(sql)
            .ts(at("2026-01-01T00:00:00Z")?)
            .entity(sql, sql)
            .entity_name(sql)
            .metadata_value(sql, sql);
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record(&entry)?;
        assert_eq!(log.query(&everything(), None, 9)?, [read_back(entry, 2), read_back(numbered(1), 1)]);
    }
    Ok(())
}

#[test]
fn sql_in_every_filter_is_text() -> TestResult {
    for sql in INJECTIONS {
        let mut conn = empty_log()?;
        record_numbered(&mut conn, 1)?;
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record(&NewActivityLogEntry::new(sql, "a", sql, format!("before {sql} after")).entity(sql, sql))?;
        for filters in [
            ActivityLogFilters { categories: vec![sql.into()], ..everything() },
            ActivityLogFilters { categories: vec![sql.into(), "none".into()], ..everything() },
            ActivityLogFilters { actor: Some(sql.to_owned()), ..everything() },
            ActivityLogFilters { entity_type: Some(sql.to_owned()), ..everything() },
            ActivityLogFilters { entity_id: Some(sql.to_owned()), ..everything() },
            ActivityLogFilters { message_contains: Some(sql.to_owned()), ..everything() },
        ] {
            assert_eq!(seqs(&log.query(&filters, None, 9)?), [2], "{filters:?}");
        }
        assert_eq!(log.count(&everything())?, 2);
    }
    Ok(())
}

#[test]
fn a_megabyte_in_every_field_reads_back() -> TestResult {
    let mut conn = empty_log()?;
    let long = "é".repeat(1 << 19);
    let entry = NewActivityLogEntry::new(long.as_str(), long.as_str(), long.as_str(), long.as_str())
        .id(long.as_str())
        .ts(at("2026-01-01T00:00:00Z")?)
        .entity(long.as_str(), long.as_str())
        .entity_name(long.as_str())
        .metadata_value(long.as_str(), long.as_str());
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&entry)?;
    let filters = ActivityLogFilters {
        categories: vec![long.as_str().into()],
        actor: Some(long.clone()),
        entity_type: Some(long.clone()),
        entity_id: Some(long.clone()),
        message_contains: Some(long),
        ..everything()
    };
    assert!(log.query(&filters, None, 9)? == [read_back(entry, 1)]);
    Ok(())
}

/// Arrays within arrays, so many deep.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |value, _| Value::Array(vec![value]))
}

#[test]
fn metadata_as_deep_as_it_can_be_read_is_stored_and_deeper_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    // The metadata's own object is the first level.
    let deepest = numbered(1).metadata_value("deep", nested(126));
    log.record(&deepest)?;
    assert_eq!(log.query(&everything(), None, 9)?, [read_back(deepest, 1)]);

    for depth in [127, 128, 10_000] {
        let refused = log.record(&numbered(2).metadata_value("deep", nested(depth)));
        assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{depth}: {refused:?}");
    }
    // Fewer, as to drop so many maps within maps would itself exhaust a test's stack.
    let objects = (0..1_000).fold(json!({}), |value, _| Map::from_iter([("deeper".to_owned(), value)]).into());
    let refused = log.record(&numbered(2).metadata_value("wide", json!([1, 2])).metadata_value("x", objects));
    assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{refused:?}");
    assert_eq!(log.count(&everything())?, 1);
    Ok(())
}

#[test]
fn a_year_that_cannot_be_stored_is_refused_with_the_field_named() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let first = at("0001-01-01T00:00:00Z")?;
    let last = at("9999-12-31T23:59:59.999999999Z")?;
    let tick = chrono::TimeDelta::nanoseconds(1);
    for ts in
        [first - tick, last + tick, chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC]
    {
        let refused = log.record(&numbered(1).ts(ts));
        assert!(matches!(refused, Err(Error::InvalidEntry { index: 0, field: "ts", .. })), "{ts}: {refused:?}");
        assert!(refused.is_err_and(|error| error.to_string().contains("`ts`")));
    }
    assert_eq!(log.count(&everything())?, 0);
    log.record(&numbered(1).ts(first))?;
    log.record(&numbered(2).ts(last))?;
    Ok(())
}

#[test]
fn a_list_longer_than_sqlite_takes_is_refused_with_the_field_named() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let categories = |count: usize| (0..count).map(|n| format!("category {n}").into()).collect::<Vec<_>>();
    for count in [32_001, 40_000] {
        let filters = ActivityLogFilters { categories: categories(count), ..everything() };
        for refused in [
            log.query(&filters, None, 1).map(drop),
            log.page(&filters, None, 1).map(drop),
            log.page(&filters, None, 0).map(drop),
            log.query_after(&filters, 0, 1).map(drop),
            log.count(&filters).map(drop),
            log.iter_export(&filters).map(drop),
        ] {
            assert!(matches!(refused, Err(Error::InvalidFilter { field: "categories", .. })), "{refused:?}");
        }
    }
    // The longest list, together with every other filter.
    let filters = ActivityLogFilters {
        categories: categories(31_999).into_iter().chain(["system".into()]).collect(),
        severities: activity_log::ActivitySeverity::ALL.to_vec(),
        actor: Some("clock".to_owned()),
        since: Some(numbered(1).ts),
        until: Some(numbered(1).ts),
        message_contains: Some("tick".to_owned()),
        ..everything()
    };
    assert_eq!(seqs(&log.query(&filters, Some(2), 9)?), [1]);
    assert_eq!(log.iter_export(&filters)?.count(), 1);
    Ok(())
}

#[test]
fn a_long_list_of_the_same_few_values_is_short() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    let filters = ActivityLogFilters { categories: vec!["system".into(); 100_000], ..everything() };
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&filters)?, 1);
    Ok(())
}

/// A log of five rows, of which the third was given a value that no entry can have.
fn log_with_a_broken_row(assignment: &str) -> TestResult<SqliteConnection> {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    diesel::sql_query(format!("UPDATE activity_log SET {assignment} WHERE seq = 3")).execute(&mut conn)?;
    Ok(conn)
}

const BROKEN: [(&str, &str); 10] = [
    ("ts", "ts = 'yesterday'"),
    ("ts", "ts = ''"),
    ("ts", "ts = '2026-01-01T00:00:00'"),
    ("ts", "ts = 1767225600"),
    ("severity", "severity = 'fatal'"),
    ("severity", "severity = x'ff'"),
    ("metadata", "metadata = '{\"cut'"),
    ("metadata", "metadata = '[1, 2]'"),
    ("metadata", "metadata = ''"),
    ("metadata", "metadata = x'ff00'"),
];

#[test]
fn a_broken_row_is_reported_with_its_seq_and_column() -> TestResult {
    for (broken, assignment) in BROKEN {
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
fn a_page_with_a_broken_row_is_recovered_from_both_of_its_sides() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 100)?;
    diesel::sql_query("UPDATE activity_log SET severity = 'fatal' WHERE seq = 75").execute(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let Err(Error::UnreadableRow { seq, .. }) = log.page(&everything(), None, 50) else {
        return Err("the broken row was read".into());
    };
    assert_eq!(seqs(&log.query_after(&everything(), seq, 50)?), (76..=100).collect::<Vec<_>>());
    assert_eq!(seqs(&log.query(&everything(), Some(seq), 100)?), (1..=74).rev().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_rows_around_a_broken_one_are_read_by_paging_past_it() -> TestResult {
    for (_, assignment) in BROKEN {
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
fn an_export_reports_a_broken_row_in_its_place_and_goes_on() -> TestResult {
    for (broken, assignment) in BROKEN {
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
    for (_, assignment) in BROKEN {
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
fn a_null_that_an_older_table_allowed_is_reported_with_its_column() -> TestResult {
    for column in ["id", "ts", "category", "action", "severity", "actor", "message", "metadata"] {
        let mut conn = activity_log::connect(":memory:")?;
        diesel::sql_query(
            "CREATE TABLE activity_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, ts TEXT, category TEXT,
             action TEXT, severity TEXT, actor TEXT, entity_type TEXT, entity_id TEXT, entity_name TEXT, message TEXT,
             metadata TEXT)",
        )
        .execute(&mut conn)?;
        activity_log::run_migrations(&mut conn)?;
        record_numbered(&mut conn, 3)?;
        diesel::sql_query(format!("UPDATE activity_log SET {column} = NULL WHERE seq = 2")).execute(&mut conn)?;

        let mut log = ActivityLogRepository::new(&mut conn);
        let exported = log.iter_export(&everything())?.map(|item| item.map_err(|error| error.to_string()));
        let exported = exported.map(|item| item.map(|entry| entry.seq)).collect::<Vec<_>>();
        let unread = format!("the entry with seq 2 cannot be read: its `{column}` is NULL");
        assert_eq!(exported, [Ok(1), Err(unread), Ok(3)]);
        assert_eq!(log.count(&everything())?, 3);
        // What has no time is not older than any, and goes by its number.
        assert_eq!(log.prune(Some(numbered(3).ts), Some(1))?, 2, "{column}");
        assert_eq!(stored_seqs(&mut conn)?, [3], "{column}");
    }
    Ok(())
}

#[test]
fn bytes_that_are_no_utf_8_are_read_as_replacement_characters() -> TestResult {
    let mut conn = log_with_a_broken_row("actor = x'61ff62', message = CAST(x'fe' AS TEXT)")?;
    let entries = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?;
    assert_eq!(seqs(&entries), [5, 4, 3, 2, 1]);
    assert_eq!((entries[2].actor.as_str(), entries[2].message.as_str()), ("a\u{FFFD}b", "\u{FFFD}"));
    Ok(())
}

#[test]
fn in_a_database_in_utf_16_two_noncharacters_are_stored_as_replacement_characters() -> TestResult {
    let mut conn = activity_log::connect(":memory:")?;
    conn.batch_execute("PRAGMA encoding = 'UTF-16'")?;
    activity_log::run_migrations(&mut conn)?;
    let mut log = ActivityLogRepository::new(&mut conn);

    let text = "é\u{FEFF}\u{10FFFF}\u{1FFFE}\u{FFFE}\u{FFFF}";
    let stored = "é\u{FEFF}\u{10FFFF}\u{1FFFE}\u{FFFD}\u{FFFD}";
    let entry = |text: &str| {
        let about = NewActivityLogEntry::new(text, text, text, text).id(text).ts(numbered(1).ts);
        about.entity(text, text).entity_name(text).metadata_value(text, text)
    };
    log.record(&entry(text))?;
    assert_eq!(log.query(&everything(), None, 9)?, [read_back(entry(stored), 1)]);

    // It is still found by what was recorded, and its id is still taken.
    for filters in [
        ActivityLogFilters { categories: vec![text.into()], ..everything() },
        ActivityLogFilters { actor: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { entity_type: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { entity_id: Some(text.to_owned()), ..everything() },
        ActivityLogFilters { message_contains: Some(text.to_owned()), ..everything() },
    ] {
        assert_eq!(log.count(&filters)?, 1, "{filters:?}");
    }
    assert!(matches!(log.record(&entry(text)), Err(Error::DuplicateId { index: 0 })));
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
