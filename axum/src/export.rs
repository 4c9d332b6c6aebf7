//! Exports the log as a file, at the pace of the client.

use activity_log::Error::InvalidEntry;
use activity_log::{ActivityCategory, NewActivityLogEntry};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, Method, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::actor::Actor;
use crate::app::App;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::format::Format;
use crate::query::ExportQuery;
use crate::recording::RecordError;
use crate::transfer::transfer;

/// Export the entries that match the filters as a file, oldest first.
///
/// An entry that says who exports, in which format and with which filters is recorded before the export begins, unless
/// the viewer is read-only. The file includes that entry if it matches the filters. Stored rows that cannot be read are
/// passed over, and a last line says so: in NDJSON `{"unreadable": 2, "seqs": [7, 9]}`, in CSV a line with nothing but a
/// message. If the export fails midway, the server closes the connection before the end of the body, so an HTTP client
/// notices that the file is incomplete.
#[utoipa::path(
    get, path = "/api/v1/activity-log/export", tag = "log",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (the default) or `csv`", pattern = "^(ndjson|csv)$"),
        FilterParameters,
        (
            "exported_by" = Option<String>, Query, max_length = 1000,
            description = "Who exports: only for clients that may act for others, and `anonymous` by default for those \
                that have no name of their own",
        ),
    ),
    responses(
        (
            status = 200, description = "The file", headers(("content-disposition" = String)),
            content((String = "application/x-ndjson"), (String = "text/csv")),
        ),
        (status = 503, description = "The database is busy, or too many exports are already running"),
        (status = 507, description = "The disk is full, so the export cannot be recorded"),
    ),
)]
pub(crate) async fn export(
    method: Method,
    State(app): State<App>,
    actor: Actor,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = ExportQuery::parse(query.as_deref(), &actor)?;
    if method == Method::HEAD {
        // No entry leaves the log, so there is nothing to record.
        return Ok((file_headers(query.format), Body::empty()).into_response());
    }
    let permit =
        app.permits.try_export().ok_or_else(|| ApiError::unavailable("too many exports are running; try again"))?;

    if app.writes {
        app.recording.record_all(vec![export_entry(&query)]).await.map_err(|error| match error {
            RecordError::Log(InvalidEntry { field: "actor", reason, .. }) => ApiError::parameter("exported_by", reason),
            other => other.into(),
        })?;
        app.live.announce();
    }

    let ExportQuery { filters, format, .. } = query;
    let (database, unreadable) = (app.database.clone(), app.unreadable.clone());
    database.check()?;
    let (write_end, read_end) = transfer(app.client_patience);
    spawn_blocking(move || {
        write_end.finish_with(|writer| {
            let written = database.block_on(|log| {
                log.export(&filters, &mut |entries| {
                    format.write(entries.inspect(|entry| unreadable.look_at(entry)), &mut *writer)
                })
            });
            // Before the end of the body: a client that has received it may export again.
            drop(permit);
            written
        });
    });
    let body = read_end.into_body().await?;

    Ok((file_headers(format), body).into_response())
}

fn file_headers(format: Format) -> [(HeaderName, String); 2] {
    let name = format!("activity-log-{}.{}", Utc::now().format("%Y%m%dT%H%M%SZ"), format.name());
    [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ]
}

/// The entry that records an export.
fn export_entry(ExportQuery { filters, exported_by, format }: &ExportQuery) -> NewActivityLogEntry {
    let mut filters = serde_json::to_value(filters).unwrap_or_default();
    if let Some(fields) = filters.as_object_mut() {
        fields.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
        // As text, so that the filter does not find this entry, and its nesting is no deeper than an entry's may be.
        if let Some(metadata) = fields.get_mut("metadata") {
            *metadata = metadata.to_string().into();
        }
    }
    let message = format!("{exported_by} exported the activity log as {}", format.name());
    let entry = NewActivityLogEntry::here(ActivityCategory::System, "activity_log_exported", message)
        .metadata_value("format", format.name())
        .metadata_value("filters", filters);
    NewActivityLogEntry { actor: exported_by.clone(), ..entry }
}
