//! Instants at the precision that every database stores: microseconds, without leap seconds.

use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const LAST_MICROSECOND: u32 = 999_999_000;

/// The last storable instant at or before `ts`. A leap second becomes the last microsecond of its second.
pub(crate) fn round_down(ts: DateTime<Utc>) -> DateTime<Utc> {
    without_leap_second(ts).trunc_subsecs(6)
}

/// The first storable instant at or after `ts`.
pub(crate) fn round_up(ts: DateTime<Utc>) -> DateTime<Utc> {
    let ts = without_leap_second(ts);
    let rounded = ts.trunc_subsecs(6);
    if rounded < ts { rounded.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(rounded) } else { rounded }
}

/// chrono represents a leap second by nanoseconds beyond 10⁹.
fn without_leap_second(ts: DateTime<Utc>) -> DateTime<Utc> {
    if ts.nanosecond() < NANOS_PER_SECOND {
        return ts;
    }
    ts.with_nanosecond(LAST_MICROSECOND).unwrap_or(ts)
}
