use serde::{Deserialize, Serialize};

/// The field whose values [`facets`](crate::Repository::facets) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The categories.
    Category,
    /// The severities.
    Severity,
    /// The actions.
    Action,
    /// The actors.
    Actor,
    /// The types of entities. Entries without a type, or with an empty one, are not counted.
    EntityType,
}

/// The most frequent values of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facets {
    /// The values, the most frequent first. Equally frequent values are sorted by their text.
    pub values: Vec<FacetValue>,
    /// Whether there are more values.
    pub more: bool,
}

/// A value, and how many entries have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The stored text, such as `auth` for [`ActivityCategory::Auth`](crate::ActivityCategory::Auth).
    pub value: String,
    /// How many entries match the filters and have this value.
    pub entries: u64,
}
