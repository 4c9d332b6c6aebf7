//! A span of time that divides into equal parts.

use chrono::{DateTime, TimeDelta, Utc};

/// From `since` to `until`, both inclusive and in whole microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) since: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl Span {
    /// The first and the last microsecond of each of `number` equal parts, or of each microsecond when there are fewer.
    pub(crate) fn parts(self, number: u32) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let micros = self.until.timestamp_micros() - self.since.timestamp_micros();
        let number = i64::from(number).min(micros).max(1);
        // The product of ten thousand years in microseconds and a part overflows 64 bits.
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

/// Rounds down to a whole microsecond.
pub(crate) fn floor_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// Rounds up to a whole microsecond.
pub(crate) fn ceil_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    let floor = floor_to_micros(time);
    if floor < time { floor + TimeDelta::microseconds(1) } else { floor }
}
