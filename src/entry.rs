use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{ActivityCategory, ActivitySeverity};

/// An entry to be written: who did what, to which entity, when.
///
/// ```
/// use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
///
/// let entry = NewActivityLogEntry::new(ActivityCategory::Device, "device.updated", "alice", "Renamed the lamp")
///     .severity(ActivitySeverity::Warning)
///     .entity("device", "dev_7")
///     .entity_name("Desk lamp")
///     .metadata_value("previous_name", "Lamp");
/// assert!(entry.id.starts_with("al_"));
/// ```
///
/// # What is stored
///
/// Texts are stored as they are, except that U+0000 becomes U+FFFD; and where the host has set its database to UTF-16
/// (`PRAGMA encoding`), SQLite makes U+FFFD of U+FFFE and U+FFFF as well. `ts` is cut to microseconds, and a leap second
/// becomes the last microsecond of its second. What cannot be stored so that it reads back is refused with
/// [`Error::InvalidEntry`](crate::Error::InvalidEntry): a year outside 0001–9999, and metadata nested more than 127
/// levels deep, its own object being the first; and so is what is larger than its
/// [`EntryLimits`](crate::EntryLimits).
///
/// As JSON an entry is one level deeper than its metadata, and a page of entries three: `serde_json` reads 127 in all,
/// [`export::read_ndjson`](crate::export::read_ndjson) the one more that its lines may have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewActivityLogEntry {
    /// Names the entry, once in the whole log; `al_` and 32 hex digits when made by [`new`](Self::new).
    pub id: String,
    /// When it happened, in UTC, with microseconds. As JSON in RFC 3339.
    pub ts: DateTime<Utc>,
    /// The area of the server that it belongs to.
    pub category: ActivityCategory,
    /// What was done, in the host's own vocabulary: `device.updated`.
    pub action: String,
    /// How much it matters.
    pub severity: ActivitySeverity,
    /// Who did it: a user, a service, an address.
    pub actor: String,
    /// The kind of thing it was done to.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// Which thing of that kind.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// What that thing was called at the time.
    #[serde(default)]
    pub entity_name: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Whatever else is worth keeping, as a JSON object.
    #[serde(default, deserialize_with = "crate::metadata::deserialize")]
    pub metadata: Map<String, Value>,
}

impl NewActivityLogEntry {
    /// An entry of now, with a new id, severity [`Info`](ActivitySeverity::Info), no entity and empty metadata.
    ///
    /// The id is `al_` and a UUIDv7 as 32 hex digits, so that ids sort by the time of their making. The time is the
    /// system clock's, cut (never rounded up) to microseconds.
    #[must_use]
    pub fn new(
        category: impl Into<ActivityCategory>,
        action: impl Into<String>,
        actor: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id: format!("al_{}", Uuid::now_v7().simple()),
            ts: Utc::now().trunc_subsecs(6),
            category: category.into(),
            action: action.into(),
            severity: ActivitySeverity::Info,
            actor: actor.into(),
            entity_type: None,
            entity_id: None,
            entity_name: None,
            message: message.into(),
            metadata: Map::new(),
        }
    }

    /// Replaces the id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Replaces the time at which it happened.
    #[must_use]
    pub fn ts(mut self, ts: DateTime<Utc>) -> Self {
        self.ts = ts;
        self
    }

    /// Replaces the severity.
    #[must_use]
    pub fn severity(mut self, severity: ActivitySeverity) -> Self {
        self.severity = severity;
        self
    }

    /// Names the entity by its type and id.
    #[must_use]
    pub fn entity(self, entity_type: impl Into<String>, entity_id: impl Into<String>) -> Self {
        self.entity_type(entity_type).entity_id(entity_id)
    }

    /// Names the entity's type.
    #[must_use]
    pub fn entity_type(mut self, entity_type: impl Into<String>) -> Self {
        self.entity_type = Some(entity_type.into());
        self
    }

    /// Names the entity's id.
    #[must_use]
    pub fn entity_id(mut self, entity_id: impl Into<String>) -> Self {
        self.entity_id = Some(entity_id.into());
        self
    }

    /// Says what the entity is called.
    #[must_use]
    pub fn entity_name(mut self, entity_name: impl Into<String>) -> Self {
        self.entity_name = Some(entity_name.into());
        self
    }

    /// Replaces the whole metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets one value of the metadata.
    #[must_use]
    pub fn metadata_value(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// An entry as it was read: what was written, and its place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityLogEntry {
    /// Its place in the log: later entries have greater ones, and none that was committed is ever given again.
    pub seq: i64,
    /// Names the entry, once in the whole log.
    pub id: String,
    /// When it happened, in UTC, with microseconds. As JSON in RFC 3339.
    pub ts: DateTime<Utc>,
    /// The area of the server that it belongs to.
    pub category: ActivityCategory,
    /// What was done, in the host's own vocabulary.
    pub action: String,
    /// How much it matters.
    pub severity: ActivitySeverity,
    /// Who did it.
    pub actor: String,
    /// The kind of thing it was done to.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// Which thing of that kind.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// What that thing was called at the time.
    #[serde(default)]
    pub entity_name: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Whatever else was worth keeping, as a JSON object.
    #[serde(default, deserialize_with = "crate::metadata::deserialize")]
    pub metadata: Map<String, Value>,
}

impl From<ActivityLogEntry> for NewActivityLogEntry {
    /// The same entry, to be recorded anew: in another log, or in one that has lost it. Only its `seq` is given up.
    fn from(entry: ActivityLogEntry) -> Self {
        // Taken apart, so that a field added to both is not forgotten here.
        let ActivityLogEntry {
            seq: _,
            id,
            ts,
            category,
            action,
            severity,
            actor,
            entity_type,
            entity_id,
            entity_name,
            message,
            metadata,
        } = entry;
        Self { id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata }
    }
}

/// A page of entries, newest first, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ActivityLogPage {
    /// The entries, by `seq` descending.
    pub entries: Vec<ActivityLogEntry>,
    /// The `before_seq` of the next page: the last entry's `seq`, or `None` exactly when nothing older matches.
    pub next_before_seq: Option<i64>,
}
