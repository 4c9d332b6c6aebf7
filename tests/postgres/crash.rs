//! A client or the server is killed while clients record. Acknowledged entries are there, nothing is partly or twice there,
//! and followers go on.

#![cfg(unix)] // As `Worker` is.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, sleep};
use std::time::Duration;

use activity_log::{ActivityLogEntry, Error, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};

use crate::chance::{random, wait_up_to};
use crate::cluster::Cluster;
use crate::database::{ActivityLogRepository, Connection, SharedLog, connect, run_migrations};
use crate::support::{TestResult, everything, numbered, parameters, read_back, seqs};
use crate::workers::{Worker, say};

const GROUP_SIZE: i64 = 150;

fn group(number: i64) -> Vec<NewActivityLogEntry> {
    (0..GROUP_SIZE).map(|i| numbered(number * GROUP_SIZE + i).entity("group", number.to_string())).collect()
}

/// Kills the client, waits until the server has ended what the client has begun, and returns what the client said.
fn kill(worker: Worker, backend: &str, conn: &mut Connection) -> TestResult<Vec<String>> {
    let said = worker.kill()?;
    let runs = format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {backend})");
    while diesel::select(sql::<Bool>(&runs)).get_result::<bool>(conn)? {
        sleep(Duration::from_millis(1));
    }
    Ok(said)
}

fn backend(conn: &mut Connection) -> TestResult<i32> {
    Ok(diesel::select(sql::<Integer>("pg_backend_pid()")).get_result(conn)?)
}

