//! What an operator is told.

use activity_log::{Recorder, RecorderOptions};
use activity_log_axum::Viewer;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::database::{break_an_entry, enable_search};
use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, get};

const STATUS: &str = "/api/v1/activity-log/status";

#[tokio::test]
async fn the_status_tells_the_size_of_the_log() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two", "Three"])?;
    let status = host.get(STATUS).await?.json;
    assert!(status["bytes"].as_u64().is_some_and(|bytes| bytes > 4_096), "{status}");
    assert_eq!(status["entries"], 3);
    // What the planner knows of the table.
    host.log.connect()?.batch_execute("ANALYZE")?;
    assert_eq!(host.get(STATUS).await?.json["entries"], 3);
    Ok(())
}

#[tokio::test]
async fn the_status_tells_whether_there_is_a_search_index() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    assert_eq!(host.get(STATUS).await?.json["search"], false);
    enable_search(&mut host.log.connect()?)?;
    assert_eq!(host.get(STATUS).await?.json["search"], true);
    Ok(())
}

#[tokio::test]
async fn the_status_names_the_rows_that_could_not_be_read() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two", "Three"])?;
    break_an_entry(&mut host.log.connect()?, 2)?;
    assert_eq!(host.get(STATUS).await?.json["unreadable"], json!([]));
    host.list("").await?;
    assert_eq!(host.get(STATUS).await?.json["unreadable"], json!([2]));
    host.get(&format!("{LOG}/export")).await?;
    assert_eq!(host.get(STATUS).await?.json["unreadable"], json!([2]));
    Ok(())
}

#[tokio::test]
async fn the_status_tells_of_the_recorder_and_of_refused_sign_ins_where_the_host_does() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    let status = host.get(STATUS).await?.json;
    assert_eq!((&status["recorder"], &status["sign_ins_refused"]), (&json!(null), &json!(null)));
    assert_eq!(status["retention"], json!(null));

    let recorder = Recorder::start(host.log.connector(), RecorderOptions::new())?;
    let viewer = Viewer::new(host.log.pool(1)?).recorder(recorder).sign_ins_refused(|| 7);
    let status = get(&viewer.into_router(), STATUS).await?.json;
    assert_eq!((&status["recorder"]["status"], &status["sign_ins_refused"]), (&json!("ok"), &json!(7)));
    Ok(())
}
