//! The lines about requests on standard error.

use crate::server::{Server, TestResult};

#[test]
fn a_line_about_each_request_has_its_path_without_the_query() -> TestResult {
    let mut server = Server::start_with(&["--log", "example_server=debug"])?;
    server.get("message_contains=secret")?;
    server.request("GET", "/nothing?secret")?;
    server.stop()?;
    let said = server.said()?;
    let lines = said.lines().filter(|line| line.contains("answered")).collect::<Vec<_>>();
    let [listed, missing] = &*lines else { return Err(said.into()) };
    assert!(listed.contains("method=GET") && listed.contains("path=\"/api/v1/activity-log\""), "{listed}");
    assert!(listed.contains("status=200") && listed.contains("time="), "{listed}");
    assert!(missing.contains("status=404") && !said.contains("secret"), "{said}");
    Ok(())
}

#[test]
fn by_default_requests_leave_no_lines() -> TestResult {
    let mut server = Server::start()?;
    server.get("")?;
    server.stop()?;
    assert_eq!(server.said()?, "");
    Ok(())
}
