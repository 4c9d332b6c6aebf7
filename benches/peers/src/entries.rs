//! The entries of the logs. Each depends only on its number, so that all logs hold the same entries.

use activity_log::{ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};

use crate::peer::BenchResult;

const CATEGORIES: [&str; 5] = ["auth", "device", "entity", "capture", "system"];
const SECONDS_APART: usize = 2;
/// Occurs in the message of only one entry.
pub(crate) const RARE_TERM: &str = "quixotic";
const RARE_NUMBER: usize = 12_345;

/// Entry number `number`, counted from 0. Its `seq` is `number + 1` if the log holds all earlier entries.
pub(crate) fn entry(number: usize) -> BenchResult<NewActivityLogEntry> {
    let random = scramble(number as u64);
    let one_of = |shift: u32, many: u64| (random >> shift) % many;
    let category = CATEGORIES.get(one_of(0, 5) as usize).copied().unwrap_or_default();
    let severity = match one_of(8, 100) {
        0..2 => ActivitySeverity::Error,
        2..10 => ActivitySeverity::Warning,
        _ => ActivitySeverity::Info,
    };
    let lamp = one_of(24, 1_000);
    let remark = if number == RARE_NUMBER { RARE_TERM } else { "evening" };
    let message = format!("Set the brightness of lamp {lamp} to {} % for the {remark} scene", one_of(40, 101));
    let entry = NewActivityLogEntry::new(category, "device.updated", format!("user {}", one_of(16, 50)), message)
        // In creation order, like UUIDv7.
        .id(format!("al_{number:016x}{random:016x}"))
        .ts(about(number, random)?)
        .severity(severity)
        .metadata_value("address", format!("192.0.2.{}", one_of(32, 256)))
        .metadata_value("number", number)
        .metadata_value("level", one_of(40, 101) as f64 / 128.0);
    Ok(match one_of(48, 10) {
        0..4 => entry,
        4..7 => entry.entity("device", format!("dev_{lamp}")),
        _ => entry.entity("device", format!("dev_{lamp}")).entity_name(format!("Lamp {lamp}")),
    })
}

pub(crate) fn entries(numbers: impl Iterator<Item = usize>) -> BenchResult<Vec<NewActivityLogEntry>> {
    numbers.map(entry).collect()
}

/// The nominal time of entry `number`, which happens up to five seconds later.
pub(crate) fn planned(number: usize) -> BenchResult<DateTime<Utc>> {
    // Microseconds and nothing coarser: sqlx and sea-orm write a time with as few digits as possible, and texts of
    // different lengths do not sort like the times.
    let start = DateTime::from_timestamp(1_700_000_000, 123_456_000).ok_or("the start time is out of range")?;
    Ok(start + TimeDelta::seconds((number * SECONDS_APART) as i64))
}

fn about(number: usize, random: u64) -> BenchResult<DateTime<Utc>> {
    let late = TimeDelta::milliseconds((random % 5_000) as i64);
    Ok(planned(number)? + late)
}

/// The finaliser of `SplitMix64`, which maps neighbouring numbers to unrelated ones.
fn scramble(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
