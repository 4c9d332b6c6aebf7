//! Chosen events of `tracing` become entries, by the names of their fields.

use activity_log::{
    ActivityCategory, ActivityLogEntry, ActivitySeverity, ActorContext, QueuePolicy, REDACTED, RecorderOptions,
    Redactor, TracingLayer,
};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use crate::behaviour::recorder::{start, stored};
use crate::support::TestResult;

pub(crate) fn options() -> RecorderOptions {
    RecorderOptions::new().policy(QueuePolicy::DropNewest)
}

/// What is recorded of the events of `work`.
fn recorded_with(
    options: RecorderOptions,
    layer: impl FnOnce(TracingLayer) -> TracingLayer,
    work: impl FnOnce(),
) -> TestResult<Vec<ActivityLogEntry>> {
    let (log, recorder) = start(options)?;
    let layer = layer(TracingLayer::new(recorder.clone())?);
    with_default(registry().with(layer.filtered()), work);
    recorder.flush().wait()?;
    stored(&log)
}

/// What is recorded of the events of `work` that have the target `audit`.
pub(crate) fn recorded(work: impl FnOnce()) -> TestResult<Vec<ActivityLogEntry>> {
    recorded_with(options(), |layer| layer.target("audit"), work)
}

pub(crate) fn one(entries: Vec<ActivityLogEntry>) -> TestResult<ActivityLogEntry> {
    let [entry] = <[_; 1]>::try_from(entries).map_err(|entries| format!("not one entry: {entries:?}"))?;
    Ok(entry)
}

pub(crate) fn messages(entries: &[ActivityLogEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.message.as_str()).collect()
}

#[test]
fn an_event_becomes_an_entry_by_the_names_of_its_fields() -> TestResult {
    let entry = one(recorded(|| {
        tracing::warn!(
            target: "audit", category = "device", action = "device.renamed", actor = %"alice", entity_type = "device",
            entity_id = 7, entity_name = "Desk lamp", previous = "Lamp", tries = 3_u64, ok = true, ratio = 0.5,
            not = f64::NAN, list = ?[1, 2], r#type = "lamp", "Renamed {}", "the lamp"
        );
    })?)?;
    assert_eq!(entry.category, ActivityCategory::Device);
    assert_eq!(entry.action, "device.renamed");
    assert_eq!(entry.severity, ActivitySeverity::Warning);
    assert_eq!(entry.actor, "alice");
    assert_eq!(entry.entity_type.as_deref(), Some("device"));
    assert_eq!(entry.entity_id.as_deref(), Some("7"));
    assert_eq!(entry.entity_name.as_deref(), Some("Desk lamp"));
    assert_eq!(entry.message, "Renamed the lamp");
    let expected = json!({
        "previous": "Lamp", "tries": 3, "ok": true, "ratio": 0.5, "not": "NaN", "list": "[1, 2]", "type": "lamp",
    });
    assert_eq!(Value::Object(entry.metadata), expected);
    Ok(())
}

#[test]
fn an_event_without_such_fields_has_the_category_of_the_layer_its_target_as_action_and_the_system_as_actor()
-> TestResult {
    let bare = || tracing::info!(target: "audit::lamps", room = "hall");
    let entry = one(recorded(bare)?)?;
    assert_eq!(entry.category, ActivityCategory::System);
    assert_eq!(entry.action, "audit::lamps");
    assert_eq!(entry.message, "audit::lamps");
    assert_eq!(entry.actor, "system");
    assert_eq!((entry.entity_type, entry.entity_id, entry.entity_name), (None, None, None));
    assert_eq!(Value::Object(entry.metadata), json!({"room": "hall"}));

    let entry = one(recorded_with(options(), |layer| layer.target("audit").category("lamps"), bare)?)?;
    assert_eq!(entry.category.as_str(), "lamps");
    Ok(())
}

#[test]
fn levels_become_severities() -> TestResult {
    let entries = recorded_with(
        options(),
        |layer| layer.target("audit").max_level(LevelFilter::TRACE),
        || {
            tracing::error!(target: "audit", "error");
            tracing::warn!(target: "audit", "warn");
            tracing::info!(target: "audit", "info");
            tracing::debug!(target: "audit", "debug");
            tracing::trace!(target: "audit", "trace");
        },
    )?;
    let expected = [
        ("error", ActivitySeverity::Error),
        ("warn", ActivitySeverity::Warning),
        ("info", ActivitySeverity::Info),
        ("debug", ActivitySeverity::Info),
        ("trace", ActivitySeverity::Info),
    ];
    assert_eq!(entries.iter().map(|entry| (entry.message.as_str(), entry.severity)).collect::<Vec<_>>(), expected);
    Ok(())
}

