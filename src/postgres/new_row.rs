//! The rows that are inserted.

use std::borrow::Cow;

use diesel::data_types::PgTimestamp;
use diesel::prelude::*;

use crate::error::Result;
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::model::limits::EntryLimits;
use crate::model::redactor::Redactor;
use crate::postgres::lengths::check_lengths;
use crate::postgres::schema::activity_log;
use crate::postgres::timestamp;

/// An entry as a row to insert with Diesel, within a statement of the host's own.
///
/// [`record`](crate::Repository::record) does more: it reports a taken id as
/// [`Error::DuplicateId`](crate::Error::DuplicateId) and leaves the caller's transaction usable.
#[derive(Debug, Clone, Insertable)]
// Each `None` is written as NULL, so that every insert is the same prepared statement.
#[diesel(table_name = activity_log, treat_none_as_default_value = false)]
pub struct NewActivityLogRow<'a> {
    id: Cow<'a, str>,
    ts: PgTimestamp,
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
        let encoded = Encoding { limits, redactor }.encode(entry, 0)?;
        check_lengths(&encoded, 0)?;
        Ok(encoded.into())
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
