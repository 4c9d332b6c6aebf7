//! Secrets are masked before they are written and are never printed. The size of an entry is bounded.

use activity_log::{ActivityLogFilters, EntryLimits, Error, NewActivityLogEntry, Redactor};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::database::{ActivityLogRepository, COLUMNS_OF_ANY_TEXT, empty_log, stored_seqs};
use crate::support::{TestResult, everything, numbered, printed};

pub(crate) const SECRET: &str = "hunter2";

fn redacted(keys: &[&str], metadata: Value) -> TestResult<Value> {
    let redactor = Redactor::new(keys.iter().copied());
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn).with_redactor(&redactor);
    let mut entry = numbered(1);
    entry.metadata = metadata.as_object().cloned().ok_or("no object")?;
    log.record_all(&[entry])?;
    Ok(log.query(&everything(), None, 1)?.remove(0).metadata.into())
}

#[test]
fn values_of_the_named_keys_are_masked_at_any_depth_and_the_keys_stay() -> TestResult {
    let metadata = json!({
        "password": SECRET,
        "user": {"token": SECRET, "name": "alice", "old": [{"password": {"hash": SECRET}}, [{"TOKEN": [SECRET]}]]},
        "count": 1,
    });
    assert_eq!(
        redacted(&["password", "Token"], metadata)?,
        json!({
            "password": "[redacted]",
            "user": {"token": "[redacted]", "name": "alice",
                     "old": [{"password": "[redacted]"}, [{"TOKEN": "[redacted]"}]]},
            "count": 1,
        })
    );
    Ok(())
}

#[test]
fn whole_keys_are_compared() -> TestResult {
    let metadata = json!({"password_hint": "blue", "my password": "x", "": "y", "value": "password"});
    assert_eq!(redacted(&["password"], metadata.clone())?, metadata);
    Ok(())
}

#[test]
fn a_masked_secret_is_nowhere_in_the_table() -> TestResult {
    let redactor = Redactor::new(["password"]);
    let mut conn = empty_log()?;
    let entry = numbered(1).metadata_value("deep", json!([{"Password": SECRET}]));
    ActivityLogRepository::new(&mut conn).with_redactor(&redactor).record(&entry)?;
    use crate::database::schema::activity_log;
    let stored: String = activity_log::table.select(activity_log::metadata).first(&mut conn)?;
    assert!(!stored.contains(SECRET), "{stored}");
    Ok(())
}

#[test]
fn metadata_that_is_too_deep_to_store_is_refused_before_it_is_redacted() -> TestResult {
    let redactor = Redactor::new(["password"]);
    let mut conn = empty_log()?;
    let deep = (0..10_000).fold(json!([]), |value, _| Value::Array(vec![value]));
    let mut log = ActivityLogRepository::new(&mut conn).with_redactor(&redactor);
    let refused = log.record(&numbered(1).metadata_value("deep", deep));
    assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{refused:?}");
    Ok(())
}

/// An entry whose `field` has `bytes` bytes.
fn with_bytes(field: &str, bytes: usize) -> NewActivityLogEntry {
    let mut entry = NewActivityLogEntry::new("c", "a", "a", "m").id("i").entity("t", "i").entity_name("n");
    let value = "x".repeat(bytes);
    match field {
        "id" => entry.id = value,
        "category" => entry.category = value.into(),
        "action" => entry.action = value,
        "actor" => entry.actor = value,
        "entity_type" => entry.entity_type = Some(value),
        "entity_id" => entry.entity_id = Some(value),
        "entity_name" => entry.entity_name = Some(value),
        "message" => entry.message = value,
        // {"x":0} and more digits.
        _ => return entry.metadata_value("x", 10_u64.pow(bytes as u32 - 7)),
    }
    entry
}

#[test]
fn a_field_at_its_limit_is_accepted_and_a_longer_one_is_refused_by_name() -> TestResult {
    let none = 2;
    let small = EntryLimits {
        id: none,
        category: none,
        action: none,
        actor: none,
        entity_type: none,
        entity_id: none,
        entity_name: none,
        message: none,
        metadata: none,
    };
    for (field, limits) in [
        ("id", EntryLimits { id: 10, ..small }),
        ("category", EntryLimits { category: 10, ..small }),
        ("action", EntryLimits { action: 10, ..small }),
        ("actor", EntryLimits { actor: 10, ..small }),
        ("entity_type", EntryLimits { entity_type: 10, ..small }),
        ("entity_id", EntryLimits { entity_id: 10, ..small }),
        ("entity_name", EntryLimits { entity_name: 10, ..small }),
        ("message", EntryLimits { message: 10, ..small }),
        ("metadata", EntryLimits { metadata: 10, ..small }),
    ] {
        let mut conn = empty_log()?;
        let mut log = ActivityLogRepository::new(&mut conn).with_limits(limits);
        log.record(&with_bytes(field, 10)).map_err(|error| format!("{field}: {error}"))?;
        let refused = log.record_all(&[numbered(1), with_bytes(field, 11)][1..]);
        let Err(Error::InvalidEntry { field: named, reason, .. }) = refused else {
            return Err(format!("{field}: {refused:?}").into());
        };
        assert_eq!((named, reason.as_str()), (field, "has 11 bytes, and at most 10 are allowed"));
        assert_eq!(stored_seqs(&mut conn)?, [1]);
    }
    Ok(())
}