#[test]
fn only_events_of_the_chosen_targets_and_those_below_are_recorded() -> TestResult {
    let entries = recorded_with(
        options(),
        |layer| layer.target("audit").target("sign_ins"),
        || {
            tracing::info!(target: "audit", "1");
            tracing::info!(target: "audits", "2");
            tracing::info!(target: "audit::devices", "3");
            tracing::info!(target: "my::audit", "4");
            tracing::info!("5");
            tracing::info!(target: "sign_ins", "6");
        },
    )?;
    assert_eq!(messages(&entries), ["1", "3", "6"]);
    Ok(())
}

#[test]
fn events_with_a_chosen_field_are_recorded_unless_it_is_false() -> TestResult {
    let entries = recorded_with(
        options(),
        |layer| layer.field("audit"),
        || {
            tracing::info!(audit = true, "1");
            tracing::info!(audit = false, "2");
            tracing::info!("3");
            tracing::info_span!("around", audit = true).in_scope(|| tracing::info!("4"));
            tracing::info!(audit = "yes", room = "hall", "5");
        },
    )?;
    assert_eq!(messages(&entries), ["1", "5"]);
    let metadata = entries.into_iter().map(|entry| Value::Object(entry.metadata)).collect::<Vec<_>>();
    assert_eq!(metadata, [json!({}), json!({"room": "hall"})]);
    Ok(())
}

#[test]
fn a_layer_that_was_told_of_no_events_records_none() -> TestResult {
    let entries = recorded_with(options(), |layer| layer, || tracing::error!(target: "audit", audit = true, "1"))?;
    assert_eq!(messages(&entries), [""; 0]);
    Ok(())
}

#[test]
fn the_fields_of_spans_are_metadata_and_the_nearest_of_a_name_wins() -> TestResult {
    let entry = one(recorded(|| {
        let outer = tracing::info_span!("request", id = 1, path = "/", actor = "alice", user = tracing::field::Empty);
        outer.record("user", "u7");
        outer.in_scope(|| {
            let inner = tracing::info_span!("lamp", path = "/lamps", room = "hall", message = "a span's own");
            inner.in_scope(|| tracing::info!(target: "audit", room = "attic", action = "looked"));
        });
    })?)?;
    assert_eq!((entry.actor.as_str(), entry.action.as_str(), entry.message.as_str()), ("alice", "looked", "looked"));
    let expected = json!({"id": 1, "path": "/lamps", "user": "u7", "room": "attic", "message": "a span's own"});
    assert_eq!(Value::Object(entry.metadata), expected);
    Ok(())
}

#[test]
fn what_fields_do_not_say_comes_from_the_context() -> TestResult {
    let context = ActorContext::new("alice").with("request_id", "r-81").with("room", "hall");
    let entries = recorded(|| {
        context.scope(|| {
            tracing::info!(target: "audit", room = "attic", "1");
            tracing::info!(target: "audit", actor = "bob", "2");
        });
    })?;
    let got = entries.into_iter().map(|entry| (entry.actor, Value::Object(entry.metadata))).collect::<Vec<_>>();
    let expected = [
        ("alice".to_owned(), json!({"request_id": "r-81", "room": "attic"})),
        ("bob".to_owned(), json!({"request_id": "r-81", "room": "hall"})),
    ];
    assert_eq!(got, expected);
    Ok(())
}

#[test]
fn the_redactor_of_the_recorder_masks_fields() -> TestResult {
    let options = options().redactor(Redactor::new(["token"]));
    let entries = recorded_with(
        options,
        |layer| layer.target("audit"),
        || {
            tracing::info_span!("span", token = "hunter2").in_scope(|| tracing::info!(target: "audit", "1"));
        },
    );
    assert_eq!(Value::Object(one(entries?)?.metadata), json!({"token": REDACTED}));
    Ok(())
}

#[test]
fn two_layers_of_one_subscriber_each_record_their_own_events() -> TestResult {
    let (first, of_first) = start(options())?;
    let (second, of_second) = start(options())?;
    let subscriber = registry()
        .with(TracingLayer::new(of_first.clone())?.target("first").filtered())
        .with(TracingLayer::new(of_second.clone())?.target("second").filtered());
    with_default(subscriber, || {
        let _span = tracing::info_span!("span", room = "hall").entered();
        tracing::info!(target: "first", "1");
        tracing::info!(target: "second", "2");
    });
    for (log, recorder, message) in [(first, of_first, "1"), (second, of_second, "2")] {
        recorder.flush().wait()?;
        let entry = one(stored(&log)?)?;
        assert_eq!((entry.message.as_str(), Value::Object(entry.metadata)), (message, json!({"room": "hall"})));
    }
    Ok(())
}
