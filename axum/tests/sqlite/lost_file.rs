//! The database file is replaced or removed while the host runs.

use std::fs;

use activity_log_axum::Routes;
use axum::http::StatusCode;

use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, unsigned};

#[tokio::test]
async fn a_file_that_was_removed_is_noticed_by_everything_and_may_be_put_back() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::default().record().clear()))?;
    let (file, moved) = (host.log.url(), format!("{}.moved", host.log.url()));
    fs::rename(&file, &moved)?;
    for path in ["/healthz", LOG, &format!("{LOG}/export"), &format!("{LOG}/stream")] {
        let answer = host.get(path).await?;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.text.contains("the database file was removed"), "{path}: {}", answer.text);
    }
    assert_eq!(host.post(&unsigned("Gone")).await?.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(host.delete("").await?.status, StatusCode::SERVICE_UNAVAILABLE);
    fs::rename(&moved, &file)?;
    assert_eq!(host.post(&unsigned("Back")).await?.status, StatusCode::CREATED);
    Ok(())
}
