//! The viewer shares the host's pool.

use std::time::Duration;

use activity_log::Repository;
use activity_log_axum::{Routes, Viewer};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::database::Log;
use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry, get, messages, unsigned};

/// Begins an export and does not read it.
async fn begin_export(router: &Router) -> TestResult<Response<Body>> {
    let request = Request::get(format!("{LOG}/export?actor=alice")).body(Body::empty())?;
    Ok(router.clone().oneshot(request).await?)
}

/// Entries of a megabyte together: more than waits between an export and its client.
fn record_a_megabyte(log: &Log) -> TestResult {
    let entries = (0..32).map(|_| entry(&"x".repeat(32 << 10))).collect::<Vec<_>>();
    Repository::new(&mut log.connect()?).record_all(&entries)?;
    Ok(())
}

#[tokio::test]
async fn a_pool_of_one_connection_serves_everything() -> TestResult {
    let host = Host::with_connections(1, |viewer| viewer.routes(Routes::default().record().clear()))?;
    let mut events = Events::open(&host.router, &format!("{LOG}/stream")).await?;
    assert_eq!(host.post(&unsigned("One")).await?.status, StatusCode::CREATED);
    assert_eq!(events.next().await?.unwrap_or_default()["message"], "One");
    for path in ["", "/count", "/histogram", "/facets?by=actor", "/export"] {
        assert_eq!(host.get(&format!("{LOG}{path}")).await?.status, StatusCode::OK, "{path}");
    }
    assert_eq!(host.get("/healthz").await?.status, StatusCode::OK);
    assert_eq!(host.delete("").await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_leave_half_of_the_pool_to_others() -> TestResult {
    let log = Log::create()?;
    record_a_megabyte(&log)?;
    for (connections, exports) in [(2, 1), (4, 2), (9, 4), (12, 4)] {
        let router = Viewer::new(log.pool(connections)?).read_only().into_router();
        let mut running = Vec::new();
        for _ in 0..exports {
            let response = begin_export(&router).await?;
            assert_eq!(response.status(), StatusCode::OK, "{connections}");
            running.push(response);
        }
        let refused = begin_export(&router).await?;
        assert_eq!(
            (refused.status(), refused.headers()["retry-after"].to_str()?),
            (StatusCode::SERVICE_UNAVAILABLE, "1")
        );
        assert_eq!(get(&router, &format!("{LOG}?limit=1")).await?.status, StatusCode::OK);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_not_read_loses_its_place() -> TestResult {
    let log = Log::create()?;
    record_a_megabyte(&log)?;
    let viewer = Viewer::new(log.pool(2)?).read_only().client_patience(Duration::from_millis(200));
    let router = viewer.into_router();
    let slow = begin_export(&router).await?;
    assert_eq!(slow.status(), StatusCode::OK);
    assert_eq!(begin_export(&router).await?.status(), StatusCode::SERVICE_UNAVAILABLE);
    let next = timeout(Duration::from_secs(20), async {
        loop {
            let next = begin_export(&router).await?;
            if next.status() == StatusCode::OK {
                return TestResult::Ok(next);
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(next.await??.into_body().collect().await.is_ok());
    // The client must not take the part for the whole.
    assert!(slow.into_body().collect().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_request_that_finds_no_connection_is_to_be_tried_again() -> TestResult {
    let log = Log::create()?;
    let pool = log.pool(1)?;
    let router = Viewer::new(pool.clone()).into_router();
    let taken = pool.get()?;
    let answer = get(&router, LOG).await?;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    drop(taken);
    assert!(messages(&get(&router, LOG).await?.json).is_empty());
    Ok(())
}
