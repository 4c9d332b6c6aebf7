//! What a request lists or clears: the parameters of the query string, read and checked.

use std::ops::RangeInclusive;

use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity};

use crate::error::ApiError;
use crate::parameters::Parameters;
use crate::time::rfc3339_in_query;

const DEFAULT_LIMIT: u32 = 50;
const LIMITS: RangeInclusive<u32> = 1..=200;

/// The parameters of `GET`, each of them optional: see [`ActivityLogFilters`] for what they mean.
///
/// Lists are separated by commas; `since` and `until` are RFC 3339; `q` is `message_contains`; the `before_seq` of the
/// next page is the `next_before_seq` of the one before.
#[derive(Debug)]
pub(crate) struct ListQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) before_seq: Option<i64>,
    pub(crate) limit: u32,
}

impl ListQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let parameters = Parameters::parse(
            query,
            &[
                "categories",
                "severities",
                "actor",
                "entity_type",
                "entity_id",
                "since",
                "until",
                "q",
                "before_seq",
                "limit",
            ],
        )?;
        Ok(Self {
            filters: ActivityLogFilters {
                categories: parameters.list("categories", |name| Ok(ActivityCategory::from(name)))?,
                severities: parameters.list("severities", severity)?,
                actor: parameters.text("actor"),
                entity_type: parameters.text("entity_type"),
                entity_id: parameters.text("entity_id"),
                since: parameters.value("since", rfc3339_in_query)?,
                until: parameters.value("until", rfc3339_in_query)?,
                message_contains: parameters.text("q"),
            },
            before_seq: parameters.value("before_seq", before_seq)?,
            limit: parameters.value("limit", limit)?.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// The parameters of `DELETE`.
#[derive(Debug)]
pub(crate) struct ClearQuery {
    pub(crate) actor: String,
}

impl ClearQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let parameters = Parameters::parse(query, &["actor"])?;
        let actor =
            parameters.text("actor").ok_or_else(|| ApiError::parameter("actor", "must say who clears the log"))?;
        Ok(Self { actor })
    }
}

fn severity(name: &str) -> Result<ActivitySeverity, String> {
    name.parse().map_err(|error| format!("holds `{name}`, which {error}"))
}

fn before_seq(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "must be the seq of an entry, a whole number of 64 bits".to_owned())
}

fn limit(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|limit| LIMITS.contains(limit))
        .ok_or_else(|| format!("must be a whole number from {} to {}", LIMITS.start(), LIMITS.end()))
}
