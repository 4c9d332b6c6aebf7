//! Recording what clients post, with a recorder and without.

use activity_log::{EntryLimits, Recorder, RecorderOptions, Redactor};
use activity_log_axum::{Routes, Viewer};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::viewer::TestResult;
use crate::viewer::host::{Answer, Host, LOG, messages, send, unsigned};

fn recording(viewer: Viewer) -> Viewer {
    viewer.routes(Routes::default().record())
}

async fn post_lines(host: &Host, key: Option<&str>, lines: &[String]) -> TestResult<Answer> {
    let request = Request::post(LOG).header("content-type", "application/x-ndjson");
    let request = key.iter().fold(request, |request, key| request.header("idempotency-key", *key));
    send(&host.router, request.body(Body::from(lines.join("\n")))?).await
}

#[tokio::test]
async fn without_a_recorder_entries_are_committed_together_and_get_their_numbers_in_order() -> TestResult {
    let host = Host::new(recording)?;
    let lines = ["One", "Two", "Three"].map(|message| unsigned(message).to_string());
    let answer = post_lines(&host, None, &lines).await?;
    assert_eq!((answer.status, &answer.json["seqs"]), (StatusCode::CREATED, &json!([1, 2, 3])));
    assert_eq!(messages(&host.list("").await?), ["Three", "Two", "One"]);
    Ok(())
}

#[tokio::test]
async fn without_a_recorder_nothing_is_recorded_if_one_entry_is_at_fault() -> TestResult {
    let host = Host::new(recording)?;
    let mut twice = unsigned("Twice");
    twice["id"] = json!("al_twice");
    let lines = [unsigned("One").to_string(), twice.to_string(), twice.to_string()];
    let answer = post_lines(&host, None, &lines).await?;
    assert_eq!((answer.status, &answer.json["error"]["line"]), (StatusCode::CONFLICT, &json!(3)));
    assert!(messages(&host.list("").await?).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_request_with_masked_metadata_can_be_sent_again() -> TestResult {
    let host = Host::new(|viewer| recording(viewer).redactor(Redactor::new(["token"])))?;
    let with = |lamp: &str| {
        let mut entry = unsigned("Masked");
        entry["metadata"] = json!({"request": [{"token": "t0p", "lamp": lamp}]});
        [entry.to_string()]
    };
    assert_eq!(post_lines(&host, Some("key"), &with("7")).await?.status, StatusCode::CREATED);
    assert_eq!(post_lines(&host, Some("key"), &with("7")).await?.status, StatusCode::OK);
    assert_eq!(post_lines(&host, Some("key"), &with("8")).await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_sent_again_records_nothing_again() -> TestResult {
    let host = Host::new(recording)?;
    let lines = ["One", "Two"].map(|message| unsigned(message).to_string());
    let first = post_lines(&host, Some("key"), &lines).await?;
    let again = post_lines(&host, Some("key"), &lines).await?;
    assert_eq!((again.status, &again.json["seqs"]), (StatusCode::OK, &first.json["seqs"]));
    assert_eq!(messages(&host.list("").await?), ["Two", "One"]);
    Ok(())
}

#[tokio::test]
async fn limits_and_secrets_are_those_of_the_host() -> TestResult {
    let limits = EntryLimits { message: 10, ..EntryLimits::default() };
    let host = Host::new(|viewer| recording(viewer).limits(limits).redactor(Redactor::new(["password"])))?;
    let long = host.post(&unsigned("More than ten bytes")).await?;
    assert_eq!((long.status, &long.json["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("message")));
    let mut secret = unsigned("Short");
    secret["metadata"] = json!({"password": "hunter2", "name": "Lamp"});
    assert_eq!(host.post(&secret).await?.status, StatusCode::CREATED);
    assert_eq!(host.list("").await?["entries"][0]["metadata"], json!({"password": "[redacted]", "name": "Lamp"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_recorder_entries_go_through_it() -> TestResult {
    let host = Host::new(recording)?;
    let recorder = Recorder::start(host.log.connector(), RecorderOptions::new())?;
    let router = recording(Viewer::new(host.log.pool(1)?)).recorder(recorder.clone()).into_router();
    let host = Host { router, ..host };
    assert_eq!(host.post(&unsigned("One")).await?.json["seqs"], json!([1]));
    let health = host.get("/healthz").await?.json;
    assert_eq!((&health["status"], &health["recorded"]), (&json!("ok"), &json!(1)));
    assert_eq!(recorder.health().recorded, 1);
    Ok(())
}
