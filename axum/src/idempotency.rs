//! Sending the same request again, by the header `Idempotency-Key`.
//!
//! The ids of the entries are derived from the key, and the log never holds an id twice. So the server keeps nothing
//! about keys, and a key holds for as long as its entries.

use activity_log::Error::UnreadableRow;
use activity_log::{ActivityCategory, ActivityLogEntry, NewActivityLogEntry, REDACTED};
use axum::http::HeaderMap;
use chrono::SubsecRound;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::database::log::Log;
use crate::error::ApiError;
use crate::posted::{Given, Posted};

const NAME: &str = "Idempotency-Key";
const MAX_BYTES: usize = 255;

/// What a client calls a request.
#[derive(Debug)]
pub(crate) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// The key of a request that has one.
    pub(crate) fn of(headers: &'a HeaderMap) -> Result<Option<Self>, ApiError> {
        let mut keys = headers.get_all(NAME).iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => return Ok(None),
            (Some(key), None) => key.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => return Err(ApiError::parameter(NAME, "is given more than once")),
        };
        if (1..=MAX_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Some(Self(key)))
        } else {
            Err(ApiError::parameter(NAME, "must have 1 to 255 visible ASCII characters"))
        }
    }

    /// Gives each entry that brings no id the one of its position in the request.
    pub(crate) fn give_ids(&self, posted: &mut Posted) {
        let entries = posted.entries.iter_mut().zip(&posted.given);
        for (position, (entry, _)) in entries.enumerate().filter(|(_, (_, given))| !given.id) {
            entry.id = self.id(position);
        }
    }

    fn id(&self, position: usize) -> String {
        let Self(key) = self;
        let hash = Sha256::digest(format!("activity-log idempotency key\0{key}\0{position}"));
        let hash = format!("{hash:x}");
        format!("al_{}", hash.get(..32).unwrap_or(&hash))
    }
}

/// The error of a request whose key stands for other entries.
pub(crate) fn used_for_others() -> ApiError {
    ApiError::conflict(NAME, "was used for other entries")
}

/// The `seq` of each entry, if the log holds all of them as they were sent.
pub(crate) fn recorded_before(
    log: &mut dyn Log,
    sent: Vec<(NewActivityLogEntry, Given)>,
) -> activity_log::Result<Option<Vec<i64>>> {
    let mut seqs = Vec::with_capacity(sent.len());
    for (entry, given) in sent {
        match log.get(&entry.id) {
            Ok(Some(stored)) => {
                seqs.push(stored.seq);
                if !is_same(entry, given, stored) {
                    return Ok(None);
                }
            }
            Ok(None) | Err(UnreadableRow { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(seqs))
}

fn is_same(sent: NewActivityLogEntry, given: Given, stored: ActivityLogEntry) -> bool {
    let stored = NewActivityLogEntry::from(stored);
    let sent = as_stored(sent);
    // The server's own time differs each time that the request is sent.
    let ts = if given.ts { sent.ts } else { stored.ts };
    let metadata = if is_masked(&sent.metadata, &stored.metadata) { stored.metadata.clone() } else { sent.metadata };
    NewActivityLogEntry { ts, metadata, ..sent } == stored
}

/// Whether metadata is the same but for values that a redactor has masked: nobody knows any more what these were.
fn is_masked(sent: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    let is_value = |(key, sent): (&String, &Value)| stored.get(key).is_some_and(|stored| is_masked_value(sent, stored));
    sent.len() == stored.len() && sent.iter().all(is_value)
}

fn is_masked_value(sent: &Value, stored: &Value) -> bool {
    match (sent, stored) {
        (_, Value::String(text)) if text == REDACTED => true,
        (Value::Object(sent), Value::Object(stored)) => is_masked(sent, stored),
        (Value::Array(sent), Value::Array(stored)) => {
            sent.len() == stored.len() && sent.iter().zip(stored).all(|(sent, stored)| is_masked_value(sent, stored))
        }
        _ => sent == stored,
    }
}

/// An entry as it reads once it has been stored: without U+0000, and with a time in microseconds.
fn as_stored(entry: NewActivityLogEntry) -> NewActivityLogEntry {
    let text = |text: String| text.replace('\0', "\u{FFFD}");
    NewActivityLogEntry {
        id: text(entry.id),
        ts: entry.ts.trunc_subsecs(6),
        category: ActivityCategory::from(&*text(entry.category.to_string())),
        action: text(entry.action),
        severity: entry.severity,
        actor: text(entry.actor),
        entity_type: entry.entity_type.map(text),
        entity_id: entry.entity_id.map(text),
        entity_name: entry.entity_name.map(text),
        message: text(entry.message),
        metadata: entry.metadata,
    }
}
