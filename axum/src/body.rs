//! The body of a request: how much of it is read, and what it says that it is.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::spawn;
use tokio::time::timeout;

use crate::error::ApiError;

/// How long a body that was refused is still read, and discarded: many clients send the whole body before they read a
/// response, and a connection that is closed before loses it.
const LINGER: Duration = Duration::from_secs(5);

/// Receives a whole body of at most `max_bytes`.
///
/// A body that declares more is refused before it is read. Without a declared length, a larger body is discarded, but
/// read to its end.
pub(crate) async fn receive(headers: &HeaderMap, mut body: Body, max_bytes: usize) -> Result<Vec<u8>, ApiError> {
    if declared_bytes(headers, &body) > max_bytes as u64 {
        // A client that waits for leave to send its body gets the refusal instead.
        if !headers.contains_key(header::EXPECT) {
            spawn(timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
        }
        return Err(ApiError::too_large(max_bytes).and_close());
    }
    let mut received = Vec::new();
    let mut too_large = false;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match is_timeout(&error) {
            true => ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long").and_close(),
            false => ApiError::new(StatusCode::BAD_REQUEST, format!("the body ended early: {error}")),
        })?;
        let data = frame.into_data().unwrap_or_default();
        too_large |= received.len() + data.len() > max_bytes;
        if too_large {
            received = Vec::new();
        } else {
            received.extend_from_slice(&data);
        }
    }
    if too_large { Err(ApiError::too_large(max_bytes)) } else { Ok(received) }
}

/// At least how many bytes a body has, as its request says. A body in a layer of the host's no longer says so itself.
fn declared_bytes(headers: &HeaderMap, body: &Body) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.unwrap_or_default().max(body.size_hint().lower())
}

/// Whether the host has a layer that limits how long a body may take, and it has ended this one.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.is::<tower_http::timeout::TimeoutError>() || error.source().is_some_and(is_timeout)
}

/// The format of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyFormat {
    Json,
    Ndjson,
}

impl BodyFormat {
    /// The format that `Content-Type` names; the parameters of the media type are ignored.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Compressed, an entry would only look like no JSON.
        if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
            && encoding.to_str().map_or(true, |encoding| !encoding.trim().eq_ignore_ascii_case("identity"))
        {
            let encoding = String::from_utf8_lossy(encoding.as_bytes());
            let message = format!("the content encoding `{encoding}` is not supported; send the body as it is");
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-ndjson" => Ok(Self::Ndjson),
            _ => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type must be application/json for one entry or application/x-ndjson for one per line",
            )),
        }
    }
}
