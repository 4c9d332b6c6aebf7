use std::collections::BTreeSet;

use activity_log::{ActivityLogEntry, ActivityLogFilters, ActivityLogRepository, ActivitySeverity};
use chrono::{TimeDelta, Timelike, Utc};

use crate::server::{Server, TestResult, entry};

fn demonstration(server: &Server) -> TestResult<Vec<ActivityLogEntry>> {
    let mut conn = server.connect()?;
    let mut log = ActivityLogRepository::new(&mut conn);
    Ok(log.iter_export(&ActivityLogFilters::default())?.take(5_000).collect::<Result<_, _>>()?)
}

#[test]
fn an_empty_log_is_filled_with_a_plausible_month() -> TestResult {
    let server = Server::start_with(&["--demo", "5000"])?;
    assert_eq!(server.get("limit=1")?.entries()?[0].action, "server_started");
    assert_eq!(server.get("limit=1")?.entries()?[0].seq, 5_001);
    let entries = demonstration(&server)?;

    assert!(entries.is_sorted_by_key(|entry| entry.ts));
    let month = Utc::now() - TimeDelta::days(30) - TimeDelta::minutes(5)..Utc::now();
    assert!(entries.iter().all(|entry| month.contains(&entry.ts)));
    let days = entries.iter().map(|entry| entry.ts.date_naive()).collect::<BTreeSet<_>>();
    assert!(days.len() >= 30, "{days:?}");
    let by_day = entries.iter().filter(|entry| (8..18).contains(&entry.ts.hour())).count();
    assert!(by_day > 3_000, "{by_day}");

    let categories = entries.iter().map(|entry| entry.category.to_string()).collect::<BTreeSet<_>>();
    assert!(categories.iter().eq(["auth", "capture", "device", "entity", "system"]), "{categories:?}");
    let share = |severity| entries.iter().filter(|entry| entry.severity == severity).count() * 100 / 5_000;
    assert!((88..=92).contains(&share(ActivitySeverity::Info)));
    assert!((6..=10).contains(&share(ActivitySeverity::Warning)));
    assert!((1..=3).contains(&share(ActivitySeverity::Error)));
    assert!(entries.iter().map(|entry| &entry.actor).collect::<BTreeSet<_>>().len() >= 12);
    assert!(entries.iter().filter(|entry| entry.entity_name.is_some()).count() > 2_000);
    assert!(entries.iter().all(|entry| !entry.message.contains(['{', '}']) && !entry.metadata.is_empty()));
    Ok(())
}

#[test]
fn the_same_number_yields_the_same_entries() -> TestResult {
    let [first, second] = [Server::start_with(&["--demo", "5000"])?, Server::start_with(&["--demo", "5000"])?]
        .map(|server| demonstration(&server));
    let what = |entry: ActivityLogEntry| (entry.message, entry.actor, entry.metadata);
    assert!(first?.into_iter().map(what).eq(second?.into_iter().map(what)));
    Ok(())
}

#[test]
fn a_log_that_is_not_empty_is_left_alone() -> TestResult {
    let mut server = Server::start_with(&["--demo", "10"])?;
    server.post_json(&entry("My own"))?;
    server.restart()?;
    let actions = server.get("")?.entries()?.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
    assert_eq!(actions[..4], ["server_started", "server_stopped", "device.updated", "server_started"]);
    assert_eq!(actions.len(), 14);
    Ok(())
}
