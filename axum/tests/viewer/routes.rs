//! What clients may do is for the host to say.

use activity_log_axum::Routes;
use axum::http::StatusCode;
use serde_json::json;

use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, messages, unsigned};

#[tokio::test]
async fn by_default_clients_read_and_export_and_change_nothing() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["Stays"])?;
    for path in ["", "/count", "/histogram", "/facets?by=actor", "/export"] {
        assert_eq!(host.get(&format!("{LOG}{path}")).await?.status, StatusCode::OK, "{path}");
    }
    assert_eq!(host.post(&unsigned("New")).await?.status, StatusCode::METHOD_NOT_ALLOWED);
    let cleared = host.delete("").await?;
    assert_eq!((cleared.status, cleared.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"));
    assert_eq!(messages(&host.list("actor=alice").await?), ["Stays"]);
    Ok(())
}

#[tokio::test]
async fn a_route_that_is_off_is_neither_described_nor_shown() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::read_only()))?;
    let described = host.get("/openapi.json").await?.json;
    let log = &described["paths"][LOG];
    assert!(log["get"].is_object() && log["post"].is_null() && log["delete"].is_null());
    assert_eq!(described["paths"][format!("{LOG}/export")], json!(null));
    assert_eq!(host.get("/viewer.json").await?.json["exports"], false);
    // It is the id of an entry, which there is not.
    assert_eq!(host.get(&format!("{LOG}/export")).await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn readers_see_the_status_unless_the_host_leaves_it_out() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::read_only()))?;
    assert_eq!(host.get("/viewer.json").await?.json["status"], true);
    assert_eq!(host.get(&format!("{LOG}/status")).await?.status, StatusCode::OK);
    let host = Host::new(|viewer| viewer.routes(Routes::read_only().without_status()))?;
    assert_eq!(host.get("/viewer.json").await?.json["status"], false);
    assert_eq!(host.get(&format!("{LOG}/status")).await?.status, StatusCode::NOT_FOUND);
    assert_eq!(host.get("/openapi.json").await?.json["paths"][format!("{LOG}/status")], json!(null));
    Ok(())
}

#[tokio::test]
async fn each_route_can_be_turned_on() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::read_only().export().record().clear()))?;
    let described = host.get("/openapi.json").await?.json;
    let log = &described["paths"][LOG];
    assert!(log["get"].is_object() && log["post"].is_object() && log["delete"].is_object());
    assert!(described["paths"][format!("{LOG}/export")]["get"].is_object());
    assert_eq!(host.post(&unsigned("New")).await?.status, StatusCode::CREATED);
    assert_eq!(host.delete("").await?.json, json!({"deleted": 1}));
    Ok(())
}

#[tokio::test]
async fn a_read_only_viewer_writes_nothing_not_even_that_the_log_was_exported() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::default().record().clear()).read_only())?;
    host.record(&["Stays"])?;
    let export = host.get(&format!("{LOG}/export")).await?;
    assert!(export.status == StatusCode::OK && export.text.contains("Stays"));
    assert_eq!(host.post(&unsigned("New")).await?.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(host.delete("").await?.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(messages(&host.list("").await?), ["Stays"]);
    Ok(())
}
