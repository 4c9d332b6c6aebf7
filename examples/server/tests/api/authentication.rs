//! The server's token: in a header for programs, or exchanged for a session in a browser.

use crate::server::{Answer, PATH, Server, TestResult, entry, program};

const TOKEN: &str = "correct-horse-battery-staple";

fn server_with_token() -> TestResult<Server> {
    Server::start_with(&["--token", TOKEN])
}

fn assert_unauthorized(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{what}");
    assert!(answer.error("message").is_string(), "{what}");
}

fn sign_in(server: &Server, token: &str) -> TestResult<Answer> {
    server.send_form("/sign-in", &[("password", token)], &[])
}

#[test]
fn with_a_token_every_route_requires_it_except_health_signing_in_and_its_style() -> TestResult {
    let server = server_with_token()?;
    for path in [PATH, "/openapi.json", "/nothing/here", "/", "/devices", "/app.js", "/viewer.json"] {
        assert_unauthorized(&server.request("GET", path)?, path);
    }
    for path in ["count", "histogram", "export", "stream"] {
        assert_unauthorized(&server.request("GET", &format!("{PATH}/{path}"))?, path);
    }
    assert_unauthorized(&server.delete("actor=mallory")?, "DELETE");
    assert_unauthorized(&server.post_json(&entry("Let me in"))?, "POST");
    assert_unauthorized(&server.request("POST", "/sign-out")?, "signing out");
    assert_unauthorized(&server.post_to("/", "text/plain", "")?, "another method on the page");

    for path in ["/sign-in", "/sign-in/style.css", "/healthz"] {
        assert_eq!(server.request("GET", path)?.status, 200, "{path}");
    }
    let bearer = ("authorization", &*format!("Bearer {TOKEN}"));
    let listed = server.request_with("GET", PATH, &[bearer])?.entries()?;
    assert_eq!(listed.into_iter().map(|entry| entry.action).collect::<Vec<_>>(), ["server_started"]);
    Ok(())
}

#[test]
fn only_the_right_token_is_accepted() -> TestResult {
    let server = server_with_token()?;
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        TOKEN.to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
        format!("Bearer {}", TOKEN.to_uppercase()),
    ];
    for value in &wrong {
        assert_unauthorized(&server.request_with("GET", PATH, &[("authorization", value)])?, value);
    }
    for cookie in ["", TOKEN, "x"] {
        let cookie = format!("activity_log_session={cookie}");
        assert_unauthorized(&server.request_with("GET", PATH, &[("cookie", &cookie)])?, &cookie);
    }
    let right = server.request_with("GET", PATH, &[("authorization", &format!("bearer {TOKEN}"))])?;
    assert_eq!(right.status, 200);
    Ok(())
}

#[test]
fn a_browser_signs_in_with_the_token_alone() -> TestResult {
    let server = server_with_token()?;
    let form = server.request("GET", "/sign-in")?.text;
    assert!(form.contains("Token") && !form.contains("name=\"name\""), "{form}");
    let answer = sign_in(&server, TOKEN)?;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let (cookie, _) = answer.header("set-cookie").split_once(';').ok_or("no attributes")?;
    let cookie = [("cookie", cookie)];
    for path in ["/", "/devices", PATH] {
        assert_eq!(server.request_with("GET", path, &cookie)?.status, 200, "{path}");
    }
    assert_eq!(server.request_with("GET", "/viewer.json", &cookie)?.body["sign_out_url"], "/sign-out");
    assert_eq!(server.request_with("DELETE", &format!("{PATH}?actor=bob"), &cookie)?.status, 200);
    assert_eq!(server.send_form("/sign-out", &[], &cookie)?.status, 303);
    assert_unauthorized(&server.request_with("GET", PATH, &cookie)?, "after signing out");
    Ok(())
}

#[test]
fn signing_in_with_anything_else_sets_no_cookie() -> TestResult {
    let server = server_with_token()?;
    for token in ["", "x", &TOKEN[1..]] {
        let answer = sign_in(&server, token)?;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""), "{token}");
        assert!(answer.text.contains("That is not the token."), "{}", answer.text);
    }
    let nobody = server.send_form("/sign-in", &[("name", "alice"), ("password", TOKEN)], &[])?;
    assert_eq!((nobody.status, nobody.header("set-cookie")), (401, ""));
    Ok(())
}

#[test]
fn a_form_that_is_too_long_is_refused() -> TestResult {
    let server = server_with_token()?;
    assert_eq!(sign_in(&server, &"x".repeat(16 << 10))?.status, 413);
    Ok(())
}

#[test]
fn without_a_token_there_is_nothing_to_sign_in_to() -> TestResult {
    let server = Server::start()?;
    for answer in [server.request("GET", "/sign-in?next=%2Fdevices")?, sign_in(&server, "anything")?] {
        assert_eq!((answer.status, answer.header("set-cookie")), (303, ""));
    }
    assert!(server.request("GET", "/viewer.json")?.body["sign_out_url"].is_null());
    Ok(())
}

#[test]
fn without_a_token_the_server_refuses_to_listen_beyond_loopback() -> TestResult {
    let folder = tempfile::tempdir()?;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.7:8080"] {
        let output = program().args(["--listen", address]).current_dir(&folder).output()?;
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr)?;
        assert!(
            said.starts_with(&format!(
                "example-server: refuses to listen on {address} with neither a user nor a token, "
            )),
            "{said}"
        );
        assert!(said.contains("ACTIVITY_LOG_TOKEN") && said.contains("127.0.0.1"), "{said}");
    }
    Ok(())
}

#[test]
fn with_a_token_the_server_listens_anywhere_and_answers_to_any_host_name() -> TestResult {
    let server = Server::start_with(&["--listen", "0.0.0.0:0", "--token", TOKEN])?;
    let bearer = ("authorization", &*format!("Bearer {TOKEN}"));
    assert_eq!(server.request_with("GET", PATH, &[bearer, ("host", "log.example.com")])?.status, 200);
    Ok(())
}

#[test]
fn an_invalid_token_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    for (token, hint) in [("", "is empty"), ("two words", "visible ASCII"), ("schlüssel", "visible ASCII")] {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0"]).env("ACTIVITY_LOG_TOKEN", token);
        let output = command.current_dir(&folder).output()?;
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr)?;
        assert!(said.starts_with("example-server: the token ") && said.contains(hint), "{said}");
    }
    Ok(())
}