#[test]
fn the_default_limits_fit_any_sensible_entry_and_refuse_the_next_byte() -> TestResult {
    let defaults = [
        ("id", 256),
        ("category", 256),
        ("action", 256),
        ("actor", 1 << 10),
        ("entity_type", 256),
        ("entity_id", 1 << 10),
        ("entity_name", 1 << 10),
        ("message", 64 << 10),
    ];
    for (field, bytes) in defaults {
        let mut conn = empty_log()?;
        let mut log = ActivityLogRepository::new(&mut conn);
        log.record(&with_bytes(field, bytes)).map_err(|error| format!("{field}: {error}"))?;
        let refused = log.record(&with_bytes(field, bytes + 1));
        assert!(matches!(&refused, Err(Error::InvalidEntry { field: named, .. }) if *named == field), "{refused:?}");
    }
    let metadata = |bytes: usize| numbered(1).metadata_value("x", "x".repeat(bytes - r#"{"x":""}"#.len()));
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&metadata(256 << 10))?;
    let refused = log.record(&metadata((256 << 10) + 1).id("other"));
    assert!(matches!(refused, Err(Error::InvalidEntry { field: "metadata", .. })), "{refused:?}");
    Ok(())
}

#[test]
fn an_entry_beyond_the_limits_that_is_stored_already_is_read() -> TestResult {
    let mut conn = empty_log()?;
    let long = NewActivityLogEntry::new("c", "a", "x".repeat(2_000), "m".repeat(1 << 20));
    let generous = EntryLimits { actor: usize::MAX, message: usize::MAX, ..EntryLimits::default() };
    ActivityLogRepository::new(&mut conn).with_limits(generous).record(&long)?;
    let entries = ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?;
    assert_eq!(entries.first().map(|entry| (&entry.actor, &entry.message)), Some((&long.actor, &long.message)));
    Ok(())
}

#[test]
fn limits_count_the_stored_bytes() -> TestResult {
    let limits = EntryLimits { message: 3, ..EntryLimits::default() };
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn).with_limits(limits);
    for (message, fits) in [("abc", true), ("é", true), ("éé", false), ("\0", true), ("a\0", false)] {
        let recorded = log.record(&NewActivityLogEntry::new("c", "a", "a", message));
        assert_eq!(recorded.is_ok(), fits, "{message:?}: {recorded:?}");
    }
    Ok(())
}

#[test]
fn an_error_never_prints_recorded_or_requested_values() -> TestResult {
    let entry = NewActivityLogEntry::new(SECRET, SECRET, SECRET, SECRET)
        .id(SECRET)
        .entity(SECRET, SECRET)
        .entity_name(SECRET)
        .metadata_value(SECRET, SECRET);
    let filters = ActivityLogFilters {
        categories: vec![SECRET.into()],
        actor: Some(SECRET.to_owned()),
        entity_type: Some(SECRET.to_owned()),
        entity_id: Some(SECRET.to_owned()),
        message_contains: Some(SECRET.to_owned()),
        ..everything()
    };
    let mut errors = Vec::new();

    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record(&entry)?;
    errors.push(log.record(&entry).err());
    let tiny = EntryLimits { message: 1, ..EntryLimits::default() };
    errors.push(ActivityLogRepository::new(&mut conn).with_limits(tiny).record(&entry).err());
    for broken in COLUMNS_OF_ANY_TEXT {
        for value in [SECRET.to_owned(), format!("\"{SECRET}\""), format!("{{\"{SECRET}\"}}")] {
            let assignment = format!("UPDATE activity_log SET {broken} = '{value}'");
            conn.batch_execute(&assignment)?;
            errors.push(ActivityLogRepository::new(&mut conn).query(&everything(), None, 1).err());
        }
    }
    conn.batch_execute("DROP TABLE activity_log")?;
    let mut log = ActivityLogRepository::new(&mut conn);
    errors.push(log.record(&entry).err());
    errors.push(log.query(&filters, None, 1).err());
    errors.push(log.count(&filters).err());
    conn.batch_execute("CREATE TABLE activity_log (seq INTEGER PRIMARY KEY, id TEXT CHECK (id = ''))")?;
    errors.push(ActivityLogRepository::new(&mut conn).record(&entry).err());

    let forty_thousand = (0..40_000).map(|n| format!("{SECRET} {n}").into()).collect();
    let filters = ActivityLogFilters { categories: forty_thousand, ..everything() };
    errors.push(ActivityLogRepository::new(&mut conn).count(&filters).err());

    for error in errors {
        let printed = printed(&error.ok_or("no error")?);
        assert!(!printed.contains(SECRET), "{printed}");
    }
    Ok(())
}

#[test]
fn a_repository_never_prints_the_values_that_pass_through_it() -> TestResult {
    let redactor = Redactor::new(["password"]);
    let mut conn = empty_log()?;
    let mut log = ActivityLogRepository::new(&mut conn).with_redactor(&redactor);
    log.record(&numbered(1).metadata_value("password", SECRET))?;
    log.query(&ActivityLogFilters { actor: Some(SECRET.to_owned()), ..everything() }, None, 1)?;
    let printed = format!("{log:?}");
    assert!(printed.ends_with("Repository { .. }"), "{printed}");
    Ok(())
}
