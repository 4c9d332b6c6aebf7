//! Whatever two values are, their changes lead from one to the other, keep to their bounds, and tell no secret.

use activity_log::{ChangesOptions, Redactor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::changes::all;

/// Few keys and values, so that two values have much in common.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        Just(json!(0.5)),
        "[a-b\"\\\\é\u{1}]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let key = prop_oneof!["[a-d]", Just("from".to_owned()), Just("to".to_owned()), Just("é\"\n".to_owned())];
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(key, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn is_change(node: &Value) -> bool {
    node.get("from").is_some() || node.get("to").is_some()
}

/// Reads changes as a program would: what comes out if they are made to `before`.
fn applied(node: &Value, before: Option<Value>) -> Result<Option<Value>, String> {
    if is_change(node) {
        return if node.get("from") == before.as_ref() {
            Ok(node.get("to").cloned())
        } else {
            Err(format!("{node} does not begin with {before:?}"))
        };
    }
    match (node, before) {
        (Value::Object(fields), Some(Value::Object(mut object))) => {
            for (key, node) in fields {
                if let Some(after) = applied(node, object.remove(key))? {
                    object.insert(key.clone(), after);
                }
            }
            Ok(Some(object.into()))
        }
        (_, before) => Err(format!("{node} does not fit {before:?}")),
    }
}

fn number_of_changes(node: &Value) -> u64 {
    match node {
        _ if is_change(node) => 1,
        Value::Object(fields) => fields.values().map(number_of_changes).sum(),
        _ => 1,
    }
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(levels).max().unwrap_or_default(),
        Value::Object(object) => 1 + object.values().map(levels).max().unwrap_or_default(),
        _ => 0,
    }
}

/// A value with every text below a key in place of that text.
fn with_secret(value: &Value, key: &str, secret: &str, is_below: bool) -> Value {
    match value {
        Value::Object(object) => {
            let fields = object
                .iter()
                .map(|(name, value)| (name.clone(), with_secret(value, key, secret, is_below || name == key)));
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.iter().map(|value| with_secret(value, key, secret, is_below)).collect(),
        _ if is_below => json!(secret),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn changes_lead_from_one_value_to_the_other(before in values(), after in values()) {
        let metadata = all().between(&before, &after).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(metadata.is_none(), before == after);
        if let Some(metadata) = metadata {
            let changed = metadata.get("changed").ok_or_else(|| TestCaseError::fail("there is no `changed`"))?;
            prop_assert_eq!(applied(changed, Some(before)).map_err(TestCaseError::fail)?, Some(after));
            prop_assert_eq!(metadata.len(), 1);
        }
    }

    #[test]
    fn changes_keep_to_their_bounds_and_count_what_is_missing(
        (before, after) in (values(), values()),
        (depth, fields, bytes) in (0..6_usize, 0..6_usize, 0..400_usize),
    ) {
        let options = ChangesOptions::new().depth(depth).fields(fields).bytes(bytes);
        let bounded = options.between(&before, &after).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let unbounded = ChangesOptions::new().depth(depth).fields(usize::MAX).bytes(usize::MAX);
        let unbounded = unbounded.between(&before, &after).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(bounded.is_some(), unbounded.is_some());
        if let (Some(bounded), Some(unbounded)) = (bounded, unbounded) {
            let named = bounded.get("changed").map(number_of_changes).unwrap_or_default();
            let left_out = bounded.get("changed_left_out").and_then(Value::as_u64);
            prop_assert!(named <= fields as u64);
            prop_assert_ne!(left_out, Some(0));
            prop_assert_eq!(named + left_out.unwrap_or_default(), unbounded.get("changed").map(number_of_changes).unwrap_or_default());
            let bounded = Value::Object(bounded);
            prop_assert!(levels(&bounded) <= depth + 2);
            prop_assert!(bounded.to_string().len() <= bytes.max(64), "{} bytes: {}", bounded.to_string().len(), bounded);
        }
    }

    #[test]
    fn a_secret_is_in_no_changes(before in values(), after in values()) {
        let before = with_secret(&before, "a", "hunter2", false);
        let after = with_secret(&after, "a", "correct horse", false);
        let options = all().redactor(Redactor::new(["A"]));
        let masked = options.between(&before, &after).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(masked.is_none(), before == after);
        let masked = Value::Object(masked.unwrap_or_default()).to_string();
        prop_assert!(!masked.contains("hunter2") && !masked.contains("correct horse"), "{}", masked);
    }
}
