use diesel::RunQueryDsl;
use serde_json::json;

use crate::server::{PATH, Server, TestResult, entry, with};

#[test]
fn an_entry_is_found_by_its_id_as_the_list_shows_it() -> TestResult {
    let server = Server::start()?;
    for id in ["al_of_the_client", "a/b c?d#\u{e9}"] {
        server.post_json(&with(entry("One"), "id", id))?;
        let listed = server.get("limit=1")?.body["entries"][0].take();
        let path =
            format!("{PATH}/{}", id.replace('/', "%2F").replace(' ', "%20").replace('?', "%3F").replace('#', "%23"));
        let found = server.request("GET", &path.replace('\u{e9}', "%C3%A9"))?;
        assert_eq!((found.status, found.body), (200, listed), "{id}");
    }
    Ok(())
}

#[test]
fn an_id_that_the_log_does_not_hold_is_not_found() -> TestResult {
    let server = Server::start()?;
    for id in ["al_nothing", "1", "%00"] {
        let answer = server.request("GET", &format!("{PATH}/{id}"))?;
        assert_eq!((answer.status, answer.error("message")), (404, &json!("the log holds no entry with this `id`")));
    }
    Ok(())
}

#[test]
fn one_entry_takes_no_parameters_and_an_id_that_is_not_text_is_named() -> TestResult {
    let server = Server::start()?;
    for (rest, parameter) in [("al_1?actor=alice", "actor"), ("al_1?limit=1", "limit"), ("%FF", "id")] {
        let answer = server.request("GET", &format!("{PATH}/{rest}"))?;
        assert_eq!((answer.status, answer.error("parameter")), (400, &json!(parameter)), "{rest}");
    }
    Ok(())
}

#[test]
fn an_entry_that_is_stored_but_cannot_be_read_is_told_from_one_that_is_not_there() -> TestResult {
    let server = Server::start()?;
    server.post_json(&with(entry("Broken"), "id", "al_broken"))?;
    diesel::sql_query("UPDATE activity_log SET severity = 'fatal' WHERE seq = 2").execute(&mut server.connect()?)?;
    let answer = server.request("GET", &format!("{PATH}/al_broken"))?;
    assert_eq!((answer.status, answer.error("message")), (500, &json!("the entry with this `id` cannot be read")));
    Ok(())
}
