//! Adds messages to the index and removes them, one segment at a time.
//!
//! A trigger that did this for each row would make recording take four times as long. It would also have to know the
//! text that the index holds, which a trigger of the host's may have changed meanwhile.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::sqlite::search::index::{can_delete, create_index, drop_index, is_enabled, is_whole};
use crate::sqlite::segments::schema::activity_log_segments::{first_seq, in_search, table};

/// Whether segments are to be added.
pub(crate) fn is_due(conn: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(is_whole(conn)? && diesel::select(exists(table.filter(sql::<Bool>(NOT_IN_SEARCH)))).get_result(conn)?)
}

/// How many segments are to be added.
pub(crate) fn missing(conn: &mut SqliteConnection) -> QueryResult<i64> {
    if is_whole(conn)? { table.filter(sql::<Bool>(NOT_IN_SEARCH)).count().get_result(conn) } else { Ok(0) }
}

/// Adds up to `limit` segments that are not, or no longer, in the index.
pub(crate) fn add_some(conn: &mut SqliteConnection, limit: i64) -> QueryResult<()> {
    if !is_whole(conn)? {
        return Ok(());
    }
    let can_delete = can_delete(conn)?;
    let missing = table.select(first_seq).filter(sql::<Bool>(NOT_IN_SEARCH)).order(first_seq).limit(limit);
    for first in missing.load::<i64>(conn)? {
        if can_delete {
            diesel::sql_query(REMOVE).bind::<BigInt, _>(first).execute(conn)?;
        }
        diesel::sql_query(ADD).bind::<BigInt, _>(first).execute(conn)?;
        diesel::update(table.find(first)).set(in_search.eq(true)).execute(conn)?;
    }
    Ok(())
}

/// Removes the messages of segments.
pub(crate) fn remove(conn: &mut SqliteConnection, segments: &[i64]) -> QueryResult<()> {
    if segments.is_empty() || !is_whole(conn)? || !can_delete(conn)? {
        return Ok(());
    }
    segments.iter().try_for_each(|first| diesel::sql_query(REMOVE).bind::<BigInt, _>(first).execute(conn).map(drop))
}

/// Empties the index, or creates it again if it is damaged.
pub(crate) fn remove_all(conn: &mut SqliteConnection) -> QueryResult<()> {
    if !is_enabled(conn)? {
        return Ok(());
    }
    if is_whole(conn)? {
        diesel::sql_query(REMOVE_ALL).execute(conn)?;
    } else {
        drop_index(conn)?;
        create_index(conn)?;
    }
    Ok(())
}

/// Notes that the index is empty.
pub(crate) fn forget(conn: &mut SqliteConnection) -> QueryResult<()> {
    diesel::update(table).set(in_search.eq(false)).execute(conn).map(drop)
}

/// Empties the index and adds all segments.
pub(crate) fn rebuild(conn: &mut SqliteConnection) -> QueryResult<()> {
    remove_all(conn)?;
    if is_enabled(conn)? {
        forget(conn)?;
        add_some(conn, i64::MAX)?;
        diesel::sql_query(OPTIMIZE).execute(conn)?;
    }
    Ok(())
}

/// As the partial index says it.
const NOT_IN_SEARCH: &str = "NOT in_search";

const ADD: &str = "INSERT INTO activity_log_search (rowid, message) \
    SELECT seq, message FROM activity_log WHERE seq BETWEEN ?1 AND ?1 + 4095";
/// Deletes by list, which takes a tenth of the time that a range takes.
const REMOVE: &str = "DELETE FROM activity_log_search WHERE rowid IN \
    (SELECT id FROM activity_log_search_docsize WHERE id BETWEEN ?1 AND ?1 + 4095)";
const REMOVE_ALL: &str = "INSERT INTO activity_log_search (activity_log_search) VALUES ('delete-all')";
const OPTIMIZE: &str = "INSERT INTO activity_log_search (activity_log_search) VALUES ('optimize')";
