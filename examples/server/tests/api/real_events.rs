use std::fs;
use std::process::Command;

use activity_log::{ActivityLogEntry, ActivitySeverity};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::server::{Server, TestResult};

/// Limits the test on machines that have kept their logs for years.
const MAX_LINES: usize = 10_000;
const MIN_EVENTS: usize = 1_000;
const CHUNK: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Event {
    category: String,
    action: String,
    actor: String,
    ts: DateTime<Utc>,
    message: String,
    severity: ActivitySeverity,
}

impl From<ActivityLogEntry> for Event {
    fn from(entry: ActivityLogEntry) -> Self {
        Self {
            category: entry.category.to_string(),
            action: entry.action,
            actor: entry.actor,
            ts: entry.ts,
            message: entry.message,
            severity: entry.severity,
        }
    }
}

/// Debian's package manager writes `2026-01-31 12:00:00 install libc6:amd64 <none> 2.41-12`.
fn dpkg_events() -> Vec<Event> {
    let log = fs::read("/var/log/dpkg.log").unwrap_or_default();
    String::from_utf8_lossy(&log)
        .lines()
        .take(MAX_LINES)
        .filter_map(|line| {
            let (ts, rest) = line.split_at_checked("2026-01-31 12:00:00".len())?;
            let ts = NaiveDateTime::parse_from_str(ts, "%Y-%m-%d %H:%M:%S").ok()?;
            Some(Event {
                category: "system".to_owned(),
                action: rest.split_whitespace().next()?.to_owned(),
                actor: "dpkg".to_owned(),
                ts: ts.and_utc(),
                message: line.to_owned(),
                severity: if line.contains("half-") { ActivitySeverity::Warning } else { ActivitySeverity::Info },
            })
        })
        .collect()
}

/// The commits of the repository that the test is built in, if there is one.
fn git_events() -> Vec<Event> {
    let log = Command::new("git")
        .args(["log", "--reverse", "--pretty=%aI%x09%an%x09%H %s"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let log = log.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&log)
        .lines()
        .take(MAX_LINES)
        .filter_map(|line| {
            let [ts, author, message] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().ok()?;
            Some(Event {
                category: "git".to_owned(),
                action: "commit".to_owned(),
                actor: author.to_owned(),
                ts: DateTime::parse_from_rfc3339(ts).ok()?.to_utc(),
                message: message.to_owned(),
                severity: ActivitySeverity::Info,
            })
        })
        .collect()
}

/// Four events per second, some of them identical: only their order tells them apart.
fn generated_events() -> Vec<Event> {
    (0..3_000)
        .map(|number| Event {
            category: ["auth", "device", "capture"][number % 3].to_owned(),
            action: "generated".to_owned(),
            actor: format!("actor {}", number % 7),
            ts: DateTime::UNIX_EPOCH + TimeDelta::seconds(number as i64 / 4),
            message: format!("Event {} of a log", number / 2),
            severity: if number % 3 == 0 { ActivitySeverity::Warning } else { ActivitySeverity::Info },
        })
        .collect()
}

fn events() -> Vec<Event> {
    let real = [dpkg_events(), git_events()].concat();
    if real.len() < MIN_EVENTS { [real, generated_events()].concat() } else { real }
}

fn server_with(events: &[Event]) -> TestResult<Server> {
    let server = Server::start()?;
    for chunk in events.chunks(CHUNK) {
        let lines = chunk.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>()?;
        let answer = server.post_ndjson(&lines)?;
        assert_eq!((answer.status, &answer.body["recorded"]), (201, &chunk.len().into()));
    }
    Ok(server)
}

/// Follows `next_before_seq` from the newest page to the oldest, and checks what each page says about the next. Calls
/// `meanwhile` before each further page.
fn walk(
    server: &Server,
    query: &str,
    limit: usize,
    meanwhile: impl Fn() -> TestResult,
) -> TestResult<Vec<ActivityLogEntry>> {
    let mut walked = Vec::new();
    let mut before_seq = i64::MAX;
    loop {
        let answer = server.get(&format!("{query}&limit={limit}&before_seq={before_seq}"))?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let entries = answer.entries()?;
        let seqs = entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
        assert!(seqs.iter().all(|seq| *seq < before_seq), "{seqs:?} before {before_seq}");
        walked.extend(entries);

        let next = answer.body["next_before_seq"].as_i64();
        assert_eq!(answer.body["has_more"], next.is_some());
        let Some(next) = next else {
            assert!((1..=limit).contains(&seqs.len()), "{} on the last page", seqs.len());
            return Ok(walked);
        };
        assert_eq!((seqs.len(), seqs.last()), (limit, Some(&next)));
        before_seq = next;
        meanwhile()?;
    }
}

#[test]
fn a_walk_over_real_events_returns_each_once_newest_first() -> TestResult {
    let events = events();
    let server = server_with(&events)?;
    let newest_first = events.iter().rev().cloned().collect::<Vec<_>>();

    for limit in [200, 137] {
        let mut walked = walk(&server, "", limit, || Ok(()))?;
        assert!(walked.is_sorted_by(|newer, older| newer.seq > older.seq));
        let oldest = walked.pop().map(|entry| entry.action);
        assert_eq!(oldest.as_deref(), Some("server_started"));
        let walked = walked.into_iter().map(Event::from).collect::<Vec<_>>();
        assert!(walked == newest_first, "limit {limit}: {} of {} events", walked.len(), events.len());
    }
    Ok(())
}

#[test]
fn a_walk_with_a_filter_returns_each_matching_event_once() -> TestResult {
    let mut events = [events(), generated_events()].concat();
    let server = server_with(&events)?;
    events.retain(|event| event.severity == ActivitySeverity::Warning);
    events.reverse();

    let walked = walk(&server, "severities=warning", 61, || Ok(()))?;
    let walked = walked.into_iter().map(Event::from).collect::<Vec<_>>();
    assert!(walked == events, "{} of {} events", walked.len(), events.len());
    Ok(())
}

#[test]
fn a_walk_is_not_disturbed_by_entries_recorded_meanwhile() -> TestResult {
    let mut events = generated_events().into_iter().take(30).collect::<Vec<_>>();
    let server = server_with(&events)?;
    let two_more = [serde_json::to_value(&events[0])?, serde_json::to_value(&events[1])?];
    events.reverse();

    let walked = walk(&server, "categories=auth,device,capture", 7, || server.post_ndjson(&two_more).map(drop))?;
    assert_eq!(walked.into_iter().map(Event::from).collect::<Vec<_>>(), events);
    Ok(())
}
