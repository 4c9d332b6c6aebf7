//! Plausible entries for a demonstration.

mod events;

use std::iter;

use activity_log::{ActivitySeverity, NewActivityLogEntry};
use chrono::{DateTime, TimeDelta, Utc};

use crate::events::{ACTORS, EVENTS, Event};

const DAYS: u64 = 30;
const BATCH: usize = 1_000;

/// The relative number of events in each hour of the day, in UTC.
const HOURS: [u64; 24] = [2, 1, 1, 1, 2, 4, 10, 24, 38, 44, 42, 36, 30, 38, 42, 40, 34, 26, 20, 18, 16, 12, 8, 4];

/// `number` plausible entries from the last 30 days, the oldest first, in batches to be recorded in one transaction each: a
/// commit waits for the disk, and other writers wait for the commit.
///
/// The same `number` always yields the same entries, except for their ids and times.
pub fn batches(number: u32, now: DateTime<Utc>) -> impl Iterator<Item = Vec<NewActivityLogEntry>> {
    // The times have a generator of their own: how many numbers they consume depends on the current time.
    let mut chance = Chance(1);
    let mut times = (0..number).map(|_| time(&mut chance, now)).collect::<Vec<_>>();
    times.sort_unstable();
    let mut chance = Chance(2);
    let mut entries = times.into_iter().map(move |ts| entry(&mut chance, ts));
    iter::from_fn(move || Some(entries.by_ref().take(BATCH).collect::<Vec<_>>()).filter(|batch| !batch.is_empty()))
}

/// A pseudorandom number generator (splitmix64) with a fixed seed, so that every run yields the same numbers.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Picks an item with a probability in proportion to its weight; `None` when there are no items.
    fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let mut left = self.below(items.iter().map(&weight).sum());
        items.iter().find(|item| {
            let weight = weight(item);
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
    }

    fn one_of<T: Copy>(&mut self, items: &[T], otherwise: T) -> T {
        self.weighted(items, |_| 1).copied().unwrap_or(otherwise)
    }
}

/// A time in the last 30 days, weighted by the hour of the day.
fn time(chance: &mut Chance, now: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = now - TimeDelta::microseconds(now.timestamp_micros().rem_euclid(DAY));
    loop {
        let hours = (0..24).zip(HOURS).collect::<Vec<_>>();
        let hour = chance.weighted(&hours, |(_, weight)| *weight).map_or(12, |(hour, _)| *hour);
        let day = chance.below(DAYS + 1) as i64;
        let within = chance.below(3_600_000_000) as i64;
        let ts = midnight + TimeDelta::days(-day) + TimeDelta::hours(hour) + TimeDelta::microseconds(within);
        // Only a part of the first day and of today lies within the 30 days.
        if (now - TimeDelta::days(DAYS as i64)..=now).contains(&ts) {
            return ts;
        }
    }
}

const DAY: i64 = 86_400_000_000;

fn entry(chance: &mut Chance, ts: DateTime<Utc>) -> NewActivityLogEntry {
    let severity = match chance.below(100) {
        0..2 => ActivitySeverity::Error,
        2..10 => ActivitySeverity::Warning,
        _ => ActivitySeverity::Info,
    };
    let candidates = EVENTS.iter().filter(|event| event.severity == severity).collect::<Vec<_>>();
    let Some(event) = chance.weighted(&candidates, |event| event.weight) else {
        return NewActivityLogEntry::new("system", "demo", "system", "Nothing happened");
    };
    let Event { category, action, message, entities, metadata, .. } = **event;
    let actor = match event.by {
        Some(by) => by,
        None => chance.one_of(ACTORS, "alice"),
    };
    let (entity_id, entity_name) = chance.one_of(entities.items, ("", ""));
    let message = message.replace("{actor}", actor).replace("{entity}", entity_name);
    let mut entry = NewActivityLogEntry::new(category, action, actor, message);
    (entry.ts, entry.severity) = (ts, severity);
    if !entity_id.is_empty() {
        entry = entry.entity(entities.kind, entity_id).entity_name(entity_name);
    }
    for (key, values) in metadata {
        entry = entry.metadata_value(*key, chance.one_of(values, ""));
    }
    // An address from the block that is reserved for documentation.
    entry.metadata_value("address", format!("192.0.2.{}", chance.below(254) + 1))
}
