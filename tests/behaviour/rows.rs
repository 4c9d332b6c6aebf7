//! The host queries the table with Diesel: entries and rows load and insert within statements of its own.

use activity_log::{ActivityLogEntry, ActivityLogFilters, EntryLimits, Error, NewActivityLogEntry, REDACTED, Redactor};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use crate::behaviour::broken_rows::log_with_a_broken_row;
use crate::database::schema::activity_log as log;
use crate::database::{
    ActivityLogRepository, ActivityLogRow, BREAKING_ASSIGNMENTS, Connection, NewActivityLogRow, empty_log,
};
use crate::support::{TestResult, at, everything, numbered, read_back, record_numbered, seqs};

diesel::table! {
    users (id) {
        id -> Text,
        full_name -> Text,
    }
}
impl diesel::query_source::TableNotEqual<users::table> for log::table {}
impl diesel::query_source::TableNotEqual<log::table> for users::table {}

#[derive(Debug, PartialEq, Queryable, Selectable)]
struct User {
    id: String,
    full_name: String,
}

fn user(id: &str, full_name: &str) -> User {
    User { id: id.to_owned(), full_name: full_name.to_owned() }
}

/// Two users, one of whom did something, as a service did.
fn log_with_users() -> TestResult<Connection> {
    let mut conn = empty_log()?;
    conn.batch_execute(
        "CREATE TABLE users (id VARCHAR(99) PRIMARY KEY, full_name VARCHAR(99) NOT NULL); \
         INSERT INTO users VALUES ('alice', 'Alice Example'), ('bob', 'Bob Example')",
    )?;
    ActivityLogRepository::new(&mut conn).record_all(&[by("alice", 1), by("cron", 2), by("alice", 3)])?;
    Ok(conn)
}

fn by(actor: &str, number: i64) -> NewActivityLogEntry {
    NewActivityLogEntry { actor: actor.to_owned(), ..numbered(number) }
}

/// An entry with a value in each field.
fn full() -> TestResult<NewActivityLogEntry> {
    Ok(NewActivityLogEntry::new("billing", "invoice.sent", "alice", "Sent an invoice")
        .id("al_invoice")
        .ts(at("2026-03-04T05:06:07.123456Z")?)
        .severity(activity_log::ActivitySeverity::Warning)
        .entity("invoice", "in_7")
        .entity_name("Invoice 7")
        .metadata_value("total", json!({"amount": 12.5, "token": "secret"})))
}

#[test]
fn a_query_of_the_hosts_own_loads_entries() -> TestResult {
    let mut conn = log_with_users()?;
    ActivityLogRepository::new(&mut conn).record(&full()?)?;
    let filters = ActivityLogFilters { actor: Some("alice".to_owned()), ..everything() };
    let expected = ActivityLogRepository::new(&mut conn).query(&filters, None, 9)?;
    assert_eq!(expected.len(), 3);

    let by_alice = log::table.filter(log::actor.eq("alice")).order(log::seq.desc());
    assert_eq!(by_alice.select(ActivityLogEntry::as_select()).load(&mut conn)?, expected);
    assert_eq!(by_alice.load::<ActivityLogEntry>(&mut conn)?, expected);
    assert_eq!(by_alice.first::<ActivityLogEntry>(&mut conn).optional()?.as_ref(), expected.first());
    Ok(())
}

#[test]
fn a_join_loads_each_entry_beside_a_row_of_the_hosts() -> TestResult {
    let mut conn = log_with_users()?;
    let joined = log::table
        .inner_join(users::table.on(users::id.eq(log::actor)))
        .order(log::seq)
        .select((ActivityLogEntry::as_select(), User::as_select()))
        .load::<(ActivityLogEntry, User)>(&mut conn)?;
    let alice = |number| (read_back(by("alice", number), number), user("alice", "Alice Example"));
    assert_eq!(joined, [alice(1), alice(3)]);
    Ok(())
}

#[test]
fn a_left_join_loads_no_entry_where_there_is_none() -> TestResult {
    let mut conn = log_with_users()?;
    let joined = users::table
        .left_join(log::table.on(log::actor.eq(users::id)))
        .order((users::id, log::seq))
        .select((User::as_select(), Option::<ActivityLogEntry>::as_select()))
        .load::<(User, Option<ActivityLogEntry>)>(&mut conn)?;
    let alice = |number| (user("alice", "Alice Example"), Some(read_back(by("alice", number), number)));
    assert_eq!(joined, [alice(1), alice(3), (user("bob", "Bob Example"), None)]);

    let entries_first = log::table
        .left_join(users::table.on(users::id.eq(log::actor)))
        .order(log::seq)
        .select((ActivityLogEntry::as_select(), users::full_name.nullable()))
        .load::<(ActivityLogEntry, Option<String>)>(&mut conn)?;
    let names = entries_first.iter().map(|(entry, name)| (entry.seq, name.as_deref())).collect::<Vec<_>>();
    assert_eq!(names, [(1, Some("Alice Example")), (2, None), (3, Some("Alice Example"))]);
    Ok(())
}

#[test]
fn an_entry_is_part_of_a_struct_of_the_hosts() -> TestResult {
    #[derive(Debug, PartialEq, Queryable, Selectable)]
    #[diesel(check_for_backend(<Connection as diesel::Connection>::Backend))]
    struct Deed {
        #[diesel(embed)]
        entry: ActivityLogEntry,
        #[diesel(embed)]
        user: User,
    }
    let mut conn = log_with_users()?;
    let deed = log::table
        .inner_join(users::table.on(users::id.eq(log::actor)))
        .order(log::seq)
        .select(Deed::as_select())
        .first(&mut conn)?;
    assert_eq!(deed, Deed { entry: read_back(by("alice", 1), 1), user: user("alice", "Alice Example") });
    Ok(())
}

