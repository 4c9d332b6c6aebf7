//! Looking up what filters leave open: the distinct values of an indexed column, found by steps in the index.
//!
//! Each step orders as its index does, up to a column that no other index has there: the planner cannot prefer another one.

use std::borrow::Cow;

use diesel::prelude::QueryResult;
use diesel::sql_types::{Nullable, Text};

use crate::model::pattern::end_of;
use crate::postgres::execute::Execute;
use crate::postgres::statement::{Bind, Sql};

/// The types that rows with this entity id have. NULL is the last in the index.
pub(crate) async fn types_of<'a>(conn: &mut impl Execute, id: &str) -> QueryResult<Vec<Option<Cow<'a, str>>>> {
    let types = Sql::new(
        "WITH RECURSIVE step AS ( \
            (SELECT entity_type, 1 AS steps FROM activity_log WHERE entity_id = ",
    )
    .bind(id)
    .text(
        " ORDER BY entity_type, (seq + 1) LIMIT 1) \
            UNION ALL \
            SELECT (SELECT entity_type FROM activity_log WHERE entity_id = ",
    )
    .bind(id)
    .text(
        " AND entity_type > step.entity_type ORDER BY entity_type, (seq + 1) LIMIT 1), steps + 1 \
            FROM step WHERE entity_type IS NOT NULL AND steps <= 33 \
        ) \
        SELECT entity_type FROM step WHERE entity_type IS NOT NULL \
        UNION ALL SELECT NULL WHERE (SELECT entity_type IS NULL FROM activity_log WHERE entity_id = ",
    )
    .bind(id)
    .text(" ORDER BY entity_type DESC, (seq + 1) DESC LIMIT 1)");
    let types = conn.load::<Option<String>, _>(types.returning::<Nullable<Text>>()).await?;
    Ok(types.into_iter().map(|name| name.map(Cow::Owned)).collect())
}

/// The actions that begin with any of these prefixes, each of which ends in a dot.
pub(crate) async fn actions_that_begin(conn: &mut impl Execute, prefixes: &[String]) -> QueryResult<Vec<String>> {
    if prefixes.is_empty() {
        return Ok(Vec::new());
    }
    let ends = prefixes.iter().map(|prefix| Cow::Owned(end_of(prefix))).collect();
    let actions = Sql::new(
        "WITH RECURSIVE step AS ( \
            SELECT (SELECT action FROM activity_log WHERE action >= prefix AND action < prefix_end \
                ORDER BY action, (seq + 5) LIMIT 1), prefix_end, 1 AS steps FROM unnest(",
    )
    .bind(prefixes)
    .text(", ")
    .bind(Bind::Texts(ends))
    .text(
        ") AS listed (prefix, prefix_end) \
            UNION ALL \
            SELECT (SELECT action FROM activity_log WHERE action > step.action AND action < prefix_end \
                ORDER BY action, (seq + 5) LIMIT 1), prefix_end, steps + 1 \
            FROM step WHERE action IS NOT NULL AND steps <= 257 \
        ) \
        SELECT action FROM step WHERE action IS NOT NULL",
    );
    conn.load::<String, _>(actions.returning::<Text>()).await
}

/// The values of a column, the first in its index, if there are at most `most`.
pub(crate) async fn values_of(
    conn: &mut impl Execute,
    column: &'static str,
    most: usize,
) -> QueryResult<Option<Vec<String>>> {
    let order = match column {
        "category" => "category, severity, (seq + 0)",
        "action" => "action, (seq + 5)",
        column => &format!("{column}, (seq + 0)"),
    };
    let values = Sql::new(format!(
        "WITH RECURSIVE step AS ( \
            (SELECT {column} AS value, 1 AS steps FROM activity_log ORDER BY {order} LIMIT 1) \
            UNION ALL \
            SELECT (SELECT {column} FROM activity_log WHERE {column} > step.value ORDER BY {order} LIMIT 1), steps + 1 \
            FROM step WHERE value IS NOT NULL AND steps <= "
    ))
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .text(") SELECT value FROM step WHERE value IS NOT NULL");
    let values = conn.load::<String, _>(values.returning::<Text>()).await?;
    Ok(Some(values).filter(|values| values.len() <= most))
}
