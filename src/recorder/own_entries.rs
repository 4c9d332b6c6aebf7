//! The entries that a recorder records about itself.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::model::category::ActivityCategory;
use crate::model::entry::NewActivityLogEntry;
use crate::model::severity::ActivitySeverity;

/// Entries that were dropped because the queue was full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped {
    entries: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Dropped {
    /// Adds entries that are dropped now to those that were before.
    pub(crate) fn more(before: Option<Self>, entries: u64) -> Self {
        let now = Utc::now();
        match before {
            Some(dropped) => Self { entries: dropped.entries.saturating_add(entries), last: now, ..dropped },
            None => Self { entries, first: now, last: now },
        }
    }

    pub(crate) fn entry(self, actor: &str) -> NewActivityLogEntry {
        let message = match self.entries {
            1 => "1 entry was dropped because the queue was full".to_owned(),
            entries => format!("{entries} entries were dropped because the queue was full"),
        };
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
        NewActivityLogEntry::new(ActivityCategory::System, "activity_log.dropped", actor, message)
            .severity(ActivitySeverity::Warning)
            .metadata_value("dropped", self.entries)
            .metadata_value("first", time(self.first))
            .metadata_value("last", time(self.last))
    }
}

pub(crate) fn switched(on: bool, actor: &str) -> NewActivityLogEntry {
    let (action, message, severity) = if on {
        ("activity_log.enabled", "The activity log was switched on", ActivitySeverity::Info)
    } else {
        ("activity_log.disabled", "The activity log was switched off", ActivitySeverity::Warning)
    };
    NewActivityLogEntry::new(ActivityCategory::System, action, actor, message).severity(severity)
}

/// Written twice in one group, which nothing of comes to stay: it shows whether the database takes entries.
pub(crate) fn probe(actor: &str) -> NewActivityLogEntry {
    NewActivityLogEntry::new(ActivityCategory::System, "activity_log.probed", actor, "Does the database take entries?")
}
