//! Any stored row is read as an entry or as a typed error, and every recorded entry reads back equal.

#![no_main]

use std::cell::RefCell;

use activity_log::json::{find_inexact_number, replace_lone_surrogates};
use activity_log::{ActivityCategory, ActivityLogEntry, ActivityLogFilters, Error, NewActivityLogEntry};
use activity_log_fuzz::input::Entry;
use activity_log_fuzz::passes::Passes;
use activity_log_fuzz::{normal, unlimited};
use arbitrary::Arbitrary;
use chrono::{DateTime, Datelike, TimeDelta};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Double, Nullable};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Input {
    Stored { table: Table, row: [Stored; COLUMNS.len()] },
    Recorded { entry: Box<Entry>, part: (u16, u16) },
}

/// A table that another program created before the migrations ran.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Table {
    /// The columns are declared as in this crate, but may be NULL.
    Text,
    /// The columns are declared without a type, so SQLite keeps numbers as numbers.
    Untyped,
    /// Like the first, in a UTF-16 database.
    Utf16,
}

/// The new value of a column.
#[derive(Debug, Arbitrary)]
enum Stored {
    /// The old value.
    Intact,
    /// The old value with a part of it replaced.
    Edited {
        at: u8,
        cut: u8,
        bytes: Vec<u8>,
    },
    Text(Vec<u8>),
    Blob(Vec<u8>),
    Integer(i64),
    Real(f64),
    Null,
}

const COLUMNS: [&str; 11] = [
    "id",
    "ts",
    "category",
    "action",
    "severity",
    "actor",
    "entity_type",
    "entity_id",
    "entity_name",
    "message",
    "metadata",
];

impl Table {
    fn create(self) -> SqliteConnection {
        let mut conn = activity_log::connect(":memory:").expect("a database in memory opens");
        let (encoding, text) = match self {
            Self::Text => ("UTF-8", "TEXT"),
            Self::Untyped => ("UTF-8", ""),
            Self::Utf16 => ("UTF-16", "TEXT"),
        };
        let columns = COLUMNS.map(|column| format!("{column} {text}")).join(", ");
        conn.batch_execute(&format!(
            "PRAGMA encoding = '{encoding}';
             CREATE TABLE activity_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, UNIQUE (id))"
        ))
        .expect("an older table is created");
        activity_log::run_migrations(&mut conn).expect("an older table is adopted");
        conn
    }
}

fn empty(conn: &mut SqliteConnection) -> &mut SqliteConnection {
    conn.batch_execute("DELETE FROM activity_log; DELETE FROM sqlite_sequence").expect("the log is emptied");
    conn
}

fn intact(number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry::new("system", "tick", "clock", format!("Tick {number}"))
        .id(format!("al_{number:08x}"))
        .ts(DateTime::UNIX_EPOCH + TimeDelta::milliseconds(number * 1_500))
        .entity("device", "dev_7")
        .entity_name("Lamp")
        .metadata_value("a", vec![0.5, -1e300])
        .metadata_value("b", true)
}

fn everything() -> ActivityLogFilters {
    ActivityLogFilters::default()
}

/// Stores these values in the row with seq 2, each either bound or written in SQL. Returns `false` when the database
/// refuses the values.
fn store(conn: &mut SqliteConnection, row: &[Stored]) -> bool {
    let expression = |(column, stored): (&&str, &Stored)| match stored {
        Stored::Intact => format!("{column} = {column}"),
        Stored::Edited { at, cut, .. } => {
            let bytes = format!("CAST({column} AS BLOB)");
            let rest = u16::from(*at) + u16::from(*cut) + 1;
            format!("{column} = CAST(substr({bytes}, 1, {at}) || ? || substr({bytes}, {rest}) AS TEXT)")
        }
        Stored::Text(_) => format!("{column} = CAST(? AS TEXT)"),
        Stored::Blob(_) | Stored::Integer(_) | Stored::Real(_) => format!("{column} = ?"),
        Stored::Null => format!("{column} = NULL"),
    };
    let assignments = COLUMNS.iter().zip(row).map(expression).collect::<Vec<_>>().join(", ");
    let mut update = diesel::sql_query(format!("UPDATE activity_log SET {assignments} WHERE seq = 2")).into_boxed();
    for stored in row {
        update = match stored {
            Stored::Edited { bytes, .. } | Stored::Text(bytes) | Stored::Blob(bytes) => {
                update.bind::<Binary, _>(bytes.as_slice())
            }
            Stored::Integer(value) => update.bind::<BigInt, _>(*value),
            Stored::Real(value) => update.bind::<Double, _>(*value),
            Stored::Intact | Stored::Null => update,
        };
    }
    match update.execute(conn) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().contains("UNIQUE"), "{error}");
            false
        }
    }
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Nullable<Binary>)]
    bytes: Option<Vec<u8>>,
}

