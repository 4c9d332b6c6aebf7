//! How long entries are kept, as far as people may see and change it.

use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry, RetentionPolicy, RetentionRun, changes};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;

/// How long entries are kept. A limit that is `None` limits nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RetentionSettings {
    /// Whether anything is deleted at all.
    pub enabled: bool,
    /// Entries that are older than this many days are deleted.
    #[schema(required, minimum = 1, maximum = 36_500)]
    #[serde(default)]
    pub days: Option<u32>,
    /// Only this many of the newest entries are kept.
    #[schema(required, minimum = 1)]
    #[serde(default)]
    pub entries: Option<u64>,
}

impl RetentionSettings {
    /// Settings with these limits.
    #[must_use]
    pub const fn new(enabled: bool, days: Option<u32>, entries: Option<u64>) -> Self {
        Self { enabled, days, entries }
    }

    /// The policy that does what these settings say; one without limits if they are not enabled.
    ///
    /// ```
    /// use activity_log::RetentionPolicy;
    /// use activity_log_axum::RetentionSettings;
    /// use chrono::TimeDelta;
    ///
    /// let settings = RetentionSettings::new(true, Some(90), None);
    /// assert_eq!(settings.policy(), RetentionPolicy::new().max_age(TimeDelta::days(90)));
    /// assert_eq!(RetentionSettings::new(false, Some(90), None).policy(), RetentionPolicy::new());
    /// ```
    #[must_use]
    pub fn policy(&self) -> RetentionPolicy {
        let Self { enabled, days, entries } = *self;
        let policy = RetentionPolicy::new();
        if !enabled {
            return policy;
        }
        let policy = days.into_iter().fold(policy, |policy, days| policy.max_age(TimeDelta::days(days.into())));
        entries.into_iter().fold(policy, RetentionPolicy::max_entries)
    }
}

/// What somebody asks [`Retention::change`] for.
#[derive(Debug)]
pub struct RetentionChange {
    settings: RetentionSettings,
    /// The entry, as long as nobody knows what changes.
    entry: NewActivityLogEntry,
}

impl RetentionChange {
    /// A change by an actor in the current context.
    pub(crate) fn here(settings: RetentionSettings, actor: String) -> Self {
        let message = format!("{actor} changed how long the activity log is kept");
        let entry = NewActivityLogEntry::here(ActivityCategory::System, "activity_log_retention_changed", message);
        Self { settings, entry: NewActivityLogEntry { actor, ..entry.severity(ActivitySeverity::Warning) } }
    }

    /// The new settings.
    #[must_use]
    pub const fn settings(&self) -> RetentionSettings {
        self.settings
    }

    /// The entry to record, which says who changed what in the settings `before`. `None` if nothing changes: then there is
    /// nothing to store.
    ///
    /// # Errors
    ///
    /// Those of [`changes`].
    pub fn entry(&self, before: &RetentionSettings) -> activity_log::Result<Option<NewActivityLogEntry>> {
        let changed = changes(before, &self.settings)?;
        Ok(changed.map(|changed| self.entry.clone().metadata_values(changed)))
    }
}

/// The retention of a host: see [`Viewer::retention`](crate::Viewer::retention).
///
/// The methods may block. [The crate](crate#retention) has an example.
pub trait Retention: Send + Sync + 'static {
    /// The current settings.
    ///
    /// # Errors
    ///
    /// Any failure to load them; the client receives it.
    fn settings(&self) -> Result<RetentionSettings, ApiError>;

    /// Stores other settings, and has them applied, such as with
    /// [`RetentionWorker::set_policy`](activity_log::RetentionWorker::set_policy).
    ///
    /// One transaction reads the former settings, gets the [entry](RetentionChange::entry) from the change,
    /// stores the new ones and records the entry. Nobody else may change the settings meanwhile, so the
    /// transaction begins as one that writes, or reads the settings `FOR UPDATE`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the host from storing both. Neither is stored then.
    fn change(&self, change: &RetentionChange) -> Result<(), ApiError>;

    /// The last run, such as [`RetentionWorker::last_run`](activity_log::RetentionWorker::last_run) has it.
    fn last_run(&self) -> Option<RetentionRun>;
}
