//! Counts the entries over time, by severity.

use activity_log::{ActivityLogFilters, ActivityLogRepository, ActivitySeverity};
use axum::Json;
use axum::extract::{RawQuery, State};
use chrono::{DateTime, Utc};
use diesel::{Connection, SqliteConnection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::extent::extent;
use crate::filters::FilterParameters;
use crate::query::HistogramQuery;

/// Counting a cell stops here, so that the time for a histogram is bounded in a log of any size.
const MAX_CELL: u64 = 1_000;

/// Entries over time, in equal buckets from `since` to `until`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// The requested bound, or the earliest time of a matching entry; `null` when no entry matches.
    #[schema(required)]
    since: Option<DateTime<Utc>>,
    /// The requested bound, or the latest time of a matching entry; `null` when no entry matches.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// A bucket ends before the start of the next one; the last bucket includes `until`. There are no buckets when no
    /// entry matches, and fewer than requested when a bucket would be shorter than a microsecond.
    buckets: Vec<Bucket>,
    /// The highest number that a cell counts to.
    most: u64,
    /// Whether a cell has reached that number, so the real number may be higher.
    capped: bool,
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
    ),
    responses((
        status = 200, description = "The histogram", body = Histogram,
        example = json!({
            "since": "2026-01-31T12:00:00Z", "until": "2026-01-31T12:10:00Z", "most": 1000, "capped": false,
            "buckets": [
                {"start": "2026-01-31T12:00:00Z", "info": 7, "warning": 1, "error": 0},
                {"start": "2026-01-31T12:05:00Z", "info": 4, "warning": 0, "error": 2},
            ],
        }),
    )),
)]
pub(crate) async fn histogram(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Histogram>, ApiError> {
    let HistogramQuery { filters, buckets } = HistogramQuery::parse(query.as_deref())?;
    let permit = app.count_permit().await;
    // One transaction, so that all cells are counted in the same snapshot.
    let read = move |conn: &mut SqliteConnection| {
        let _permit = permit;
        conn.transaction(|conn| read(conn, &filters, buckets))
    };
    Ok(Json(app.database.run(read).await?))
}

fn read(conn: &mut SqliteConnection, filters: &ActivityLogFilters, buckets: u32) -> activity_log::Result<Histogram> {
    let mut log = ActivityLogRepository::new(conn);
    let mut histogram = Histogram { since: None, until: None, buckets: Vec::new(), most: MAX_CELL, capped: false };
    let Some(span) = extent(&mut log, filters)? else { return Ok(histogram) };
    (histogram.since, histogram.until) = (Some(span.since), Some(span.until));
    for (start, last) in span.parts(buckets) {
        let within = ActivityLogFilters { since: Some(start), until: Some(last), ..filters.clone() };
        let mut bucket = Bucket { start, info: 0, warning: 0, error: 0 };
        // A narrow filter leaves most buckets empty: one query finds that out instead of three.
        if log.count_up_to(&within, 1)? > 0 {
            for (severity, cell) in [
                (ActivitySeverity::Info, &mut bucket.info),
                (ActivitySeverity::Warning, &mut bucket.warning),
                (ActivitySeverity::Error, &mut bucket.error),
            ] {
                if within.severities.is_empty() || within.severities.contains(&severity) {
                    *cell = log
                        .count_up_to(&ActivityLogFilters { severities: vec![severity], ..within.clone() }, MAX_CELL)?;
                    histogram.capped |= *cell >= MAX_CELL;
                }
            }
        }
        histogram.buckets.push(bucket);
    }
    Ok(histogram)
}
