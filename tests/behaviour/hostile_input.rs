//! No input breaks the log: a value is stored unchanged or refused with its field named.

use activity_log::{ActivityLogFilters, Error, NewActivityLogEntry};
use serde_json::{Map, Value, json};

use crate::database::{ActivityLogRepository, empty_log};
use crate::support::{TestResult, at, everything, numbered, read_back, record_numbered, seqs};

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

/// Arrays nested `depth` levels deep.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |value, _| Value::Array(vec![value]))
}

#[test]
fn metadata_at_the_depth_limit_is_stored_and_deeper_metadata_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    // The metadata object is the first level.
    let deepest = numbered(1).metadata_value("deep", nested(126));
    log.record(&deepest)?;
    assert_eq!(log.query(&everything(), None, 9)?, [read_back(deepest, 1)]);

    for depth in [127, 128, 10_000] {
        let refused = log.record(&numbered(2).metadata_value("deep", nested(depth)));
        assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{depth}: {refused:?}");
    }
    // Fewer levels, because dropping deeply nested maps would itself exhaust the stack of a test.
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
fn a_long_list_of_duplicates_is_deduplicated() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    let filters = ActivityLogFilters { categories: vec!["system".into(); 100_000], ..everything() };
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&filters)?, 1);
    Ok(())
}
