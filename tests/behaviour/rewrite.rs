//! Entries are rewritten where they are.

use activity_log::{ActivityLogFilters, EntryLimits, Error, NewActivityLogEntry};
use serde_json::json;

use crate::database::{ActivityLogRepository, empty_log, with_write_transaction};
use crate::support::{TestResult, everything, numbered, record_numbered};

fn of_actor(actor: &str) -> ActivityLogFilters {
    ActivityLogFilters { actor: Some(actor.to_owned()), ..everything() }
}

#[test]
fn a_rewritten_entry_keeps_its_seq_id_and_time() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let before = log.query(&everything(), None, 9)?;
    let rewritten = log.rewrite(&everything(), |entry| {
        *entry = NewActivityLogEntry::new("auth", "user.erased", "nobody", "Erased").metadata_value("by", "law");
    })?;
    assert_eq!(rewritten, 3);
    let after = log.query(&everything(), None, 9)?;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.seq, &before.id, before.ts), (after.seq, &after.id, after.ts));
        assert_eq!(
            (after.actor.as_str(), after.message.as_str(), after.action.as_str()),
            ("nobody", "Erased", "user.erased")
        );
        assert_eq!((&after.entity_id, &after.metadata["by"]), (&None, &json!("law")));
    }
    assert_eq!(after.len(), 3);
    Ok(())
}

#[test]
fn only_matching_entries_are_rewritten_and_each_is_offered_once() -> TestResult {
    let mut conn = empty_log()?;
    let actors = ["alice", "bob"].into_iter().cycle();
    let entries = actors
        .zip(1..=3_000)
        .map(|(actor, number)| NewActivityLogEntry { actor: actor.to_owned(), ..numbered(number) });
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&entries.collect::<Vec<_>>())?;
    let mut offered = Vec::new();
    let rewritten = log.rewrite(&of_actor("alice"), |entry| {
        offered.push(entry.id.clone());
        // It still matches.
        entry.message = "Erased".to_owned();
    })?;
    assert_eq!(rewritten, 1_500);
    offered.sort();
    offered.dedup();
    assert_eq!(offered.len(), 1_500);
    assert_eq!(log.count(&ActivityLogFilters { message_contains: Some("erased".to_owned()), ..everything() })?, 1_500);
    Ok(())
}

#[test]
fn an_entry_that_is_left_as_it_was_does_not_count() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    assert_eq!(ActivityLogRepository::new(&mut conn).rewrite(&everything(), |_| {})?, 0);
    Ok(())
}

#[test]
fn an_entry_that_cannot_be_stored_is_reported_by_field_and_all_others_are_rewritten() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let refused = log.rewrite(&everything(), |entry| {
        entry.actor = "x".to_owned();
        if entry.id == "al_00000003" {
            let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
            entry.metadata.insert("deep".to_owned(), deep);
        }
    });
    assert!(
        matches!(&refused, Err(Error::NotRewritten { seq: 3, reason }) if reason.starts_with("`metadata` is nested")),
        "{refused:?}"
    );
    assert_eq!(log.count(&of_actor("x"))?, 4);
    assert_eq!(log.count(&everything())?, 5);
    Ok(())
}

#[test]
fn limits_do_not_keep_an_entry_from_being_rewritten() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 1)?;
    let limits = EntryLimits { message: 3, metadata: 2, actor: 1, ..EntryLimits::default() };
    let mut log = ActivityLogRepository::new(&mut conn).with_limits(limits);
    assert_eq!(log.rewrite(&everything(), |entry| entry.actor = "somebody".to_owned())?, 1);
    assert_eq!(log.count(&of_actor("somebody"))?, 1);
    Ok(())
}

#[test]
fn a_panic_leaves_the_connection_as_it_was() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    let panics = || log.rewrite(&everything(), |_| panic!("a fault of the host's"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    with_write_transaction(&mut conn, |conn| ActivityLogRepository::new(conn).record(&numbered(6)))?;
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&everything())?, 6);
    Ok(())
}

#[test]
fn a_rolled_back_rewrite_has_changed_nothing() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 5)?;
    let outcome = with_write_transaction(&mut conn, |conn| {
        ActivityLogRepository::new(conn).rewrite(&everything(), |entry| entry.actor = "x".to_owned())?;
        Err::<(), _>(Error::from(diesel::result::Error::RollbackTransaction))
    });
    assert!(outcome.is_err());
    assert_eq!(ActivityLogRepository::new(&mut conn).count(&of_actor("x"))?, 0);
    Ok(())
}

