//! A filter on metadata finds the entries that have its members.

use activity_log::{ActivityLogEntry, ActivityLogFilters, Error, NewActivityLogEntry};
use serde_json::{Value, json};

use crate::database::{ActivityLogRepository, empty_log};
use crate::support::{TestResult, everything};

fn having(members: &Value) -> TestResult<ActivityLogFilters> {
    Ok(ActivityLogFilters { metadata: serde_json::from_value(members.clone())?, ..everything() })
}

fn metadata_of<'a>(entries: impl IntoIterator<Item = &'a ActivityLogEntry>) -> Vec<Value> {
    entries.into_iter().map(|entry| entry.metadata.clone().into()).collect()
}

/// Asserts what the members find in a log of entries with this metadata, in the database and in memory.
fn assert_finds(members: Value, found: &[Value], others: &[Value]) -> TestResult {
    let filters = having(&members)?;
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for metadata in found.iter().chain(others) {
        let entry = NewActivityLogEntry::new("system", "act", "alice", "Had metadata");
        log.record(&NewActivityLogEntry { metadata: serde_json::from_value(metadata.clone())?, ..entry })?;
    }
    assert_eq!(metadata_of(&log.query_after(&filters, 0, 100)?), found, "{members}");
    assert_eq!(log.count(&filters)?, found.len() as u64, "{members}");
    let exported = log.iter_export(&filters)?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(metadata_of(&exported), found, "{members}");
    let all = log.query_after(&everything(), 0, 100)?;
    assert_eq!(metadata_of(all.iter().filter(|entry| filters.matches(entry))), found, "{members}");
    Ok(())
}

fn assert_refuses(members: &Value, reason: &str) -> TestResult {
    let mut conn = empty_log()?;
    let refused = ActivityLogRepository::new(&mut conn).query(&having(members)?, None, 1);
    let is_refused =
        matches!(&refused, Err(Error::InvalidFilter { field: "metadata", reason: why }) if why.contains(reason));
    assert!(is_refused, "{refused:?}");
    Ok(())
}

#[test]
fn a_member_is_found_in_any_object_of_the_metadata() -> TestResult {
    let found = [
        json!({"ip": "10.0.0.7"}),
        json!({"a": 1, "ip": "10.0.0.7", "z": 2}),
        json!({"request": {"ip": "10.0.0.7"}}),
        json!({"hops": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.7"}]}),
    ];
    let others = [
        json!({}),
        json!({"ip": "10.0.0.70"}),
        json!({"ip": "10.0.0.7 "}),
        json!({"ip": "10_0_0_7"}),
        json!({"IP": "10.0.0.7"}),
        json!({"zip": "10.0.0.7"}),
        json!({"ip": ["10.0.0.7"]}),
        json!({"ip": null, "from": "10.0.0.7"}),
        json!({"10.0.0.7": "ip"}),
    ];
    assert_finds(json!({"ip": "10.0.0.7"}), &found, &others)
}

#[test]
fn text_that_looks_like_a_member_is_not_one() -> TestResult {
    let others = [
        json!({"x\"ip": "v"}),
        json!({"note": "{\"ip\":\"v\"}"}),
        json!({"note": ",\"ip\":\"v\","}),
        json!({"{\"ip\":\"v\"": 1}),
        json!({"ip": "ip", "v": "v"}),
        json!({"list": ["x", "ip", "v"]}),
        // Strings that end in what begins a member.
        json!({"{": "{", "a": ["{", "ip"], "ip": "x,", "v": 1}),
        json!({"x,": "ip", "y{": ["ip,", "v,"]}),
    ];
    assert_finds(json!({"ip": "v"}), &[json!({"ip": "v"})], &others)
}

#[test]
fn every_kind_of_value_is_told_from_all_others() -> TestResult {
    let values = [
        json!(3),
        json!(30),
        json!(-3),
        json!(3.5),
        json!("3"),
        json!(""),
        json!("\u{0}"),
        json!("\u{FFFD}"),
        json!("é"),
        json!("E"),
        json!("e"),
        json!("\\"),
        json!("\""),
        json!("50%"),
        json!("50_"),
        json!(null),
        json!("null"),
        json!(true),
        json!(false),
        json!([]),
        json!([3]),
        json!([3, 4]),
        json!({}),
        json!({"n": 3, "o": 4}),
        json!(u64::MAX),
    ];
    // Last and followed by another.
    for (number, value) in values.iter().enumerate() {
        let of = |value: &Value| [json!({"v": value}), json!({"v": value, "w": 1})];
        let others = values.iter().enumerate().filter(|(other, _)| *other != number).flat_map(|(_, value)| of(value));
        assert_finds(json!({"v": value}), &of(value), &others.collect::<Vec<_>>())?;
    }
    Ok(())
}

#[test]
fn an_integer_differs_from_a_number_with_a_point() -> TestResult {
    assert_finds(json!({"v": 3}), &[json!({"v": 3})], &[json!({"v": 3.0})])?;
    assert_finds(json!({"v": 3.0}), &[json!({"v": 3.0})], &[json!({"v": 3})])
}

#[test]
fn keys_are_found_as_they_are() -> TestResult {
    for key in ["", " ", "a b", "é", "\0", "\\", "\"", "%", "_", "{", "[", "a,b", "$serde_json::private::RawValue"] {
        assert_finds(json!({key: 1}), &[json!({key: 1})], &[json!({"x": 1}), json!({"x": key}), json!({key: 2})])?;
    }
    Ok(())
}

#[test]
fn all_members_have_to_match_with_the_other_filters() -> TestResult {
    let found = [json!({"a": 1, "b": 2}), json!({"b": 2, "in": {"a": 1}})];
    assert_finds(json!({"a": 1, "b": 2}), &found, &[json!({"a": 1}), json!({"b": 2}), json!({"a": 2, "b": 1})])?;

    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for actor in ["alice", "bob"] {
        log.record(&NewActivityLogEntry::new("system", "act", actor, "Acted").metadata_value("a", 1))?;
    }
    let filters = ActivityLogFilters { actor: Some("bob".to_owned()), ..having(&json!({"a": 1}))? };
    assert_eq!(log.query(&filters, None, 9)?.iter().map(|entry| entry.actor.as_str()).collect::<Vec<_>>(), ["bob"]);
    assert_eq!(log.count(&filters)?, 1);
    Ok(())
}

#[test]
fn no_member_restricts_nothing() -> TestResult {
    assert_finds(json!({}), &[json!({}), json!({"a": 1})], &[])
}

#[test]
fn members_that_cannot_be_told_apart_are_refused() -> TestResult {
    for key in [",", ":a", "]", "}a"] {
        assert_refuses(&json!({key: 1}), "has a key that begins with")?;
    }
    let members = |count| Value::Object((0..count).map(|number| (number.to_string(), json!(number))).collect());
    assert_refuses(&members(11), "has 11 members, and at most 10 are allowed")?;
    assert_finds(members(10), &[members(10), members(11)], &[members(9)])?;
    let deep = (0..127).fold(json!(1), |value, _| json!([value]));
    assert_refuses(&json!({"deep": deep}), "is nested more than 127 levels deep")
}
