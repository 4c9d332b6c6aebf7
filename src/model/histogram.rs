use std::collections::BTreeSet;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::instant;
use crate::model::severity::ActivitySeverity;

/// The most buckets of a histogram.
pub const MAX_BUCKETS: usize = 1_000;

/// How many entries of each severity there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeverityCounts {
    /// Entries with [`ActivitySeverity::Info`].
    pub info: u64,
    /// Entries with [`ActivitySeverity::Warning`].
    pub warning: u64,
    /// Entries with [`ActivitySeverity::Error`].
    pub error: u64,
}

impl SeverityCounts {
    /// The entries of all severities.
    #[must_use]
    pub fn total(self) -> u64 {
        self.info + self.warning + self.error
    }

    pub(crate) fn of_mut(&mut self, severity: ActivitySeverity) -> &mut u64 {
        match severity {
            ActivitySeverity::Info => &mut self.info,
            ActivitySeverity::Warning => &mut self.warning,
            ActivitySeverity::Error => &mut self.error,
        }
    }
}

/// A unit of the calendar, for [`calendar_edges`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarUnit {
    /// From second 0.
    Minute,
    /// From minute 0.
    Hour,
    /// From midnight.
    Day,
    /// From midnight on Monday.
    Week,
    /// From midnight on the first.
    Month,
    /// From midnight on January 1.
    Year,
}

/// The starts of the calendar units from the one that contains `since` to the first one after `until`, as edges for
/// [`histogram`](crate::Repository::histogram). Units begin where they do on a clock that is `offset` ahead of UTC.
///
/// The offset is the same for all edges. Where clocks change within the span, make the edges with a time zone library:
/// [`histogram`](crate::Repository::histogram) takes any times that ascend.
///
/// ```
/// use activity_log::histogram::{CalendarUnit, calendar_edges};
/// use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
///
/// let noon = "2026-03-04T12:00:00Z".parse::<DateTime<Utc>>().expect("a time");
/// let in_tokyo = FixedOffset::east_opt(9 * 3_600).expect("an offset");
/// let edges = calendar_edges(noon, noon + TimeDelta::days(1), CalendarUnit::Day, in_tokyo)?;
/// let edges = edges.iter().map(ToString::to_string).collect::<Vec<_>>();
/// assert_eq!(edges, ["2026-03-03 15:00:00 UTC", "2026-03-04 15:00:00 UTC", "2026-03-05 15:00:00 UTC"]);
/// # Ok::<_, activity_log::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::InvalidFilter`] for the field `edges` if there would be more than [`MAX_BUCKETS`] buckets, if `until` is
/// before `since`, or if an edge would be outside the years that chrono can represent.
pub fn calendar_edges(
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    unit: CalendarUnit,
    offset: FixedOffset,
) -> Result<Vec<DateTime<Utc>>> {
    let local = since.naive_utc().checked_add_offset(offset);
    let mut edge = local.and_then(|local| unit.start(local)).ok_or_else(out_of_range)?;
    let mut edges = Vec::new();
    if until < since {
        return Err(invalid("cannot end before they begin: `until` is before `since`".to_owned()));
    }
    loop {
        let instant = edge.checked_sub_offset(offset).ok_or_else(out_of_range)?.and_utc();
        edges.push(instant);
        if instant > until {
            return Ok(edges);
        }
        if edges.len() > MAX_BUCKETS {
            return Err(too_many());
        }
        edge = unit.next(edge).ok_or_else(out_of_range)?;
    }
}

/// The edges of buckets of equal length from `since`, inclusive, to `until`, exclusive, for
/// [`histogram`](crate::Repository::histogram). There are fewer than `buckets` if a bucket would be shorter than a
/// microsecond.
///
/// # Errors
///
/// [`Error::InvalidFilter`] for the field `edges` if `buckets` is 0 or more than [`MAX_BUCKETS`], or if `until` is not
/// after `since`.
pub fn equal_edges(since: DateTime<Utc>, until: DateTime<Utc>, buckets: usize) -> Result<Vec<DateTime<Utc>>> {
    let micros = i128::from(until.timestamp_micros()) - i128::from(since.timestamp_micros());
    if micros <= 0 {
        return Err(invalid("need a span of a microsecond or more: `until` is not after `since`".to_owned()));
    }
    match buckets {
        0 => return Err(invalid("need at least one bucket".to_owned())),
        1..=MAX_BUCKETS => {}
        _ => return Err(too_many()),
    }
    let edges = (0..=buckets).map(|edge| {
        let offset = micros * edge as i128 / buckets as i128;
        let micros = i64::try_from(i128::from(since.timestamp_micros()) + offset).ok()?;
        DateTime::from_timestamp_micros(micros)
    });
    let edges = edges.collect::<Option<BTreeSet<_>>>().ok_or_else(out_of_range)?;
    Ok(edges.into_iter().collect())
}

impl CalendarUnit {
    /// The start of the unit that contains a local time.
    fn start(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = time.date();
        let midnight = |date: NaiveDate| Some(date.and_time(NaiveTime::MIN));
        match self {
            Self::Minute => date.and_hms_opt(time.hour(), time.minute(), 0),
            Self::Hour => date.and_hms_opt(time.hour(), 0, 0),
            Self::Day => midnight(date),
            Self::Week => midnight(date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into()))?),
            Self::Month => midnight(date.with_day(1)?),
            Self::Year => midnight(date.with_ordinal(1)?),
        }
    }

    /// The start of the next unit.
    fn next(self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Minute => start.checked_add_signed(TimeDelta::minutes(1)),
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Year => start.checked_add_months(Months::new(12)),
        }
    }
}

/// The edges of a histogram: two or more, ascending, in whole microseconds.
#[derive(Debug, Clone)]
pub struct Edges(Vec<DateTime<Utc>>);

impl Edges {
    pub(crate) fn new(edges: &[DateTime<Utc>]) -> Result<Self> {
        if edges.len() < 2 {
            return Err(invalid(format!("need at least 2 times, and {} are given", edges.len())));
        }
        if edges.len() > MAX_BUCKETS + 1 {
            return Err(too_many());
        }
        let edges = edges.iter().copied().map(instant::round_up).collect::<Vec<_>>();
        if let Some(position) = edges.windows(2).position(|pair| matches!(pair, [a, b] if a > b)) {
            return Err(invalid(format!(
                "must not go back, and the time at index {} is before the one in front of it",
                position + 1
            )));
        }
        Ok(Self(edges))
    }

    pub(crate) fn buckets(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Inclusive.
    pub(crate) fn first(&self) -> DateTime<Utc> {
        self.0.first().copied().unwrap_or_default()
    }

    /// Exclusive.
    pub(crate) fn last(&self) -> DateTime<Utc> {
        self.0.last().copied().unwrap_or_default()
    }

    /// Without the first and the last.
    pub(crate) fn inner(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.0.iter().copied().skip(1).take(self.buckets().saturating_sub(1))
    }
}

fn invalid(reason: String) -> Error {
    Error::InvalidFilter { field: "edges", reason }
}

fn too_many() -> Error {
    invalid(format!("make more than {MAX_BUCKETS} buckets"))
}

fn out_of_range() -> Error {
    invalid("reach beyond the times that can be represented".to_owned())
}
