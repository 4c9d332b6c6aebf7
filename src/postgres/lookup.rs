//! Looking up what filters leave open: the distinct values of an indexed column, found by steps in the index.
//!
//! Each step orders as its index does, up to a column that no other index has there: the planner cannot prefer another one.

use std::borrow::Cow;

use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::model::normalized_filters::NormalizedFilters;
use crate::model::pattern::end_of;
use crate::postgres::conditions::{of_actions, of_categories, of_entity_type, of_severities};
use crate::postgres::execute::Execute;
use crate::postgres::kinds::{Dimensions, Kind, KindColumns};
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

/// How many steps the lookup of kinds takes at most.
const MAX_STEPS: usize = 512;

/// The kinds that pass the filters, if there are few enough to tell in some steps.
///
/// A step goes from a kind to the next one in the index. From a kind that does not pass, it goes past all others that fail for
/// the same reason: to the next category or action that is sought, or past the action or type that is not.
pub(crate) async fn kinds_of(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    dimensions: Dimensions,
) -> QueryResult<Option<Vec<Kind>>> {
    let (key, _) = dimensions.key();
    let (start, of_actor) = match dimensions {
        Dimensions::OfActors => (
            Sql::new("unnest(").bind(filters.actors.as_slice()).text(") AS listed (value)"),
            "activity_log.actor = step.actor AND ",
        ),
        Dimensions::OfAll => (Sql::new("(SELECT '') AS listed (value)"), ""),
    };
    // The series makes the planner expect more rows than it needs, so that it does not sort what another index finds. Of a
    // series between constants it knows the length.
    let kinds = Sql::new(
        "WITH RECURSIVE step AS ( \
            SELECT value COLLATE \"C\" AS actor, '' COLLATE \"C\" AS category, '' COLLATE \"C\" AS action, \
                '' COLLATE \"C\" AS entity_type, '' COLLATE \"C\" AS severity, 4 AS passed, 0 AS steps FROM ",
    )
    .sql(start)
    .text(
        " UNION ALL \
            SELECT step.actor, next.*, steps + 1 FROM step CROSS JOIN LATERAL ( \
                SELECT category, action, entity_type, severity, CASE WHEN NOT (TRUE",
    )
    .sql(of_categories(filters))
    .text(") THEN 0 WHEN NOT (TRUE")
    .sql(of_actions(filters))
    .text(") THEN 1 WHEN NOT (TRUE")
    .sql(of_entity_type(filters))
    .text(") THEN 2 WHEN NOT (TRUE")
    .sql(of_severities(filters))
    .text(format!(
        ") THEN 3 ELSE 4 END FROM ( \
                    SELECT category, action, coalesce(entity_type, '') AS entity_type, severity, \
                        generate_series(length(category), length(category)) \
                    FROM activity_log \
                    WHERE {of_actor}(category, action, coalesce(entity_type, ''), severity) > ("
    ))
    .sql(next_after_step(filters))
    .text(format!(
        ") ORDER BY {}, {key} LIMIT 1) AS found) AS next WHERE steps < {MAX_STEPS} \
        ) \
        SELECT actor, category, action, entity_type, severity, passed = 4 FROM step WHERE steps > 0 LIMIT {MAX_STEPS}",
        dimensions.columns().join(", ")
    ));
    let kinds = conn.load::<(Kind, bool), _>(kinds.returning::<(KindColumns, Bool)>()).await?;
    if kinds.len() == MAX_STEPS {
        return Ok(None);
    }
    Ok(Some(kinds.into_iter().filter(|(_, passes)| *passes).map(|(kind, _)| kind).collect()))
}

/// A category, action, type and severity that are less than those of the next kind that may pass, and together greater than
/// or equal to those of the step.
fn next_after_step(filters: &NormalizedFilters) -> Sql<'_> {
    // This text is greater than that of the step, whatever it is, and than all that begin with another ASCII character.
    let past = |column| format!("greatest(step.{column} || chr(127), chr(127))");
    let categories = filters.categories.iter().map(String::as_str).collect::<Vec<_>>();
    let actions = filters.actions.names.iter().chain(&filters.actions.prefixes).map(String::as_str).collect::<Vec<_>>();
    let (category, action_of_next) = if categories.is_empty() {
        (Sql::new("step.category"), past("action"))
    } else {
        // No row is greater than NULL.
        let category = Sql::new("CASE WHEN passed = 0 THEN ").sql(next_sought("category", categories));
        (category.text(" ELSE step.category END"), "''".to_owned())
    };
    // After an excluded action, others may begin as it does.
    let (action, type_of_next) = if actions.is_empty() || !filters.excluded_actions.is_empty() {
        (Sql::new("step.action"), past("entity_type"))
    } else {
        (
            Sql::new("coalesce(").sql(next_sought("action", actions)).text(format!(", {})", past("action"))),
            "''".to_owned(),
        )
    };
    let entity_type = match &filters.entity_type {
        Some(name) => Sql::new("CASE WHEN step.entity_type < ")
            .bind(name.as_str())
            .text(" THEN ")
            .bind(name.as_str())
            .text(format!(" ELSE {} END", past("entity_type"))),
        None => Sql::new("step.entity_type"),
    };
    let severity_of_next = if filters.excluded_entity_types.is_empty() { "''".to_owned() } else { past("severity") };
    category
        .text(format!(", CASE passed WHEN 0 THEN {action_of_next} WHEN 1 THEN "))
        .sql(action)
        .text(format!(" ELSE step.action END, CASE passed WHEN 0 THEN '' WHEN 1 THEN {type_of_next} WHEN 2 THEN "))
        .sql(entity_type)
        .text(format!(
            " ELSE step.entity_type END, \
            CASE WHEN passed = 2 THEN {severity_of_next} WHEN passed < 2 THEN '' ELSE step.severity END"
        ))
}

fn next_sought<'a>(column: &str, sought: Vec<&'a str>) -> Sql<'a> {
    let sought = sought.into_iter().map(Cow::Borrowed).collect();
    let next = Sql::new("(SELECT min(sought COLLATE \"C\") FROM unnest(").bind(Bind::Texts(sought));
    next.text(format!(") AS sought WHERE sought COLLATE \"C\" > step.{column})"))
}
