use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::category::ActivityCategory;
use crate::model::severity::ActivitySeverity;

/// Which entries to read, count or export: those that match every filter that is set.
///
/// An empty list or `None` restricts nothing, so the default value matches the whole log.
///
/// Text filters find the texts that this crate recorded. In rows written by other programs they do not find bytes that
/// are not UTF-8, binary values, or what follows a U+0000.
///
/// ```
/// use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity};
///
/// let failed_sign_ins = ActivityLogFilters {
///     categories: vec![ActivityCategory::Auth],
///     severities: vec![ActivitySeverity::Warning, ActivitySeverity::Error],
///     ..ActivityLogFilters::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityLogFilters {
    /// Any of these categories; at most 32,000 different ones.
    pub categories: Vec<ActivityCategory>,
    /// Any of these severities.
    pub severities: Vec<ActivitySeverity>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this type of entity.
    pub entity_type: Option<String>,
    /// Exactly this id of an entity.
    pub entity_id: Option<String>,
    /// At or after this instant. It rounds up to a whole microsecond, so a finer bound is exact.
    pub since: Option<DateTime<Utc>>,
    /// At or before this instant. It rounds down to a whole microsecond, so a finer bound is exact.
    pub until: Option<DateTime<Utc>>,
    /// The message contains this text, of any length, taken literally: `%`, `_` and `\` match themselves. ASCII letters
    /// match in either case, all other characters exactly.
    pub message_contains: Option<String>,
}
