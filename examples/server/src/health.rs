//! The health check.

use axum::Json;
use axum::extract::State;
use diesel::connection::SimpleConnection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};

/// The server is healthy.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check whether the server and its database respond.
#[utoipa::path(
    get, path = "/healthz", tag = "server", security(()),
    responses(
        (status = 200, description = "Both respond", body = Health, example = json!({"status": "ok"})),
        (status = 503, description = "The database does not respond", body = ErrorBody),
    ),
)]
pub(crate) async fn health(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    // SQLite answers `SELECT 1` without reading the file, so the check reads the table.
    let read = |conn: &mut diesel::SqliteConnection| Ok(conn.batch_execute("SELECT seq FROM activity_log LIMIT 1")?);
    app.database.run(read).await.map_err(|error| {
        eprintln!("example-server: the database does not respond: {error}");
        ApiError::unavailable("the database does not respond")
    })?;
    Ok(Json(Health { status: "ok" }))
}
