//! Entries that are written together or not at all, in a transaction that other groups share.

use diesel::result::DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
use diesel::result::Error::{DatabaseError, NotFound};

use crate::error::{Error, Result};
use crate::model::encoding::Encoding;
use crate::model::entry::NewActivityLogEntry;

/// Entries that are written together or not at all.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    pub(crate) entries: &'a [NewActivityLogEntry],
    pub(crate) encoding: Encoding<'a>,
}

/// The `seq` of each entry of a group, or why the group was not written.
pub(crate) type Outcome = Result<Vec<i64>>;

/// Why a transaction with groups did not succeed.
#[derive(Debug)]
pub struct Uncommitted {
    pub(crate) error: Error,
    /// The outcomes that the commit was to make true, if it was the commit that failed. It may have happened nevertheless.
    pub(crate) outcomes: Vec<Outcome>,
}

impl<E: Into<Error>> From<E> for Uncommitted {
    fn from(error: E) -> Self {
        Self { error: error.into(), outcomes: Vec::new() }
    }
}

/// Whether the entry is at fault, and no other than this one need be.
pub(crate) fn is_of_entry(error: &Error) -> bool {
    match error {
        Error::InvalidEntry { .. } | Error::DuplicateId { .. } | Error::Database(NotFound) => true,
        Error::Database(DatabaseError(kind, _)) => {
            matches!(kind, CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation)
        }
        _ => false,
    }
}
