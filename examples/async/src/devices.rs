//! The host's own code: synchronous, as Diesel is for SQLite.

use activity_log::{ActivityCategory, ActivityLogRepository, NewActivityLogEntry};
use diesel::SqliteConnection;
use diesel::prelude::*;

diesel::table! {
    /// The devices of the host.
    devices (id) {
        /// Identifies a device.
        id -> Text,
        /// What people call it.
        name -> Text,
    }
}

/// Renames a device and records that it did: both or neither. Returns the `seq` of the entry.
pub fn rename(conn: &mut SqliteConnection, id: &str, name: &str, actor: &str) -> activity_log::Result<i64> {
    conn.immediate_transaction(|conn| {
        let old_name: String = devices::table.find(id).select(devices::name).first(conn)?;
        diesel::update(devices::table.find(id)).set(devices::name.eq(name)).execute(conn)?;
        let entry = NewActivityLogEntry::new(ActivityCategory::Device, "device.renamed", actor, "Renamed a device")
            .entity("device", id)
            .entity_name(name)
            .metadata_value("previous_name", old_name);
        ActivityLogRepository::new(conn).record(&entry)
    })
}
