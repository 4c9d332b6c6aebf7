use std::fmt;

/// What is wrong with a log: see [`check`](crate::check).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A migration has not been run. `run_migrations` runs it.
    PendingMigration {
        /// The migration's version.
        version: String,
    },
    /// A newer version of this crate has migrated the database. This version cannot tell whether the log is whole.
    NewerDatabase,
    /// A table, an index or a trigger of the log does not exist. `run_migrations` puts it back.
    Missing {
        /// `table`, `index` or `trigger`.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A table, an index or a trigger of the log is not defined as it should be. `run_migrations` replaces it.
    Different {
        /// `table`, `index` or `trigger`.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The table of entries was created without `AUTOINCREMENT`, so a `seq` can be given again after the newest entries were
    /// deleted: a cursor then skips entries, and summaries may be wrong. Rebuild the table with the definition in the first
    /// migration.
    NoAutoincrement,
    /// The summary of some entries does not agree with them, so that counts or pages are wrong.
    /// [`resummarize`](crate::resummarize) computes it again.
    WrongSummary {
        /// The `seq` with which the summarized entries begin.
        first_seq: i64,
    },
    /// The search index is damaged or lacks messages. [`resummarize`](crate::resummarize) builds it again.
    WrongSearch,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PendingMigration { version } => write!(f, "the migration {version} has not been run"),
            Self::NewerDatabase => f.write_str("a newer version of activity-log has migrated the database"),
            Self::Missing { kind, name } => write!(f, "the {kind} `{name}` is missing"),
            Self::Different { kind, name } => write!(f, "the {kind} `{name}` is not defined as it should be"),
            Self::NoAutoincrement => f.write_str("the table `activity_log` was created without AUTOINCREMENT"),
            Self::WrongSummary { first_seq } => {
                write!(f, "the summary of the entries from seq {first_seq} on is wrong")
            }
            Self::WrongSearch => f.write_str("the search index disagrees with the entries"),
        }
    }
}
