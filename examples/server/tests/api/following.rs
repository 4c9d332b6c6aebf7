use std::time::{Duration, Instant};

use activity_log::{ActivityLogRepository, NewActivityLogEntry};
use diesel::RunQueryDsl;
use serde_json::json;

use crate::events::{Event, Events};
use crate::server::{PATH, Server, TestResult, entry, with};

#[test]
fn new_entries_are_streamed_as_they_are_recorded_and_old_ones_are_not() -> TestResult {
    let server = Server::start()?;
    server.post_json(&entry("Before"))?;
    let mut events = Events::open(&server, "")?;
    assert_eq!(events.begins_after, "2");
    assert!(events.head.contains(&"content-type: text/event-stream".to_owned()), "{:?}", events.head);
    assert!(events.head.contains(&"cache-control: no-store".to_owned()), "{:?}", events.head);

    server.post_ndjson(&[entry("First"), entry("Second,\nin two lines")])?;
    assert_eq!(events.messages(2)?, ["First", "Second,\nin two lines"]);
    server.delete("actor=alice")?;
    assert_eq!(events.messages(1)?, ["alice cleared the activity log of 4 entries"]);
    Ok(())
}

#[test]
fn an_event_is_the_entry_as_the_list_shows_it_on_one_line() -> TestResult {
    let server = Server::start()?;
    let mut events = Events::open(&server, "")?;
    server.post_json(&with(entry("Listed"), "metadata", json!({"line": "one\r\ntwo"})))?;
    let Some(Event { event, id, data }) = events.next()? else { return Err("the stream has ended".into()) };
    let listed = server.get("limit=1")?.body["entries"][0].take();
    assert_eq!((&*event, &*id, serde_json::from_str(&data)?), ("entry", "2", listed));
    Ok(())
}

#[test]
fn only_matching_entries_are_streamed() -> TestResult {
    let server = Server::start()?;
    let mut events = Events::open(&server, "severities=error&message_contains=lamp")?;
    server.post_ndjson(&[
        entry("Found the lamp"),
        with(entry("Lost the chair"), "severity", "error"),
        with(entry("Lost the lamp"), "severity", "error"),
    ])?;
    assert_eq!(events.messages(1)?, ["Lost the lamp"]);
    Ok(())
}

#[test]
fn a_stream_resumes_after_the_last_entry_that_the_client_received() -> TestResult {
    let server = Server::start()?;
    let numbered = (2..=60).map(|seq| entry(&format!("Entry {seq}"))).collect::<Vec<_>>();
    server.post_ndjson(&numbered)?;
    let missed = (11..=60).map(|seq| format!("Entry {seq}")).collect::<Vec<_>>();

    let mut events = Events::open(&server, "after_seq=10")?;
    assert_eq!(events.messages(50)?, missed);
    // A browser that resumes requests the same address, including the parameter.
    let mut events = Events::open_with(&server, "after_seq=2", "last-event-id: 10\r\n")?;
    assert_eq!(events.messages(50)?, missed);
    server.post_json(&entry("And on"))?;
    assert_eq!(events.messages(1)?, ["And on"]);
    Ok(())
}

#[test]
fn an_invalid_cursor_is_named() -> TestResult {
    let server = Server::start()?;
    let answer = server.request("GET", &format!("{PATH}/stream?after_seq=x"))?;
    assert_eq!((answer.status, answer.error("parameter")), (400, &json!("after_seq")));
    let answer = server.request_with("GET", &format!("{PATH}/stream"), &[("last-event-id", "x")])?;
    assert_eq!((answer.status, answer.error("parameter")), (400, &json!("Last-Event-ID")));
    Ok(())
}

#[test]
fn an_entry_recorded_by_the_server_is_streamed_at_once() -> TestResult {
    let server = Server::start()?;
    let mut events = Events::open(&server, "")?;
    let started = Instant::now();
    for _ in 0..10 {
        server.post_json(&entry("At once"))?;
        events.messages(1)?;
    }
    // Polling twice a second would take five seconds.
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
    Ok(())
}

#[test]
fn an_entry_recorded_by_another_process_is_streamed_within_a_second() -> TestResult {
    let server = Server::start()?;
    let mut conn = server.connect()?;
    let mut events = Events::open(&server, "")?;
    // Measured several times, because a busy machine may be late once.
    let delays = ["First", "Second", "Third"].map(|message| -> TestResult<Duration> {
        let started = Instant::now();
        ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("auth", "a", "bob", message))?;
        assert_eq!(events.messages(1)?, [message]);
        Ok(started.elapsed())
    });
    let delays = delays.into_iter().collect::<TestResult<Vec<_>>>()?;
    assert!(delays.iter().min() < Some(&Duration::from_secs(1)), "{delays:?}");
    Ok(())
}

#[test]
fn an_entry_of_another_process_is_noticed_after_a_time_without_followers() -> TestResult {
    let server = Server::start()?;
    drop(Events::open(&server, "")?);
    std::thread::sleep(Duration::from_millis(700));
    let mut events = Events::open(&server, "")?;
    let mut conn = server.connect()?;
    ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("auth", "a", "bob", "From elsewhere"))?;
    assert_eq!(events.messages(1)?, ["From elsewhere"]);
    Ok(())
}

#[test]
fn an_unreadable_row_is_reported_and_its_neighbours_are_streamed() -> TestResult {
    let server = Server::start()?;
    server.post_ndjson(&[entry("Older"), entry("Broken"), entry("Newer")])?;
    diesel::sql_query("UPDATE activity_log SET severity = 'fatal' WHERE seq = 3").execute(&mut server.connect()?)?;

    let mut events = Events::open(&server, "after_seq=1")?;
    assert_eq!(events.messages(1)?, ["Older"]);
    let reported = Event { event: "unreadable".to_owned(), id: "3".to_owned(), data: "{\"seq\":3}".to_owned() };
    assert_eq!(events.next()?, Some(reported));
    assert_eq!(events.messages(1)?, ["Newer"]);
    Ok(())
}

#[test]
fn a_hundred_clients_may_follow_and_one_more_is_told_to_try_again() -> TestResult {
    let server = Server::start()?;
    let mut following = (0..100).map(|_| Events::open(&server, "")).collect::<TestResult<Vec<_>>>()?;
    let answer = server.request("GET", &format!("{PATH}/stream"))?;
    assert_eq!(
        (answer.status, answer.error("message")),
        (503, &json!("too many clients are following the log; try again"))
    );
    assert_eq!(answer.header("retry-after"), "1");

    server.post_json(&entry("For all"))?;
    for events in &mut following {
        assert_eq!(events.messages(1)?, ["For all"]);
    }
    following.pop();
    let mut again = Events::open(&server, "")?;
    while again.begins_after.is_empty() {
        again = Events::open(&server, "")?;
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn streams_end_when_the_server_stops_and_do_not_hold_it_up() -> TestResult {
    let mut server = Server::start()?;
    let mut events = Events::open(&server, "")?;
    server.signal("TERM")?;
    // Less than the time that running requests get to finish.
    assert!(server.wait(Duration::from_secs(4))?.success());
    assert_eq!(events.next()?, None);
    Ok(())
}
