//! The error responses.

use std::fmt;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use diesel::r2d2::PoolError;
use serde::Serialize;
use tokio::task::JoinError;
use utoipa::ToSchema;

use crate::database::DatabaseError;
use crate::database::file::FileLost;
use crate::recording::RecordError;

/// What may happen to entries in a transaction under way: an error alone would say that they are not recorded.
const LATER: &str =
    "the entries may still be recorded, so send them again only with the same `id`s or the same Idempotency-Key";

/// An error response: what went wrong and, where it is known, which part of the request or of the log is at fault.
///
/// A host's own routes can have errors of the same form: `{"error": {"message": "…", "parameter": "limit"}}`. It converts
/// from what a database and its pool return. The details of what only an operator can mend go to `tracing`, not to the
/// client.
///
/// ```
/// use activity_log_axum::ApiError;
///
/// async fn lamp() -> Result<&'static str, ApiError> {
///     Err(ApiError::new(axum::http::StatusCode::NOT_FOUND, "there is no such lamp"))
/// }
/// ```
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiError {
    #[serde(skip)]
    status: StatusCode,
    /// Whether the connection ends with the response, because the rest of the request is not read.
    #[serde(skip)]
    closes: bool,
    /// A sentence for people to read.
    message: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// The line of the NDJSON body at fault, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The field of the body at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// An error response: `{"error": {"message": "…", "parameter": "limit"}}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ApiError,
}

impl ApiError {
    /// An error with this status. `message` is a sentence for people, without a full stop.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, closes: false, message: message.into(), parameter: None, line: None, field: None }
    }

    /// A 400 for a parameter. `reason` continues the sentence after its name: "must be …".
    #[must_use]
    pub fn parameter(parameter: &str, reason: impl fmt::Display) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, format!("`{parameter}` {reason}"));
        Self { parameter: Some(parameter.to_owned()), ..error }
    }

    /// A 400 for a field of an entry. `reason` continues the sentence after its name: "must be …".
    pub(crate) fn field(field: &str, reason: impl fmt::Display) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, format!("`{field}` {reason}"));
        Self { field: Some(field.to_owned()), ..error }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn at_line(self, line: Option<usize>) -> Self {
        match line {
            Some(number) => Self { message: format!("line {number}: {}", self.message), line, ..self },
            None => self,
        }
    }

    /// A 503: the same request may succeed in a moment.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// A 413.
    pub(crate) fn too_large(max_bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must not exceed {max_bytes} bytes"))
    }

    /// The error, for a request whose body has not been read: the connection ends with the response.
    #[must_use]
    pub fn and_close(self) -> Self {
        Self { closes: true, ..self }
    }

    pub(crate) fn duplicate_id() -> Self {
        let error = Self::new(StatusCode::CONFLICT, "the log already holds an entry with this `id`");
        Self { field: Some("id".to_owned()), ..error }
    }

    /// A 409 for a parameter that contradicts what the log holds.
    pub(crate) fn conflict(parameter: &str, reason: impl fmt::Display) -> Self {
        Self { status: StatusCode::CONFLICT, ..Self::parameter(parameter, reason) }
    }

    fn busy() -> Self {
        Self::unavailable("the database is busy; try again")
    }

    /// A 500. The details go to the operator, through the crate `tracing`, and not to the client.
    #[must_use]
    pub fn internal(details: impl fmt::Display) -> Self {
        tracing::error!("{details}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error; the server's log has the cause")
    }
}

impl fmt::Display for ApiError {
    /// The message.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, closes, .. } = self;
        let mut response = (status, Json(ErrorBody { error: self })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<FileLost> for ApiError {
    fn from(lost: FileLost) -> Self {
        Self::unavailable(lost.to_string())
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Log(error) => error.into(),
            DatabaseError::File(lost) => lost.into(),
            DatabaseError::Pool(_) | DatabaseError::WriteInProgress => Self::busy(),
            DatabaseError::Task(error) => error.into(),
        }
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Log(error) => error.into(),
            RecordError::File(lost) => lost.into(),
            RecordError::Busy => Self::busy(),
            RecordError::Full => Self::new(StatusCode::INSUFFICIENT_STORAGE, "the disk is full; nothing was recorded"),
            RecordError::Task(error) => error.into(),
            RecordError::UnderWay => Self::unavailable(format!("the database is busy; {LATER}")),
        }
    }
}

impl From<activity_log::Error> for ApiError {
    fn from(error: activity_log::Error) -> Self {
        use activity_log::Error::{
            CannotFollow, DuplicateId, Full, InvalidFilter, InvalidPolicy, InvalidQuery, Recorder,
        };
        use activity_log::RecorderError::{ShutDown, Unclear};
        match error {
            InvalidFilter { field, reason } => Self::parameter(field, reason),
            InvalidQuery { parameter, reason } => Self::parameter(&parameter, reason),
            InvalidPolicy { reason, .. } => Self::new(StatusCode::BAD_REQUEST, reason),
            DuplicateId { .. } => Self::duplicate_id(),
            Recorder(ShutDown) => Self::unavailable("the server is stopping"),
            Recorder(Unclear) => Self::unavailable(format!("the server is stopping; {LATER}")),
            error if error.is_retryable() => Self::busy(),
            // A standby, for example, cannot know what is new.
            CannotFollow { reason } => {
                Self::new(StatusCode::NOT_IMPLEMENTED, format!("cannot follow the log: {reason}"))
            }
            Full(_) => {
                let internal = Self::internal(error);
                Self { status: StatusCode::INSUFFICIENT_STORAGE, ..internal }
            }
            error => Self::internal(error),
        }
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        activity_log::Error::from(error).into()
    }
}

impl From<PoolError> for ApiError {
    fn from(_: PoolError) -> Self {
        Self::busy()
    }
}

impl From<JoinError> for ApiError {
    fn from(error: JoinError) -> Self {
        Self::internal(error)
    }
}
