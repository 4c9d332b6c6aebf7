//! The server's own table. Each change to it is recorded in the transaction of the change: both are there, or neither.

use activity_log::{ActivityCategory, ActorContext, NewActivityLogEntry, changes};
use activity_log_axum::ApiError;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app::App;
use crate::body;
use crate::database::tables::{Device, Tables};
use crate::identity::Identity;

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
    Ok(Json(Devices { devices: app.devices().await? }))
}

/// Add a device or change it. If anything changes, the log says what, and who did it.
#[utoipa::path(
    put, path = "/api/v1/devices/{id}", tag = "devices",
    params(
        ("id" = String, Path, description = "At most 200 bytes", min_length = 1),
        ("actor" = Option<String>, Query, min_length = 1, max_length = 1000,
            description = "Who changes the device; needed from clients that have no user"),
    ),
    request_body = DeviceBody,
    responses(
        (status = 200, description = "The device as it is now", body = Device),
        (status = 201, description = "The device was added", body = Device),
        (status = 403, description = "`actor` is not the user who has signed in"),
        (status = 413, description = "The body exceeds 16 KiB"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn put(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ActorQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Device>), ApiError> {
    let body = body::receive(&headers, body, MAX_BYTES).await?;
    let (id, actor) = (id_in(id)?, actor_in(&who, query)?);
    let DeviceBody { name } = serde_json::from_slice(&body)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("the body is not a device: {error}")))?;
    let device = Device { id, name: checked("name", name)? };
    let added = app.put(actor, device.clone(), Expected::Any).await?;
    let status = if added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(device)))
}

/// Remove a device.
#[utoipa::path(
    delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(
        ("id" = String, Path, description = "At most 200 bytes", min_length = 1),
        ("actor" = Option<String>, Query, min_length = 1, max_length = 1000,
            description = "Who removes the device; needed from clients that have no user"),
    ),
    responses(
        (status = 204, description = "The device is removed"),
        (status = 403, description = "`actor` is not the user who has signed in"),
        (status = 404, description = "There is no such device"),
        (status = 507, description = "The disk is full"),
    ),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ActorQuery>, QueryRejection>,
) -> Result<StatusCode, ApiError> {
    app.remove(actor_in(&who, query)?, id_in(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What must hold for a device to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Any,
    New,
    Known,
}

impl App {
    pub(crate) async fn devices(&self) -> Result<Vec<Device>, ApiError> {
        Ok(self.database.run(|conn| conn.devices(MAX_LISTED)).await?)
    }

    /// Adds or changes a device; returns whether it was added.
    pub(crate) async fn put(&self, actor: String, device: Device, expected: Expected) -> Result<bool, ApiError> {
        let put = move |conn: &mut dyn Tables| {
            let before = conn.device(&device.id)?;
            if expected == (if before.is_some() { Expected::New } else { Expected::Known }) {
                return Ok(None);
            }
            let changed = match &before {
                Some(before) => changes(before, &device)?,
                None => None,
            };
            if before.is_none() || changed.is_some() {
                conn.put_device(&device)?;
                let (action, did) =
                    if before.is_none() { ("device.added", "added") } else { ("device.changed", "changed") };
                record(conn, &actor, action, did, &device, changed.unwrap_or_default())?;
            }
            Ok(Some(before.is_none()))
        };
        self.change(put).await?.ok_or_else(|| match expected {
            Expected::New => ApiError::new(StatusCode::CONFLICT, "there is already a device with this id"),
            _ => missing(),
        })
    }

    pub(crate) async fn remove(&self, actor: String, id: String) -> Result<(), ApiError> {
        let remove = move |conn: &mut dyn Tables| {
            let Some(device) = conn.device(&id)? else { return Ok(None) };
            conn.remove_device(&id)?;
            record(conn, &actor, "device.removed", "removed", &device, Map::new())?;
            Ok(Some(()))
        };
        self.change(remove).await?.ok_or_else(missing)
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl Fn(&mut dyn Tables) -> activity_log::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let context = ActorContext::current().unwrap_or_default();
        Ok(self.database.run(move |conn| context.scope(|| conn.transaction(change))).await?)
    }
}

fn missing() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is no such device")
}

/// Records a change, in the transaction of the change.
fn record(
    conn: &mut dyn Tables,
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

fn id_in(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::parameter("id", "is not valid UTF-8"))?;
    checked("id", id)
}

/// Who changes something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActorQuery {
    actor: Option<String>,
}

fn actor_in(who: &Identity, query: Result<Query<ActorQuery>, QueryRejection>) -> Result<String, ApiError> {
    let Query(ActorQuery { actor }) =
        query.map_err(|_| ApiError::parameter("actor", "must name who makes the change, and is the only parameter"))?;
    match (who, actor) {
        (Identity::Trusted, Some(actor)) if (1..=MAX_ACTOR_BYTES).contains(&actor.len()) => Ok(actor),
        (Identity::Trusted, _) => Err(ApiError::parameter("actor", "must have 1 to 1000 bytes")),
        (Identity::User(name), Some(actor)) if actor != *name => {
            let message = format!("you have signed in as `{name}`, so leave `actor` out");
            Err(ApiError::new(StatusCode::FORBIDDEN, message))
        }
        (Identity::User(name), _) => Ok(name.clone()),
    }
}

pub(crate) fn checked(parameter: &'static str, text: String) -> Result<String, ApiError> {
    // The log could not tell texts apart that differ only in U+0000.
    let is_valid = (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    let reason = "must have 1 to 200 bytes and no control characters";
    if is_valid { Ok(text) } else { Err(ApiError::parameter(parameter, reason)) }
}