/// A column of the row with seq 2 as text, read without the crate.
fn stored_text(conn: &mut SqliteConnection, column: &str) -> Option<String> {
    let bytes = format!("SELECT CAST(CAST({column} AS TEXT) AS BLOB) AS bytes FROM activity_log WHERE seq = 2");
    let row = diesel::sql_query(bytes).get_result::<Bytes>(conn).expect("the row exists");
    row.bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The entry that the row with seq 2 should be read as, or the columns that may be reported.
fn expected(conn: &mut SqliteConnection) -> Result<ActivityLogEntry, Vec<&'static str>> {
    let texts = COLUMNS.map(|column| stored_text(conn, column));
    let [id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata] = &texts;
    let ts = ts.as_deref().and_then(|ts| DateTime::parse_from_rfc3339(ts).ok());
    let severity = severity.as_deref().and_then(|severity| severity.parse().ok());
    let metadata = metadata.as_deref().and_then(|metadata| {
        let json = replace_lone_surrogates(metadata.as_bytes());
        if find_inexact_number(&json).is_some() { None } else { serde_json::from_slice(&json).ok() }
    });

    let unreadable = COLUMNS.iter().zip(&texts).filter(|(column, text)| match **column {
        "ts" => ts.is_none(),
        "severity" => severity.is_none(),
        "metadata" => metadata.is_none(),
        "entity_type" | "entity_id" | "entity_name" => false,
        _ => text.is_none(),
    });
    let unreadable = unreadable.map(|(column, _)| *column).collect::<Vec<_>>();
    let entry = || {
        Some(ActivityLogEntry {
            seq: 2,
            id: id.clone()?,
            ts: ts?.to_utc(),
            category: category.as_deref()?.into(),
            action: action.clone()?,
            severity: severity?,
            actor: actor.clone()?,
            entity_type: entity_type.clone(),
            entity_id: entity_id.clone(),
            entity_name: entity_name.clone(),
            message: message.clone()?,
            metadata: metadata.clone()?,
        })
    };
    entry().ok_or(unreadable)
}

