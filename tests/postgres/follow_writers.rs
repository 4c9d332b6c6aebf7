//! Followers beside writers of every kind, the crate's and others': they see each committed entry exactly once, although
//! PostgreSQL gives a `seq` before it commits. The query that one would write without the crate loses entries.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use activity_log::{ActivityLogEntry, Error, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use diesel::sql_types::Text;

use crate::chance::{random, wait_up_to};
use crate::database::{ActivityLogRepository, Connection, SharedLog, schema};
use crate::placement::PREPARES_TRANSACTIONS;
use crate::support::{TestResult, everything};

const WRITERS: usize = 32;
/// The server keeps few transactions prepared at a time.
const PREPARING_WRITERS: usize = 4;
const LOAD: Duration = Duration::from_secs(5);
/// How often the load is put on, if the naive follower is lucky.
const ROUNDS: usize = 4;
const PAGE_SIZE: u32 = 50;

/// The entries that a follower saw, in the order in which it saw them.
type Seen = Vec<(i64, String)>;
/// Returns from which `seq` on it followed, and what it saw.
type Follower = fn(&mut Connection, &Load) -> TestResult<(i64, Seen)>;

/// What the threads of a round share.
struct Load {
    log: SharedLog,
    stop: AtomicBool,
    running_writers: AtomicUsize,
}

