//! The longest texts and lists that SQLite accepts work, and longer ones are refused with their field named.

use activity_log::{ActivityLogFilters, ActivityLogRepository, EntryLimits, Error, NewActivityLogEntry};

use crate::behaviour::entity_ids::{about_7, id};
use crate::database::empty_log;
use crate::support::{TestResult, at, everything, numbered, read_back, record_numbered, seqs};

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
    let mut log = ActivityLogRepository::new(&mut conn).with_limits(EntryLimits::UNLIMITED);
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

#[test]
fn a_list_longer_than_sqlite_accepts_is_refused_with_the_field_named() -> TestResult {
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
fn an_id_with_very_many_types_is_found_with_the_longest_list_of_categories() -> TestResult {
    for types in [100, 1_000] {
        let mut conn = empty_log()?;
        let entries = (0..types).map(|number| about_7(number, Some(&format!("type {number}"))));
        ActivityLogRepository::new(&mut conn).record_all(&entries.collect::<Vec<_>>())?;
        let mut filters = id("7");
        filters.categories.push("system".into());
        filters.categories.extend((1..32_000).map(|number| format!("area {number}").into()));
        let log = &mut ActivityLogRepository::new(&mut conn);
        assert_eq!(log.query(&filters, None, 2_000)?.len() as i64, types);
        assert_eq!(log.count(&filters)? as i64, types);
    }
    Ok(())
}
