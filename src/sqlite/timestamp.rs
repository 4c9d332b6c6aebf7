//! The stored form of an instant, and how stored forms compare with a bound.
//!
//! The stored form is `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`. Python omits a zero fraction, and the short form sorts before
//! the long one, because `+` sorts before `.`. A lower bound on a whole second therefore takes the short form and an upper
//! bound the long one, so that both spellings of an instant fall on the same side.

use chrono::{DateTime, Datelike, ParseResult, SecondsFormat, Timelike, Utc};

use crate::model::normalized_filters::NormalizedFilters;

/// The stored form of a storable instant.
pub(crate) fn encode(ts: DateTime<Utc>) -> String {
    ts.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Reads any RFC 3339 form.
pub(crate) fn decode(text: &str) -> ParseResult<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|ts| ts.to_utc())
}

/// Which stored times lie on one side of a bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    All,
    None,
    /// Those that compare with this text in the same way.
    Text(String),
}

/// The bound of `ts >= bound`, for the times at or after a storable instant.
pub(crate) fn lower_bound(ts: DateTime<Utc>) -> Bound {
    match ts.year() {
        ..1 => Bound::All,
        1..=9999 => {
            let form = if ts.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
            Bound::Text(ts.to_rfc3339_opts(form, false))
        }
        10_000.. => Bound::None,
    }
}

/// The bound of `ts <= bound`, for the times at or before a storable instant.
pub(crate) fn upper_bound(ts: DateTime<Utc>) -> Bound {
    match ts.year() {
        ..1 => Bound::None,
        1..=9999 => Bound::Text(encode(ts)),
        10_000.. => Bound::All,
    }
}

/// The stored forms of the time bounds of filters, both inclusive; `None` is unbounded.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TimeRange {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl TimeRange {
    /// `None` if no stored time can be within the bounds.
    pub(crate) fn new(filters: &NormalizedFilters) -> Option<Self> {
        let text = |bound| match bound {
            None | Some(Bound::All) => Some(None),
            Some(Bound::None) => None,
            Some(Bound::Text(text)) => Some(Some(text)),
        };
        Some(Self { since: text(filters.since.map(lower_bound))?, until: text(filters.until.map(upper_bound))? })
    }

    pub(crate) fn is_unbounded(&self) -> bool {
        *self == Self::default()
    }
}
