//! The types under which an entity id occurs. Only with them does the index on both find the id's rows in order.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::stored_text::Stored;

/// A query lists at most this many types: the longest list of categories leaves room for them.
const MAX_TYPES: usize = 128;

/// A table `type` with the names of all types and a final NULL. It steps from type to type; there are few.
pub(crate) const DISTINCT_TYPES: &str = "WITH RECURSIVE type (name) AS (\
        SELECT min(entity_type) FROM activity_log \
        UNION ALL \
        SELECT (SELECT min(entity_type) FROM activity_log WHERE entity_type > name) FROM type WHERE name IS NOT NULL\
    )";

/// An id without a type shows as NULL.
const TYPES_OF_ID: &str = "SELECT iif(typeof(name) = 'text', name, NULL) AS name FROM type \
    WHERE EXISTS (SELECT 1 FROM activity_log WHERE entity_type IS name AND entity_id = ?)";

#[derive(QueryableByName)]
struct Type {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<Stored<String>>,
}

/// All types of the entity id, if the filters name an id and no type. `None` if they do not, if the id also occurs
/// without a type, or if it has very many.
pub(crate) fn of_id_alone(
    conn: &mut SqliteConnection,
    filters: &NormalizedFilters,
) -> QueryResult<Option<Vec<String>>> {
    let Some(id) = filters.entity_id.as_deref().filter(|_| filters.entity_type.is_none()) else {
        return Ok(None);
    };
    let types = diesel::sql_query(format!("{DISTINCT_TYPES} {TYPES_OF_ID}")).bind::<Text, _>(id).load::<Type>(conn)?;
    let names = types.into_iter().map(|row| row.name.and_then(Stored::lossless)).collect::<Option<Vec<_>>>();
    Ok(names.filter(|names| names.len() <= MAX_TYPES))
}
