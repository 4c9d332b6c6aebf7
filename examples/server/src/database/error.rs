//! Why the database could not be used.

use diesel::r2d2::PoolError;
use tokio::task::JoinError;

use crate::database::file::FileLost;

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
