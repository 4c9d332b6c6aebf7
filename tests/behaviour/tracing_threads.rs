//! A thread that logs to the layer never waits for the log, and neither logs nor values can hold it up.

use std::cell::Cell;
use std::fmt;
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, OnceLock};

use activity_log::{Error, LEFT_OUT, QueuePolicy, Recorder, RecorderError, RecorderOptions, TracingLayer};
use serde_json::{Value, json};
use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use crate::behaviour::recorder::{A_MINUTE, start, start_away, stored, stored_ids};
use crate::behaviour::tracing_layer::{messages, one, options, recorded};
use crate::database::SharedLog;
use crate::support::{TestResult, numbered};

#[test]
fn other_events_and_more_verbose_ones_are_not_even_evaluated() -> TestResult {
    let evaluated = Cell::new(0);
    let evaluate = || evaluated.replace(evaluated.get() + 1);
    let entries = recorded(|| {
        tracing::debug!(target: "audit", number = evaluate(), "1");
        tracing::info!(target: "elsewhere", number = evaluate(), "2");
        tracing::debug_span!("span", number = evaluate()).in_scope(|| tracing::info!(target: "audit", "3"));
    })?;
    assert_eq!(messages(&entries), ["3"]);
    assert_eq!(evaluated.get(), 0);
    Ok(())
}

#[test]
fn a_recorder_whose_policy_is_to_wait_is_refused() -> TestResult {
    let (_log, recorder) = start(RecorderOptions::new())?;
    let refused = TracingLayer::new(recorder);
    assert!(matches!(refused, Err(Error::Recorder(RecorderError::WouldBlock))), "{refused:?}");
    Ok(())
}

#[test]
fn a_thread_that_logs_goes_on_although_the_queue_is_full() -> TestResult {
    for (policy, health) in [(QueuePolicy::DropNewest, (5, 0)), (QueuePolicy::Refuse, (0, 5))] {
        let (log, recorder, database) = start_away(options().policy(policy).queue_entries(1))?;
        let layer = TracingLayer::new(recorder.clone())?.target("audit");
        with_default(registry().with(layer.filtered()), || {
            for number in 0..5 {
                tracing::info!(target: "audit", "{number}");
            }
        });
        assert_eq!((recorder.health().dropped, recorder.health().refused), health);
        drop(database);
        assert!(recorder.shutdown(A_MINUTE).is_empty());
        let actions = stored(&log)?.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
        let expected: &[_] = if policy == QueuePolicy::Refuse { &["tick"] } else { &["tick", "activity_log.dropped"] };
        assert_eq!(actions, expected);
    }
    Ok(())
}

#[test]
fn what_is_logged_in_the_recorders_own_thread_is_not_recorded() -> TestResult {
    let log = SharedLog::create()?;
    let (failed, failures) = channel();
    let dispatch = Arc::new(OnceLock::<Dispatch>::new());
    let for_callback = Arc::clone(&dispatch);
    let options = options().on_failure(move |failure| {
        if let Some(dispatch) = for_callback.get() {
            dispatcher::with_default(dispatch, || tracing::error!(target: "audit", "{}", failure.error));
            failed.send(failure.attempts).ok();
        }
    });
    let mut connect = log.connector();
    let (come, coming) = channel::<()>();
    let connect = move || match coming.try_recv() {
        Err(TryRecvError::Disconnected) => connect(),
        _ => Err(diesel::ConnectionError::BadConnection("it is away".to_owned()).into()),
    };
    let recorder = Recorder::start(connect, options)?;
    let layer = TracingLayer::new(recorder.clone())?.target("audit");
    dispatch.set(Dispatch::new(registry().with(layer.filtered()))).map_err(|_| "it was set")?;
    recorder.record(numbered(1));
    while failures.recv_timeout(A_MINUTE)? < 3 {}
    assert_eq!(recorder.health().queued_entries, 1);
    drop(come);
    assert!(recorder.shutdown(A_MINUTE).is_empty());
    assert_eq!(stored_ids(&log)?, [numbered(1).id]);
    Ok(())
}

/// Logs while it is printed.
struct Talkative;

impl fmt::Debug for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!(target: "audit", "inner");
        f.write_str("talkative")
    }
}

#[test]
fn a_value_that_logs_while_a_span_takes_it_is_recorded() -> TestResult {
    let entries = recorded(|| {
        let span = tracing::info_span!("span", first = 1, later = tracing::field::Empty);
        span.in_scope(|| {
            span.record("later", tracing::field::debug(Talkative));
            tracing::info!(target: "audit", "outer");
        });
    })?;
    assert_eq!(messages(&entries), ["inner", "outer"]);
    let last = entries.into_iter().next_back().ok_or("there is no entry")?;
    assert_eq!(Value::Object(last.metadata), json!({"first": 1, "later": "talkative"}));
    Ok(())
}

/// Prints without an end, if it is let.
struct Endless;

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("é and so on, ")?;
        }
    }
}

#[test]
fn long_values_are_cut_and_say_so() -> TestResult {
    let long = "é".repeat(100_000);
    let entry = one(recorded(|| {
        tracing::info!(target: "audit", text = long.as_str(), endless = ?Endless, short = "é".repeat(2_048), "x{long}");
    })?)?;
    let cut = format!("…{LEFT_OUT}");
    assert_eq!(entry.message, format!("x{}{cut}", "é".repeat(8_191)));
    assert_eq!(entry.metadata.get("text"), Some(&json!(format!("{}{cut}", "é".repeat(2_048)))));
    assert_eq!(entry.metadata.get("short"), Some(&json!("é".repeat(2_048))));
    let endless = entry.metadata.get("endless").and_then(Value::as_str).ok_or("it is no text")?;
    assert!(endless.len() < 4_200 && endless.ends_with(&cut), "{endless}");
    Ok(())
}
