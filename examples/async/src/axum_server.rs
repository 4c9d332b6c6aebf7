//! The log behind HTTP, with axum and deadpool-diesel.

use activity_log::{ActivityLogFilters, ActivityLogPage, ActivityLogRepository};
use axum::body::Body;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use deadpool_diesel::sqlite::Pool;
use serde::Deserialize;

use crate::deadpool::run;
use crate::error::{Error, Result};
use crate::{devices, export};

#[derive(Clone)]
struct App {
    pool: Pool,
    path: String,
}

/// The routes. `path` is the path of the pool's database.
pub fn router(pool: Pool, path: String) -> Router {
    Router::new()
        .route("/devices/{id}/name", put(rename))
        .route("/log", get(page))
        .route("/log/export", get(download))
        .with_state(App { pool, path })
}

async fn rename(State(app): State<App>, Path(id): Path<String>, name: String) -> Result<String, StatusCode> {
    // A server takes the actor from its session.
    let renamed = run(&app.pool, move |conn| devices::rename(conn, &id, &name, "alice")).await;
    renamed.map(|seq| seq.to_string()).map_err(status)
}

/// The cursors of a page; the other parameters are filters.
#[derive(Deserialize)]
struct Cursors {
    before_seq: Option<i64>,
    after_seq: Option<i64>,
}

async fn page(
    State(app): State<App>,
    Query(cursors): Query<Cursors>,
    RawQuery(query): RawQuery,
) -> Result<Json<ActivityLogPage>, StatusCode> {
    let query = query.unwrap_or_default();
    let filters = ActivityLogFilters::from_query_with(&query, &["before_seq", "after_seq"]);
    let filters = filters.map_err(|error| status(error.into()))?;
    let read = move |conn: &mut _| {
        let mut log = ActivityLogRepository::new(conn);
        match cursors.after_seq {
            Some(after_seq) => log.page_after(&filters, after_seq, 50),
            None => log.page(&filters, cursors.before_seq, 50),
        }
    };
    run(&app.pool, read).await.map(Json).map_err(status)
}

async fn download(State(app): State<App>) -> Body {
    let mut pieces = export::ndjson(app.path, ActivityLogFilters::default());
    Body::from_stream(futures_util::stream::poll_fn(move |context| pieces.poll_recv(context)))
}

fn status(error: Error) -> StatusCode {
    match error.downcast_ref() {
        Some(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        Some(activity_log::Error::DuplicateId { .. }) => StatusCode::CONFLICT,
        Some(error) if error.is_invalid_input() => StatusCode::BAD_REQUEST,
        Some(activity_log::Error::Database(diesel::result::Error::NotFound)) => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
