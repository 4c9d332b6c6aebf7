//! The error responses of the server's own routes. They have the form of the viewer's.

use std::fmt;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::database::error::DatabaseError;

#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    parameter: Option<&'static str>,
    /// Whether the connection ends with the response, because the rest of the request is not read.
    closes: bool,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), parameter: None, closes: false }
    }

    /// A 400 for a parameter. `reason` continues the sentence after its name: "must be …".
    pub(crate) fn parameter(parameter: &'static str, reason: impl fmt::Display) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, format!("`{parameter}` {reason}"));
        Self { parameter: Some(parameter), ..error }
    }

    /// The error, for a request whose body has not been read.
    pub(crate) fn and_close(self) -> Self {
        Self { closes: true, ..self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, message, parameter, closes } = self;
        let mut error = json!({ "message": message });
        if let (Some(parameter), Some(fields)) = (parameter, error.as_object_mut()) {
            fields.insert("parameter".to_owned(), parameter.into());
        }
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        let busy = || Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database is busy; try again");
        match error {
            DatabaseError::File(lost) => Self::new(StatusCode::SERVICE_UNAVAILABLE, lost.to_string()),
            DatabaseError::Pool(_) => busy(),
            DatabaseError::Log(error) if error.is_retryable() => busy(),
            error => {
                tracing::error!("{error}");
                let is_full = matches!(error, DatabaseError::Log(activity_log::Error::Full(_)));
                let status = if is_full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::INTERNAL_SERVER_ERROR };
                Self::new(status, "internal error; see the server's standard error for the cause")
            }
        }
    }
}
