//! What of the host's refers to the log and may hold rows back: foreign keys and triggers.

use diesel::prelude::QueryResult;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::{self, DatabaseError};
use diesel::sql_types::{Bool, Nullable, Text};

use crate::error::postgres::{is_busy, is_canceled, is_full};
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// The host's foreign keys and triggers on the log.
#[derive(Debug)]
pub(crate) struct References {
    /// The condition for the rows to which no foreign key refers, in SQL; `None` if there are no foreign keys.
    unreferenced: Option<String>,
    /// On deletions or updates.
    has_triggers: bool,
}

impl References {
    pub(crate) async fn find(conn: &mut impl Execute) -> QueryResult<Self> {
        let references = Sql::new(REFERENCES).returning::<(Nullable<Text>, Bool)>();
        let (unreferenced, has_triggers) = conn.one::<(Option<String>, bool), _>(references).await?;
        Ok(Self { unreferenced, has_triggers })
    }

    /// Whether any row may be held back.
    pub(crate) fn exist(&self) -> bool {
        self.unreferenced.is_some() || self.has_triggers
    }

    /// The condition for the rows to which no foreign key refers, after ` AND `.
    pub(crate) fn unreferenced(&self) -> String {
        self.unreferenced.as_ref().map(|condition| format!(" AND {condition}")).unwrap_or_default()
    }

    /// Whether an error says that the host holds rows back. The error that a trigger raises has no kind.
    pub(crate) fn hold_back(&self, error: &Error) -> bool {
        match error {
            DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => true,
            DatabaseError(DatabaseErrorKind::Unknown, information) => {
                let message = information.message();
                self.has_triggers && !is_busy(message) && !is_full(message) && !is_canceled(message)
            }
            DatabaseError(DatabaseErrorKind::RestrictViolation | DatabaseErrorKind::CheckViolation, _) => {
                self.has_triggers
            }
            _ => false,
        }
    }
}

const REFERENCES: &str = "\
    SELECT ( \
        SELECT string_agg(format('NOT EXISTS (SELECT 1 FROM %s AS referrer WHERE %s)', conrelid::regclass, ( \
            SELECT string_agg(format('referrer.%I = activity_log.%I', own.attname, referred.attname), ' AND ') \
            FROM unnest(conkey, confkey) AS pair (own_column, referred_column) \
            JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = own_column \
            JOIN pg_attribute AS referred ON referred.attrelid = confrelid AND referred.attnum = referred_column \
        )), ' AND ') \
        FROM pg_constraint WHERE contype = 'f' AND confrelid = 'activity_log'::regclass AND confdeltype IN ('a', 'r') \
    ), EXISTS ( \
        SELECT 1 FROM pg_trigger WHERE tgrelid = 'activity_log'::regclass AND NOT tgisinternal AND tgenabled <> 'D' \
            AND tgtype & 24 <> 0 AND tgname NOT IN ('activity_log_rollup_delete', 'activity_log_rollup_update') \
    )";
