//! Shows and changes how long entries are kept.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use tokio::task::spawn_blocking;

use crate::actor::Actor;
use crate::app::App;
use crate::body::{self, BodyFormat};
use crate::error::ApiError;
use crate::query::{ActorQuery, no_parameters};
use crate::retention::{Retention, RetentionChange, RetentionSettings};

const MAX_BYTES: usize = 16 << 10;
const MAX_DAYS: u32 = 36_500;

/// How long entries are kept.
#[utoipa::path(
    get, path = "/api/v1/activity-log/retention", tag = "retention",
    responses((
        status = 200, description = "The settings", body = RetentionSettings,
        example = json!({"enabled": true, "days": 90, "entries": null}),
    )),
)]
pub(crate) async fn settings(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<RetentionSettings>, ApiError> {
    no_parameters(query.as_deref())?;
    let retention = of(&app)?;
    Ok(Json(spawn_blocking(move || retention.settings()).await??))
}

/// Change how long entries are kept. The log says who changed what.
#[utoipa::path(
    put, path = "/api/v1/activity-log/retention", tag = "retention", request_body = RetentionSettings,
    params((
        "actor" = Option<String>, Query, max_length = 1000,
        description = "Who changes the settings: only for clients that may act for others, and required of those that \
            have no name of their own",
    )),
    responses(
        (
            status = 200, description = "The settings as they are now", body = RetentionSettings,
            example = json!({"enabled": true, "days": 90, "entries": null}),
        ),
        (status = 413, description = "The body exceeds 16 KiB"),
        (status = 415, description = "The content type is not application/json"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn change(
    State(app): State<App>,
    actor: Actor,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RetentionSettings>, ApiError> {
    let ActorQuery { actor } = ActorQuery::parse(query.as_deref(), &actor)?;
    let body = body::receive(&headers, body, MAX_BYTES).await?;
    let after = read(&headers, &body)?;
    let retention = of(&app)?;
    let change = RetentionChange::here(after, actor);
    // One at a time, so that the host also applies last what it stores last.
    let turn = app.permits.change().await;
    let task = move || {
        let _turn = turn;
        retention.change(&change)
    };
    spawn_blocking(task).await??;
    app.live.announce();
    Ok(Json(after))
}

fn of(app: &App) -> Result<Arc<dyn Retention>, ApiError> {
    app.retention
        .clone()
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "the server does not say how long it keeps entries"))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<RetentionSettings, ApiError> {
    let BodyFormat::Json = BodyFormat::of(headers)? else {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"));
    };
    // serde would also accept an array of the fields in order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "the settings must be a JSON object"));
    }
    let settings: RetentionSettings = serde_json::from_slice(body)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("the settings cannot be read: {error}")))?;
    if settings.days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(ApiError::field("days", format!("must be a whole number from 1 to {MAX_DAYS}, or null")));
    }
    if settings.entries == Some(0) {
        return Err(ApiError::field("entries", "must be a positive whole number, or null"));
    }
    Ok(settings)
}
