//! Lists and clears entries.

use activity_log::{ActivityCategory, ActivitySeverity, ActorContext, NewActivityLogEntry};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::app::App;
use crate::database::log::Log;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::links::LinkedEntry;
use crate::query::{ActorQuery, ListQuery};
use crate::readable::{self, Page};
use crate::schemas::{Entry, entry_example};

/// A page of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Newest first.
    #[schema(value_type = Vec<Entry>)]
    entries: Vec<LinkedEntry>,
    /// The `before_seq` of the next page, which is older; `null` on the oldest page.
    #[schema(required)]
    next_before_seq: Option<i64>,
    /// The `after_seq` of the previous page, which is newer; `null` on the newest page.
    #[schema(required)]
    prev_after_seq: Option<i64>,
    /// Whether there is a next page.
    has_more: bool,
    /// The `seq` of each row of this page that is stored but cannot be read, newest first. It counts as an entry of the
    /// page.
    unreadable: Vec<i64>,
}

/// List entries, newest first, page by page.
#[utoipa::path(
    get, path = "/api/v1/activity-log", tag = "log",
    params(
        FilterParameters,
        ("before_seq" = Option<i64>, Query, description = "Only older entries; a page's `next_before_seq` leads to the next"),
        (
            "after_seq" = Option<i64>, Query,
            description = "The page just newer than this entry; a page's `prev_after_seq` leads to the previous page",
        ),
        ("limit" = Option<u32>, Query, description = "How many entries; 50 by default", minimum = 1, maximum = 200),
    ),
    responses((
        status = 200, description = "A page", body = Listed,
        example = json!({
            "entries": [entry_example()], "next_before_seq": null, "prev_after_seq": 7, "has_more": false,
            "unreadable": [],
        }),
    )),
)]
pub(crate) async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let ListQuery { filters, cursor, limit } = ListQuery::parse(query.as_deref())?;
    let (links, unreadable_rows) = (app.links.clone(), app.unreadable.clone());
    let read = move |log: &mut dyn Log| {
        let page = readable::page(log, &filters, cursor, limit)?;
        let Page { entries, unreadable, next_before_seq, prev_after_seq } = page;
        unreadable_rows.add(unreadable.iter().copied());
        let has_more = next_before_seq.is_some();
        let entries = entries.into_iter().map(|entry| links.add_to(entry)).collect();
        // Written as JSON here, and not on a thread that other requests wait for.
        Ok(Json(Listed { entries, next_before_seq, prev_after_seq, has_more, unreadable }).into_response())
    };
    Ok(app.database.read(read).await?)
}

/// What was cleared.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cleared {
    /// The number of entries deleted.
    deleted: u64,
}

/// Delete every entry, and record one that says who cleared the log.
#[utoipa::path(
    delete, path = "/api/v1/activity-log", tag = "log",
    params((
        "actor" = Option<String>, Query, max_length = 1000,
        description = "Who clears the log: only for clients that may act for others, and required of those that have no \
            name of their own",
    )),
    responses(
        (status = 200, description = "The log is cleared", body = Cleared, example = json!({"deleted": 42})),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn clear(
    State(app): State<App>,
    actor: Actor,
    RawQuery(query): RawQuery,
) -> Result<Json<Cleared>, ApiError> {
    let ActorQuery { actor } = ActorQuery::parse(query.as_deref(), &actor)?;
    let context = ActorContext::current().unwrap_or_default();
    let entry = move |deleted| {
        let message = format!("{actor} cleared the activity log of {deleted} entries");
        let entry = NewActivityLogEntry::here(ActivityCategory::System, "activity_log_cleared", message)
            .severity(ActivitySeverity::Warning)
            .metadata_value("deleted", deleted);
        NewActivityLogEntry { actor: actor.clone(), ..entry }
    };
    let deleted = app.database.write(move |log| context.scope(|| log.clear(&mut &entry))).await?;
    app.live.announce();
    Ok(Json(Cleared { deleted }))
}
