//! The rows that are inserted.

use std::borrow::Cow;

use diesel::prelude::*;

use crate::error::Result;
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::model::limits::EntryLimits;
use crate::model::redactor::Redactor;
use crate::schema::activity_log;
use crate::sqlite::timestamp;

/// An entry as a row to insert with Diesel, within a statement of the host's own.
///
/// [`record`](crate::Repository::record) does more: it retries while the database is busy, reports a taken id as
/// [`Error::DuplicateId`](crate::Error::DuplicateId), and keeps the summaries up to date. Rows inserted here are
/// summarized by a later `record` or at the next start.
///
/// ```
/// use activity_log::schema::activity_log as log;
/// use activity_log::{NewActivityLogEntry, NewActivityLogRow};
/// use diesel::prelude::*;
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let entry = NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in").id("sign-in 7");
/// // The row is inserted once, however often this is tried.
/// for inserted in [1, 0] {
///     let rows = diesel::insert_into(log::table)
///         .values(NewActivityLogRow::from_entry(&entry)?)
///         .on_conflict(log::id)
///         .do_nothing()
///         .execute(&mut conn)?;
///     assert_eq!(rows, inserted);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Insertable)]
// Each `None` is written as NULL, so that every insert is the same cached statement.
#[diesel(table_name = activity_log, treat_none_as_default_value = false)]
pub struct NewActivityLogRow<'a> {
    id: Cow<'a, str>,
    ts: String,
    category: Cow<'a, str>,
    action: Cow<'a, str>,
    severity: &'static str,
    actor: Cow<'a, str>,
    entity_type: Option<Cow<'a, str>>,
    entity_id: Option<Cow<'a, str>>,
    entity_name: Option<Cow<'a, str>>,
    message: Cow<'a, str>,
    metadata: String,
}

impl<'a> NewActivityLogRow<'a> {
    /// The entry as [`record`](crate::Repository::record) stores it with the default limits and without a redactor.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEntry`](crate::Error::InvalidEntry), with index 0, if the entry would not read back or exceeds
    /// [`EntryLimits::default`].
    pub fn from_entry(entry: &'a NewActivityLogEntry) -> Result<Self> {
        Self::from_entry_with(entry, EntryLimits::default(), None)
    }

    /// The entry as a repository [with these limits](crate::Repository::with_limits) and [this
    /// redactor](crate::Repository::with_redactor) stores it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEntry`](crate::Error::InvalidEntry), with index 0, if the entry would not read back or exceeds
    /// the limits.
    pub fn from_entry_with(
        entry: &'a NewActivityLogEntry,
        limits: EntryLimits,
        redactor: Option<&Redactor>,
    ) -> Result<Self> {
        Ok(Encoding { limits, redactor }.encode(entry, 0)?.into())
    }
}

impl<'a> From<EncodedEntry<'a>> for NewActivityLogRow<'a> {
    fn from(entry: EncodedEntry<'a>) -> Self {
        Self {
            id: entry.id,
            ts: timestamp::encode(entry.ts),
            category: entry.category,
            action: entry.action,
            severity: entry.severity.as_str(),
            actor: entry.actor,
            entity_type: entry.entity_type,
            entity_id: entry.entity_id,
            entity_name: entry.entity_name,
            message: entry.message,
            metadata: entry.metadata,
        }
    }
}
