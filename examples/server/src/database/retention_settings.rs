//! How long entries are kept, as a table of the server's own has it.

use activity_log_axum::RetentionSettings;
use diesel::prelude::*;

diesel::table! {
    retention (id) {
        id -> Integer,
        enabled -> Bool,
        days -> Nullable<Integer>,
        entries -> Nullable<BigInt>,
    }
}

/// The settings as they are stored, in the one row that there is.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = retention, treat_none_as_null = true)]
pub(crate) struct Stored {
    id: i32,
    enabled: bool,
    days: Option<i32>,
    entries: Option<i64>,
}

impl From<RetentionSettings> for Stored {
    fn from(settings: RetentionSettings) -> Self {
        let RetentionSettings { enabled, days, entries, .. } = settings;
        // The viewer accepts no more days than this, and no log has more entries.
        let days = days.map(|days| days.try_into().unwrap_or(i32::MAX));
        let entries = entries.map(|entries| entries.try_into().unwrap_or(i64::MAX));
        Self { id: 1, enabled, days, entries }
    }
}

impl From<Stored> for RetentionSettings {
    fn from(Stored { enabled, days, entries, .. }: Stored) -> Self {
        Self::new(enabled, days.map(i32::unsigned_abs), entries.map(i64::unsigned_abs))
    }
}