/// Returns the entry that was read from the row.
fn any_stored_row_is_an_entry_or_a_typed_error(
    conn: &mut SqliteConnection,
    table: Table,
    row: &[Stored],
) -> Option<ActivityLogEntry> {
    let sides = [intact(1), intact(2), intact(3)];
    unlimited(conn).record_all(&sides).expect("intact entries are recorded");
    if !store(conn, row) {
        return None;
    }
    // The expectations do not model how SQLite reads broken UTF-16.
    let expected = (!matches!(table, Table::Utf16)).then(|| expected(conn));
    let [first, _, third] = sides.map(|entry| normal::entry(&entry, 0));
    let (first, third) = (ActivityLogEntry { seq: 1, ..first }, ActivityLogEntry { seq: 3, ..third });

    let mut log = unlimited(conn);
    let as_expected = |read: activity_log::Result<ActivityLogEntry>| match (read, &expected) {
        (Ok(entry), None) => assert_eq!(entry.seq, 2),
        (Err(Error::UnreadableRow { seq, .. }), None) => assert_eq!(seq, 2),
        (Ok(entry), Some(expected)) => assert_eq!(Ok(&entry), expected.as_ref()),
        (Err(Error::UnreadableRow { seq, column, .. }), Some(Err(columns))) => {
            assert!(seq == 2 && columns.contains(&column), "{column} of {columns:?}");
        }
        (read, expected) => panic!("{read:?} instead of {expected:?}"),
    };
    let only = |read: activity_log::Result<Vec<ActivityLogEntry>>| {
        read.map(|entries| <[_; 1]>::try_from(entries).expect("one entry").into_iter().next().expect("one entry"))
    };
    as_expected(only(log.query(&everything(), Some(3), 1)));
    as_expected(only(log.page(&everything(), Some(3), 1).map(|page| page.entries)));
    as_expected(only(log.query_after(&everything(), 1, 1)));

    // The rows on both sides of it.
    assert_eq!(log.query(&everything(), None, 1).expect("the newest"), [third.clone()]);
    assert_eq!(log.query(&everything(), Some(2), 9).expect("the oldest"), [first.clone()]);
    assert_eq!(log.query_after(&everything(), 0, 1).expect("the oldest"), [first.clone()]);
    assert_eq!(log.query_after(&everything(), 2, 9).expect("the newest"), [third.clone()]);
    let mut exported = log.iter_export(&everything()).expect("an export").collect::<Vec<_>>().into_iter();
    assert_eq!(exported.next().expect("the first").expect("an entry"), first);
    as_expected(exported.next().expect("the second"));
    assert_eq!(exported.next().expect("the third").expect("an entry"), third);
    assert!(exported.next().is_none());

    // The row in the middle never hides its neighbours from a filter, whatever it holds.
    let filters = ActivityLogFilters { message_contains: Some("tick 3".to_owned()), ..everything() };
    let found = log.count(&ActivityLogFilters { until: Some(third.ts), since: Some(third.ts), ..filters.clone() });
    assert!(found.expect("a count") >= 1);
    let found = log.query_after(&filters, 2, 9).expect("the newest");
    assert_eq!(found, [third]);

    match log.query(&everything(), Some(3), 1).map(|entries| entries.into_iter().next()) {
        Ok(Some(read)) => {
            assert_eq!(log.count(&everything()).expect("a count"), 3);
            assert_eq!(log.prune(None, Some(1)).expect("a prune"), 2);
            assert_eq!(log.clear().expect("a clear"), 1);
            Some(read)
        }
        _ => {
            assert_eq!(log.count(&everything()).expect("a count"), 3);
            // Age deletes the first row and may delete the broken one. The count then deletes the broken row if it is
            // left.
            let deleted = log.prune(Some(intact(2).ts), None).expect("a prune");
            assert!((1..=2).contains(&deleted), "{deleted}");
            assert_eq!(log.prune(None, Some(1)).expect("a prune"), 2 - deleted);
            assert_eq!(log.clear().expect("a clear"), 1);
            None
        }
    }
}

/// An entry that was read can be copied into another log and reads back equal there.
fn a_read_entry_can_be_recorded_again(conn: &mut SqliteConnection, read: &ActivityLogEntry) {
    let json = serde_json::to_value(read).expect("an entry is JSON");
    assert_eq!(serde_json::from_value::<ActivityLogEntry>(json).expect("the JSON is an entry"), *read);

    let mut log = unlimited(conn);
    match log.record(&normal::written_again(read)) {
        Ok(seq) => {
            let again = log.query(&everything(), None, 9).expect("the recorded entry is read");
            assert_eq!(again, [normal::entry(&normal::written_again(read), seq)]);
        }
        Err(Error::InvalidEntry { field: "ts", .. }) if !(1..=9999).contains(&read.ts.year()) => {}
        Err(error) => panic!("{error}"),
    }
}

