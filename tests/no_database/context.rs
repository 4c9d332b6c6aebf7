//! Entries take actor and metadata from the context of the thread.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use activity_log::{ActivityCategory, ActorContext, NewActivityLogEntry};
use serde_json::{Map, Value, json};

use crate::support::TestResult;

pub(crate) fn here() -> NewActivityLogEntry {
    NewActivityLogEntry::here("device", "device.renamed", "Renamed the lamp")
}

pub(crate) fn alice() -> ActorContext {
    ActorContext::new("alice").with("request_id", "r-81").with("address", "192.0.2.7")
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}

#[test]
fn an_entry_made_in_a_scope_has_the_actor_and_the_metadata_of_its_context() {
    let entry = alice().scope(here);
    assert_eq!(entry.category, ActivityCategory::Device);
    assert_eq!(entry.action, "device.renamed");
    assert_eq!(entry.message, "Renamed the lamp");
    assert_eq!(entry.actor, "alice");
    assert_eq!(entry.metadata, object([("address", json!("192.0.2.7")), ("request_id", json!("r-81"))]));
}

#[test]
fn an_entry_made_without_a_context_is_the_systems_and_has_no_metadata() {
    assert_eq!(ActorContext::current(), None);
    assert_eq!(here().actor, "system");
    assert_eq!(here().metadata, Map::new());
    assert_eq!(ActorContext::default(), ActorContext::new("system"));
}

#[test]
fn the_values_that_an_entry_sets_are_added_and_win_over_those_of_the_context() {
    let entry = alice().scope(|| here().metadata_value("address", "::1").metadata_value("method", "token"));
    let expected = object([("address", json!("::1")), ("method", json!("token")), ("request_id", json!("r-81"))]);
    assert_eq!(entry.metadata, expected);

    let entry = alice().scope(|| here().metadata_values(object([("address", json!(null)), ("method", json!(1))])));
    let expected = object([("address", json!(null)), ("method", json!(1)), ("request_id", json!("r-81"))]);
    assert_eq!(entry.metadata, expected);
}

#[test]
fn metadata_that_an_entry_replaces_has_nothing_of_the_context() {
    let own = object([("method", json!("token"))]);
    assert_eq!(alice().scope(|| here().metadata(own.clone())).metadata, own);
}

#[test]
fn an_inner_context_replaces_the_outer_one_until_its_scope_ends() {
    alice().scope(|| {
        ActorContext::new("bob").scope(|| {
            assert_eq!(here().actor, "bob");
            assert_eq!(here().metadata, Map::new());
        });
        assert_eq!(ActorContext::current(), Some(alice()));
    });
    assert_eq!(ActorContext::current(), None);
}

#[test]
fn a_panic_in_a_scope_restores_the_outer_context() {
    alice().scope(|| {
        let panicked: thread::Result<()> =
            catch_unwind(AssertUnwindSafe(|| ActorContext::new("bob").scope(|| resume_unwind(Box::new("bob panics")))));
        assert!(panicked.is_err());
        assert_eq!(ActorContext::current(), Some(alice()));
    });
    assert_eq!(ActorContext::current(), None);
}

#[test]
fn a_scope_holds_on_its_own_thread_only() -> TestResult {
    let elsewhere = alice().scope(|| thread::spawn(ActorContext::current).join());
    assert_eq!(elsewhere.map_err(|_| "the thread panicked")?, None);
    Ok(())
}

#[test]
fn a_scope_returns_what_its_closure_returns() {
    assert_eq!(alice().scope(|| 7), 7);
}

#[test]
fn an_entry_can_be_made_while_a_thread_ends() -> TestResult {
    struct AtTheEnd(std::sync::mpsc::Sender<String>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.0.send(alice().scope(here).actor).ok();
        }
    }

    thread_local! {
        static LAST: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
    }

    let (send, sent) = std::sync::mpsc::channel();
    let ended = thread::spawn(|| {
        // Destroyed after the context, which is used later.
        LAST.set(Some(AtTheEnd(send)));
        alice().scope(|| drop(here()));
    });
    ended.join().map_err(|_| "the thread panicked")?;
    assert!(["alice", "system"].contains(&sent.recv()?.as_str()));
    Ok(())
}
