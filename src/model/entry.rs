use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::model::category::ActivityCategory;
use crate::model::severity::ActivitySeverity;

/// An entry to write: who did what, to which entity, when.
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
/// Texts are stored as they are, except that U+0000 becomes U+FFFD. `ts` is cut to microseconds, and a leap second
/// becomes the last microsecond of its second. An entry that would not read back is refused with
/// [`Error::InvalidEntry`](crate::Error::InvalidEntry): one with a year outside 0001–9999, or with metadata nested more
/// than 127 levels deep, its own object being the first. So is one that exceeds its
/// [`EntryLimits`](crate::EntryLimits).
///
/// As JSON, an entry is nested one level deeper than its metadata, and a page of entries three levels. `serde_json`
/// reads 127 levels in all; [`export::read_ndjson`](crate::export::read_ndjson) reads the one more that its lines may
/// have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewActivityLogEntry {
    /// Identifies the entry, unique in the log: `al_` and 32 hex digits if made by [`new`](Self::new).
    pub id: String,
    /// When it happened, in UTC, to the microsecond. As JSON: RFC 3339.
    pub ts: DateTime<Utc>,
    /// The area of the server that the entry belongs to.
    pub category: ActivityCategory,
    /// What was done, in the host's vocabulary: `device.updated`.
    pub action: String,
    /// How much it matters.
    pub severity: ActivitySeverity,
    /// Who did it: a user, a service, an address.
    pub actor: String,
    /// The type of the entity that it was done to.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// The entity's id.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// The entity's name at the time.
    #[serde(default)]
    pub entity_name: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Anything else worth keeping, as a JSON object.
    #[serde(default, deserialize_with = "crate::model::metadata::deserialize")]
    pub metadata: Map<String, Value>,
}

impl NewActivityLogEntry {
    /// An entry that happens now, with a new id, severity [`Info`](ActivitySeverity::Info), no entity and empty
    /// metadata.
    ///
    /// The id is `al_` and a UUIDv7 as 32 hex digits, so ids sort by the time they were made. `ts` is the system
    /// clock's time, cut to microseconds and never rounded up.
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

    /// Sets the entity's type and id.
    #[must_use]
    pub fn entity(self, entity_type: impl Into<String>, entity_id: impl Into<String>) -> Self {
        self.entity_type(entity_type).entity_id(entity_id)
    }

    /// Sets the entity's type.
    #[must_use]
    pub fn entity_type(mut self, entity_type: impl Into<String>) -> Self {
        self.entity_type = Some(entity_type.into());
        self
    }

    /// Sets the entity's id.
    #[must_use]
    pub fn entity_id(mut self, entity_id: impl Into<String>) -> Self {
        self.entity_id = Some(entity_id.into());
        self
    }

    /// Sets the entity's name.
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

    /// Sets one value in the metadata.
    #[must_use]
    pub fn metadata_value(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Sets several values in the metadata, such as those of [`changes`](crate::changes).
    #[must_use]
    pub fn metadata_values(mut self, values: impl IntoIterator<Item = (String, Value)>) -> Self {
        self.metadata.extend(values);
        self
    }
}

/// An entry read from the log: what was written, and its position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityLogEntry {
    /// The entry's position in the log. Later entries have greater numbers, and a committed number is never reused.
    pub seq: i64,
    /// Identifies the entry, unique in the log.
    pub id: String,
    /// When it happened, in UTC, to the microsecond. As JSON: RFC 3339.
    pub ts: DateTime<Utc>,
    /// The area of the server that the entry belongs to.
    pub category: ActivityCategory,
    /// What was done, in the host's vocabulary.
    pub action: String,
    /// How much it matters.
    pub severity: ActivitySeverity,
    /// Who did it.
    pub actor: String,
    /// The type of the entity that it was done to.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// The entity's id.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// The entity's name at the time.
    #[serde(default)]
    pub entity_name: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Anything else worth keeping, as a JSON object.
    #[serde(default, deserialize_with = "crate::model::metadata::deserialize")]
    pub metadata: Map<String, Value>,
}

impl From<ActivityLogEntry> for NewActivityLogEntry {
    /// The same entry without its `seq`, to record it in another log or to restore it.
    fn from(entry: ActivityLogEntry) -> Self {
        // Destructured so that the compiler notices a field that is added to both.
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

/// A page of entries, newest first, and the cursors of the pages on both sides of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ActivityLogPage {
    /// The entries, by `seq` descending.
    pub entries: Vec<ActivityLogEntry>,
    /// The `before_seq` with which [`page`](crate::Repository::page) returns the page of older entries: the last
    /// entry's `seq`, or `None` exactly when no older entry matches.
    pub next_before_seq: Option<i64>,
    /// The `after_seq` with which [`page_after`](crate::Repository::page_after) returns the page of newer entries: the
    /// first entry's `seq`, or `None` exactly when no newer entry matches. A [`page`](crate::Repository::page) without
    /// a cursor is the newest and has `None`.
    #[serde(default)]
    pub prev_after_seq: Option<i64>,
}
