//! The stored form of a point in time, and how stored forms compare with a bound.
//!
//! Stored is `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`. Python omits a zero fraction, and the short form sorts before the long
//! one, as `+` does before `.`: so a lower bound on a whole second is spelled short, an upper bound long, and both
//! spellings of one instant fall on the same side.

use chrono::{DateTime, Datelike, NaiveDate, ParseResult, SecondsFormat, SubsecRound, TimeDelta, Timelike, Utc};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const LAST_MICROSECOND: u32 = 999_999_000;

/// The stored form, cut to microseconds; `None` when the year is outside 0001–9999.
pub(crate) fn encode(ts: DateTime<Utc>) -> Option<String> {
    let ts = without_leap_second(ts);
    (1..=9999).contains(&ts.year()).then(|| ts.to_rfc3339_opts(SecondsFormat::Micros, false))
}

/// Reads any RFC 3339 form.
pub(crate) fn decode(text: &str) -> ParseResult<DateTime<Utc>> {
    match decode_stored(text) {
        Some(ts) => Ok(ts),
        None => DateTime::parse_from_rfc3339(text).map(|ts| ts.to_utc()),
    }
}

/// Reads the form that nearly every row has, in half of chrono's time. What is none, or no time, is left to chrono.
fn decode_stored(text: &str) -> Option<DateTime<Utc>> {
    let text = &mut text.as_bytes();
    let (year, month, day) = (number::<4>(text, b"-")?, number::<2>(text, b"-")?, number::<2>(text, b"T")?);
    let (hour, minute) = (number::<2>(text, b":")?, number::<2>(text, b":")?);
    let (second, micros) = (number::<2>(text, b".")?, number::<6>(text, b"+00:00")?);
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), month, day).filter(|_| text.is_empty())?;
    date.and_hms_micro_opt(hour, minute, second, micros).map(|ts| ts.and_utc())
}

/// Takes a number of so many digits, and what comes behind it, off the text.
fn number<const DIGITS: usize>(text: &mut &[u8], end: &[u8]) -> Option<u32> {
    let (digits, rest) = text.split_first_chunk::<DIGITS>()?;
    *text = rest.strip_prefix(end)?;
    digits.iter().try_fold(0, |number, digit| Some(10 * number + char::from(*digit).to_digit(10)?))
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
