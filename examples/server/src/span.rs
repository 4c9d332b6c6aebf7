//! A span of time, cut into equal parts.

use chrono::{DateTime, TimeDelta, Utc};

/// From `since` to `until`, both included, both in whole microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl Span {
    /// The first and the last microsecond of each of `number` parts, or of as many as there are microseconds.
    pub(crate) fn parts(self, number: u32) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let micros = self.until.timestamp_micros() - self.since.timestamp_micros();
        let number = i64::from(number).min(micros).max(1);
        // Ten thousand years of microseconds, multiplied, are more than 64 bits hold.
        let start = move |part: i64| {
            let offset = i128::from(micros) * i128::from(part) / i128::from(number);
            self.since + TimeDelta::microseconds(offset as i64)
        };
        (0..number).map(move |part| {
            let last = if part + 1 == number { self.until } else { start(part + 1) - TimeDelta::microseconds(1) };
            (start(part), last)
        })
    }
}

/// The last whole microsecond that is not after the time.
pub(crate) fn floor_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// The first whole microsecond that is not before the time.
pub(crate) fn ceil_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    let floor = floor_to_micros(time);
    if floor < time { floor + TimeDelta::microseconds(1) } else { floor }
}
