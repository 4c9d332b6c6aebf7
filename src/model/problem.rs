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
    /// A table, an index, a trigger or something else of the log does not exist. `run_migrations` puts it back, or
    /// `enable_rollups` if it is a part of the rollups.
    Missing {
        /// `table`, `index`, `trigger`, `constraint`, `column`, `function` or `sequence`.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A table, an index, a trigger or something else of the log is not defined as it should be. `run_migrations` replaces
    /// it, but not a column, a sequence, or a constraint that rows violate. A part of the rollups, such as a trigger that was
    /// disabled for a while, is replaced by `enable_rollups`.
    Different {
        /// `table`, `index`, `trigger`, `constraint`, `column`, `function` or `sequence`.
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
    /// An index was not built to the end, because a `CREATE INDEX CONCURRENTLY` failed or is still running. No query uses
    /// it. `run_migrations` builds it again, or `enable_search` if it is the search index.
    InvalidIndex {
        /// Its name.
        name: String,
    },
    /// The sequence that numbers the entries gives several numbers to each connection in advance. A connection then records
    /// with numbers that are lower than those others have seen, and followers miss the entry. Run `ALTER SEQUENCE … CACHE 1`.
    SequenceCache {
        /// How many numbers each connection gets.
        cache: i64,
    },
    /// The sequence that numbers the entries will give numbers that entries already have, or lower ones, as after rows were
    /// inserted with a chosen `seq`. Followers and cursors miss the entries that get them. Set the sequence to `newest_seq`
    /// with `setval`.
    SequenceBehind {
        /// The last number that the sequence gave, if any.
        last_seq: Option<i64>,
        /// The greatest `seq` in the log.
        newest_seq: i64,
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
            Self::InvalidIndex { name } => write!(f, "the index `{name}` was not built to the end"),
            Self::SequenceCache { cache } => {
                write!(
                    f,
                    "the sequence of `seq` gives each connection {cache} numbers in advance, so followers miss entries"
                )
            }
            Self::SequenceBehind { last_seq, newest_seq } => {
                let last_seq = last_seq.unwrap_or_default();
                write!(f, "the sequence of `seq` is at {last_seq}, behind the newest entry with seq {newest_seq}")
            }
            Self::WrongSearch => f.write_str("the search index disagrees with the entries"),
        }
    }
}
