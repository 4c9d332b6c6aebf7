//! The body of a request: one entry as JSON, or one entry per line as NDJSON.

use std::time::Duration;

use activity_log::json::{find_inexact_number, replace_lone_surrogates};
use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use tokio::spawn;
use tokio::time::timeout;

use crate::error::ApiError;

/// How long a body that was refused is still read, and discarded: many clients send the whole body before they read a
/// response, and a connection that is closed before loses it.
const LINGER: Duration = Duration::from_secs(5);

/// Receives a whole body of at most `max_bytes`.
///
/// A body that declares more is refused before it is read. Without a declared length, a larger body is discarded, but
/// read to its end.
pub(crate) async fn receive(headers: &HeaderMap, mut body: Body, max_bytes: usize) -> Result<Vec<u8>, ApiError> {
    if body.size_hint().lower() > max_bytes as u64 {
        // A client that waits for leave to send its body gets the refusal instead.
        if !headers.contains_key(header::EXPECT) {
            spawn(timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
        }
        return Err(ApiError::too_large(max_bytes).and_close());
    }
    let mut received = Vec::new();
    let mut too_large = false;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("the body ended early: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        too_large |= received.len() + data.len() > max_bytes;
        if too_large {
            received = Vec::new();
        } else {
            received.extend_from_slice(&data);
        }
    }
    if too_large { Err(ApiError::too_large(max_bytes)) } else { Ok(received) }
}

/// The format of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyFormat {
    Json,
    Ndjson,
}

impl BodyFormat {
    /// The format that `Content-Type` names; the parameters of the media type are ignored.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Compressed, an entry would only look like no JSON.
        if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
            && encoding.to_str().map_or(true, |encoding| !encoding.trim().eq_ignore_ascii_case("identity"))
        {
            let encoding = String::from_utf8_lossy(encoding.as_bytes());
            let message = format!("the content encoding `{encoding}` is not supported; send the body as it is");
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-ndjson" => Ok(Self::Ndjson),
            _ => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type must be application/json for one entry or application/x-ndjson for one per line",
            )),
        }
    }
}

/// The entries of a body, and the lines they come from.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    pub(crate) entries: Vec<NewActivityLogEntry>,
    /// The line of each entry, counted from 1; empty when the body is not NDJSON.
    pub(crate) lines: Vec<usize>,
}

impl Posted {
    pub(crate) fn read(format: BodyFormat, body: &[u8]) -> Result<Self, ApiError> {
        let mut posted = Self::default();
        if is_utf_16(body) {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "the body is UTF-16; send UTF-8"));
        }
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        match format {
            BodyFormat::Json => posted.entries.push(entry(body)?),
            BodyFormat::Ndjson => {
                let lines = (1..).zip(body.split(|byte| *byte == b'\n'));
                for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
                    posted.entries.push(entry(line).map_err(|error| error.at_line(Some(number)))?);
                    posted.lines.push(number);
                }
            }
        }
        Ok(posted)
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Whether text begins as UTF-16 does: with its byte order mark, or with an ASCII character in two bytes.
fn is_utf_16(text: &[u8]) -> bool {
    matches!(text, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 1..=0xFF, ..] | [1..=0xFF, 0, ..])
}

/// An entry as clients write it: with an id only to send it again, and with a time only if the event did not happen
/// just now. A field that is `null` counts as missing.
///
/// Every field is optional to serde, because its own error for a missing field holds the field's name only inside a
/// sentence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedEntry {
    id: Option<String>,
    category: Option<ActivityCategory>,
    action: Option<String>,
    actor: Option<String>,
    message: Option<String>,
    severity: Option<ActivitySeverity>,
    ts: Option<String>,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    metadata: Option<Map<String, Value>>,
}

impl PostedEntry {
    fn into_entry(self) -> Result<NewActivityLogEntry, ApiError> {
        let entry = NewActivityLogEntry::new(
            required("category", self.category)?,
            required("action", self.action)?,
            required("actor", self.actor)?,
            required("message", self.message)?,
        );
        let ts = self.ts.map(|ts| rfc3339(&ts)).transpose().map_err(|reason| ApiError::field("ts", reason))?;
        Ok(NewActivityLogEntry {
            id: self.id.unwrap_or(entry.id),
            ts: ts.unwrap_or(entry.ts),
            severity: self.severity.unwrap_or_default(),
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            entity_name: self.entity_name,
            metadata: self.metadata.unwrap_or_default(),
            ..entry
        })
    }
}

fn rfc3339(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|error| format!("must be an RFC 3339 time such as 2026-01-31T12:00:00Z: {error}"))
}

fn required<T>(field: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::field(field, "is missing"))
}

fn entry(json: &[u8]) -> Result<NewActivityLogEntry, ApiError> {
    // serde would also accept an array of the fields in order.
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "an entry must be a JSON object"));
    }
    let json = &*replace_lone_surrogates(json);
    if find_inexact_number(json).is_some() {
        return Err(ApiError::field("metadata", "has a number that would lose digits; write it as a text"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let posted: PostedEntry = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let reason = reason(error.inner());
        match error.path().iter().next() {
            Some(Segment::Map { key }) => ApiError::field(key, format!("cannot be read: {reason}")),
            _ => ApiError::new(StatusCode::BAD_REQUEST, format!("the entry cannot be read: {reason}")),
        }
    })?;
    deserializer.end().map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, format!("the entry cannot be read: {}", reason(&error)))
    })?;
    posted.into_entry()
}

/// The message without its position: to `serde_json`, every line of NDJSON is line 1.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    match message.strip_suffix(&position) {
        Some(reason) => reason.to_owned(),
        None => message,
    }
}
