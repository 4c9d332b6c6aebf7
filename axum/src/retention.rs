//! How long entries are kept, as far as people may see and change it.

use activity_log::{NewActivityLogEntry, RetentionPolicy, RetentionRun};
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
    /// All but this many entries, the newest, are deleted.
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

/// The retention of a host: see [`Viewer::retention`](crate::Viewer::retention).
///
/// The methods may block. [The crate](crate#retention) has an example.
pub trait Retention: Send + Sync + 'static {
    /// The settings that hold now.
    ///
    /// # Errors
    ///
    /// Whatever keeps the host from knowing them; it is the answer to the request.
    fn settings(&self) -> Result<RetentionSettings, ApiError>;

    /// Stores other settings, records the entry, which says who changed what, in the same transaction, and has the
    /// settings applied, such as with [`RetentionWorker::set_policy`](activity_log::RetentionWorker::set_policy).
    ///
    /// # Errors
    ///
    /// Whatever keeps the host from storing both. Neither is stored then.
    fn change(&self, settings: RetentionSettings, entry: NewActivityLogEntry) -> Result<(), ApiError>;

    /// The last run, such as [`RetentionWorker::last_run`](activity_log::RetentionWorker::last_run) has it.
    fn last_run(&self) -> Option<RetentionRun>;
}