impl Load {
    /// Whether all is committed that will be. A follower that asks first has one more look.
    fn is_over(&self) -> bool {
        self.running_writers.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn followers_see_each_committed_entry_once_where_a_naive_one_loses_some() -> TestResult {
    for round in 1..=ROUNDS {
        if lost_by_naive_follower()? > 0 {
            return Ok(());
        }
        assert!(round < ROUNDS, "the naive follower lost nothing, so this test would not notice a loss");
    }
    Ok(())
}

/// Lets writers and followers run beside each other. Returns how many entries the naive follower lost.
fn lost_by_naive_follower() -> TestResult<usize> {
    const FOLLOWERS: [(&str, Follower); 4] = [
        ("query_after", follow_by_queries),
        ("page_after", follow_by_pages),
        ("newest_seq, then query_after", follow_from_newest),
        ("iter_export, then query_after", export_and_follow),
    ];
    let log = SharedLog::create()?;
    let load = Load { log, stop: AtomicBool::new(false), running_writers: AtomicUsize::new(WRITERS) };
    let (committed, followed, naive) = thread::scope(|scope| {
        let load = &load;
        let writers = (0..WRITERS).map(|writer| scope.spawn(move || write_until_stopped(load, writer)));
        let writers = writers.collect::<Vec<_>>();
        let follow = |follower: Follower| scope.spawn(move || follower(&mut load.log.connect()?, load));
        let naive = follow(follow_naively);
        let followers = FOLLOWERS.map(|(name, follower)| (name, follow(follower)));
        sleep(LOAD);
        load.stop.store(true, Ordering::SeqCst);

        let mut committed = Vec::new();
        for writer in writers {
            committed.extend(writer.join().map_err(|_| "a writer panicked")??);
        }
        let mut followed = Vec::new();
        for (name, follower) in followers {
            followed.push((name, follower.join().map_err(|_| "a follower panicked")??));
        }
        let naive = naive.join().map_err(|_| "the naive follower panicked")??;
        TestResult::Ok((committed, followed, naive))
    })?;

    let stored = stored(&mut load.log.connect()?)?;
    let mut ids = stored.iter().map(|(_, id)| id).collect::<Vec<_>>();
    let mut committed = committed.iter().collect::<Vec<_>>();
    ids.sort();
    committed.sort();
    assert!(ids == committed, "{} entries are stored, and {} were acknowledged", ids.len(), committed.len());
    for (name, seen) in followed {
        let (after_seq, seen) = seen;
        let expected = stored.iter().filter(|(seq, _)| *seq > after_seq).cloned().collect::<Vec<_>>();
        let missed = expected.iter().filter(|row| seen.binary_search(row).is_err()).count();
        assert!(seen == expected, "{name} missed {missed} of {} entries", expected.len());
    }
    let (_, naive) = naive;
    Ok(stored.len() - naive.len())
}

fn stored(conn: &mut Connection) -> TestResult<Seen> {
    use schema::activity_log;
    Ok(activity_log::table.select((activity_log::seq, activity_log::id)).order(activity_log::seq).load(conn)?)
}

fn seen(entries: &[ActivityLogEntry]) -> impl DoubleEndedIterator<Item = (i64, String)> {
    entries.iter().map(|entry| (entry.seq, entry.id.clone()))
}

/// Calls `more` until it returns nothing after the last writer has ended.
fn until_over(load: &Load, mut more: impl FnMut() -> TestResult<bool>) -> TestResult {
    loop {
        let is_over = load.is_over();
        if !more()? {
            if is_over {
                return Ok(());
            }
            wait_up_to(Duration::from_millis(5));
        }
    }
}

fn follow_naively(conn: &mut Connection, load: &Load) -> TestResult<(i64, Seen)> {
    use schema::activity_log;
    let mut all = Seen::new();
    until_over(load, || {
        let after = all.last().map_or(0, |(seq, _)| *seq);
        let newer =
            activity_log::table.select((activity_log::seq, activity_log::id)).filter(activity_log::seq.gt(after));
        let newer = newer.order(activity_log::seq).limit(PAGE_SIZE.into()).load::<(i64, String)>(conn)?;
        all.extend_from_slice(&newer);
        Ok(!newer.is_empty())
    })?;
    Ok((0, all))
}

fn follow_after(conn: &mut Connection, load: &Load, after_seq: i64, mut all: Seen) -> TestResult<Seen> {
    let mut log = ActivityLogRepository::new(conn);
    let mut last_seq = after_seq;
    until_over(load, || {
        let newer = log.query_after(&everything(), last_seq, PAGE_SIZE)?;
        last_seq = newer.last().map_or(last_seq, |entry| entry.seq);
        all.extend(seen(&newer));
        Ok(!newer.is_empty())
    })?;
    Ok(all)
}

fn follow_by_queries(conn: &mut Connection, load: &Load) -> TestResult<(i64, Seen)> {
    Ok((0, follow_after(conn, load, 0, Seen::new())?))
}

/// Walks upward from page to page, and looks again where there is no newer one yet.
fn follow_by_pages(conn: &mut Connection, load: &Load) -> TestResult<(i64, Seen)> {
    let mut log = ActivityLogRepository::new(conn);
    let mut all = Seen::new();
    let mut last_seq = 0;
    until_over(load, || {
        let page = log.page_after(&everything(), last_seq, PAGE_SIZE)?;
        last_seq = page.prev_after_seq.or(page.entries.first().map(|entry| entry.seq)).unwrap_or(last_seq);
        all.extend(seen(&page.entries).rev());
        Ok(!page.entries.is_empty())
    })?;
    Ok((0, all))
}

/// Begins once there is something newer than the newest entry, in the middle of the load.
fn follow_from_newest(conn: &mut Connection, load: &Load) -> TestResult<(i64, Seen)> {
    sleep(LOAD / 2);
    let newest = loop {
        match ActivityLogRepository::new(conn).newest_seq() {
            Ok(newest) => break newest.ok_or("the log is empty in the middle of the load")?,
            Err(Error::Busy(_)) => {}
            Err(error) => return Err(error.into()),
        }
    };
    Ok((newest, follow_after(conn, load, newest, Seen::new())?))
}

fn export_and_follow(conn: &mut Connection, load: &Load) -> TestResult<(i64, Seen)> {
    sleep(LOAD / 2);
    let mut log = ActivityLogRepository::new(conn);
    let exported = log.iter_export(&everything())?.collect::<activity_log::Result<Vec<_>>>()?;
    let last_seq = exported.last().ok_or("nothing was exported in the middle of the load")?.seq;
    Ok((0, follow_after(conn, load, last_seq, seen(&exported).collect())?))
}

/// Writes in all ways in turn. Returns the ids of what it has committed.
fn write_until_stopped(load: &Load, writer: usize) -> TestResult<Vec<String>> {
    let mut writer = Writer { conn: load.log.connect()?, name: format!("writer {writer}"), number: writer };
    let written = writer.write_until(&load.stop);
    load.running_writers.fetch_sub(1, Ordering::SeqCst);
    written
}

struct Writer {
    conn: Connection,
    name: String,
    number: usize,
}

impl Writer {
    fn write_until(&mut self, stop: &AtomicBool) -> TestResult<Vec<String>> {
        let mut committed = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let entries = self.entries();
            committed.extend(match random(9) {
                _ if PREPARES_TRANSACTIONS && self.number < PREPARING_WRITERS && random(3) > 0 => {
                    self.prepare(entries)?
                }
                0 => self.record(entries)?,
                1 => self.record_all(entries)?,
                2 => self.roll_back(entries)?,
                3 => self.roll_back_to_savepoint(entries)?,
                4 | 5 => self.insert_without_the_crate(entries)?,
                6 => self.copy(entries)?,
                _ => self.stay_open(entries)?,
            });
        }
        Ok(committed)
    }

    fn entries(&self) -> Vec<NewActivityLogEntry> {
        (0..=random(4)).map(|_| NewActivityLogEntry::new("system", "tick", &*self.name, "Tick")).collect()
    }

    fn record(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        for entry in &entries {
            ActivityLogRepository::new(&mut self.conn).record(entry)?;
        }
        Ok(ids(entries))
    }

    fn record_all(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        ActivityLogRepository::new(&mut self.conn).record_all(&entries)?;
        Ok(ids(entries))
    }

    fn roll_back(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        let outcome = self.conn.transaction::<(), Error, _>(|conn| {
            ActivityLogRepository::new(conn).record_all(&entries)?;
            Err(RollbackTransaction.into())
        });
        assert!(matches!(outcome, Err(Error::Database(RollbackTransaction))), "{outcome:?}");
        Ok(Vec::new())
    }

    fn roll_back_to_savepoint(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        let more = self.entries();
        let late = self.entries();
        self.conn.transaction::<_, Error, _>(|conn| {
            ActivityLogRepository::new(conn).record_all(&entries)?;
            conn.transaction::<(), Error, _>(|conn| {
                ActivityLogRepository::new(conn).record_all(&more)?;
                Err(RollbackTransaction.into())
            })
            .or_else(|error| if matches!(error, Error::Database(RollbackTransaction)) { Ok(()) } else { Err(error) })?;
            wait_up_to(Duration::from_millis(20));
            ActivityLogRepository::new(conn).record_all(&late)
        })?;
        Ok(ids(entries.into_iter().chain(late)))
    }

    fn prepare(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        let id = entries.first().ok_or("no entries")?.id.clone();
        self.conn.batch_execute("BEGIN")?;
        ActivityLogRepository::new(&mut self.conn).record_all(&entries)?;
        self.conn.batch_execute(&format!("PREPARE TRANSACTION '{id}'"))?;
        wait_up_to(Duration::from_millis(5));
        if random(5) == 0 {
            self.conn.batch_execute(&format!("ROLLBACK PREPARED '{id}'"))?;
            return Ok(Vec::new());
        }
        self.conn.batch_execute(&format!("COMMIT PREPARED '{id}'"))?;
        Ok(ids(entries))
    }

    fn stay_open(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        self.conn.transaction::<_, Error, _>(|conn| {
            for entry in &entries {
                ActivityLogRepository::new(conn).record(entry)?;
                wait_up_to(Duration::from_millis(40));
            }
            Ok(())
        })?;
        Ok(ids(entries))
    }

    fn insert_without_the_crate(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        for entry in &entries {
            diesel::sql_query(
                "INSERT INTO activity_log (id, ts, category, action, severity, actor, message) \
                VALUES ($1, now(), 'system', 'tick', 'info', $2, 'Tick')",
            )
            .bind::<Text, _>(&entry.id)
            .bind::<Text, _>(&self.name)
            .execute(&mut self.conn)?;
        }
        Ok(ids(entries))
    }

    fn copy(&mut self, entries: Vec<NewActivityLogEntry>) -> TestResult<Vec<String>> {
        use schema::activity_log as log;
        let lines = entries
            .iter()
            .map(|entry| format!("{}\t{}\tsystem\ttick\tinfo\t{}\tTick\n", entry.id, entry.ts.to_rfc3339(), self.name));
        let lines = lines.collect::<String>();
        let columns = (log::id, log::ts, log::category, log::action, log::severity, log::actor, log::message);
        diesel::copy_from(log::table)
            .from_raw_data(columns, |copy| {
                copy.write_all(lines.as_bytes())
                    .map_err(|error| diesel::result::Error::SerializationError(error.into()))
            })
            .execute(&mut self.conn)?;
        Ok(ids(entries))
    }
}

fn ids(entries: impl IntoIterator<Item = NewActivityLogEntry>) -> Vec<String> {
    entries.into_iter().map(|entry| entry.id).collect()
}