#[test]
fn a_query_of_the_hosts_own_fails_with_the_seq_and_the_column_of_a_broken_row() -> TestResult {
    for (broken, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        conn.batch_execute("CREATE TABLE users (id VARCHAR(99) PRIMARY KEY, full_name VARCHAR(99) NOT NULL)")?;
        conn.batch_execute("INSERT INTO users VALUES ('clock', 'Clock')")?;
        let plain = log::table.select(ActivityLogEntry::as_select()).load(&mut conn).map(drop);
        let joined = users::table
            .left_join(log::table.on(log::actor.eq(users::id)))
            .select(Option::<ActivityLogEntry>::as_select())
            .load(&mut conn)
            .map(drop);
        for loaded in [plain, joined] {
            let printed = loaded.as_ref().map_err(ToString::to_string).err().ok_or("loaded")?;
            assert!(printed.contains(&format!("seq 3 cannot be read: its `{broken}`")), "{assignment}: {printed}");
            let converted = loaded.map_err(Error::from);
            let Err(Error::UnreadableRow { seq, column, .. }) = converted else {
                return Err(format!("{assignment}: {converted:?}").into());
            };
            assert_eq!((seq, column), (3, broken), "{assignment}");
        }
    }
    Ok(())
}

#[test]
fn a_broken_row_fails_alone_where_rows_are_loaded() -> TestResult {
    for (broken, assignment) in BREAKING_ASSIGNMENTS {
        let mut conn = log_with_a_broken_row(assignment)?;
        let rows = log::table.order(log::seq).select(ActivityLogRow::as_select()).load(&mut conn)?;
        assert_eq!(rows.iter().map(ActivityLogRow::seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{assignment}");
        let outcomes = rows.into_iter().map(|row| match row.into_entry() {
            Err(Error::UnreadableRow { seq, column, .. }) => Ok((seq, Some(column))),
            Err(error) => Err(error),
            Ok(entry) => Ok((entry.seq, None)),
        });
        let expected = [(1, None), (2, None), (3, Some(broken)), (4, None), (5, None)];
        assert_eq!(outcomes.collect::<activity_log::Result<Vec<_>>>()?, expected, "{assignment}");
    }
    Ok(())
}

#[test]
fn a_row_is_identified_by_its_seq() -> TestResult {
    let mut conn = empty_log()?;
    record_numbered(&mut conn, 3)?;
    let row = log::table.filter(log::seq.eq(2)).first::<ActivityLogRow>(&mut conn)?;
    assert_eq!(*Identifiable::id(&row), 2);
    diesel::delete(log::table.filter(log::seq.eq(row.seq()))).execute(&mut conn)?;
    assert_eq!(seqs(&ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?), [3, 1]);
    Ok(())
}

#[test]
fn an_inserted_row_reads_back_like_a_recorded_entry() -> TestResult {
    let mut conn = empty_log()?;
    let entries = [full()?, numbered(2), numbered(3).id("nul \0").entity_name("")];
    for entry in &entries {
        diesel::insert_into(log::table).values(NewActivityLogRow::from_entry(entry)?).execute(&mut conn)?;
    }
    let inserted = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, 9)?;

    let mut recorded = empty_log()?;
    ActivityLogRepository::new(&mut recorded).record_all(&entries)?;
    assert_eq!(inserted, ActivityLogRepository::new(&mut recorded).query_after(&everything(), 0, 9)?);
    assert_eq!(inserted.first(), Some(&read_back(full()?, 1)));
    Ok(())
}

#[test]
fn several_rows_are_inserted_by_one_statement() -> TestResult {
    let mut conn = empty_log()?;
    let entries = (1..=3).map(numbered).collect::<Vec<_>>();
    let rows = entries.iter().map(NewActivityLogRow::from_entry).collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(diesel::insert_into(log::table).values(rows).execute(&mut conn)?, 3);
    assert_eq!(seqs(&ActivityLogRepository::new(&mut conn).query(&everything(), None, 9)?), [3, 2, 1]);
    Ok(())
}

#[test]
fn an_entry_that_cannot_be_stored_makes_no_row() {
    let long = NewActivityLogEntry { actor: "x".repeat(1_025), ..numbered(1) };
    let far = numbered(1).ts(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    for (entry, wrong) in [(long, "actor"), (far, "ts")] {
        let row = NewActivityLogRow::from_entry(&entry);
        assert!(matches!(row, Err(Error::InvalidEntry { index: 0, field, .. }) if field == wrong), "{wrong}");
    }
}

#[test]
fn a_row_keeps_to_limits_and_masks_secrets_like_a_repository() -> TestResult {
    let mut conn = empty_log()?;
    let limits = EntryLimits { message: 15, ..EntryLimits::default() };
    let redactor = Redactor::new(["token"]);
    let entry = full()?;
    let row = NewActivityLogRow::from_entry_with(&entry, limits, Some(&redactor))?;
    diesel::insert_into(log::table).values(row).execute(&mut conn)?;
    let stored = ActivityLogRepository::new(&mut conn).get(&entry.id)?.ok_or("not stored")?;
    assert_eq!(stored.metadata.get("total"), Some(&json!({"amount": 12.5, "token": REDACTED})));

    let longer = NewActivityLogEntry { message: "x".repeat(16), ..entry };
    let refused = NewActivityLogRow::from_entry_with(&longer, limits, None);
    assert!(matches!(refused, Err(Error::InvalidEntry { field: "message", .. })));
    Ok(())
}
