//! The values of a facet, in SQL.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use crate::model::facet::Facet;
use crate::sqlite::fragments::SelectFrom;
use crate::sqlite::stored_text::Stored;

/// How many rows have each of some values.
pub(crate) type Frequencies = HashMap<String, u64>;

/// Adds how often each value occurs in rows of the log, or of the rollups. `entries` is for how many entries the rows of a value
/// stand.
pub(crate) fn add_frequencies(
    conn: &mut SqliteConnection,
    facet: Facet,
    rows: impl QueryFragment<Sqlite>,
    entries: &str,
    order: &str,
    found: &mut Frequencies,
) -> QueryResult<()> {
    let counted = SelectFrom::<_, (Text, BigInt)>::new(
        // Without the sign, SQLite would walk the whole index of the column, which has its groups in order.
        format!("+{}, {entries}", column(facet)),
        rows,
        format!("WHERE {} GROUP BY 1 {order}", is_value(facet)),
    );
    for (value, entries) in counted.load::<(Stored<String>, i64)>(conn)? {
        *found.entry(value.into_inner()).or_default() += entries.unsigned_abs();
    }
    Ok(())
}

/// The column of the log, and of the rollups.
fn column(facet: Facet) -> &'static str {
    match facet {
        Facet::Category => "category",
        Facet::Severity => "severity",
        Facet::Action => "action",
        Facet::Actor => "actor",
        Facet::EntityType => "entity_type",
    }
}

/// Whether a row has a value.
fn is_value(facet: Facet) -> String {
    match facet {
        // The rollups store an empty text for rows without a type.
        Facet::EntityType => "entity_type <> ''".to_owned(),
        other => format!("{} IS NOT NULL", column(other)),
    }
}
