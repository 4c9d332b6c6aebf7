//! The types under which an id of an entity occurs: with them, and only so, the index on both finds its rows in order.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::ActivityLogFilters;
use crate::row::{Stored, text};

/// Of how many types a query lists each: the longest list of categories leaves room for so many.
const MOST_TYPES: usize = 128;

/// A table `type` of the names of all types, and a last NULL: it steps from type to type, of which there are few.
pub(crate) const EACH_TYPE: &str = "WITH RECURSIVE type (name) AS (\
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

/// All the types that the id asked for has; `None` where a type is asked for as well, or no id, where the id also occurs
/// without one, and where it has very many.
pub(crate) fn of_id_alone(
    conn: &mut SqliteConnection,
    filters: &ActivityLogFilters,
) -> QueryResult<Option<Vec<String>>> {
    let Some(id) = filters.entity_id.as_deref().filter(|_| filters.entity_type.is_none()) else {
        return Ok(None);
    };
    let types = diesel::sql_query(format!("{EACH_TYPE} {TYPES_OF_ID}")).bind::<Text, _>(text(id)).load::<Type>(conn)?;
    let names = types.into_iter().map(|of| of.name.and_then(Stored::exactly)).collect::<Option<Vec<_>>>();
    Ok(names.filter(|names| names.len() <= MOST_TYPES))
}
