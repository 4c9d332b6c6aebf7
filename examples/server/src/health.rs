//! Whether the server works.

use axum::Json;
use axum::extract::State;
use diesel::connection::SimpleConnection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};

/// All is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Ask whether the server and its database answer.
#[utoipa::path(
    get, path = "/healthz", tag = "server", security(()),
    responses(
        (status = 200, description = "Both do", body = Health, example = json!({"status": "ok"})),
        (status = 503, description = "The database does not", body = ErrorBody),
    ),
)]
pub(crate) async fn health(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    // Of the table, not just `SELECT 1`, for which SQLite would not look at the file.
    let look = |conn: &mut diesel::SqliteConnection| Ok(conn.batch_execute("SELECT seq FROM activity_log LIMIT 1")?);
    app.database.run(look).await.map_err(|error| {
        eprintln!("example-server: the database does not answer: {error}");
        ApiError::unavailable("the database does not answer")
    })?;
    Ok(Json(Health { status: "ok" }))
}
