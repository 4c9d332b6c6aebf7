//! The values of a facet, in SQL.

use std::collections::HashMap;

use crate::model::facet::Facet;

/// How many rows have each of some values.
pub(crate) type Frequencies = HashMap<String, u64>;

/// The column of the log, and of the rollups.
pub(crate) fn column(facet: Facet) -> &'static str {
    match facet {
        Facet::Category => "category",
        Facet::Severity => "severity",
        Facet::Action => "action",
        Facet::Actor => "actor",
        Facet::EntityType => "entity_type",
    }
}

/// Whether a row has a value.
pub(crate) fn is_value(facet: Facet) -> String {
    match facet {
        // The rollups store an empty text for rows without a type.
        Facet::EntityType => "entity_type <> ''".to_owned(),
        other => format!("{} IS NOT NULL", column(other)),
    }
}
