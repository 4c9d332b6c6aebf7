//! Those who guess passwords.

use std::thread::sleep;
use std::time::Duration;

use activity_log::ActivitySeverity;
use serde_json::json;

use crate::server::{Answer, PATH, Server, TestResult};
use crate::users::{server_with_alice, sign_in};

const PASSWORD: &str = "lamps in the hall";

/// A server that clients reach from two addresses, and its address for IPv4.
fn server_at_two_addresses() -> TestResult<(Server, String)> {
    let mut server = Server::start_with(&["--listen", "[::]:0", "--token", "a-long-token"])?;
    assert!(server.add_user("alice", PASSWORD)?.status.success());
    server.restart()?;
    let port = server.address.rsplit(':').next().unwrap_or_default();
    let (six, four) = (format!("[::1]:{port}"), format!("127.0.0.1:{port}"));
    server.address = six;
    Ok((server, four))
}

fn fail(server: &Server, name: &str, times: usize) -> TestResult {
    for _ in 0..times {
        let answer = sign_in(server, name, "a wrong password")?;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    Ok(())
}

fn assert_slowed(answer: &Answer) -> TestResult {
    assert_eq!(answer.status, 429, "{}", answer.text);
    let seconds = answer.header("retry-after").parse::<u32>()?;
    assert!((1..=2).contains(&seconds), "{seconds}");
    let wait = if seconds == 1 { "in 1 second." } else { "in 2 seconds." };
    assert!(answer.text.contains(wait), "{}", answer.text);
    Ok(())
}

#[test]
fn a_failed_sign_in_is_recorded_without_the_password() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    let answer = sign_in(&server, "alice<script>", "hunter2 hunter2")?;
    assert_eq!((answer.status, answer.header("set-cookie")), (401, ""));
    assert!(answer.text.contains("The name or the password is wrong."), "{}", answer.text);
    assert!(answer.text.contains("alice&#60;script&#62;") && !answer.text.contains("hunter2"), "{}", answer.text);
    sign_in(&server, &"long".repeat(100), "hunter2 hunter2")?;

    let cookie = ("cookie", &*cookie);
    let listed = server.request_with("GET", &format!("{PATH}?actions=user.sign_in_failed"), &[cookie])?;
    assert!(!listed.text.contains("hunter2"), "{}", listed.text);
    let entries = listed.entries()?;
    assert!(entries.iter().all(|entry| entry.severity == ActivitySeverity::Warning && entry.actor == "anonymous"));
    let metadata = entries.iter().map(|entry| json!(entry.metadata)).collect::<Vec<_>>();
    let expected = [
        json!({"address": "127.0.0.1", "name": "long".repeat(50)}),
        json!({"address": "127.0.0.1", "name": "alice<script>"}),
    ];
    assert_eq!(metadata, expected);
    Ok(())
}

#[test]
fn after_four_failures_an_address_has_to_wait_even_with_the_right_password() -> TestResult {
    let (server, _) = server_at_two_addresses()?;
    fail(&server, "bob", 2)?;
    fail(&server, "carol", 2)?;
    assert_slowed(&sign_in(&server, "dave", "a wrong password")?)?;
    assert_slowed(&sign_in(&server, "alice", PASSWORD)?)
}

#[test]
fn failures_for_one_name_from_elsewhere_slow_that_name_down_and_no_other() -> TestResult {
    let (mut server, four) = server_at_two_addresses()?;
    fail(&server, "bob", 4)?;
    server.address = four;
    assert_slowed(&sign_in(&server, "bob", "a wrong password")?)?;
    assert_eq!(sign_in(&server, "alice", PASSWORD)?.status, 303);
    Ok(())
}

#[test]
fn the_failures_of_others_do_not_slow_down_who_has_signed_in_from_an_address_before() -> TestResult {
    let (mut server, four) = server_at_two_addresses()?;
    assert_eq!(sign_in(&server, "alice", PASSWORD)?.status, 303);
    fail(&server, "bob", 4)?;
    assert_slowed(&sign_in(&server, "carol", "a wrong password")?)?;
    let six = std::mem::replace(&mut server.address, four);
    fail(&server, "alice", 4)?;
    assert_slowed(&sign_in(&server, "alice", PASSWORD)?)?;
    server.address = six;
    assert_eq!(sign_in(&server, "alice", PASSWORD)?.status, 303);
    Ok(())
}

#[test]
fn an_address_may_try_again_after_the_wait_and_then_waits_longer() -> TestResult {
    let (server, _) = server_with_alice(&[])?;
    fail(&server, "bob", 4)?;
    for seconds in [1, 2, 4] {
        let slowed = sign_in(&server, "bob", "a wrong password")?;
        assert_eq!((slowed.status, slowed.header("retry-after")), (429, &*seconds.to_string()));
        sleep(Duration::from_secs(seconds));
        fail(&server, "bob", 1)?;
    }
    Ok(())
}

#[test]
fn attempts_at_the_same_moment_do_not_all_pass() -> TestResult {
    let (server, _) = server_at_two_addresses()?;
    let statuses = std::thread::scope(|scope| {
        let attempt = || sign_in(&server, "bob", "a wrong password").map(|answer| answer.status).unwrap_or_default();
        let attempts = (0..16).map(|_| scope.spawn(attempt)).collect::<Vec<_>>();
        attempts.into_iter().filter_map(|attempt| attempt.join().ok()).collect::<Vec<_>>()
    });
    let (failed, slowed) = statuses.iter().partition::<Vec<u16>, _>(|status| **status == 401);
    assert!((4..=6).contains(&failed.len()) && slowed.iter().all(|status| *status == 429), "{statuses:?}");
    Ok(())
}

#[test]
fn the_status_says_how_many_attempts_were_refused() -> TestResult {
    let (server, cookie) = server_with_alice(&[])?;
    let refused = || -> TestResult<_> {
        let status = server.request_with("GET", &format!("{PATH}/status"), &[("cookie", &cookie)])?;
        Ok(status.body["sign_ins_refused"].clone())
    };
    assert_eq!(refused()?, 0);
    fail(&server, "bob", 4)?;
    assert_slowed(&sign_in(&server, "bob", "a wrong password")?)?;
    assert_eq!(refused()?, 5);
    Ok(())
}
