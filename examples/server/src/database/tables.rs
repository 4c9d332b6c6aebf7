//! The server's own tables, and what its handlers ask of a connection in whatever database it is.

use activity_log::{NewActivityLogEntry, Repository, Result};
use activity_log_axum::RetentionSettings;
use chrono::Utc;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::retention_settings::{Stored, retention};
use crate::demo;

diesel::table! {
    devices (id) {
        id -> Text,
        name -> Text,
    }
}

diesel::table! {
    users (name) {
        name -> Text,
        password_hash -> Text,
    }
}

/// A device.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = devices)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
}

pub(crate) trait Tables {
    /// The devices in the order of their ids, at most `limit`.
    fn devices(&mut self, limit: i64) -> Result<Vec<Device>>;

    fn device(&mut self, id: &str) -> Result<Option<Device>>;

    fn put_device(&mut self, device: &Device) -> Result<()>;

    fn remove_device(&mut self, id: &str) -> Result<()>;

    fn has_users(&mut self) -> Result<bool>;

    fn password_hash(&mut self, user: &str) -> Result<Option<String>>;

    fn put_user(&mut self, user: &str, password_hash: &str) -> Result<()>;

    /// The settings; the defaults until they are changed.
    fn retention(&mut self) -> Result<RetentionSettings>;

    fn put_retention(&mut self, settings: RetentionSettings) -> Result<()>;

    /// Runs `work` in a transaction that is ready to write.
    fn in_transaction(&mut self, work: &mut dyn FnMut(&mut dyn Tables) -> Result<()>) -> Result<()>;

    /// Records an entry, in the current transaction if there is one.
    fn record(&mut self, entry: &NewActivityLogEntry) -> Result<()>;

    /// Records entries for a demonstration if the log is empty; returns whether it was.
    fn fill(&mut self, number: u32) -> Result<bool>;
}

/// The statements are the same in each database, but they are not the same types.
macro_rules! tables_of {
    ($connection:ty, $transaction:ident) => {
        impl Tables for $connection {
            fn devices(&mut self, limit: i64) -> Result<Vec<Device>> {
                Ok(devices::table.order(devices::id).limit(limit).select(Device::as_select()).load(self)?)
            }

            fn device(&mut self, id: &str) -> Result<Option<Device>> {
                Ok(devices::table.find(id).select(Device::as_select()).first(self).optional()?)
            }

            fn put_device(&mut self, device: &Device) -> Result<()> {
                let put = diesel::insert_into(devices::table).values(device).on_conflict(devices::id);
                put.do_update().set(device).execute(self)?;
                Ok(())
            }

            fn remove_device(&mut self, id: &str) -> Result<()> {
                diesel::delete(devices::table.find(id)).execute(self)?;
                Ok(())
            }

            fn has_users(&mut self) -> Result<bool> {
                Ok(diesel::select(diesel::dsl::exists(users::table.select(users::name))).get_result(self)?)
            }

            fn password_hash(&mut self, user: &str) -> Result<Option<String>> {
                Ok(users::table.find(user).select(users::password_hash).first(self).optional()?)
            }

            fn put_user(&mut self, user: &str, password_hash: &str) -> Result<()> {
                let password_hash = users::password_hash.eq(password_hash);
                let put = diesel::insert_into(users::table).values((users::name.eq(user), password_hash));
                put.on_conflict(users::name).do_update().set(password_hash).execute(self)?;
                Ok(())
            }

            fn retention(&mut self) -> Result<RetentionSettings> {
                let stored = retention::table.select(Stored::as_select()).first(self).optional()?;
                Ok(stored.map(RetentionSettings::from).unwrap_or_default())
            }

            fn put_retention(&mut self, settings: RetentionSettings) -> Result<()> {
                let stored = Stored::from(settings);
                let put = diesel::insert_into(retention::table).values(&stored).on_conflict(retention::id);
                put.do_update().set(&stored).execute(self)?;
                Ok(())
            }

            fn in_transaction(&mut self, work: &mut dyn FnMut(&mut dyn Tables) -> Result<()>) -> Result<()> {
                self.$transaction(|conn| work(conn))
            }

            fn record(&mut self, entry: &NewActivityLogEntry) -> Result<()> {
                Repository::new(self).record(entry).map(drop)
            }

            fn fill(&mut self, number: u32) -> Result<bool> {
                demo::fill(self, number, Utc::now())
            }
        }
    };
}

tables_of!(SqliteConnection, immediate_transaction);
#[cfg(feature = "postgres")]
tables_of!(PgConnection, transaction);

impl dyn Tables + '_ {
    /// Runs `work` in a transaction that is ready to write, and returns what it returned.
    pub(crate) fn transaction<T>(&mut self, work: impl Fn(&mut dyn Tables) -> Result<T>) -> Result<T> {
        let mut done = None;
        self.in_transaction(&mut |conn| {
            done = Some(work(conn)?);
            Ok(())
        })?;
        // A transaction that commits has called its argument.
        done.ok_or_else(|| diesel::result::Error::NotFound.into())
    }
}
