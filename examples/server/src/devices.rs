//! The server's own table. Each change to it is recorded in the transaction of the change: both are there, or neither.

use activity_log::{ActivityCategory, ActorContext, NewActivityLogEntry, changes};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app::App;
use crate::body;
use crate::database::connection::Connection;
use crate::device::Device;
use crate::error::ApiError;

const MAX_BYTES: usize = 16 << 10;
const MAX_TEXT_BYTES: usize = 200;
const MAX_ACTOR_BYTES: usize = 1_000;
/// More devices than this are not listed.
const MAX_LISTED: i64 = 1_000;

/// A device as a client sends it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceBody {
    /// At most 200 bytes.
    #[schema(min_length = 1)]
    name: String,
}

/// Devices by their ids.
#[derive(Serialize, ToSchema)]
pub(crate) struct Devices {
    devices: Vec<Device>,
}

/// List the devices; at most the first thousand.
#[utoipa::path(
    get, path = "/api/v1/devices", tag = "devices",
    responses((status = 200, description = "The devices", body = Devices)),
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Devices>, ApiError> {
    let devices = app.database.run(|conn| conn.devices(MAX_LISTED)).await?;
    Ok(Json(Devices { devices }))
}

/// Add a device or change it. If anything changes, the log says what, and who did it.
#[utoipa::path(
    put, path = "/api/v1/devices/{id}", tag = "devices",
    params(
        ("id" = String, Path, description = "At most 200 bytes", min_length = 1),
        ("actor" = String, Query, description = "Who changes the device", min_length = 1, max_length = 1000),
    ),
    request_body = DeviceBody,
    responses(
        (status = 200, description = "The device as it is now", body = Device),
        (status = 201, description = "The device was added", body = Device),
        (status = 413, description = "The body exceeds 16 KiB"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn put(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ActorQuery>, QueryRejection>,
    body: Body,
) -> Result<(StatusCode, Json<Device>), ApiError> {
    let (id, actor) = (checked_id(id)?, actor_in(query)?);
    let body = body::receive(body, MAX_BYTES).await?;
    let DeviceBody { name } = serde_json::from_slice(&body)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("the body is not a device: {error}")))?;
    let device = Device { id, name: checked("name", name)? };
    let context = ActorContext::current().unwrap_or_default();
    let after = device.clone();
    let change = move |conn: &mut dyn Connection| {
        let before = conn.device(&after.id)?;
        let changed = match &before {
            Some(before) => changes(before, &after)?,
            None => None,
        };
        if before.is_some() && changed.is_none() {
            return Ok(StatusCode::OK);
        }
        conn.put_device(&after)?;
        let (action, did, status) = match before {
            None => ("device.added", "added", StatusCode::CREATED),
            Some(_) => ("device.changed", "changed", StatusCode::OK),
        };
        record(conn, &actor, action, did, &after, changed.unwrap_or_default())?;
        Ok(status)
    };
    let status = app.database.run(move |conn| context.scope(|| in_transaction(conn, change))).await?;
    Ok((status, Json(device)))
}

/// Remove a device.
#[utoipa::path(
    delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(
        ("id" = String, Path, description = "At most 200 bytes", min_length = 1),
        ("actor" = String, Query, description = "Who removes the device", min_length = 1, max_length = 1000),
    ),
    responses(
        (status = 204, description = "The device is removed"),
        (status = 404, description = "There is no such device"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ActorQuery>, QueryRejection>,
) -> Result<StatusCode, ApiError> {
    let (id, actor) = (checked_id(id)?, actor_in(query)?);
    let context = ActorContext::current().unwrap_or_default();
    let remove = move |conn: &mut dyn Connection| {
        let Some(device) = conn.device(&id)? else { return Ok(false) };
        conn.remove_device(&id)?;
        record(conn, &actor, "device.removed", "removed", &device, Map::new())?;
        Ok(true)
    };
    if app.database.run(move |conn| context.scope(|| in_transaction(conn, remove))).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(StatusCode::NOT_FOUND, "there is no such device"))
    }
}

/// Runs `work` in a transaction, and returns what it returned.
fn in_transaction<T>(
    conn: &mut dyn Connection,
    work: impl Fn(&mut dyn Connection) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    let mut done = None;
    conn.in_transaction(&mut |conn| {
        done = Some(work(conn)?);
        Ok(())
    })?;
    // A transaction that commits has called its argument.
    done.ok_or_else(|| diesel::result::Error::NotFound.into())
}

/// Records a change, in the transaction of the change.
fn record(
    conn: &mut dyn Connection,
    actor: &str,
    action: &str,
    did: &str,
    device: &Device,
    metadata: Map<String, Value>,
) -> activity_log::Result<()> {
    let Device { id, name } = device;
    let entry = NewActivityLogEntry::here(ActivityCategory::Device, action, format!("{actor} {did} {name}"));
    let entry = entry.entity("device", id).entity_name(name).metadata_values(metadata);
    conn.record(&NewActivityLogEntry { actor: actor.to_owned(), ..entry })
}

fn checked_id(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::parameter("id", "is not valid UTF-8"))?;
    checked("id", id)
}

/// Who changes something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActorQuery {
    actor: String,
}

fn actor_in(query: Result<Query<ActorQuery>, QueryRejection>) -> Result<String, ApiError> {
    let Query(ActorQuery { actor }) =
        query.map_err(|_| ApiError::parameter("actor", "must name who makes the change, and is the only parameter"))?;
    let is_valid = (1..=MAX_ACTOR_BYTES).contains(&actor.len());
    if is_valid { Ok(actor) } else { Err(ApiError::parameter("actor", "must have 1 to 1000 bytes")) }
}

fn checked(parameter: &'static str, text: String) -> Result<String, ApiError> {
    // The log could not tell texts apart that differ only in U+0000.
    let is_valid = (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    let reason = "must have 1 to 200 bytes and no control characters";
    if is_valid { Ok(text) } else { Err(ApiError::parameter(parameter, reason)) }
}
