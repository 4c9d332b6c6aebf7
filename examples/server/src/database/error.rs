//! Why the database could not be used.

use activity_log_axum::{ApiError, FileLost};
use diesel::r2d2::PoolError;
use tokio::task::JoinError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error(transparent)]
    Log(#[from] activity_log::Error),
    #[error(transparent)]
    File(#[from] FileLost),
    #[error("no connection to the database is available: {0}")]
    Pool(#[from] PoolError),
    #[error("the database task did not finish: {0}")]
    Task(#[from] JoinError),
    #[cfg(not(feature = "postgres"))]
    #[error("this program has no PostgreSQL: build it with `--features postgres`")]
    NoPostgres,
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Log(error) => error.into(),
            DatabaseError::File(lost) => lost.into(),
            DatabaseError::Pool(error) => error.into(),
            DatabaseError::Task(error) => error.into(),
            #[cfg(not(feature = "postgres"))]
            // Such a database is never opened.
            DatabaseError::NoPostgres => Self::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}
