//! The query strings of the routes, parsed and validated.

use std::ops::RangeInclusive;

use activity_log::{ActivityLogFilters, Facet};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use crate::actor::Actor;
use crate::error::ApiError;
use crate::format::Format;
use crate::parameters::Parameters;
use crate::readable::Cursor;

const DEFAULT_LIMIT: u32 = 50;
const LIMITS: RangeInclusive<u32> = 1..=200;

const DEFAULT_BUCKETS: u32 = 60;
const BUCKETS: RangeInclusive<u32> = 1..=200;
const MAX_EDGES: usize = 201;

/// The parameters of the list.
#[derive(Debug)]
pub(crate) struct ListQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) cursor: Cursor,
    pub(crate) limit: u32,
}

impl ListQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let (filters, parameters) = Parameters::parse_with_filters(query, &["before_seq", "after_seq", "limit"])?;
        let cursor = match (parameters.value("before_seq", seq)?, parameters.value("after_seq", seq)?) {
            (Some(_), Some(_)) => return Err(ApiError::parameter("after_seq", "must not be given with `before_seq`")),
            (None, Some(after_seq)) => Cursor::After(after_seq),
            (before_seq, None) => Cursor::Before(before_seq),
        };
        Ok(Self {
            filters,
            cursor,
            limit: parameters.value("limit", |text| within(&LIMITS, text))?.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// The parameters of the count.
pub(crate) fn count_query(query: Option<&str>) -> Result<ActivityLogFilters, ApiError> {
    Ok(Parameters::parse_with_filters(query, &[])?.0)
}

/// The parameters of the histogram.
#[derive(Debug)]
pub(crate) struct HistogramQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) buckets: Buckets,
}

/// The buckets of a histogram.
#[derive(Debug)]
pub(crate) enum Buckets {
    /// This many of equal length.
    Equal(u32),
    /// Between these times.
    Between(Vec<DateTime<Utc>>),
}

impl HistogramQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let (filters, parameters) = Parameters::parse_with_filters(query, &["buckets", "edges"])?;
        let equal = parameters.value("buckets", |text| within(&BUCKETS, text))?;
        let edges = parameters.items("edges").map(time).collect::<Result<Vec<_>, _>>()?;
        let buckets = match (equal, edges.len()) {
            (equal, 0) => Buckets::Equal(equal.unwrap_or(DEFAULT_BUCKETS)),
            (Some(_), _) => return Err(ApiError::parameter("edges", "must not be given with `buckets`")),
            (None, 2..=MAX_EDGES) => Buckets::Between(edges),
            (None, _) => return Err(ApiError::parameter("edges", format!("must be from 2 to {MAX_EDGES} times"))),
        };
        Ok(Self { filters, buckets })
    }
}

/// The parameters of the facets.
#[derive(Debug)]
pub(crate) struct FacetsQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) by: Facet,
    pub(crate) limit: u32,
}

impl FacetsQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        const BY: &str = "must be category, severity, action, actor or entity_type";
        let (filters, parameters) = Parameters::parse_with_filters(query, &["by", "limit"])?;
        let facet = |text: &str| Facet::deserialize(text.into_deserializer()).map_err(|_: Error| BY.to_owned());
        Ok(Self {
            filters,
            by: parameters.value("by", facet)?.ok_or_else(|| ApiError::parameter("by", BY))?,
            limit: parameters.value("limit", |text| within(&LIMITS, text))?.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// The parameters of the stream.
#[derive(Debug)]
pub(crate) struct StreamQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) after_seq: Option<i64>,
}

impl StreamQuery {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let (filters, parameters) = Parameters::parse_with_filters(query, &["after_seq"])?;
        Ok(Self { filters, after_seq: parameters.value("after_seq", seq)? })
    }
}

/// The parameters of the export.
#[derive(Debug)]
pub(crate) struct ExportQuery {
    pub(crate) filters: ActivityLogFilters,
    pub(crate) format: Format,
    pub(crate) exported_by: String,
}

impl ExportQuery {
    pub(crate) fn parse(query: Option<&str>, actor: &Actor) -> Result<Self, ApiError> {
        let naming = actor.naming("exported_by");
        let others = ["format"].into_iter().chain(naming).collect::<Vec<_>>();
        let (filters, parameters) = Parameters::parse_with_filters(query, &others)?;
        Ok(Self {
            filters,
            format: parameters.value("format", str::parse)?.unwrap_or_default(),
            exported_by: Actor::or_anonymous(actor.acting(parameters.text("exported_by")?)),
        })
    }
}

/// Refuses every parameter, for a route that takes none.
pub(crate) fn no_parameters(query: Option<&str>) -> Result<(), ApiError> {
    match Parameters::parse(query)?.names().next() {
        Some(name) => Err(ApiError::parameter(name, "is not a known parameter; this path takes none")),
        None => Ok(()),
    }
}

/// The parameters of a change.
#[derive(Debug)]
pub(crate) struct ActorQuery {
    pub(crate) actor: String,
}

impl ActorQuery {
    pub(crate) fn parse(query: Option<&str>, actor: &Actor) -> Result<Self, ApiError> {
        let naming = actor.naming("actor");
        let parameters = Parameters::parse(query)?;
        // A filter must not seem to limit what is deleted.
        if let Some(other) = parameters.names().find(|name| Some(*name) != naming) {
            let known = if naming.is_some() { "only `actor` is" } else { "this path takes none" };
            return Err(ApiError::parameter(other, format!("is not a known parameter; {known}")));
        }
        let acting = actor.acting(parameters.text("actor")?);
        let actor = acting.ok_or_else(|| ApiError::parameter("actor", "must name who makes the change"))?;
        Ok(Self { actor })
    }
}

/// Parses a cursor.
pub(crate) fn seq(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "must be the seq of an entry, a 64-bit whole number".to_owned())
}

/// Parses an edge of a histogram.
fn time(text: &str) -> Result<DateTime<Utc>, ApiError> {
    let time = DateTime::parse_from_rfc3339(text);
    let time =
        time.map_err(|_| ApiError::parameter("edges", "must be times in RFC 3339, such as 2026-01-31T12:00:00Z"));
    Ok(time?.to_utc())
}

fn within(range: &RangeInclusive<u32>, text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}
