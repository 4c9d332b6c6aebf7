use activity_log::{ActivityCategory, ActivitySeverity};
use serde_json::json;

use crate::server::{Server, TestResult, entry};

#[test]
fn clearing_leaves_one_entry_that_says_who_cleared_the_log() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("Gone soon"); 500])?;

    let answer = server.delete("actor=alice%20%3Croot%3E")?;
    assert_eq!((answer.status, answer.body), (200, json!({"deleted": 501})));

    let [cleared] = server.get("")?.entries()?.try_into().map_err(|entries| format!("{entries:?}"))?;
    assert_eq!((cleared.category, &*cleared.action), (ActivityCategory::System, "activity_log_cleared"));
    assert_eq!((&*cleared.actor, cleared.severity), ("alice <root>", ActivitySeverity::Warning));
    assert_eq!(json!(cleared.metadata), json!({"deleted": 501, "address": "127.0.0.1"}));
    assert_eq!(cleared.seq, 502);
    Ok(())
}

#[test]
fn nothing_is_cleared_without_the_name_of_the_actor() -> TestResult {
    let server = Server::start()?;
    for (query, parameter) in [("", "actor"), ("actor=", "actor"), ("actor=alice&categories=auth", "categories")] {
        let answer = server.delete(query)?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!(parameter)), "{query}");
    }
    assert_eq!(server.get("")?.entries()?.len(), 1);
    Ok(())
}

#[test]
fn readers_never_find_the_log_empty_during_a_clear() -> TestResult {
    let server = Server::start()?;
    std::thread::scope(|scope| {
        let clearing = scope.spawn(|| {
            (0..50).try_for_each(|_| server.delete("actor=alice").map(drop).map_err(|error| error.to_string()))
        });
        while !clearing.is_finished() {
            assert_eq!(server.get("")?.entries()?.len(), 1);
        }
        clearing.join().map_err(|_| "the clearing panicked")??;
        Ok(())
    })
}
