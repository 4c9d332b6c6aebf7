//! A hot standby: the log can be read there, and neither written nor followed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use activity_log::{Error, Facet};

use crate::cluster::Cluster;
use crate::database::{ActivityLogRepository, Connection, run_migrations};
use crate::support::{TestResult, everything, numbered, record_numbered, seqs};

/// Starts a server and a copy of it that follows. `None` where the server's programs are not installed.
fn primary_and_standby() -> TestResult<Option<(Cluster, Cluster)>> {
    let Some(primary) = Cluster::start(&["fsync = off"])? else { return Ok(None) };
    let Some(standby) = Cluster::in_empty_folder()? else { return Ok(None) };
    run_migrations(&mut primary.connect()?)?;
    let (data, url) = (standby.data(), primary.url());
    standby.run("pg_basebackup", &["-d", &url, "-D", &data, "-R", "-X", "stream", "-c", "fast", "--no-sync"])?;
    standby.start_again()?;
    Ok(Some((primary, standby)))
}

/// Waits until the standby has this many entries.
fn wait_for(conn: &mut Connection, entries: u64) -> TestResult {
    let started = Instant::now();
    while ActivityLogRepository::new(conn).count(&everything())? < entries {
        assert!(started.elapsed() < Duration::from_secs(30), "the standby stays behind");
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[test]
fn a_standby_serves_pages_counts_and_exports_and_refuses_followers_and_recorders() -> TestResult {
    let Some((primary, standby)) = primary_and_standby()? else { return Ok(()) };
    record_numbered(&mut primary.connect()?, 10)?;
    let mut conn = standby.connect()?;
    wait_for(&mut conn, 10)?;

    let mut log = ActivityLogRepository::new(&mut conn);
    let page = log.page(&everything(), Some(9), 3)?;
    assert_eq!(seqs(&page.entries), [8, 7, 6]);
    assert_eq!((page.next_before_seq, page.prev_after_seq), (Some(6), Some(8)));
    assert_eq!(log.count_up_to(&everything(), 4)?, 4);
    assert_eq!(log.get(&numbered(3).id)?.map(|entry| entry.seq), Some(3));
    assert_eq!(log.facets(&everything(), Facet::Actor, 5)?.values.len(), 1);
    let exported = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    assert_eq!(seqs(&exported), (1..=10).collect::<Vec<_>>());

    for refused in [
        log.query_after(&everything(), 0, 9).map(drop),
        log.page_after(&everything(), 0, 9).map(drop),
        log.newest_seq().map(drop),
    ] {
        assert!(matches!(refused, Err(Error::CannotFollow { .. })), "{refused:?}");
    }
    for refused in [
        log.record(&numbered(11)).map(drop),
        log.record_all(&[numbered(11), numbered(12)]).map(drop),
        log.prune(None, Some(1)).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
    }
    Ok(())
}

#[test]
fn a_standby_that_was_promoted_can_be_followed_from_where_the_primary_ended() -> TestResult {
    let Some((primary, standby)) = primary_and_standby()? else { return Ok(()) };
    record_numbered(&mut primary.connect()?, 3)?;
    let mut conn = standby.connect()?;
    wait_for(&mut conn, 3)?;
    primary.kill()?;
    standby.run("pg_ctl", &["-D", &standby.data(), "-w", "promote"])?;

    let mut log = ActivityLogRepository::new(&mut conn);
    assert_eq!(log.newest_seq()?, Some(3));
    let next = log.record(&numbered(4))?;
    assert!(next > 3, "{next}");
    assert_eq!(seqs(&log.query_after(&everything(), 3, 9)?), [next]);
    Ok(())
}
