use diesel::SqliteConnection;
use diesel::r2d2::CustomizeConnection;

use crate::error::Error;
use crate::sqlite::connection::configure;

/// Makes Diesel's r2d2 pool [`configure`] each connection that it opens.
///
/// Do not pool `:memory:`: each connection would have a database of its own.
///
/// ```
/// use diesel::SqliteConnection;
/// use diesel::r2d2::{ConnectionManager, Pool};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("server.db").display().to_string();
/// let pool = Pool::builder()
///     .connection_customizer(Box::new(activity_log::ConnectionCustomizer))
///     .build(ConnectionManager::<SqliteConnection>::new(path))?;
/// activity_log::run_migrations(&mut *pool.get()?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionCustomizer;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ConnectionCustomizer {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        configure(conn).map_err(|error| match error {
            Error::Database(error) | Error::Busy(error) | Error::Full(error) => QueryError(error),
            Error::Connection(error) => ConnectionError(error),
            other => ConnectionError(diesel::ConnectionError::CouldntSetupConfiguration(
                diesel::result::Error::QueryBuilderError(Box::new(other)),
            )),
        })
    }
}
