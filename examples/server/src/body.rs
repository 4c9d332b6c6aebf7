//! The body of a request to the server's own routes.

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::StatusCode;

use crate::error::ApiError;

/// Receives a whole body of at most `max_bytes`. A body that declares more is refused before it is read.
pub(crate) async fn receive(body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must not exceed {max_bytes} bytes"));
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large().and_close());
    }
    to_bytes(body, max_bytes).await.map_err(|_| too_large().and_close())
}
