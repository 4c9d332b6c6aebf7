//! The entries of the log that the benchmarks measure, in any database. The same size always gives the same entries.
//!
//! The number of rare entries does not depend on the size, so the answers do not grow with the log. A time that grows
//! with the log therefore has another cause.

use std::error::Error;

use activity_log::{ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};

/// A benchmark stops at any error, because a failed operation must not be timed.
pub(crate) type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The first entries of the log. All of them have one category, as on the first day of a server.
pub(crate) const FIRST_ENTRIES: u64 = 1_000;

const RARE_ENTRIES: u64 = 20;
const TWO_YEARS: TimeDelta = TimeDelta::days(2 * 365);

/// The time of entry `number` in a log of `rows` rows. The times are evenly spread over two years.
pub(crate) fn time(number: u64, rows: u64) -> DateTime<Utc> {
    let step = TWO_YEARS.num_microseconds().unwrap_or_default().unsigned_abs() / rows.max(1);
    DateTime::from_timestamp_nanos(1_700_000_000_000_000_000)
        + TimeDelta::microseconds((step * number).try_into().unwrap_or(i64::MAX))
}

/// Entry `number` of a log of `rows` rows. In an empty log, its `seq` is `number + 1`.
///
/// The category `capture` never has an error. The busy actor `user_01` never has the categories `auth` and `system`,
/// and `user_02` only has entities of the types `device` and `licence`.
pub(crate) fn entry(number: u64, rows: u64) -> NewActivityLogEntry {
    let mut dice = Dice(number);
    // Users with lower numbers are busier: the first has 27 % of the entries, and the last has 0.7 %.
    let actor = dice.below(1_000).pow(3) * 50 / 1_000_000_000;
    let category = match dice.below(100) {
        _ if is_rare(number, rows, 3) => "billing",
        _ if number < FIRST_ENTRIES => "device",
        0..40 => "device",
        40..70 => "capture",
        70..85 => "entity",
        _ if actor == 1 => "device",
        85..95 => "system",
        _ => "auth",
    };
    let severity = match dice.below(100) {
        0 if category != "capture" => ActivitySeverity::Error,
        0..10 => ActivitySeverity::Warning,
        _ => ActivitySeverity::Info,
    };
    let (entity_type, entity_id) = match dice.below(100) {
        _ if is_rare(number, rows, 7) => ("licence", "lic_1".to_owned()),
        share if share < 70 || actor == 2 => ("device", format!("{:04}", dice.below(1_000))),
        70..90 => ("scene", format!("{:04}", dice.below(1_000))),
        _ => ("schedule", format!("{:04}", dice.below(1_000))),
    };
    let change = if number == rows / 3 { "quarantined" } else { "changed" };
    let message = format!("The settings of {entity_type} {entity_id} were {change}, revision {number:08}");

    let ts = time(number, rows);
    // Formatted like a UUIDv7 created at the time of the entry.
    let id = format!("al_{:012x}7{:03x}8{:015x}", ts.timestamp_millis(), dice.below(1 << 12), dice.below(1 << 60));
    let action = match dice.below(10) {
        _ if is_rare(number, rows, 11) => "audited",
        0 => "opened",
        _ => "changed",
    };
    let new = NewActivityLogEntry::new(category, format!("{category}.{action}"), format!("user_{actor:02}"), message)
        .id(id)
        .ts(ts)
        .severity(severity)
        .metadata_value("revision", number)
        .metadata_value("address", format!("192.0.2.{}", dice.below(256)));
    if category == "auth" && entity_type != "licence" { new } else { new.entity(entity_type, entity_id) }
}

/// Whether the entry is one of the few, evenly spread entries that are rare in this `way`.
fn is_rare(number: u64, rows: u64, way: u64) -> bool {
    let distance = (rows / RARE_ENTRIES).max(way + 1);
    number % distance == way
}

/// Pseudo-random numbers that are the same every time: `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
