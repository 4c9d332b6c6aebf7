//! Streams beside a transaction that stays open for longer than a follower waits.

use std::time::Duration;

use activity_log::Repository;
use diesel::connection::SimpleConnection;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_lasts_and_misses_nothing_while_a_transaction_that_writes_stays_open() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["First"])?;
    let mut events = Events::open(&host.router, &format!("{LOG}/stream")).await?;
    let mut slow = host.log.connect()?;
    slow.batch_execute("BEGIN")?;
    Repository::new(&mut slow).record(&entry("Slow"))?;
    // It has a greater number than the one that cannot be seen yet.
    host.record(&["Fast"])?;
    let commit = spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(3));
        slow.batch_execute("COMMIT")
    });
    sleep(Duration::from_millis(10)).await;
    for message in ["Slow", "Fast"] {
        assert_eq!(events.next().await?.ok_or("the stream has ended")?["message"], message);
    }
    commit.await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_arrives_although_a_later_transaction_stays_open() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["First"])?;
    let mut events = Events::open(&host.router, &format!("{LOG}/stream?after_seq=0")).await?;
    assert_eq!(events.next().await?.ok_or("the stream has ended")?["message"], "First");
    host.record(&["Second"])?;
    let mut slow = host.log.connect()?;
    slow.batch_execute("BEGIN")?;
    Repository::new(&mut slow).record(&entry("Slow"))?;
    let commit = spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(4));
        slow.batch_execute("COMMIT")
    });
    for message in ["Second", "Slow"] {
        assert_eq!(events.next().await?.ok_or("the stream has ended")?["message"], message);
    }
    commit.await??;
    Ok(())
}
