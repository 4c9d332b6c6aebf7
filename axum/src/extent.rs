//! The span of time from the earliest to the latest entry that matches the filters.
//!
//! The log is ordered by `seq`, not by time, so the newest entry need not have the latest time. The bounds are found by
//! bisection, asking each time whether any entry lies beyond a given time.

use activity_log::ActivityLogFilters;
use chrono::{DateTime, SubsecRound, Utc};

use crate::database::log::Log;
use crate::readable::{newest, oldest};

/// The log holds times in the years 0001 to 9999; these are its bounds in microseconds since 1970.
const MIN_MICROS: i64 = -62_135_596_800_000_000;
const MAX_MICROS: i64 = 253_402_300_799_999_999;

/// The bounds of the filters, or the earliest and the latest time of a matching entry where a bound is missing, in whole
/// microseconds; `None` when no entry matches.
pub(crate) fn extent(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
) -> activity_log::Result<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    let Some(newest) = newest(log, filters)? else { return Ok(None) };
    let until = match filters.until {
        Some(until) => until.trunc_subsecs(6),
        None => latest(log, filters, newest.ts)?,
    };
    let since = match filters.since {
        Some(since) => since.trunc_subsecs(6),
        None => {
            let oldest = oldest(log, filters)?.map_or(until, |oldest| oldest.ts);
            earliest(log, filters, oldest)?
        }
    };
    Ok(Some((since, until)))
}

/// The earliest time of a matching entry; `known` is the time of one of them.
fn earliest(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
    known: DateTime<Utc>,
) -> activity_log::Result<DateTime<Utc>> {
    let mut any_up_to = |micros: i64| {
        let until = DateTime::from_timestamp_micros(micros);
        Ok(log.count_up_to(&ActivityLogFilters { until, ..filters.clone() }, 1)? > 0)
    };
    let known = known.timestamp_micros();
    if !any_up_to(known - 1)? {
        return Ok(DateTime::from_timestamp_micros(known).unwrap_or_default());
    }
    let found = first_where(MIN_MICROS, known - 1, &mut any_up_to)?;
    Ok(DateTime::from_timestamp_micros(found).unwrap_or_default())
}

/// The latest time of a matching entry; `known` is the time of one of them.
fn latest(
    log: &mut dyn Log,
    filters: &ActivityLogFilters,
    known: DateTime<Utc>,
) -> activity_log::Result<DateTime<Utc>> {
    let mut none_from = |micros: i64| {
        let since = DateTime::from_timestamp_micros(micros);
        Ok(log.count_up_to(&ActivityLogFilters { since, ..filters.clone() }, 1)? == 0)
    };
    let known = known.timestamp_micros();
    if none_from(known + 1)? {
        return Ok(DateTime::from_timestamp_micros(known).unwrap_or_default());
    }
    let beyond = first_where(known + 1, MAX_MICROS + 1, &mut none_from)?;
    Ok(DateTime::from_timestamp_micros(beyond - 1).unwrap_or_default())
}

/// Bisects for the first number from `first` to `last` that passes the test. Every number after it must pass too, and
/// `last` must pass.
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
