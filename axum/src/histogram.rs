//! Counts the entries over time, by severity.

use activity_log::histogram::equal_edges;
use activity_log::{ActivityLogFilters, SeverityCounts};
use axum::Json;
use axum::extract::{RawQuery, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::log::Log;
use crate::error::ApiError;
use crate::extent::extent;
use crate::filters::FilterParameters;
use crate::query::{Buckets, HistogramQuery};

const MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

/// Entries over time, in equal buckets from `since` to `until`, or between the edges that the request gives.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// The requested bound, or the earliest time of a matching entry; `null` when no entry matches. With edges, the first.
    #[schema(required)]
    since: Option<DateTime<Utc>>,
    /// The requested bound, or the latest time of a matching entry; `null` when no entry matches. With edges, the last
    /// microsecond before the last of them.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// A bucket ends before the start of the next one; the last bucket includes `until`. There are no buckets when no
    /// entry matches, and fewer than requested when a bucket would be shorter than a microsecond. With edges, there is one
    /// bucket fewer than edges, even if nothing matches.
    buckets: Vec<Bucket>,
}

/// The number of entries of each severity in a bucket.
#[derive(Serialize, ToSchema)]
pub(crate) struct Bucket {
    start: DateTime<Utc>,
    info: u64,
    warning: u64,
    error: u64,
}

/// Count the entries over time, by severity.
#[utoipa::path(
    get, path = "/api/v1/activity-log/histogram", tag = "log",
    params(
        FilterParameters,
        ("buckets" = Option<u32>, Query, description = "How many buckets; 60 by default", minimum = 1, maximum = 200),
        (
            "edges" = Option<String>, Query, example = "2026-01-31T00:00:00Z,2026-02-01T00:00:00Z",
            description = "Instead of `buckets`: from 2 to 201 ascending times in RFC 3339, separated by commas or in \
                several parameters of this name. A bucket begins at each but the last and ends before the next.",
        ),
    ),
    responses((
        status = 200, description = "The histogram", body = Histogram,
        example = json!({
            "since": "2026-01-31T12:00:00Z", "until": "2026-01-31T12:10:00Z",
            "buckets": [
                {"start": "2026-01-31T12:00:00Z", "info": 7, "warning": 1, "error": 0},
                {"start": "2026-01-31T12:05:00Z", "info": 4, "warning": 0, "error": 2},
            ],
        }),
    )),
)]
pub(crate) async fn histogram(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Histogram>, ApiError> {
    let HistogramQuery { filters, buckets } = HistogramQuery::parse(query.as_deref())?;
    let permit = app.permits.count().await;
    let read = move |log: &mut dyn Log| {
        let _permit = permit;
        let mut histogram = Histogram::default();
        // The bounds and the counts come from the same snapshot.
        log.with_snapshot(&mut |log| {
            histogram = read(log, &filters, &buckets)?;
            Ok(())
        })?;
        Ok(histogram)
    };
    Ok(Json(app.database.read(read).await?))
}

fn read(log: &mut dyn Log, filters: &ActivityLogFilters, buckets: &Buckets) -> activity_log::Result<Histogram> {
    let (since, until, edges) = match buckets {
        Buckets::Between(edges) => {
            (edges.first().copied(), edges.last().map(|last| *last - MICROSECOND), edges.clone())
        }
        Buckets::Equal(number) => {
            let Some((since, until)) = extent(log, filters)? else { return Ok(Histogram::default()) };
            // The last edge is exclusive, and an entry at `until` counts.
            (Some(since), Some(until), equal_edges(since, until + MICROSECOND, *number as usize)?)
        }
    };
    let counts = log.histogram(filters, &edges)?;
    let buckets = edges.into_iter().zip(counts).map(|(start, SeverityCounts { info, warning, error })| Bucket {
        start,
        info,
        warning,
        error,
    });
    Ok(Histogram { since, until, buckets: buckets.collect() })
}
