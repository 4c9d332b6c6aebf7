//! The handlers answer.

use activity_log::ActivityLogPage;
use async_host::Result;
use async_host::axum_server::router;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::way::{Database, Deadpool};

async fn request(router: &Router, method: &str, uri: &str, body: &'static str) -> Result<(StatusCode, Vec<u8>)> {
    let request = Request::builder().method(method).uri(uri).body(Body::from(body))?;
    let response = router.clone().oneshot(request).await?;
    Ok((response.status(), response.into_body().collect().await?.to_bytes().to_vec()))
}

#[tokio::test]
async fn a_change_is_listed_and_exported() -> Result<()> {
    let database = Database::<Deadpool>::open(2).await?;
    let pool = async_host::deadpool::open(&database.path, 2).await?;
    let router = router(pool, database.path.clone());

    assert_eq!(request(&router, "PUT", "/devices/dev_7/name", "Desk lamp").await?, (StatusCode::OK, b"1".to_vec()));
    assert_eq!(request(&router, "PUT", "/devices/nowhere/name", "Lamp").await?.0, StatusCode::NOT_FOUND);

    let (status, body) = request(&router, "GET", "/log?actor=alice", "").await?;
    let page: ActivityLogPage = serde_json::from_slice(&body)?;
    assert_eq!((status, page.entries.len(), page.next_before_seq), (StatusCode::OK, 1, None));
    let (status, file) = request(&router, "GET", "/log/export", "").await?;
    assert_eq!((status, file.iter().filter(|byte| **byte == b'\n').count()), (StatusCode::OK, 1));
    Ok(())
}
