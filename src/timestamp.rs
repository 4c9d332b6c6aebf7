//! The stored form of a point in time, and how stored forms compare with a bound.
//!
//! Stored is `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`. Python omits a zero fraction, and the short form sorts before the long
//! one, as `+` does before `.`: so a lower bound on a whole second is spelled short, an upper bound long, and both
//! spellings of one instant fall on the same side.

use chrono::{DateTime, Datelike, ParseResult, SecondsFormat, SubsecRound, TimeDelta, Timelike, Utc};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const LAST_MICROSECOND: u32 = 999_999_000;

/// The stored form, cut to microseconds; `None` when the year is outside 0001–9999.
pub(crate) fn encode(ts: DateTime<Utc>) -> Option<String> {
    let ts = without_leap_second(ts);
    (1..=9999).contains(&ts.year()).then(|| ts.to_rfc3339_opts(SecondsFormat::Micros, false))
}

/// Reads any RFC 3339 form.
pub(crate) fn decode(text: &str) -> ParseResult<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|ts| ts.to_utc())
}

/// Which stored times lie on the asked side of a bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    /// All of them.
    All,
    /// None of them.
    Nothing,
    /// Those that compare so with this text.
    Text(String),
}

/// The bound of `ts >= bound`, for the times at or after `ts`.
pub(crate) fn lower_bound(ts: DateTime<Utc>) -> Bound {
    let ts = without_leap_second(ts);
    let cut = ts.trunc_subsecs(6);
    let up = if cut < ts { cut.checked_add_signed(TimeDelta::microseconds(1)) } else { Some(cut) };
    match up {
        Some(up) if up.year() < 1 => Bound::All,
        Some(up) if up.year() <= 9999 => {
            let form = if up.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
            Bound::Text(up.to_rfc3339_opts(form, false))
        }
        _ => Bound::Nothing,
    }
}

/// The bound of `ts <= bound`, for the times at or before `ts`.
pub(crate) fn upper_bound(ts: DateTime<Utc>) -> Bound {
    match encode(ts) {
        Some(text) => Bound::Text(text),
        None if ts.year() < 1 => Bound::Nothing,
        None => Bound::All,
    }
}

/// chrono writes a leap second as a nanosecond of 10⁹ and more.
fn without_leap_second(ts: DateTime<Utc>) -> DateTime<Utc> {
    if ts.nanosecond() < NANOS_PER_SECOND {
        return ts;
    }
    ts.with_nanosecond(LAST_MICROSECOND).unwrap_or(ts)
}
