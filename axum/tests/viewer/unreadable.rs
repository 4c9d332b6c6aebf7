//! Pages with rows that cannot be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use activity_log::Repository;
use diesel::connection::Connection as _;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::database::{Connection, break_an_entry};
use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, entry};

const LIMIT: usize = 20;
const PAGES: usize = 50;

/// Stops the recording, however a test ends.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Records entries until it is told to stop. Every third cannot be read.
fn record(conn: &mut Connection, stop: &AtomicBool) -> Result<(), String> {
    for number in (0..1_000_000).take_while(|_| !stop.load(Ordering::Relaxed)) {
        let recorded = conn.transaction(|conn| -> TestResult {
            let seq = Repository::new(&mut *conn).record(&entry("Meanwhile"))?;
            if number % 3 == 0 { break_an_entry(conn, seq) } else { Ok(()) }
        });
        recorded.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The rows of a page, readable or not, oldest first.
fn seqs(page: &Value) -> Vec<i64> {
    let entries = page["entries"].as_array().into_iter().flatten().map(|entry| &entry["seq"]);
    let rows = entries.chain(page["unreadable"].as_array().into_iter().flatten());
    let mut seqs = rows.filter_map(Value::as_i64).collect::<Vec<_>>();
    seqs.sort_unstable();
    seqs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_around_unreadable_rows_has_each_row_of_its_range_while_others_record() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["Before"; LIMIT])?;
    break_an_entry(&mut host.log.connect()?, 10)?;
    let stop = Stop(Arc::default());
    let (mut conn, stopped) = (host.log.connect()?, Arc::clone(&stop.0));
    let recording = spawn_blocking(move || record(&mut conn, &stopped));
    for _ in 0..PAGES {
        let seqs = seqs(&host.list(&format!("limit={LIMIT}")).await?);
        let first = seqs.first().copied().ok_or("the page is empty")?;
        assert_eq!(seqs, (first..).take(LIMIT).collect::<Vec<_>>());
    }
    drop(stop);
    Ok(recording.await??)
}

#[tokio::test]
async fn pages_in_either_direction_have_each_row_once_wherever_unreadable_ones_are() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["Recorded"; 60])?;
    let broken = [1, 2, 3, 19, 20, 21, 22, 40, 58, 60];
    for seq in broken {
        break_an_entry(&mut host.log.connect()?, seq)?;
    }
    for limit in [1, 2, 3, 7, 20, 60, 100] {
        for (cursor, next, from) in [("before_seq", "next_before_seq", 61), ("after_seq", "prev_after_seq", 0)] {
            let (mut at, mut rows) = (json!(from), Vec::new());
            while let Some(seq) = at.as_i64() {
                let page = host.list(&format!("limit={limit}&{cursor}={seq}")).await?;
                rows.extend(seqs(&page));
                at = page[next].clone();
            }
            rows.sort_unstable();
            assert_eq!(rows, (1..=60).collect::<Vec<_>>(), "{LOG}?limit={limit}, by {cursor}");
        }
    }
    Ok(())
}
