//! How many entries there are over time, by severity.

use activity_log::Error::UnreadableRow;
use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository, ActivitySeverity};
use axum::Json;
use axum::extract::{RawQuery, State};
use chrono::{DateTime, Utc};
use diesel::{Connection, SqliteConnection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::filters::FilterParameters;
use crate::query::HistogramQuery;
use crate::span::{Span, ceil_to_micros, floor_to_micros};

/// Where the counting of a cell stops, so that a histogram takes a bounded time in any log.
const MOST: u64 = 1_000;

/// The years 0001 to 9999, which the log can hold, in microseconds since 1970.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// How many rows that cannot be read are passed over to find the first or last entry.
const MOST_UNREADABLE: usize = 100;

/// Entries over time: equal buckets over `[since, until]`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// As asked for, or the earliest time of an entry; `null` when there is none.
    #[schema(required)]
    since: Option<DateTime<Utc>>,
    /// As asked for, or the latest time of an entry; `null` when there is none.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// Each goes up to the start of the next, which is not in it, and the last up to `until`, which is. None when no
    /// entry passes the filters; fewer than asked for when they would be shorter than a microsecond.
    buckets: Vec<Bucket>,
    /// Where the counting of a cell stops.
    most: u64,
    /// Whether a cell has that many, and so perhaps more.
    capped: bool,
}

/// The entries of a bucket by their severity.
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
        ("buckets" = Option<u32>, Query, description = "How many; 60 when not given", minimum = 1, maximum = 200),
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
    // One transaction, so that all cells are of the same moment.
    let read = move |conn: &mut SqliteConnection| {
        let _permit = permit;
        conn.transaction(|conn| read(conn, &filters, buckets))
    };
    Ok(Json(app.database.run(read).await?))
}

fn read(conn: &mut SqliteConnection, filters: &ActivityLogFilters, buckets: u32) -> activity_log::Result<Histogram> {
    let mut log = ActivityLogRepository::new(conn);
    let mut histogram = Histogram { since: None, until: None, buckets: Vec::new(), most: MOST, capped: false };
    let Some(span) = span(&mut log, filters)? else { return Ok(histogram) };
    (histogram.since, histogram.until) = (Some(span.since), Some(span.until));
    for (start, last) in span.parts(buckets) {
        let within = ActivityLogFilters { since: Some(start), until: Some(last), ..filters.clone() };
        let mut bucket = Bucket { start, info: 0, warning: 0, error: 0 };
        // Most windows of a narrow filter are empty, which one query finds out instead of three.
        if log.count_up_to(&within, 1)? > 0 {
            for (severity, cell) in [
                (ActivitySeverity::Info, &mut bucket.info),
                (ActivitySeverity::Warning, &mut bucket.warning),
                (ActivitySeverity::Error, &mut bucket.error),
            ] {
                if within.severities.is_empty() || within.severities.contains(&severity) {
                    *cell =
                        log.count_up_to(&ActivityLogFilters { severities: vec![severity], ..within.clone() }, MOST)?;
                    histogram.capped |= *cell >= MOST;
                }
            }
        }
        histogram.buckets.push(bucket);
    }
    Ok(histogram)
}

/// What the histogram spans; `None` when no entry passes the filters.
fn span(log: &mut ActivityLogRepository<'_>, filters: &ActivityLogFilters) -> activity_log::Result<Option<Span>> {
    let Some(newest) = newest(log, filters)? else { return Ok(None) };
    // The bounds are whole microseconds, as the times of entries are: no entry lies between the two.
    let until = match filters.until {
        Some(until) => floor_to_micros(until),
        None => latest(log, filters, newest.ts)?,
    };
    let since = match filters.since {
        Some(since) => ceil_to_micros(since),
        None => {
            let oldest = oldest(log, filters)?.map_or(until, |oldest| oldest.ts);
            earliest(log, filters, oldest)?
        }
    };
    // Bounds that were asked for may leave nothing between them.
    Ok(Some(Span { since: since.min(until), until: until.max(since) }))
}

/// The earliest time of an entry that passes, `known` being one of them: the first recorded need not have it.
fn earliest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
    known: DateTime<Utc>,
) -> activity_log::Result<DateTime<Utc>> {
    let mut is_up_to = |micros: i64| {
        let until = DateTime::from_timestamp_micros(micros);
        Ok(log.count_up_to(&ActivityLogFilters { until, ..filters.clone() }, 1)? > 0)
    };
    let known = known.timestamp_micros();
    if !is_up_to(known - 1)? {
        return Ok(DateTime::from_timestamp_micros(known).unwrap_or_default());
    }
    let found = first_where(FIRST_MICROS, known - 1, &mut is_up_to)?;
    Ok(DateTime::from_timestamp_micros(found).unwrap_or_default())
}

/// The latest time of an entry that passes, `known` being one of them: the last recorded need not have it.
fn latest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
    known: DateTime<Utc>,
) -> activity_log::Result<DateTime<Utc>> {
    let mut is_none_from = |micros: i64| {
        let since = DateTime::from_timestamp_micros(micros);
        Ok(log.count_up_to(&ActivityLogFilters { since, ..filters.clone() }, 1)? == 0)
    };
    let known = known.timestamp_micros();
    if is_none_from(known + 1)? {
        return Ok(DateTime::from_timestamp_micros(known).unwrap_or_default());
    }
    let beyond = first_where(known + 1, LAST_MICROS + 1, &mut is_none_from)?;
    Ok(DateTime::from_timestamp_micros(beyond - 1).unwrap_or_default())
}

/// The first number within the bounds that passes a test which all greater ones pass, the last one at the least.
fn first_where(
    mut first: i64,
    mut last: i64,
    test: &mut impl FnMut(i64) -> activity_log::Result<bool>,
) -> activity_log::Result<i64> {
    while first < last {
        let middle = first + (last - first) / 2;
        if test(middle)? {
            last = middle;
        } else {
            first = middle + 1;
        }
    }
    Ok(first)
}

fn newest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut before_seq = None;
    passing_over_unreadable(|passed| {
        before_seq = passed.or(before_seq);
        log.query(filters, before_seq, 1)
    })
}

fn oldest(
    log: &mut ActivityLogRepository<'_>,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut after_seq = i64::MIN;
    passing_over_unreadable(|passed| {
        after_seq = passed.unwrap_or(after_seq);
        log.query_after(filters, after_seq, 1)
    })
}

/// Reads the first entry that can be read; `read` is told the row to go on from.
fn passing_over_unreadable(
    mut read: impl FnMut(Option<i64>) -> activity_log::Result<Vec<ActivityLogEntry>>,
) -> activity_log::Result<Option<ActivityLogEntry>> {
    let mut passed = None;
    for _ in 0..MOST_UNREADABLE {
        match read(passed) {
            Err(UnreadableRow { seq, .. }) => passed = Some(seq),
            other => return Ok(other?.pop()),
        }
    }
    Ok(read(passed)?.pop())
}