#[test]
fn an_erased_actor_is_replaced_as_a_word_in_their_own_entries_only() -> TestResult {
    let mut conn = empty_log()?;
    let entry = |actor: &str, message: &str| NewActivityLogEntry::new("auth", "a", actor, message);
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&[
        entry("al", "al signed in, also al's phone (al)")
            .entity("user", "al")
            .entity_name("Al")
            .metadata_value("who", json!({"al": ["al", "almost", 7], "user 7": 1})),
        entry("bob", "Created al"),
    ])?;
    assert_eq!(log.erase_actor("al", "user 7")?, 1);
    let entries = log.query(&everything(), None, 9)?;
    let [bobs, erased] = entries.as_slice() else { return Err("not two entries".into()) };
    assert_eq!(bobs.message, "Created al");
    assert_eq!(
        (erased.actor.as_str(), erased.message.as_str()),
        ("user 7", "user 7 signed in, also user 7's phone (user 7)")
    );
    assert_eq!((erased.entity_id.as_deref(), erased.entity_name.as_deref()), (Some("user 7"), Some("user 7")));
    assert_eq!(erased.metadata["who"], json!({"user 7": ["user 7", "almost", 7], "user 7'": 1}));
    Ok(())
}

#[test]
fn a_name_is_found_where_it_overlaps_itself_and_as_a_number() -> TestResult {
    let erased = |actor: &str, message: &str| -> TestResult<String> {
        let mut conn = empty_log()?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let entry = NewActivityLogEntry::new("auth", "a", actor, message);
        log.record(&entry.metadata_value("user_id", 42).metadata_value("other", 420))?;
        log.erase_actor(actor, "gone")?;
        let entry = log.query(&everything(), None, 1)?.remove(0);
        Ok(format!("{} {}", entry.message, serde_json::to_string(&entry.metadata)?))
    };
    assert_eq!(erased("b-b", "ab-b-b left")?, r#"ab-gone left {"other":420,"user_id":42}"#);
    assert_eq!(erased("42", "42 and 420")?, r#"gone and 420 {"other":420,"user_id":"gone"}"#);
    Ok(())
}

#[test]
fn texts_are_erased_in_the_entries_of_all_actors_in_either_case_and_only_as_whole_words() -> TestResult {
    let mut conn = empty_log()?;
    let entry = |actor: &str, message: &str| NewActivityLogEntry::new("auth", "a", actor, message);
    let mut log = ActivityLogRepository::new(&mut conn);
    log.record_all(&[
        entry("bob", "Created ALICE (alice@example.org)").entity("user", "17").metadata_value("id", 17),
        entry("malice", "malice signed in").entity("user", "170"),
        entry("alice", "Alice signed in"),
    ])?;
    assert_eq!(log.erase_texts(&["alice", "17", "alice@example.org"], "X")?, 2);
    let entries = log.query(&everything(), None, 9)?;
    let messages = entries.iter().map(|entry| (entry.actor.as_str(), entry.message.as_str())).collect::<Vec<_>>();
    assert_eq!(messages, [("X", "X signed in"), ("malice", "malice signed in"), ("bob", "Created X (X)")]);
    let ids = entries.iter().map(|entry| entry.entity_id.as_deref()).collect::<Vec<_>>();
    assert_eq!(ids, [None, Some("170"), Some("X")]);
    assert_eq!(entries.last().map(|entry| &entry.metadata["id"]), Some(&json!("X")));
    Ok(())
}

#[test]
fn an_empty_actor_text_or_replacement_is_refused() -> TestResult {
    let mut conn = empty_log()?;
    for texts in [&[][..], &[""], &["a", ""]] {
        let refused = ActivityLogRepository::new(&mut conn).erase_texts(texts, "x");
        assert!(matches!(refused, Err(Error::InvalidFilter { field: "texts", .. })), "{refused:?}");
    }
    for (actor, replacement) in [("", "x"), ("x", "")] {
        let refused = ActivityLogRepository::new(&mut conn).erase_actor(actor, replacement);
        assert!(matches!(refused, Err(Error::InvalidFilter { field: "actor", .. })), "{refused:?}");
    }
    Ok(())
}