fn a_recorded_entry_reads_back(conn: &mut SqliteConnection, entry: &NewActivityLogEntry, part: (u16, u16)) {
    let mut log = unlimited(conn);
    // The other entry shows that a filter separates the two entries wherever they differ.
    let other = intact(1);
    log.record(&other).expect("an intact entry is recorded");
    let other = normal::entry(&other, 1);
    let seq = match (log.record(entry), normal::refused(entry).as_slice()) {
        (Ok(seq), []) => seq,
        (Err(Error::InvalidEntry { index: 0, field, .. }), refused) if refused.contains(&field) => {
            assert_eq!(log.query(&everything(), None, 9).expect("the log is read"), [other]);
            return;
        }
        (Err(Error::DuplicateId { index: 0 }), []) => {
            assert_eq!(entry.id, other.id);
            return;
        }
        (recorded, refused) => panic!("{recorded:?}, but the expected refusals are {refused:?}"),
    };
    let stored = normal::entry(entry, seq);
    let both = [other.clone(), stored.clone()];
    assert_eq!(log.query_after(&everything(), 0, 9).expect("the log is read"), both);

    let mut found_by = |filters: ActivityLogFilters| {
        let passes = Passes::new(&filters);
        let found = both.iter().filter(|entry| passes.all_of(entry)).cloned().collect::<Vec<_>>();
        let read = log.query_after(&filters, 0, 9).expect("the log is read");
        assert_eq!(read, found, "{filters:?}");
        assert_eq!(log.count(&filters).expect("a count"), found.len() as u64, "{filters:?}");
        for entry in &both {
            assert_eq!(filters.matches(entry), found.contains(entry), "{filters:?}");
        }
    };
    found_by(ActivityLogFilters { categories: vec![entry.category.clone()], ..everything() });
    let categories = vec![ActivityCategory::from("none of them"), entry.category.clone()];
    found_by(ActivityLogFilters { categories, ..everything() });
    found_by(ActivityLogFilters { severities: vec![entry.severity], ..everything() });
    let beginning = part_of(&entry.action, (0, part.1)).to_owned() + ".*";
    for action in [entry.action.clone(), beginning] {
        found_by(ActivityLogFilters { actions: vec![action.clone()], ..everything() });
        found_by(ActivityLogFilters { exclude_actions: vec![action], ..everything() });
    }
    found_by(ActivityLogFilters { actor: Some(entry.actor.clone()), ..everything() });
    let actors = vec!["none of them".to_owned(), entry.actor.clone()];
    found_by(ActivityLogFilters { actors: actors.clone(), ..everything() });
    found_by(ActivityLogFilters { exclude_actors: actors, ..everything() });
    found_by(ActivityLogFilters { entity_type: entry.entity_type.clone(), ..everything() });
    found_by(ActivityLogFilters { entity_id: entry.entity_id.clone(), ..everything() });
    for ts in [stored.ts, normal::instant(entry.ts)] {
        found_by(ActivityLogFilters { until: Some(ts), ..everything() });
    }
    for (since, until) in [(stored.ts, stored.ts), (stored.ts, entry.ts)] {
        found_by(ActivityLogFilters { since: Some(since), until: Some(until), ..everything() });
    }

    let term = part_of(&entry.message, part);
    for term in [term.to_owned(), term.to_ascii_uppercase(), term.to_ascii_lowercase()] {
        found_by(ActivityLogFilters { message_contains: Some(term), ..everything() });
    }
}

/// The part of a text from one character to another.
fn part_of(text: &str, (start, length): (u16, u16)) -> &str {
    let positions = text.char_indices().map(|(position, _)| position).chain([text.len()]).collect::<Vec<_>>();
    let start = usize::from(start) % positions.len();
    let end = (start + usize::from(length)).min(positions.len() - 1);
    &text[positions[start]..positions[end]]
}

struct Logs {
    text: SqliteConnection,
    untyped: SqliteConnection,
    utf16: SqliteConnection,
    own: SqliteConnection,
}

thread_local! {
    // Created only once, because this takes longer than everything else.
    static LOGS: RefCell<Logs> = RefCell::new(Logs {
        text: Table::Text.create(),
        untyped: Table::Untyped.create(),
        utf16: Table::Utf16.create(),
        own: {
            let mut conn = activity_log::connect(":memory:").expect("a database in memory opens");
            activity_log::run_migrations(&mut conn).expect("the table is created");
            conn
        },
    });
}

fuzz_target!(|input: Input| {
    LOGS.with_borrow_mut(|logs| match input {
        Input::Stored { table, row } => {
            let conn = match table {
                Table::Text => &mut logs.text,
                Table::Untyped => &mut logs.untyped,
                Table::Utf16 => &mut logs.utf16,
            };
            if let Some(read) = any_stored_row_is_an_entry_or_a_typed_error(empty(conn), table, &row) {
                a_read_entry_can_be_recorded_again(empty(&mut logs.own), &read);
            }
        }
        Input::Recorded { entry, part } => {
            a_recorded_entry_reads_back(empty(&mut logs.own), &NewActivityLogEntry::from(*entry), part);
        }
    });
});
