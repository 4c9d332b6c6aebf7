//! The log that the benchmarks measure: the same entries for the same size, whenever it is built.
//!
//! What is rare is a fixed number of entries, whatever the size: a time that grows with the log then never grows with
//! the answer.

use std::error::Error;
use std::ops::Range;

use activity_log::{ActivityLogRepository, ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// A benchmark stops with whatever error it meets: what failed must not be timed.
pub(crate) type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The entries that a log begins with, all of one category, as on the first day of a server.
pub(crate) const FIRST_ENTRIES: u64 = 1_000;

const RARE_ENTRIES: u64 = 20;
const CHUNK: usize = 10_000;
const TWO_YEARS: TimeDelta = TimeDelta::days(2 * 365);

/// A log in a file, which goes when this is dropped.
pub(crate) struct LogFile {
    folder: tempfile::TempDir,
}

impl LogFile {
    /// An empty log with the tables that `migrate` creates.
    pub(crate) fn create(migrate: impl FnOnce(&mut SqliteConnection) -> BenchResult) -> BenchResult<Self> {
        let file = Self { folder: tempfile::tempdir()? };
        migrate(&mut file.connect()?)?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().join("log.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> BenchResult<SqliteConnection> {
        Ok(activity_log::connect(&self.path())?)
    }
}

/// Records these entries of a log of so many rows.
pub(crate) fn fill(conn: &mut SqliteConnection, numbers: Range<u64>, rows: u64) -> BenchResult {
    for first in numbers.clone().step_by(CHUNK) {
        let chunk = (first..numbers.end.min(first + CHUNK as u64)).map(|number| entry(number, rows));
        ActivityLogRepository::new(conn).record_all(&chunk.collect::<Vec<_>>())?;
    }
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// When the entry of this number happens in a log of so many rows: their times lie evenly over two years.
pub(crate) fn time(number: u64, rows: u64) -> DateTime<Utc> {
    let step = TWO_YEARS.num_microseconds().unwrap_or_default().unsigned_abs() / rows.max(1);
    DateTime::from_timestamp_nanos(1_700_000_000_000_000_000)
        + TimeDelta::microseconds((step * number).try_into().unwrap_or(i64::MAX))
}

/// The entry of this number in a log of so many rows; the `seq` that it gets in an empty log is one more.
///
/// `capture` never comes with an error, nor `user_01`, a busy actor, with `auth` or `system`.
pub(crate) fn entry(number: u64, rows: u64) -> NewActivityLogEntry {
    let mut dice = Dice(number);
    // The lower the number, the busier the user: 27 % are the first one's, 0.7 % the last one's.
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
        0..70 => ("device", format!("{:04}", dice.below(1_000))),
        70..90 => ("scene", format!("{:04}", dice.below(1_000))),
        _ => ("schedule", format!("{:04}", dice.below(1_000))),
    };
    let change = if number == rows / 3 { "quarantined" } else { "changed" };
    let message = format!("The settings of {entity_type} {entity_id} were {change}, revision {number:08}");

    let ts = time(number, rows);
    let new = NewActivityLogEntry::new(category, format!("{category}.changed"), format!("user_{actor:02}"), message)
        // As a UUIDv7 that was made at the entry's own time.
        .id(format!("al_{:012x}7{:03x}8{:015x}", ts.timestamp_millis(), dice.below(1 << 12), dice.below(1 << 60)))
        .ts(ts)
        .severity(severity)
        .metadata_value("revision", number)
        .metadata_value("address", format!("192.0.2.{}", dice.below(256)));
    if category == "auth" && entity_type != "licence" { new } else { new.entity(entity_type, entity_id) }
}

/// Whether the entry is one of the few, evenly spread, that are rare in this `way`.
fn is_rare(number: u64, rows: u64, way: u64) -> bool {
    let distance = (rows / RARE_ENTRIES).max(way + 1);
    number % distance == way
}

/// Numbers that look random and are the same in every run: `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
