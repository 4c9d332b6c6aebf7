//! What entries take from their context is stored, and what changed is masked like all metadata.

use activity_log::{ActorContext, ChangesOptions, NewActivityLogEntry, Recorder, RecorderOptions, Redactor, changes};
use serde_json::json;

use crate::behaviour::recorder::{block_on, start, stored};
use crate::database::{ActivityLogRepository, SharedLog};
use crate::support::{TestResult, read_back};

fn here(message: &str) -> NewActivityLogEntry {
    NewActivityLogEntry::here("device", "device.updated", message)
}

#[test]
fn entries_made_in_contexts_read_back_as_they_were_made() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    let context = ActorContext::new("alice").with("request_id", "r-81").with("address", json!(null));
    let of_alice = context.clone().scope(|| here("in a scope"));
    recorder.record(of_alice.clone()).wait()?;
    let of_future = block_on(context.in_future(async {
        let entry = here("in a future");
        recorder.record(entry.clone()).await.map(|_| entry)
    }))?;
    assert_eq!([&of_alice.actor, &of_future.actor], ["alice", "alice"]);
    assert_eq!(stored(&log)?, [read_back(of_alice, 1), read_back(of_future, 2)]);
    Ok(())
}

#[test]
fn a_recorder_and_a_repository_mask_changes_as_their_own_redactor_does() -> TestResult {
    let log = SharedLog::create()?;
    let redactor = Redactor::new(["password", "keys"]);
    let before = json!({"user": {"password": "a", "name": "b"}, "keys": {"k": 1}, "list": [{"password": 1}]});
    let after = json!({"user": {"password": "b", "name": "c"}, "keys": {"k": 2}, "list": [{"password": 2}]});
    let masked = ChangesOptions::new().redactor(redactor.clone()).between(&before, &after)?;
    let entry =
        || Ok::<_, activity_log::Error>(here("m").metadata_values(changes(&before, &after)?.unwrap_or_default()));

    let recorder = Recorder::start(log.connector(), RecorderOptions::new().redactor(redactor.clone()))?;
    recorder.record(entry()?).wait()?;
    ActivityLogRepository::new(&mut log.connect()?).with_redactor(&redactor).record(&entry()?)?;
    for entry in stored(&log)? {
        assert_eq!(Some(entry.metadata), masked);
    }
    Ok(())
}

#[test]
fn changes_as_deep_as_they_may_be_can_be_stored() -> TestResult {
    let log = SharedLog::create()?;
    let deep = |end: i32| (0..200).fold(json!(end), |inner, _| json!({"a": inner}));
    let changed = |levels| ChangesOptions::new().depth(levels).between(&deep(1), &deep(2));
    let list = (0..125).fold(json!(1), |inner, _| json!([inner]));
    let of_list = ChangesOptions::new().depth(usize::MAX).between(&json!(null), &list)?;
    for metadata in [changed(16)?, changed(usize::MAX)?, of_list] {
        let entry = here("deep").metadata(metadata.ok_or("nothing has changed")?);
        let seq = ActivityLogRepository::new(&mut log.connect()?).record(&entry)?;
        let stored = ActivityLogRepository::new(&mut log.connect()?).get(&entry.id)?;
        assert_eq!(stored, Some(read_back(entry, seq)));
    }
    Ok(())
}
