//! The public types: equality, ordering, display and serialisation.

use std::collections::HashSet;
use std::error::Error as _;

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivityLogFilters, ActivityLogPage, ActivityLogRepository, ActivitySeverity,
    ActorContext, ChangesOptions, Error, InContext, NewActivityLogEntry, ParseSeverityError, Receipt, Recorder,
    RecorderOptions, Refused, Subscription,
};
use serde_json::{Map, json};

use crate::support::{TestResult, at, numbered};

#[test]
fn every_type_is_send_and_sync() {
    fn shareable<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shareable::<ActivityCategory>();
    shareable::<ActivitySeverity>();
    shareable::<NewActivityLogEntry>();
    shareable::<ActivityLogEntry>();
    shareable::<ActivityLogFilters>();
    shareable::<ActivityLogPage>();
    shareable::<ActorContext>();
    shareable::<InContext<()>>();
    shareable::<ChangesOptions>();
    shareable::<Error>();
    shareable::<ParseSeverityError>();
    shareable::<Recorder>();
    shareable::<Receipt>();
    shareable::<Receipt<Vec<i64>>>();
    shareable::<Refused<NewActivityLogEntry>>();
    shareable::<Subscription>();

    fn sendable<T: Send + std::fmt::Debug>() {}
    sendable::<ActivityLogRepository<'static>>();
    sendable::<RecorderOptions>();

    fn sendable_future<E, T>(_: fn(&'static Recorder, E) -> T) -> bool
    where
        T: Future + Send,
    {
        true
    }
    assert!(sendable_future(Recorder::record_when_room));
    assert!(sendable_future(Recorder::record_all_when_room));
}

#[test]
fn a_category_is_the_built_in_one_for_its_stored_text() {
    for (text, named) in [
        ("auth", ActivityCategory::Auth),
        ("device", ActivityCategory::Device),
        ("entity", ActivityCategory::Entity),
        ("capture", ActivityCategory::Capture),
        ("system", ActivityCategory::System),
    ] {
        assert_eq!(named.as_str(), text);
        for read in [ActivityCategory::from(text), ActivityCategory::from(text.to_owned())] {
            assert!(!matches!(read, ActivityCategory::Other(_)), "{read:?}");
            assert_eq!(read, named);
        }
    }
}

#[test]
fn a_custom_category_keeps_its_text() {
    for text in ["billing", "Auth", "", " auth"] {
        assert!(matches!(ActivityCategory::from(text), ActivityCategory::Other(other) if other == text));
        assert_eq!(ActivityCategory::from(text).to_string(), text);
    }
}

#[test]
fn categories_are_equal_when_they_are_stored_as_the_same_text() {
    let by_hand = ActivityCategory::Other("auth".to_owned());
    assert_eq!(by_hand, ActivityCategory::Auth);
    assert_ne!(by_hand, ActivityCategory::Device);
    assert!(HashSet::from([ActivityCategory::Auth]).contains(&by_hand));
}

#[test]
fn a_category_is_serialised_as_its_stored_text() -> TestResult {
    for text in ["auth", "billing"] {
        let category = ActivityCategory::from(text);
        assert_eq!(serde_json::to_value(&category)?, json!(text));
        assert_eq!(serde_json::from_value::<ActivityCategory>(json!(text))?, category);
    }
    let named = serde_json::from_value::<ActivityCategory>(json!("auth"))?;
    assert!(matches!(named, ActivityCategory::Auth));
    Ok(())
}

#[test]
fn severities_are_ordered_from_info_to_error() {
    assert!(ActivitySeverity::Info < ActivitySeverity::Warning);
    assert!(ActivitySeverity::Warning < ActivitySeverity::Error);
    assert!(ActivitySeverity::ALL.is_sorted());
}

#[test]
fn a_severity_is_displayed_parsed_and_serialised_as_its_stored_text() -> TestResult {
    for (severity, text) in
        [(ActivitySeverity::Info, "info"), (ActivitySeverity::Warning, "warning"), (ActivitySeverity::Error, "error")]
    {
        assert_eq!(severity.to_string(), text);
        assert_eq!(text.parse::<ActivitySeverity>()?, severity);
        assert_eq!(serde_json::to_value(severity)?, json!(text));
        assert_eq!(serde_json::from_value::<ActivitySeverity>(json!(text))?, severity);
    }
    assert_eq!("Error".parse::<ActivitySeverity>(), Err(ParseSeverityError));
    assert!(serde_json::from_value::<ActivitySeverity>(json!("fatal")).is_err());
    Ok(())
}

#[test]
fn setters_set_their_field_and_leave_the_others() -> TestResult {
    let entry = numbered(1);
    let set = entry
        .clone()
        .id("al_2")
        .ts(at("2026-01-01T00:00:00Z")?)
        .severity(ActivitySeverity::Error)
        .entity_type("device")
        .entity_id("dev_1")
        .entity_name("Lamp")
        .metadata(serde_json::Map::from_iter([("old".to_owned(), json!(1))]))
        .metadata_value("new", 2);
    let expected = NewActivityLogEntry {
        id: "al_2".to_owned(),
        ts: at("2026-01-01T00:00:00Z")?,
        severity: ActivitySeverity::Error,
        entity_type: Some("device".to_owned()),
        entity_id: Some("dev_1".to_owned()),
        entity_name: Some("Lamp".to_owned()),
        metadata: serde_json::Map::from_iter([("old".to_owned(), json!(1)), ("new".to_owned(), json!(2))]),
        ..entry.clone()
    };
    assert_eq!(set, expected);
    let both = entry.clone().entity("device", "dev_1");
    assert_eq!(both, entry.entity_type("device").entity_id("dev_1"));
    Ok(())
}

#[test]
fn optional_fields_may_be_missing_from_the_json_of_an_entry() -> TestResult {
    let entry = serde_json::from_value::<NewActivityLogEntry>(json!({
        "id": "al_00000001",
        "ts": "1970-01-01T01:01:00+01:00",
        "category": "system",
        "action": "tick",
        "severity": "info",
        "actor": "clock",
        "message": "Tick 1",
    }))?;
    assert_eq!(entry, numbered(1));
    assert!(serde_json::from_value::<NewActivityLogEntry>(json!({"id": "al_1"})).is_err());
    Ok(())
}

#[test]
fn fields_missing_from_the_json_of_filters_restrict_nothing() -> TestResult {
    assert_eq!(serde_json::from_value::<ActivityLogFilters>(json!({}))?, ActivityLogFilters::default());
    let filters = ActivityLogFilters {
        categories: vec!["auth".into(), "billing".into()],
        severities: vec![ActivitySeverity::Error],
        since: Some(at("2026-01-01T00:00:00Z")?),
        ..ActivityLogFilters::default()
    };
    assert_eq!(serde_json::from_value::<ActivityLogFilters>(serde_json::to_value(&filters)?)?, filters);
    Ok(())
}

#[test]
fn a_page_without_a_cursor_to_newer_entries_is_read_from_json() -> TestResult {
    let page = ActivityLogPage { entries: vec![], next_before_seq: Some(7), prev_after_seq: None };
    assert_eq!(serde_json::from_value::<ActivityLogPage>(json!({"entries": [], "next_before_seq": 7}))?, page);

    let page = ActivityLogPage { prev_after_seq: Some(9), ..page };
    let value = serde_json::to_value(&page)?;
    assert_eq!(value, json!({"entries": [], "next_before_seq": 7, "prev_after_seq": 9}));
    assert_eq!(serde_json::from_value::<ActivityLogPage>(value)?, page);
    Ok(())
}

#[test]
fn a_database_error_converts_into_the_crates_error_and_stays_its_source() -> TestResult {
    let error = Error::from(diesel::result::Error::NotFound);
    let source = error.source().ok_or("no source")?;
    assert_eq!(source.downcast_ref(), Some(&diesel::result::Error::NotFound));
    Ok(())
}

#[test]
fn a_new_entry_has_the_current_time_severity_info_and_no_entity() -> TestResult {
    let before = chrono::Utc::now();
    let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Signed in");
    let after = chrono::Utc::now();

    assert!(
        entry.ts <= after && entry.ts > before - chrono::TimeDelta::microseconds(1),
        "{before} {} {after}",
        entry.ts
    );
    assert_eq!(entry.ts.timestamp_subsec_nanos() % 1_000, 0);
    assert_eq!(entry.category, ActivityCategory::Auth);
    assert_eq!(entry.severity, ActivitySeverity::Info);
    assert_eq!((entry.entity_type, entry.entity_id, entry.entity_name), (None, None, None));
    assert_eq!(entry.metadata, Map::new());
    Ok(())
}

#[test]
fn a_new_id_is_a_uuid_v7_that_sorts_after_the_previous_one() -> TestResult {
    let ids = (0..1_000).map(|_| NewActivityLogEntry::new("auth", "a", "b", "c").id).collect::<Vec<_>>();
    for id in &ids {
        let digits = id.strip_prefix("al_").ok_or("no prefix")?;
        assert_eq!(digits.len(), 32);
        assert!(digits.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')), "{digits}");
        assert_eq!(digits.chars().nth(12), Some('7'), "{digits}");
    }
    assert!(ids.is_sorted_by(|earlier, later| earlier < later));
    Ok(())
}

fn full_entry() -> TestResult<NewActivityLogEntry> {
    Ok(NewActivityLogEntry::new(ActivityCategory::Device, "device.renamed", "alice", "Renamed the lamp")
        .id("al_0190b6f0")
        .ts(at("2026-03-04T05:06:07.123456Z")?)
        .severity(ActivitySeverity::Warning)
        .entity("device", "dev_7")
        .entity_name("Desk lamp")
        .metadata_value("previous", json!({"name": "Lamp", "tags": ["a", 1, 2.5, null, true]})))
}

#[test]
fn a_new_entry_round_trips_through_json() -> TestResult {
    let entry = full_entry()?;
    let value = serde_json::to_value(&entry)?;
    assert_eq!(
        value,
        json!({
            "id": "al_0190b6f0",
            "ts": "2026-03-04T05:06:07.123456Z",
            "category": "device",
            "action": "device.renamed",
            "severity": "warning",
            "actor": "alice",
            "entity_type": "device",
            "entity_id": "dev_7",
            "entity_name": "Desk lamp",
            "message": "Renamed the lamp",
            "metadata": {"previous": {"name": "Lamp", "tags": ["a", 1, 2.5, null, true]}},
        })
    );
    assert_eq!(serde_json::from_value::<NewActivityLogEntry>(value)?, entry);
    Ok(())
}
