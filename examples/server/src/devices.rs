//! The server's own table, with a page of forms. Each change is recorded in the transaction of the change: both are
//! there, or neither.

use activity_log::{ActivityCategory, NewActivityLogEntry, changes};
use activity_log_axum::{ApiError, Identity};
use any_database::{AnyConnection, Database};
use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::DatabaseError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::task::block_in_place;
use tower_http::limit::RequestBodyLimitLayer;

pub(crate) const PATH: &str = "/devices";

const MAX_FORM_BYTES: usize = 16 << 10;

/// What stands for itself in every part of a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

diesel::table! {
    devices (id) {
        id -> Text,
        name -> Text,
    }
}

#[derive(Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
struct Device {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "devices.html")]
struct Page<'a> {
    devices: &'a [Device],
    problem: &'a str,
    /// Who has signed in.
    user: Option<&'a str>,
}

type Answer = Result<Response, ApiError>;

pub(crate) fn router(database: Database) -> Router {
    let routes = Router::new().route(PATH, get(show).post(add)).route("/devices/rename", post(rename));
    let routes = routes.route("/devices/remove", post(remove)).with_state(database);
    routes.layer(RequestBodyLimitLayer::new(MAX_FORM_BYTES))
}

/// The place of a device on the page.
pub(crate) fn url(id: &str) -> String {
    format!("{PATH}#{}", utf8_percent_encode(id, ENCODED))
}

async fn show(State(db): State<Database>, Extension(who): Extension<Identity>) -> Answer {
    page(&db, &who, "")
}

async fn add(State(db): State<Database>, Extension(who): Extension<Identity>, Form(device): Form<Device>) -> Answer {
    let added = change(&db, |conn| {
        check(&device)?;
        let added = diesel::insert_into(devices::table).values(&device).execute(conn);
        if let Err(DatabaseError(UniqueViolation, _)) = added {
            return Err(ApiError::new(StatusCode::CONFLICT, "there is already a device with this id"));
        }
        added?;
        record(conn, "device.added", "Added", &device, Map::new())
    });
    answer(&db, &who, added.map(|()| url(&device.id)))
}

async fn rename(State(db): State<Database>, Extension(who): Extension<Identity>, Form(device): Form<Device>) -> Answer {
    let renamed = change(&db, |conn| {
        check(&device)?;
        let Some(changed) = changes(&locked(conn, &device.id)?, &device)? else { return Ok(()) };
        diesel::update(devices::table.find(&device.id)).set(devices::name.eq(&device.name)).execute(conn)?;
        record(conn, "device.changed", "Changed", &device, changed)
    });
    answer(&db, &who, renamed.map(|()| url(&device.id)))
}

async fn remove(State(db): State<Database>, Extension(who): Extension<Identity>, Form(device): Form<Device>) -> Answer {
    let removed = change(&db, |conn| {
        let device = locked(conn, &device.id)?;
        diesel::delete(devices::table.find(&device.id)).execute(conn)?;
        record(conn, "device.removed", "Removed", &device, Map::new())
    });
    answer(&db, &who, removed.map(|()| PATH.to_owned()))
}

fn check(Device { id, name }: &Device) -> Result<(), ApiError> {
    // The log could not tell texts apart that differ only in U+0000.
    let is_valid = |text: &str| (1..=200).contains(&text.len()) && !text.contains(char::is_control);
    match [("id", id), ("name", name)].into_iter().find(|(_, text)| !is_valid(text)) {
        Some((field, _)) => Err(ApiError::parameter(field, "must have 1 to 200 bytes and no control characters")),
        None => Ok(()),
    }
}

/// Works on this thread, because an entry takes who makes the request from the context.
fn change(database: &Database, work: impl FnOnce(&mut AnyConnection) -> Result<(), ApiError>) -> Result<(), ApiError> {
    block_in_place(|| database.transaction(work))
}

/// A device that nobody else changes before the transaction ends.
fn locked(conn: &mut AnyConnection, id: &str) -> Result<Device, ApiError> {
    match diesel::update(devices::table.find(id)).set(devices::id.eq(id)).execute(conn)? {
        0 => Err(ApiError::new(StatusCode::NOT_FOUND, "there is no such device")),
        _ => Ok(devices::table.find(id).select(Device::as_select()).first(conn)?),
    }
}

fn record(
    conn: &mut AnyConnection,
    action: &str,
    did: &str,
    Device { id, name }: &Device,
    metadata: Map<String, Value>,
) -> Result<(), ApiError> {
    let entry = NewActivityLogEntry::here(ActivityCategory::Device, action, format!("{did} {name}"));
    conn.record(&entry.entity("device", id).entity_name(name).metadata_values(metadata))?;
    Ok(())
}

/// Leads to a place of this server, or shows the page with what is wrong.
fn answer(db: &Database, who: &Identity, done: Result<String, ApiError>) -> Answer {
    match done {
        Ok(place) => Ok(Redirect::to(&place).into_response()),
        Err(error) => Ok((error.status(), page(db, who, &error.to_string())?).into_response()),
    }
}

fn page(db: &Database, who: &Identity, problem: &str) -> Answer {
    let devices = devices::table.order(devices::id).limit(1_000).select(Device::as_select());
    let devices = block_in_place(|| Ok::<_, ApiError>(devices.load(&mut *db.get()?)?))?;
    let user = if let Identity::User(name) = who { Some(&**name) } else { None };
    let page = Page { devices: &devices, problem, user }.render();
    let page = page.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    // With another referrer policy, a browser would not say from which origin a form is sent.
    let headers =
        [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY), (header::REFERRER_POLICY, "same-origin")];
    Ok((headers, Html(page)).into_response())
}
