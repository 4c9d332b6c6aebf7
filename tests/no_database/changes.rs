//! What differs between two values is recorded field by field, within bounds, and without secrets.

use std::collections::{BTreeMap, HashMap};

use activity_log::{ChangesOptions, Error, LEFT_OUT, NewActivityLogEntry, REDACTED, Redactor, changes};
use serde_json::{Map, Value, json};

use crate::support::TestResult;

/// What is under `changed`, if anything is.
fn changed(options: &ChangesOptions, before: &Value, after: &Value) -> TestResult<Option<Value>> {
    let Some(mut metadata) = options.between(before, after)? else { return Ok(None) };
    let changed = metadata.remove("changed").ok_or("there is no `changed`")?;
    assert_eq!(metadata, Map::new(), "something was left out");
    Ok(Some(changed))
}

pub(crate) fn all() -> ChangesOptions {
    ChangesOptions::new().depth(usize::MAX).fields(usize::MAX).bytes(usize::MAX)
}

#[test]
fn each_field_that_differs_is_there_with_both_values() -> TestResult {
    let before = json!({"name": "Lamp", "room": null, "on": true});
    let after = json!({"name": "Desk lamp", "room": "Hall", "on": true});
    let expected = json!({
        "name": {"from": "Lamp", "to": "Desk lamp"},
        "room": {"from": null, "to": "Hall"},
    });
    assert_eq!(changed(&all(), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn equal_values_have_no_changes() -> TestResult {
    for value in [json!(null), json!(7), json!({"a": {"b": [1, 2]}})] {
        assert_eq!(changes(&value, &value)?, None);
    }
    Ok(())
}

#[test]
fn an_object_leads_to_its_fields_that_differ_and_an_array_is_a_whole_value() -> TestResult {
    let before = json!({"light": {"color": "red", "percent": 80}, "tags": ["a", "b"]});
    let after = json!({"light": {"color": "red", "percent": 10}, "tags": ["a", "c"]});
    let expected = json!({
        "light": {"percent": {"from": 80, "to": 10}},
        "tags": {"from": ["a", "b"], "to": ["a", "c"]},
    });
    assert_eq!(changed(&all(), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn a_field_that_was_added_has_no_former_value_and_one_that_was_removed_no_later_one() -> TestResult {
    let (before, after) = (json!({"a": null, "b": {}}), json!({"b": {"c": 1}}));
    let expected = json!({"a": {"from": null}, "b": {"c": {"to": 1}}});
    assert_eq!(changed(&all(), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn values_that_are_not_both_objects_are_one_change() -> TestResult {
    for (before, after) in [(json!(1), json!(2)), (json!(null), json!({"a": 1})), (json!([1]), json!({}))] {
        assert_eq!(changed(&all(), &before, &after)?, Some(json!({"from": before, "to": after})));
    }
    Ok(())
}

#[test]
fn an_object_with_fields_named_like_those_of_a_change_is_a_whole_value() -> TestResult {
    let before = json!({"route": {"from": "A", "via": "B"}, "span": {}});
    let after = json!({"route": {"from": "A", "via": "C"}, "span": {"to": 7}});
    let expected = json!({
        "route": {"from": {"from": "A", "via": "B"}, "to": {"from": "A", "via": "C"}},
        "span": {"from": {}, "to": {"to": 7}},
    });
    assert_eq!(changed(&all(), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn masked_fields_say_that_they_changed_and_nothing_else() -> TestResult {
    let options = all().redactor(Redactor::new(["password", "keys"]));
    let before = json!({"user": {"Password": "one"}, "keys": {"a": "one"}, "list": [{"password": "one"}], "n": 1});
    let after = json!({"user": {"Password": "two"}, "keys": {"a": "two"}, "list": [{"password": "two"}], "n": 2});
    let list = json!([{"password": REDACTED}]);
    let expected = json!({
        "user": {"Password": REDACTED},
        "keys": REDACTED,
        "list": {"from": list, "to": list},
        "n": {"from": 1, "to": 2},
    });
    assert_eq!(changed(&options, &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn the_longest_values_are_left_out_first_and_their_fields_are_named() -> TestResult {
    let before = json!({"a": "x".repeat(600), "b": "short", "c": "x".repeat(200)});
    let after = json!({"a": "y".repeat(600), "b": "brief", "c": "y".repeat(200)});
    let expected = json!({
        "a": {"from": LEFT_OUT, "to": LEFT_OUT},
        "b": {"from": "short", "to": "brief"},
        "c": {"from": "x".repeat(200), "to": "y".repeat(200)},
    });
    assert_eq!(changed(&ChangesOptions::new().bytes(1_000), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn many_short_changes_fill_the_bytes_that_they_may_have() -> TestResult {
    let object = |value: u64| (0..1_000).map(|n| (format!("{n:04}"), json!(value))).collect::<Map<_, _>>();
    for bytes in [64, 500, 2_000, 20_000] {
        let options = ChangesOptions::new().fields(usize::MAX).bytes(bytes);
        let metadata = options.between(&object(1), &object(2))?.ok_or("no changes")?;
        let length = Value::Object(metadata).to_string().len();
        assert!(length <= bytes && length + 64 > bytes, "{length} of {bytes} bytes");
    }
    Ok(())
}

#[test]
fn fields_beyond_the_number_that_are_named_are_counted() -> TestResult {
    let object = |value: u64| (0..10).map(|n| (format!("field {n}"), json!(value))).collect::<Map<_, _>>();
    let metadata = ChangesOptions::new().fields(3).between(&object(1), &object(2))?.ok_or("no changes")?;
    assert_eq!(metadata.get("changed").and_then(Value::as_object).map(Map::len), Some(3));
    assert_eq!(metadata.get("changed_left_out"), Some(&json!(7)));
    Ok(())
}

#[test]
fn a_value_that_is_nested_too_deep_is_left_out() -> TestResult {
    let before = json!({"a": {"b": {"c": 1}}, "d": [[1]], "e": 1});
    let after = json!({"a": {"b": {"c": 2}}, "d": [1], "e": [[]]});
    let expected = json!({
        "a": {"b": {"from": LEFT_OUT, "to": LEFT_OUT}},
        "d": {"from": LEFT_OUT, "to": [1]},
        "e": {"from": 1, "to": LEFT_OUT},
    });
    assert_eq!(changed(&ChangesOptions::new().depth(2), &before, &after)?, Some(expected));
    let expected = json!({"from": LEFT_OUT, "to": LEFT_OUT});
    assert_eq!(changed(&ChangesOptions::new().depth(0), &before, &after)?, Some(expected));
    Ok(())
}

#[test]
fn values_that_do_not_serialize_to_json_are_refused() {
    let keys_are_lists = HashMap::from([(vec![1], 2)]);
    let refused = changes(&keys_are_lists, &());
    assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{refused:?}");
}

#[test]
fn values_of_different_types_can_be_compared() -> TestResult {
    #[derive(serde::Serialize)]
    struct Lamp {
        name: &'static str,
    }

    let metadata = changes(&Lamp { name: "Lamp" }, &BTreeMap::from([("name", "Desk lamp")]))?;
    let expected = json!({"changed": {"name": {"from": "Lamp", "to": "Desk lamp"}}});
    assert_eq!(metadata.map(Value::Object), Some(expected));
    Ok(())
}

#[test]
fn changes_are_added_to_what_an_entry_has_already() -> TestResult {
    let entry = NewActivityLogEntry::new("device", "device.updated", "alice", "Changed").metadata_value("a", 1);
    let entry = entry.metadata_values(changes(&1, &2)?.unwrap_or_default());
    assert_eq!(Value::Object(entry.metadata), json!({"a": 1, "changed": {"from": 1, "to": 2}}));
    Ok(())
}
