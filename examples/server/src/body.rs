//! The body of a request to the server's own routes.

use activity_log_axum::ApiError;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};

/// Receives a whole body of at most `max_bytes`. A body that declares more is refused before it is read.
pub(crate) async fn receive(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must not exceed {max_bytes} bytes"));
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > max_bytes as u64) {
        return Err(too_large().and_close());
    }
    to_bytes(body, max_bytes).await.map_err(|_| too_large().and_close())
}