#[test]
fn every_entry_acknowledged_before_the_client_is_killed_is_there() -> TestResult {
    let log = SharedLog::create()?;
    let mut conn = log.connect()?;
    // The `seq` of each entry, in the order of the entry numbers, which start at 1.
    let mut seqs = Vec::<i64>::new();
    for round in 0..20 {
        let mut worker = Worker::start(a_process_records_one_by_one, &log.url(), seqs.len() as i64 + 1)?;
        let backend = worker.hear()?;
        for _ in 0..random(25) {
            seqs.push(worker.hear()?.parse()?);
        }
        wait_up_to(Duration::from_millis(4));
        for seq in kill(worker, &backend, &mut conn)? {
            seqs.push(seq.parse()?);
        }

        let stored = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
        // The last entry may have been recorded without being acknowledged.
        seqs.extend(stored.get(seqs.len()).map(|entry| entry.seq));
        let expected = (1..).zip(&seqs).map(|(number, seq)| read_back(numbered(number), *seq)).collect::<Vec<_>>();
        assert_eq!(stored, expected, "round {round}");
    }
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the address"]
fn a_process_records_one_by_one() -> TestResult {
    let (url, first) = parameters()?;
    let mut conn = connect(&url)?;
    say(backend(&mut conn)?)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for number in first.. {
        say(log.record(&numbered(number))?)?;
    }
    Ok(())
}

#[test]
fn record_all_is_all_or_nothing_after_the_client_is_killed() -> TestResult {
    let log = SharedLog::create()?;
    let mut conn = log.connect()?;
    let (mut recorded, mut begun) = (BTreeSet::<i64>::new(), BTreeSet::<i64>::new());
    for round in 0..10 {
        let mut worker = Worker::start(a_process_records_in_groups, &log.url(), round * 1_000)?;
        let backend = worker.hear()?;
        let mut said = (0..=random(8)).map(|_| worker.hear()).collect::<TestResult<Vec<_>>>()?;
        wait_up_to(Duration::from_millis(20));
        said.extend(kill(worker, &backend, &mut conn)?);
        for line in said {
            let (what, number) = line.split_once(' ').ok_or("a message needs a word and a number")?;
            if what == "recorded" { &mut recorded } else { &mut begun }.insert(number.parse()?);
        }
        let stored = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
        assert_whole_groups(&stored, &recorded, &begun)?;
    }
    Ok(())
}

/// The groups that were acknowledged are there, and of the others only those that were begun, each of them whole.
fn assert_whole_groups(stored: &[ActivityLogEntry], recorded: &BTreeSet<i64>, begun: &BTreeSet<i64>) -> TestResult {
    let mut groups = BTreeMap::<i64, Vec<ActivityLogEntry>>::new();
    for entry in stored {
        let number = entry.entity_id.as_deref().ok_or("an entry without a group")?.parse()?;
        groups.entry(number).or_default().push(entry.clone());
    }
    for (number, stored) in &groups {
        assert!(begun.contains(number), "group {number} was never begun");
        let expected = group(*number).into_iter().zip(stored).map(|(new, entry)| read_back(new, entry.seq));
        assert_eq!(*stored, expected.collect::<Vec<_>>());
        assert_eq!(stored.len() as i64, GROUP_SIZE, "group {number}");
    }
    let missing = recorded.iter().filter(|number| !groups.contains_key(number)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:?} were acknowledged");
    Ok(())
}

#[test]
#[ignore = "a test above runs this test in its own process and passes the address"]
fn a_process_records_in_groups() -> TestResult {
    let (url, first) = parameters()?;
    let mut conn = connect(&url)?;
    say(backend(&mut conn)?)?;
    let mut log = ActivityLogRepository::new(&mut conn);
    for number in first.. {
        say(format!("recording {number}"))?;
        log.record_all(&group(number))?;
        say(format!("recorded {number}"))?;
    }
    Ok(())
}

/// The groups that a client began and those that were acknowledged, until the server was killed.
#[derive(Default)]
struct Recorded {
    begun: BTreeSet<i64>,
    acknowledged: BTreeSet<i64>,
}

/// Records groups in turn with one `record_all`, and entry by entry in a transaction.
fn record_until_killed(conn: &mut Connection, first: i64) -> TestResult<Recorded> {
    let mut recorded = Recorded::default();
    for number in first.. {
        recorded.begun.insert(number);
        let outcome = if number % 2 == 0 {
            ActivityLogRepository::new(conn).record_all(&group(number)).map(drop)
        } else {
            conn.transaction(|conn| {
                group(number).iter().try_for_each(|entry| ActivityLogRepository::new(conn).record(entry).map(drop))
            })
        };
        match outcome {
            Ok(()) => recorded.acknowledged.insert(number),
            Err(Error::Busy(_)) => break,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(recorded)
}

fn follow_until_killed(conn: &mut Connection, seen: &mut Vec<ActivityLogEntry>) -> TestResult {
    loop {
        let after = seen.last().map_or(0, |entry| entry.seq);
        match ActivityLogRepository::new(conn).query_after(&everything(), after, 500) {
            Ok(newer) => seen.extend(newer),
            Err(Error::Busy(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[test]
fn after_the_server_is_killed_acknowledged_entries_are_there_and_followers_go_on() -> TestResult {
    const CLIENTS: i64 = 4;
    let Some(cluster) = Cluster::start(&["fsync = on"])? else { return Ok(()) };
    run_migrations(&mut cluster.connect()?)?;
    let mut all = Recorded::default();
    let mut followed = Vec::new();
    for round in 0..4 {
        let clients = (0..CLIENTS).map(|client| {
            let mut conn = cluster.connect()?;
            Ok(thread::spawn(move || record_until_killed(&mut conn, (round * CLIENTS + client) * 1_000)))
        });
        let clients = clients.collect::<TestResult<Vec<_>>>()?;
        let mut follower = cluster.connect()?;
        let mut seen = std::mem::take(&mut followed);
        let following = thread::spawn(move || follow_until_killed(&mut follower, &mut seen).map(|()| seen));
        sleep(Duration::from_millis(200));
        wait_up_to(Duration::from_millis(300));
        cluster.kill()?;
        let before = all.acknowledged.len();
        for client in clients {
            let recorded = client.join().map_err(|_| "a client panicked")??;
            all.begun.extend(recorded.begun);
            all.acknowledged.extend(recorded.acknowledged);
        }
        assert!(all.acknowledged.len() > before, "nothing was recorded in round {round}");
        followed = following.join().map_err(|_| "the follower panicked")??;
        cluster.start_again()?;

        let mut conn = cluster.connect()?;
        let mut log = ActivityLogRepository::new(&mut conn);
        let stored = log.query_after(&everything(), 0, u32::MAX)?;
        assert_whole_groups(&stored, &all.acknowledged, &all.begun)?;
        assert_eq!(
            stored.get(..followed.len()),
            Some(&followed[..]),
            "a follower saw what is not there, round {round}"
        );
        let last = followed.last().map_or(0, |entry| entry.seq);
        followed.extend(log.query_after(&everything(), last, u32::MAX)?);
        assert_eq!(followed, stored, "round {round}");
    }
    Ok(())
}

#[test]
fn a_transaction_that_was_prepared_before_the_server_was_killed_still_holds_followers_up() -> TestResult {
    let Some(cluster) = Cluster::start(&["max_prepared_transactions = 2"])? else { return Ok(()) };
    let mut conn = cluster.connect()?;
    run_migrations(&mut conn)?;
    conn.batch_execute("BEGIN")?;
    ActivityLogRepository::new(&mut conn).record(&numbered(1))?;
    conn.batch_execute("PREPARE TRANSACTION 'first'")?;
    ActivityLogRepository::new(&mut conn).record(&numbered(2))?;
    cluster.kill()?;
    cluster.start_again()?;

    let mut conn = cluster.connect()?;
    let followed = |conn: &mut Connection| ActivityLogRepository::new(conn).query_after(&everything(), 0, 9);
    assert_eq!(followed(&mut conn)?, []);
    conn.batch_execute("COMMIT PREPARED 'first'")?;
    assert_eq!(seqs(&followed(&mut conn)?), [1, 2]);
    Ok(())
}
