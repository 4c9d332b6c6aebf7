//! A recorder is switched off and on by entries of the log itself.

use activity_log::{ActivityCategory, ActivitySeverity, RecorderError, RecorderOptions};

use crate::behaviour::recorder::{ids, reason, start, start_away, stored};
use crate::support::{TestResult, numbered};

/// The actions or, of the numbered entries, the ids in the log.
fn story(log: &crate::database::SharedLog) -> TestResult<Vec<String>> {
    let what = stored(log)?.into_iter().map(|entry| match entry.category {
        ActivityCategory::System if entry.action.starts_with("activity_log.") => entry.action,
        _ => entry.id,
    });
    Ok(what.collect())
}

fn told(parts: &[&[String]]) -> Vec<String> {
    parts.concat()
}

fn off() -> Vec<String> {
    vec!["activity_log.disabled".to_owned()]
}

fn on() -> Vec<String> {
    vec!["activity_log.enabled".to_owned()]
}

#[test]
fn switching_off_and_on_is_recorded_with_its_actor() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    recorder.disable("alice").wait()?;
    recorder.enable("bob").wait()?;
    let stored = stored(&log)?;
    let about = stored.iter().map(|entry| (entry.actor.as_str(), entry.severity, entry.message.as_str()));
    assert_eq!(
        about.collect::<Vec<_>>(),
        [
            ("alice", ActivitySeverity::Warning, "The activity log was switched off"),
            ("bob", ActivitySeverity::Info, "The activity log was switched on"),
        ]
    );
    Ok(())
}

#[test]
fn nothing_is_recorded_while_the_recorder_is_off() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new())?;
    recorder.record(numbered(1));
    recorder.disable("alice").wait()?;
    assert!(!recorder.is_enabled());
    assert_eq!(reason(recorder.record(numbered(2)).wait())?, RecorderError::SwitchedOff);
    assert_eq!(reason(recorder.record_all(vec![numbered(3)]).wait())?, RecorderError::SwitchedOff);
    recorder.enable("bob");
    assert!(recorder.is_enabled());
    recorder.record(numbered(4)).wait()?;
    assert_eq!(story(&log)?, told(&[&ids([1]), &off(), &on(), &ids([4])]));
    Ok(())
}

#[test]
fn entries_are_taken_until_switching_off_is_committed() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    let off_now = recorder.disable("alice");
    assert!(recorder.is_enabled());
    let receipt = recorder.record(numbered(1));
    drop(database);
    off_now.wait()?;
    assert!(!recorder.is_enabled());
    receipt.wait()?;
    assert_eq!(story(&log)?, told(&[&ids([0]), &off(), &ids([1])]));
    Ok(())
}

#[test]
fn switching_on_before_switching_off_is_committed_leaves_it_on() -> TestResult {
    let (log, recorder, database) = start_away(RecorderOptions::new())?;
    recorder.disable("alice");
    let on_again = recorder.enable("bob");
    drop(database);
    on_again.wait()?;
    assert!(recorder.is_enabled());
    recorder.record(numbered(1)).wait()?;
    assert_eq!(story(&log)?, told(&[&ids([0]), &off(), &on(), &ids([1])]));
    Ok(())
}

#[test]
fn a_recorder_may_start_switched_off() -> TestResult {
    let (log, recorder) = start(RecorderOptions::new().disabled())?;
    assert_eq!(reason(recorder.record(numbered(1)).wait())?, RecorderError::SwitchedOff);
    recorder.enable("alice").wait()?;
    recorder.record(numbered(2)).wait()?;
    assert_eq!(story(&log)?, told(&[&on(), &ids([2])]));
    Ok(())
}
