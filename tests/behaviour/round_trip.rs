//! Recorded entries read back, and round-trip through JSON.

use activity_log::{ActivityCategory, ActivityLogEntry, ActivitySeverity, NewActivityLogEntry};
use serde_json::{Map, json};

use crate::database::{ActivityLogRepository, Connection, empty_log};
use crate::support::{TestResult, at, everything, numbered, numbers_keep_their_digits, read_back};

fn full_entry() -> TestResult<NewActivityLogEntry> {
    Ok(NewActivityLogEntry::new(ActivityCategory::Device, "device.renamed", "alice", "Renamed the lamp")
        .id("al_0190b6f0")
        .ts(at("2026-03-04T05:06:07.123456Z")?)
        .severity(ActivitySeverity::Warning)
        .entity("device", "dev_7")
        .entity_name("Desk lamp")
        .metadata_value("previous", json!({"name": "Lamp", "tags": ["a", 1, 2.5, null, true]})))
}

/// Records the entry in a fresh log and returns the entry that is read back.
fn round_trip(entry: &NewActivityLogEntry) -> TestResult<ActivityLogEntry> {
    read_only_entry(entry, &mut empty_log()?)
}

pub(crate) fn read_only_entry(entry: &NewActivityLogEntry, conn: &mut Connection) -> TestResult<ActivityLogEntry> {
    let mut log = ActivityLogRepository::new(conn);
    let seq = log.record(entry)?;
    let mut entries = log.query(&everything(), None, 10)?;
    assert_eq!(entries.len(), 1);
    let read = entries.remove(0);
    assert_eq!(read.seq, seq);
    Ok(read)
}

#[test]
fn every_field_reads_back_as_it_was_written() -> TestResult {
    let entry = full_entry()?;
    assert_eq!(round_trip(&entry)?, read_back(entry, 1));
    Ok(())
}

#[test]
fn an_entry_without_an_entity_reads_back_without_one() -> TestResult {
    let read = round_trip(&numbered(1))?;
    assert_eq!((read.entity_type, read.entity_id, read.entity_name), (None, None, None));
    assert_eq!(read.metadata, Map::new());
    Ok(())
}

#[test]
fn an_empty_text_is_not_an_absent_one() -> TestResult {
    let entry = numbered(1).entity("", "").entity_name("").metadata_value("", "");
    assert_eq!(round_trip(&entry)?, read_back(entry, 1));
    Ok(())
}

#[test]
fn texts_of_any_script_read_back() -> TestResult {
    for text in ["Ünïcödé", "日本語", "العربية", "e\u{301}", "👩‍👩‍👧", "\u{FEFF}", "\u{FFFF}", "a\nb\tc\r", "'\"`\\"]
    {
        let entry = NewActivityLogEntry::new(text, text, text, text)
            .ts(at("2026-01-01T00:00:00Z")?)
            .entity(text, text)
            .entity_name(text)
            .metadata_value(text, text);
        assert_eq!(round_trip(&entry)?, read_back(entry, 1));
    }
    Ok(())
}

#[test]
fn numbers_in_the_metadata_read_back_exactly() -> TestResult {
    let numbers = json!([0, -1, i64::MIN, u64::MAX, 0.1, 1e300, 5e-324, 2.638344616030823e-256, -0.0]);
    let entry = numbered(1).metadata_value("numbers", numbers);
    assert_eq!(round_trip(&entry)?, read_back(entry, 1));
    Ok(())
}

#[test]
fn metadata_keys_that_are_special_to_serde_json_read_back_like_any_others() -> TestResult {
    // With serde_json's feature `arbitrary_precision`, nothing tells a number from an object with the latter key alone.
    let keys = ["$serde_json::private::RawValue", "$serde_json::private::Number"];
    for key in keys.into_iter().take(if numbers_keep_their_digits() { 1 } else { 2 }) {
        for value in [json!("no JSON"), json!("[1]"), json!("2"), json!({"a": 1})] {
            // At every level, alone and with other keys: serde_json treats only the first key of an object specially.
            let mut inner = Map::from_iter([(key.to_owned(), value.clone())]);
            let alone = json!([inner.clone()]);
            inner.insert("other".to_owned(), value.clone());
            let entry =
                numbered(1).metadata_value(key, value).metadata_value("alone", alone).metadata_value("in", inner);
            let read = round_trip(&entry)?;
            assert_eq!(read, read_back(entry.clone(), 1));
            assert_eq!(serde_json::from_str::<ActivityLogEntry>(&serde_json::to_string(&read)?)?, read);
            assert_eq!(serde_json::from_str::<NewActivityLogEntry>(&serde_json::to_string(&entry)?)?, entry);
        }
    }
    Ok(())
}

#[test]
fn a_time_finer_than_a_microsecond_is_truncated_and_never_rounded_up() -> TestResult {
    for (ts, read) in [
        ("2026-03-04T05:06:07.123456999Z", "2026-03-04T05:06:07.123456Z"),
        ("2026-12-31T23:59:59.999999999Z", "2026-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(round_trip(&numbered(1).ts(at(ts)?))?.ts, at(read)?);
    }
    Ok(())
}

#[test]
fn a_leap_second_is_stored_as_the_last_microsecond_of_its_second() -> TestResult {
    let read = round_trip(&numbered(1).ts(at("2016-12-31T23:59:60.25Z")?))?;
    assert_eq!(read.ts, at("2016-12-31T23:59:59.999999Z")?);
    Ok(())
}

#[test]
fn a_nul_in_a_text_is_stored_as_the_replacement_character() -> TestResult {
    let entry = NewActivityLogEntry::new("a\0b", "a\0b", "a\0b", "a\0b")
        .id("al\0")
        .entity("a\0b", "a\0b")
        .entity_name("a\0b")
        .ts(at("2026-01-01T00:00:00Z")?);
    let read = round_trip(&entry)?;
    let cleaned = "a\u{FFFD}b";
    assert_eq!(read.id, "al\u{FFFD}");
    assert_eq!(read.category, ActivityCategory::Other(cleaned.to_owned()));
    assert_eq!([read.action, read.actor, read.message], [cleaned; 3]);
    assert_eq!(
        [read.entity_type, read.entity_id, read.entity_name],
        [Some(cleaned.to_owned()), Some(cleaned.to_owned()), Some(cleaned.to_owned())]
    );
    Ok(())
}

#[test]
fn a_nul_in_the_metadata_reads_back() -> TestResult {
    let entry = numbered(1).metadata_value("a\0b", "c\0d");
    assert_eq!(round_trip(&entry)?, read_back(entry, 1));
    Ok(())
}

#[test]
fn a_custom_category_with_a_built_in_name_reads_back_as_the_built_in_one() -> TestResult {
    let entry = NewActivityLogEntry::new(ActivityCategory::Other("auth".to_owned()), "a", "b", "c");
    assert!(matches!(round_trip(&entry)?.category, ActivityCategory::Auth));
    Ok(())
}

#[test]
fn an_entry_round_trips_through_json() -> TestResult {
    let entry = round_trip(&numbered(1))?;
    let value = serde_json::to_value(&entry)?;
    assert_eq!(
        value,
        json!({
            "seq": 1,
            "id": "al_00000001",
            "ts": "1970-01-01T00:01:00Z",
            "category": "system",
            "action": "tick",
            "severity": "info",
            "actor": "clock",
            "entity_type": null,
            "entity_id": null,
            "entity_name": null,
            "message": "Tick 1",
            "metadata": {},
        })
    );
    assert_eq!(serde_json::from_value::<ActivityLogEntry>(value)?, entry);
    Ok(())
}
