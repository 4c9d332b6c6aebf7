//! Users whom an operator adds, and who sign in.

use serde_json::json;

use crate::server::{Answer, PATH, Server, TestResult, add_user, entry, program, with};

const PASSWORD: &str = "lamps in the hall";

/// A server with the user alice, and the cookie of her session.
pub(crate) fn server_with_alice(arguments: &[&str]) -> TestResult<(Server, String)> {
    let server = server_with_users(arguments)?;
    let cookie = cookie_of(&sign_in(&server, "alice", PASSWORD)?)?;
    Ok((server, cookie))
}

fn server_with_users(arguments: &[&str]) -> TestResult<Server> {
    let mut server = Server::start_with(arguments)?;
    assert!(server.add_user("alice", PASSWORD)?.status.success());
    server.restart()?;
    Ok(server)
}

pub(crate) fn sign_in(server: &Server, name: &str, password: &str) -> TestResult<Answer> {
    server.send_form("/sign-in", &[("name", name), ("password", password)], &[])
}

pub(crate) fn cookie_of(answer: &Answer) -> TestResult<String> {
    let (cookie, _) =
        answer.header("set-cookie").split_once(';').ok_or_else(|| format!("no cookie: {}", answer.text))?;
    Ok(cookie.to_owned())
}

fn get(server: &Server, path: &str, cookie: &str) -> TestResult<Answer> {
    server.request_with("GET", path, &[("cookie", cookie), ("accept", "text/html")])
}

#[test]
fn a_user_is_added_with_a_password_from_standard_input_and_can_change_it() -> TestResult {
    let server = Server::start()?;
    let before = server.get("actions=user.*")?.entries()?;
    assert_eq!(before, []);
    let added = server.add_user("alice", PASSWORD)?;
    assert_eq!((added.status.success(), &*added.stdout, &*added.stderr), (true, &b""[..], &b""[..]));
    assert!(server.add_user("alice", "another password")?.status.success());

    let mut log = server.connect()?;
    let recorded = activity_log::ActivityLogRepository::new(&mut log).query(&Default::default(), None, 2)?;
    let recorded = recorded.iter().map(|entry| (&*entry.action, entry.entity_id.as_deref(), json!(entry.metadata)));
    let expected = [("user.password_changed", Some("alice"), json!({})), ("user.added", Some("alice"), json!({}))];
    assert_eq!(recorded.collect::<Vec<_>>(), expected);
    Ok(())
}

#[test]
fn a_short_password_and_a_name_that_cannot_be_shown_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("log.db");
    for (name, password, problem) in [
        ("alice", "7 bytes", "the password must have at least 8 bytes"),
        ("alice", "", "the password must have at least 8 bytes"),
        ("", PASSWORD, "a name must have 1 to 200 bytes"),
        ("a\u{7}b", PASSWORD, "a name must have 1 to 200 bytes"),
    ] {
        let refused = add_user(&database, name, password)?;
        assert!(!refused.status.success(), "{name} {password}");
        let said = String::from_utf8(refused.stderr)?;
        assert!(said.starts_with(&format!("example-server: {problem}")), "{said}");
    }
    assert!(add_user(&database, "alice", "8 bytes!")?.status.success());
    Ok(())
}

#[test]
fn with_users_pages_lead_to_the_sign_in_page_and_other_requests_are_refused() -> TestResult {
    let server = server_with_users(&[])?;
    for (path, next) in [
        ("/", "%2F"),
        ("/devices", "%2Fdevices"),
        ("/?categories=auth&since=-24h", "%2F%3Fcategories%3Dauth%26since%3D%2D24h"),
    ] {
        let answer = get(&server, path, "")?;
        assert_eq!((answer.status, answer.header("location")), (303, &*format!("/sign-in?next={next}")), "{path}");
    }
    for path in [PATH, "/", "/devices", "/app.js", "/style.css", "/viewer.json", "/openapi.json", "/nothing"] {
        let answer = server.request("GET", path)?;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{path}");
    }
    assert_eq!(server.post_json(&entry("Let me in"))?.status, 401);
    assert_eq!(server.send_form("/devices", &[("id", "1"), ("name", "Lamp")], &[])?.status, 401);
    assert_eq!(server.send_form("/sign-out", &[], &[])?.status, 401);
    for path in ["/healthz", "/sign-in", "/sign-in/style.css"] {
        assert_eq!(server.request("GET", path)?.status, 200, "{path}");
    }
    Ok(())
}

