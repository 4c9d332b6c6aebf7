//! What the crate does.

use std::sync::atomic::AtomicBool;

use activity_log::histogram::equal_edges;
use activity_log::{ActivityLogFilters, ActivityLogRepository, Facet, RetentionHooks, RetentionPolicy, export};
use diesel::prelude::*;

use crate::by_hand::{ACTOR, BUCKETS, ERASED, SPAN, ids};
use crate::due;
use crate::log::{BenchResult, time};

pub(crate) fn facets(conn: &mut SqliteConnection, facet: Facet) -> BenchResult<String> {
    let facets = ActivityLogRepository::new(conn).facets(&ActivityLogFilters::default(), facet, 20)?;
    Ok(facets.values.iter().map(|value| format!("{} {}, ", value.value, value.entries)).collect())
}

pub(crate) fn histogram(conn: &mut SqliteConnection, categories: &[&str]) -> BenchResult<String> {
    let edges = equal_edges(time(0, 1), time(0, 1) + SPAN, BUCKETS)?;
    let histogram = ActivityLogRepository::new(conn).histogram(&of(categories), &edges)?;
    Ok(histogram.iter().map(|counts| format!("{} {} {}, ", counts.info, counts.warning, counts.error)).collect())
}

pub(crate) fn count(conn: &mut SqliteConnection) -> BenchResult<String> {
    Ok(ActivityLogRepository::new(conn).count(&of(&["device", "auth"]))?.to_string())
}

pub(crate) fn get(conn: &mut SqliteConnection, rows: u64) -> BenchResult<String> {
    let mut log = ActivityLogRepository::new(conn);
    let mut bytes = 0;
    for id in ids(rows) {
        let entry = log.get(id)?.ok_or("an entry is missing")?;
        bytes += entry.message.len() + entry.metadata.len();
    }
    Ok(bytes.to_string())
}

pub(crate) fn retain(conn: &mut SqliteConnection, rows: u64) -> BenchResult<String> {
    retain_with(conn, rows, RetentionHooks::new())
}

pub(crate) fn archive(conn: &mut SqliteConnection, rows: u64) -> BenchResult<String> {
    let folder = tempfile::tempdir()?;
    let mut archive = export::FileArchive::open(folder.path().join("archive.ndjson"))?;
    retain_with(conn, rows, RetentionHooks::new().archive(&mut archive))
}

fn retain_with(conn: &mut SqliteConnection, rows: u64, hooks: RetentionHooks<'_>) -> BenchResult<String> {
    let now = time(rows, rows);
    let policy = RetentionPolicy::new().max_age(now - time(due(rows), rows));
    let report = ActivityLogRepository::new(conn).apply_retention_with(&policy, now, &AtomicBool::new(false), hooks)?;
    Ok(report.deleted.to_string())
}

pub(crate) fn erase(conn: &mut SqliteConnection) -> BenchResult<String> {
    Ok(ActivityLogRepository::new(conn).erase_actor(ACTOR, ERASED)?.to_string())
}

pub(crate) fn erase_without_vacuum(conn: &mut SqliteConnection) -> BenchResult<String> {
    Ok(ActivityLogRepository::new(conn).without_vacuum().erase_actor(ACTOR, ERASED)?.to_string())
}

pub(crate) fn rewrite(conn: &mut SqliteConnection) -> BenchResult<String> {
    let filters = ActivityLogFilters { actor: Some(ACTOR.to_owned()), ..ActivityLogFilters::default() };
    let rewritten = ActivityLogRepository::new(conn).rewrite(&filters, |entry| {
        entry.actor = ERASED.to_owned();
        entry.message = entry.message.replace(ACTOR, ERASED);
    })?;
    Ok(rewritten.to_string())
}

fn of(categories: &[&str]) -> ActivityLogFilters {
    let categories = categories.iter().map(|category| (*category).into()).collect();
    ActivityLogFilters { categories, ..ActivityLogFilters::default() }
}
