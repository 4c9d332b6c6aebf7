use std::fmt;

use serde::Serialize;

use crate::model::category::ActivityCategory;
use crate::model::severity::ActivitySeverity;

/// A rule of a [`RetentionPolicy`](crate::RetentionPolicy), named after the method that adds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionRule {
    /// The age of entries of this category.
    Category(ActivityCategory),
    /// The age of entries of this severity.
    Severity(ActivitySeverity),
    /// The age of entries that no other rule names.
    MaxAge,
    /// The number of entries.
    MaxEntries,
    /// The bytes of all entries.
    MaxBytes,
}

impl fmt::Display for RetentionRule {
    /// `category auth`, `severity info`, `max_age`, `max_entries` or `max_bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Category(category) => write!(f, "category {category}"),
            Self::Severity(severity) => write!(f, "severity {severity}"),
            Self::MaxAge => f.write_str("max_age"),
            Self::MaxEntries => f.write_str("max_entries"),
            Self::MaxBytes => f.write_str("max_bytes"),
        }
    }
}
