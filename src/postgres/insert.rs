//! Writing entries.

use std::borrow::Cow;
use std::collections::HashSet;

use diesel::prelude::QueryResult;
use diesel::result::DatabaseErrorInformation;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::{DatabaseError, NotFound};
use diesel::sql_types::{BigInt, Text};

use crate::error::{Error, Result};
use crate::model::encoding::{EncodedEntry, Encoding};
use crate::model::entry::NewActivityLogEntry;
use crate::postgres::execute::Execute;
use crate::postgres::lengths::check_lengths;
use crate::postgres::savepoint::attempt;
use crate::postgres::statement::{Bind, Sql};
use crate::postgres::timestamp;
use crate::postgres::transaction::is_in_transaction;

const COLUMNS: &str =
    "id, ts, category, action, severity, actor, entity_type, entity_id, entity_name, message, metadata";

/// Writes one entry and returns its `seq`.
pub(crate) async fn insert(
    conn: &mut impl Execute,
    entry: &NewActivityLogEntry,
    encoding: Encoding<'_>,
) -> Result<i64> {
    let encoded = encoding.encode(entry, 0)?;
    check_lengths(&encoded, 0)?;
    let EncodedEntry {
        id,
        ts,
        category,
        action,
        severity,
        actor,
        entity_type,
        entity_id,
        entity_name,
        message,
        metadata,
    } = encoded;
    let mut insert = Sql::new(format!("INSERT INTO activity_log ({COLUMNS}) VALUES (")).bind(id.clone());
    let binds = [
        ts.into(),
        category.into(),
        action.into(),
        severity.as_str().into(),
        actor.into(),
        entity_type.into(),
        entity_id.into(),
        entity_name.into(),
        message.into(),
        metadata.into(),
    ];
    for bind in binds {
        let bind: Bind<'_> = bind;
        insert = insert.text(", ").bind(bind);
    }
    // A conflict that is an error would abort the caller's transaction.
    let insert = insert.text(") ON CONFLICT (id) DO NOTHING RETURNING seq");
    if let Some(seq) = conn.first::<i64, _>(insert.returning::<BigInt>()).await? {
        return Ok(seq);
    }
    // A trigger of the host's may also drop the row without an error.
    if taken(conn, vec![id]).await?.is_empty() { Err(NotFound.into()) } else { Err(Error::DuplicateId { index: 0 }) }
}

/// Writes all entries in their order, or none.
pub(crate) async fn insert_all(
    conn: &mut impl Execute,
    entries: &[NewActivityLogEntry],
    encoding: Encoding<'_>,
) -> Result<()> {
    if let [entry] = entries {
        return insert(conn, entry, encoding).await.map(drop);
    }
    let mut rows = Vec::with_capacity(entries.len());
    let mut refusal = None;
    for (index, entry) in entries.iter().enumerate() {
        match encoding.encode(entry, index).and_then(|row| check_lengths(&row, index).map(|()| row)) {
            Ok(row) => rows.push(row),
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    let ids = rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    if let Some(refusal) = refusal {
        // The error is that of the first entry at fault, which may be one before this.
        let index = if ids.is_empty() { None } else { first_duplicate(conn, &ids).await? };
        return Err(index.map_or(refusal, |index| Error::DuplicateId { index }));
    }
    let statement = insert_rows(rows).returning();
    let is_in_transaction = is_in_transaction(conn).await?;
    match attempt(conn, is_in_transaction, statement).await {
        Ok(inserted) if inserted == entries.len() => Ok(()),
        // A trigger of the host's has dropped rows.
        Ok(_) => Err(NotFound.into()),
        Err(DatabaseError(_, violation)) if is_taken_id(&*violation) => duplicate(conn, ids, violation).await,
        Err(error) => Err(error.into()),
    }
}

/// One statement, which writes all rows in their order, or none.
pub(crate) fn insert_rows(rows: Vec<EncodedEntry<'_>>) -> Sql<'_> {
    let mut insert = Sql::new(format!("INSERT INTO activity_log ({COLUMNS}) SELECT {COLUMNS} FROM unnest("));
    let mut texts = [const { Vec::new() }; 7];
    let mut optional_texts = [const { Vec::new() }; 3];
    let mut times = Vec::with_capacity(rows.len());
    for row in rows {
        times.push(timestamp::encode(row.ts));
        let values = [
            row.id,
            row.category,
            row.action,
            Cow::Borrowed(row.severity.as_str()),
            row.actor,
            row.message,
            Cow::Owned(row.metadata),
        ];
        texts.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        let values = [row.entity_type, row.entity_id, row.entity_name];
        optional_texts.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    let [id, category, action, severity, actor, message, metadata] = texts;
    let [entity_type, entity_id, entity_name] = optional_texts;
    insert = insert.bind(Bind::Texts(id)).text(", ").bind(Bind::Times(times));
    for column in [category, action, severity, actor] {
        insert = insert.text(", ").bind(Bind::Texts(column));
    }
    for column in [entity_type, entity_id, entity_name] {
        insert = insert.text(", ").bind(Bind::OptionalTexts(column));
    }
    for column in [message, metadata] {
        insert = insert.text(", ").bind(Bind::Texts(column));
    }
    insert.text(format!(") WITH ORDINALITY AS entry ({COLUMNS}, position) ORDER BY position"))
}

/// Whether an error says that an id is taken. Citus leaves out the kind of a shard's error and the name of the constraint,
/// which ends in the number of the shard.
fn is_taken_id(violation: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    let of_shard = "duplicate key value violates unique constraint \"activity_log_pkey_";
    violation.constraint_name() == Some("activity_log_pkey") || violation.message().starts_with(of_shard)
}

/// The error for the first entry whose id is taken, by the log or by an entry before it.
async fn duplicate(
    conn: &mut impl Execute,
    ids: Vec<Cow<'_, str>>,
    violation: Box<dyn DatabaseErrorInformation + Send + Sync>,
) -> Result<()> {
    // The row that has it may be newer than the transaction's snapshot, or deleted since. The details name its id.
    let named = || {
        let details = violation.details()?;
        ids.iter().position(|id| details.contains(&format!("=({id})")))
    };
    match first_duplicate(conn, &ids).await?.or_else(named) {
        Some(index) => Err(Error::DuplicateId { index }),
        None => Err(DatabaseError(UniqueViolation, violation).into()),
    }
}

/// The index of the first id that is taken, by the log or by an entry before it.
async fn first_duplicate(conn: &mut impl Execute, ids: &[Cow<'_, str>]) -> QueryResult<Option<usize>> {
    let mut seen = taken(conn, ids.to_vec()).await?.into_iter().collect::<HashSet<_>>();
    Ok(ids.iter().position(|id| !seen.insert(id.clone().into_owned())))
}

/// Those of the ids that the log holds.
pub(crate) async fn taken(conn: &mut impl Execute, ids: Vec<Cow<'_, str>>) -> QueryResult<Vec<String>> {
    let ids = Sql::new("SELECT id FROM activity_log WHERE id = ANY(").bind(Bind::Texts(ids)).text(")");
    conn.load::<String, _>(ids.returning::<Text>()).await
}
