//! A client that follows a log which has become shorter: restored from a backup, or begun again.

use activity_log::ActivityLogRepository;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::events::{Event, Events};
use crate::server::{Server, TestResult, entry};

fn reset(newest_seq: i64) -> Option<Event> {
    let data = json!({ "newest_seq": newest_seq }).to_string();
    Some(Event { event: "reset".to_owned(), id: newest_seq.to_string(), data })
}

#[test]
fn a_stream_resumed_beyond_every_number_that_the_log_has_given_begins_anew_and_says_so() -> TestResult {
    let server = Server::start()?;
    server.post_json(&entry("Second"))?;
    for (query, header) in [("after_seq=3", ""), ("", "last-event-id: 1000\r\n")] {
        let mut events = Events::open_with(&server, query, header)?;
        assert_eq!(events.next()?, reset(2), "{query}{header}");
    }
    let mut events = Events::open(&server, "after_seq=1000&severities=error")?;
    assert_eq!(events.next()?, reset(2), "whatever the filters");

    let mut events = Events::open(&server, "after_seq=1000")?;
    assert_eq!(events.next()?, reset(2));
    server.post_json(&entry("Third"))?;
    assert_eq!(events.messages(1)?, ["Third"]);
    Ok(())
}

#[test]
fn a_stream_of_an_empty_log_begins_anew_at_zero() -> TestResult {
    let server = Server::start()?;
    server.connect()?.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence")?;
    let mut events = Events::open(&server, "after_seq=7")?;
    assert_eq!(events.next()?, reset(0));
    server.post_json(&entry("First of the new log"))?;
    assert_eq!(events.messages(1)?, ["First of the new log"]);
    Ok(())
}

#[test]
fn a_stream_resumed_after_an_entry_that_was_deleted_goes_on() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("Gone soon"); 9])?;
    let mut events = Events::open(&server, "after_seq=10")?;
    ActivityLogRepository::new(&mut server.connect()?).clear()?;
    let mut resumed = Events::open(&server, "after_seq=10")?;
    server.post_json(&entry("Next"))?;
    for events in [&mut events, &mut resumed] {
        assert_eq!(events.messages(1)?, ["Next"]);
    }
    Ok(())
}

#[test]
fn a_stream_that_is_open_while_the_log_is_restored_begins_anew() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&vec![entry("Not in the backup"); 9])?;
    let mut events = Events::open(&server, "")?;
    assert_eq!(events.begins_after, "10");
    server
        .connect()?
        .batch_execute("BEGIN; DELETE FROM activity_log WHERE seq > 4; UPDATE sqlite_sequence SET seq = 4; COMMIT")?;
    assert_eq!(events.next()?, reset(4));
    server.post_json(&entry("Fifth"))?;
    assert_eq!(events.messages(1)?, ["Fifth"]);
    Ok(())
}
