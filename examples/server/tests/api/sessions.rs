//! How long a browser stays signed in.

use crate::server::{PATH, Server, TestResult};
use crate::users::{cookie_of, server_with_alice, sign_in};

fn status(server: &Server, cookie: &str) -> TestResult<u16> {
    Ok(server.request_with("GET", PATH, &[("cookie", cookie)])?.status)
}

#[test]
fn signing_out_ends_this_session_alone_and_is_recorded() -> TestResult {
    let (server, one) = server_with_alice(&[])?;
    let two = cookie_of(&sign_in(&server, "alice", "lamps in the hall")?)?;
    let answer = server.send_form("/sign-out", &[], &[("cookie", &one)])?;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    let forgotten = "activity_log_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    assert_eq!(answer.header("set-cookie"), forgotten);
    assert_eq!((status(&server, &one)?, status(&server, &two)?), (401, 200));

    let listed = server.request_with("GET", &format!("{PATH}?actor=alice&limit=1"), &[("cookie", &two)])?;
    let [entry] = listed.entries()?.try_into().map_err(|entries| format!("{entries:?}"))?;
    assert_eq!((&*entry.action, &*entry.message), ("user.signed_out", "alice signed out"));
    assert_eq!(entry.metadata.get("address"), Some(&"127.0.0.1".into()));
    Ok(())
}

#[test]
fn a_changed_password_ends_all_sessions_of_the_user() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    assert!(server.add_user("bob", "bob's password")?.status.success());
    let bobs = cookie_of(&sign_in(&server, "bob", "bob's password")?)?;
    assert!(server.add_user("alice", "another password")?.status.success());
    assert_eq!((status(&server, &cookie)?, status(&server, &bobs)?), (401, 200));
    assert_eq!(sign_in(&server, "alice", "lamps in the hall")?.status, 401);
    assert_eq!(sign_in(&server, "alice", "another password")?.status, 303);
    Ok(())
}

#[test]
fn signing_in_again_ends_the_former_session_of_the_browser() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    let credentials = [("name", "alice"), ("password", "lamps in the hall")];
    let again = server.send_form("/sign-in", &credentials, &[("cookie", &cookie)])?;
    assert_eq!((status(&server, &cookie)?, status(&server, &cookie_of(&again)?)?), (401, 200));
    Ok(())
}

#[test]
fn another_site_cannot_sign_anybody_in_or_out() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    for header in [("sec-fetch-site", "cross-site"), ("origin", "http://example.com"), ("origin", "null")] {
        let credentials = [("name", "alice"), ("password", "lamps in the hall")];
        assert_eq!(server.send_form("/sign-in", &credentials, &[header])?.status, 403, "{header:?}");
        assert_eq!(server.send_form("/sign-out", &[], &[header, ("cookie", &cookie)])?.status, 403, "{header:?}");
    }
    assert_eq!(status(&server, &cookie)?, 200);
    Ok(())
}
