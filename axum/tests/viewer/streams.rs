//! Following the log.

use std::time::Duration;

use activity_log::{Recorder, RecorderOptions, Repository};
use activity_log_axum::Viewer;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry, get};

async fn open(host: &Host, query: &str) -> TestResult<Events> {
    Events::open(&host.router, &format!("{LOG}/stream{query}")).await
}

#[tokio::test]
async fn what_other_programs_record_arrives_in_order() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["Before"])?;
    let mut events = open(&host, "").await?;
    host.record(&["One", "Two"])?;
    for message in ["One", "Two"] {
        assert_eq!(events.next().await?.unwrap_or_default()["message"], message);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_recorder_commits_arrives_after_the_recorder_began_and_after_it_ended() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    let recorder = Recorder::start(host.log.connector(), RecorderOptions::new())?;
    let router = Viewer::new(host.log.pool(2)?).recorder(recorder.clone()).into_router();
    let mut events = Events::open(&router, &format!("{LOG}/stream")).await?;
    recorder.record(entry("Through the recorder")).await?;
    assert_eq!(events.next().await?.unwrap_or_default()["message"], "Through the recorder");
    assert!(recorder.shutdown(Duration::from_secs(10)).entries.is_empty());
    host.record(&["By another"])?;
    assert_eq!(events.next().await?.unwrap_or_default()["message"], "By another");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_comes_after_all_others_have_gone_is_served_as_the_first_was() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    for message in ["First", "Second"] {
        let mut events = open(&host, "").await?;
        host.record(&[message])?;
        assert_eq!(events.next().await?.unwrap_or_default()["message"], message);
        drop(events);
        // Longer than the interval at which the log is looked at.
        sleep(Duration::from_millis(700)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_follower_of_another_log_is_told() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two"])?;
    let mut events = open(&host, "?after_seq=10").await?;
    assert_eq!(events.next().await?.unwrap_or_default()["newest_seq"], 2);
    Ok(())
}

#[tokio::test]
async fn a_follower_of_entries_that_were_deleted_is_not_told_of_another_log() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["One", "Two"])?;
    Repository::new(&mut host.log.connect()?).clear()?;
    let mut events = open(&host, "?after_seq=2").await?;
    host.record(&["Three"])?;
    assert_eq!(events.next().await?.unwrap_or_default()["message"], "Three");
    Ok(())
}

#[tokio::test]
async fn streams_end_when_the_host_says_so() -> TestResult {
    let (stop, stopped) = oneshot::channel::<()>();
    let host = Host::new(|viewer| viewer.stop_streams_when(async move { _ = stopped.await }))?;
    let mut events = open(&host, "").await?;
    drop(stop);
    assert_eq!(events.next().await?, None);
    Ok(())
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_place() -> TestResult {
    let host = Host::new(|viewer| viewer.client_patience(Duration::from_millis(200)))?;
    let path = format!("{LOG}/stream?after_seq=0");
    let mut slow = Vec::new();
    for _ in 0..100 {
        let request = Request::get(&path).body(Body::empty())?;
        let response = host.router.clone().oneshot(request).await?;
        assert_eq!(response.status(), StatusCode::OK);
        slow.push(response);
    }
    assert_eq!(get(&host.router, &path).await?.status, StatusCode::SERVICE_UNAVAILABLE);
    host.record(&["One", "Two", "Three", "Four"])?;
    let next = timeout(Duration::from_secs(20), async {
        while Events::open(&host.router, &path).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    next.await?;
    // Their connections are still open.
    assert_eq!(slow.len(), 100);
    Ok(())
}

#[tokio::test]
async fn a_client_that_reads_keeps_its_place() -> TestResult {
    let host = Host::new(|viewer| viewer.client_patience(Duration::from_millis(50)))?;
    let mut events = open(&host, "").await?;
    for message in ["One", "Two"] {
        sleep(Duration::from_millis(300)).await;
        host.record(&[message])?;
        assert_eq!(events.next().await?.unwrap_or_default()["message"], message);
    }
    Ok(())
}