#[test]
fn a_user_who_signs_in_is_led_to_the_page_that_was_asked_for() -> TestResult {
    let server = server_with_users(&[])?;
    let form = server.request("GET", "/sign-in?next=%2Fdevices")?;
    assert!(form.text.contains("<input id=\"name\"") && form.text.contains("type=\"password\""), "{}", form.text);
    let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(form.header("content-security-policy"), policy);

    let credentials = [("name", "alice"), ("password", PASSWORD)];
    let answer = server.send_form("/sign-in?next=%2Fdevices", &credentials, &[])?;
    assert_eq!((answer.status, answer.header("location")), (303, "/devices"));
    let (cookie, attributes) = answer.header("set-cookie").split_once(';').ok_or("no attributes")?;
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Strict; Max-Age=604800");
    let (_, value) = cookie.split_once('=').ok_or("no value")?;
    assert!(value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "{cookie}");
    for path in ["/", "/devices", PATH, "/app.js"] {
        assert_eq!(get(&server, path, &format!("other=1; {cookie}; more=2"))?.status, 200, "{path}");
    }
    assert_ne!(cookie_of(&sign_in(&server, "alice", PASSWORD)?)?, cookie);
    Ok(())
}

#[test]
fn signing_in_leads_to_no_other_server() -> TestResult {
    let server = server_with_users(&[])?;
    let elsewhere =
        ["https://example.com", "//example.com", "/\\example.com", "/%09/example.com", "", "devices", "javascript:1"];
    for next in elsewhere {
        let address = format!("/sign-in?next={}", next.replace('\\', "%5C"));
        let answer = server.send_form(&address, &[("name", "alice"), ("password", PASSWORD)], &[])?;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{next}");
    }
    Ok(())
}

#[test]
fn a_user_acts_under_the_own_name_only() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    let cookie = ("cookie", &*cookie);
    let post = |entry: serde_json::Value| server.post_with(cookie, "application/json", entry.to_string());
    assert_eq!(post(with(entry("By alice"), "actor", serde_json::Value::Null))?.status, 201);
    assert_eq!(post(with(entry("By bob"), "actor", "bob"))?.status, 403);

    let added = server.send_form("/devices", &[("id", "7"), ("name", "Lamp")], &[cookie])?;
    assert_eq!((added.status, added.header("location")), (303, "/devices#7"));
    assert_eq!(server.send_form("/devices/remove", &[("id", "7"), ("name", "")], &[cookie])?.status, 303);
    assert_eq!(server.request_with("GET", &format!("{PATH}/export"), &[cookie])?.status, 200);

    let listed = server.request_with("GET", &format!("{PATH}?actor=alice"), &[cookie])?.entries()?;
    let actions = listed.iter().map(|entry| &*entry.action).collect::<Vec<_>>();
    let expected = ["activity_log_exported", "device.removed", "device.added", "device.updated", "user.signed_in"];
    assert_eq!(actions, expected);
    Ok(())
}

#[test]
fn a_first_user_closes_a_server_that_runs() -> TestResult {
    let server = Server::start()?;
    assert_eq!(server.get("")?.status, 200);
    assert!(server.add_user("alice", PASSWORD)?.status.success());
    let started = std::time::Instant::now();
    while server.get("")?.status == 200 {
        assert!(started.elapsed() < std::time::Duration::from_secs(10));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(server.get("")?.status, 401);
    assert_eq!(sign_in(&server, "alice", PASSWORD)?.status, 303);
    Ok(())
}

#[test]
fn with_users_the_server_listens_anywhere_without_a_token() -> TestResult {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("log.db");
    let path = database.display().to_string();
    assert!(add_user(&database, "alice", PASSWORD)?.status.success());
    let server = Server::start_with(&["--listen", "0.0.0.0:0", "--database", &path])?;
    assert_eq!(server.request_with("GET", PATH, &[("host", "log.example.com")])?.status, 401);
    drop(server);

    let empty = folder.path().join("empty.db");
    activity_log::run_migrations(&mut activity_log::connect(&empty.display().to_string())?)?;
    let refused = program().args(["--listen", "0.0.0.0:0", "--database"]).arg(&empty).output()?;
    assert!(!refused.status.success());
    Ok(())
}

#[test]
fn with_users_the_token_still_admits_programs_that_act_for_others() -> TestResult {
    let server = server_with_users(&["--token", "secret"])?;
    let bearer = ("authorization", "Bearer secret");
    assert_eq!(server.post_with(bearer, "application/json", entry("Sent").to_string())?.status, 201);
    assert_eq!(server.request_with("GET", PATH, &[bearer])?.messages()?.first().map(|first| &**first), Some("Sent"));
    Ok(())
}
