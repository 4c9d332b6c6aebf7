//! The entries that a client sends: one as JSON, or one per line as NDJSON.

use activity_log::json::{find_inexact_number, replace_lone_surrogates};
use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::actor::Actor;
use crate::body::BodyFormat;
use crate::error::ApiError;
use crate::format;

/// The entries of a body, and the lines they come from.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    pub(crate) entries: Vec<NewActivityLogEntry>,
    /// What the client has said of each entry, and what is the server's.
    pub(crate) given: Vec<Given>,
    /// The line of each entry, counted from 1; empty when the body is not NDJSON.
    pub(crate) lines: Vec<usize>,
}

/// Whether a client has sent these, or the server has filled them in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) id: bool,
    pub(crate) ts: bool,
}

impl Posted {
    pub(crate) fn read(format: BodyFormat, body: &[u8], actor: &Actor) -> Result<Self, ApiError> {
        let mut posted = Self::default();
        if is_utf_16(body) {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "the body is UTF-16; send UTF-8"));
        }
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        match format {
            BodyFormat::Json => posted.push(entry(body, actor)?),
            BodyFormat::Ndjson => {
                let lines = (1..).zip(body.split(|byte| *byte == b'\n'));
                for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
                    match entry(line, actor) {
                        // An export is posted back, and passed over rows that could not be read.
                        Err(_) if format::is_last_line(line) => continue,
                        entry => posted.push(entry.map_err(|error| error.at_line(Some(number)))?),
                    }
                    posted.lines.push(number);
                }
            }
        }
        Ok(posted)
    }

    fn push(&mut self, (entry, given): (NewActivityLogEntry, Given)) {
        self.entries.push(entry);
        self.given.push(given);
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Whether text begins as UTF-16 does: with its byte order mark, or with an ASCII character in two bytes.
fn is_utf_16(text: &[u8]) -> bool {
    matches!(text, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 1..=0xFF, ..] | [1..=0xFF, 0, ..])
}

/// An entry as clients write it: with an id only to send it again, and with a time only if the event did not happen
/// just now. A field that is `null` counts as missing. A line of an export has a `seq` as well, which is not kept.
///
/// Every field is optional to serde, because its own error for a missing field holds the field's name only inside a
/// sentence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedEntry {
    seq: Option<i64>,
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
    fn into_entry(self, by: &Actor) -> Result<(NewActivityLogEntry, Given), ApiError> {
        if self.seq.is_some() && self.id.is_none() {
            let reason = "comes from the log; only a line of an export, which has an `id`, may hold it";
            return Err(ApiError::field("seq", reason));
        }
        let given = Given { id: self.id.is_some(), ts: self.ts.is_some() };
        let entry = NewActivityLogEntry::new(
            required("category", self.category)?,
            required("action", self.action)?,
            by.of_posted(self.actor)?,
            required("message", self.message)?,
        );
        let ts = self.ts.map(|ts| rfc3339(&ts)).transpose().map_err(|reason| ApiError::field("ts", reason))?;
        let entry = NewActivityLogEntry {
            id: self.id.unwrap_or(entry.id),
            ts: ts.unwrap_or(entry.ts),
            severity: self.severity.unwrap_or_default(),
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            entity_name: self.entity_name,
            metadata: self.metadata.unwrap_or_default(),
            ..entry
        };
        Ok((entry, given))
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

fn entry(json: &[u8], actor: &Actor) -> Result<(NewActivityLogEntry, Given), ApiError> {
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
    posted.into_entry(actor)
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
