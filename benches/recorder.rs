//! How many entries a second threads record, and how long each waits until its entry is committed, through one recorder and
//! with a connection for each thread: `cargo bench --bench recorder`.
//!
//! SQLite is measured with `synchronous = FULL`, as `connect` sets it, and `NORMAL`; PostgreSQL if
//! `ACTIVITY_LOG_POSTGRES_URL` has the address of a server and the feature `postgres` is on, in a database that the
//! benchmark creates and drops. Both ways take turns, each on an empty log. The ratios are of entries a second, and of the
//! 99 % waits. A number after `--` replaces the seconds that each measurement takes.

#[path = "log/entries.rs"]
mod entries;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use activity_log::{Error, NewActivityLogEntry, Recorder, RecorderOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use entries::{BenchResult, entry};

const SECONDS: u64 = 2;
const ROUNDS: usize = 3;
const THREADS: [usize; 3] = [1, 16, 64];
/// How many receipts a thread that does not wait for each keeps.
const OUTSTANDING: usize = 1_000;

/// What the threads of one measurement recorded, and how long each entry took.
#[derive(Default)]
struct Measured {
    waits: Vec<Duration>,
    time: Duration,
}

impl Measured {
    fn per_second(&self) -> f64 {
        self.waits.len() as f64 / self.time.as_secs_f64()
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.waits.get(self.waits.len() * percent / 100).or(self.waits.last()).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        self.waits.extend(other.waits);
        self.waits.sort_unstable();
        self.time += other.time;
    }
}

/// Runs threads, each with a function of its own that records one entry, until the time is over.
fn measure<R>(threads: usize, time: Duration, mut start: impl FnMut() -> BenchResult<R>) -> BenchResult<Measured>
where
    R: FnMut(NewActivityLogEntry) -> BenchResult + Send,
{
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let recorders = (0..threads).map(|_| start()).collect::<BenchResult<Vec<_>>>()?;
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let waits = thread::scope(|scope| {
        let running = recorders.into_iter().map(|mut record| {
            let stop = &stop;
            scope.spawn(move || -> BenchResult<Vec<Duration>> {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
                    let entry = entry(number % 1_000_000, 1_000_000).id(format!("bench {number}"));
                    let began = Instant::now();
                    record(entry)?;
                    waits.push(began.elapsed());
                }
                Ok(waits)
            })
        });
        let running = running.collect::<Vec<_>>();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        let waits = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
        waits.collect::<BenchResult<Vec<_>>>()
    })?;
    let mut waits = waits.into_iter().flatten().collect::<Vec<_>>();
    waits.sort_unstable();
    Ok(Measured { waits, time: began.elapsed() })
}

/// Records one entry and commits it.
type Record = Box<dyn FnMut(&NewActivityLogEntry) -> activity_log::Result<i64> + Send>;

/// A way to an empty log.
trait Database {
    /// Empties the log.
    fn clear(&self) -> BenchResult;

    fn recorder(&self) -> BenchResult<Recorder>;

    /// What records one entry and commits it, through a connection of its own.
    fn one_by_one(&self) -> BenchResult<Record>;
}

fn compare(name: &str, database: &dyn Database, time: Duration) -> BenchResult {
    println!("\n{name:<26} {:>9} {:>10} {:>10}", "a second", "50 %", "99 %");
    for threads in THREADS {
        let (mut alone, mut shared) = (Measured::default(), Measured::default());
        for _ in 0..ROUNDS {
            database.clear()?;
            alone.add(measure(threads, time, || {
                let mut record = database.one_by_one()?;
                Ok(move |entry| {
                    loop {
                        match record(&entry) {
                            Err(Error::Busy(_)) => {}
                            outcome => break Ok(outcome.map(drop)?),
                        }
                    }
                })
            })?);
            database.clear()?;
            let recorder = database.recorder()?;
            shared.add(measure(threads, time, || {
                let recorder = recorder.clone();
                Ok(move |entry| Ok(recorder.record(entry).wait().map(drop)?))
            })?);
        }
        print(&format!("{threads} × record"), &alone);
        print(&format!("{threads} × recorder"), &shared);
        let waits = shared.percentile(99).as_secs_f64() / alone.percentile(99).as_secs_f64();
        println!("{:<26} {:>9.2} {:>21.3}", "  ratio", shared.per_second() / alone.per_second(), waits);
    }
    database.clear()?;
    let recorder = database.recorder()?;
    let without_waiting = measure(1, time, || {
        let (recorder, mut receipts) = (recorder.clone(), Vec::new());
        Ok(move |entry| {
            receipts.push(recorder.record(entry));
            if receipts.len() < OUTSTANDING {
                return Ok(());
            }
            Ok(receipts.drain(..).try_for_each(|receipt| receipt.wait().map(drop))?)
        })
    })?;
    println!("{:<26} {:>9.0}", "1 × recorder, no waiting", without_waiting.per_second());
    Ok(())
}

fn print(name: &str, measured: &Measured) {
    let (half, most) = (measured.percentile(50), measured.percentile(99));
    println!("{name:<26} {:>9.0} {half:>10.2?} {most:>10.2?}", measured.per_second());
}

/// A file with a log, and how much a commit waits for the disk.
struct Sqlite {
    folder: tempfile::TempDir,
    synchronous: &'static str,
}

impl Sqlite {
    fn create(synchronous: &'static str) -> BenchResult<Self> {
        let database = Self { folder: tempfile::tempdir()?, synchronous };
        activity_log::run_migrations(&mut database.connector()()?)?;
        Ok(database)
    }

    fn connector(&self) -> impl FnMut() -> activity_log::Result<SqliteConnection> + Send + 'static {
        let (path, synchronous) = (self.folder.path().join("log.db").display().to_string(), self.synchronous);
        move || {
            let mut conn = activity_log::connect(&path)?;
            conn.batch_execute(&format!("PRAGMA synchronous = {synchronous}"))?;
            Ok(conn)
        }
    }
}

impl Database for Sqlite {
    fn clear(&self) -> BenchResult {
        activity_log::ActivityLogRepository::new(&mut self.connector()()?).clear()?;
        Ok(())
    }

    fn recorder(&self) -> BenchResult<Recorder> {
        Ok(Recorder::start(self.connector(), RecorderOptions::new())?)
    }

    fn one_by_one(&self) -> BenchResult<Record> {
        let mut conn = self.connector()()?;
        Ok(Box::new(move |entry| activity_log::ActivityLogRepository::new(&mut conn).record(entry)))
    }
}

#[cfg(feature = "postgres")]
mod server {
    use activity_log::postgres::{ActivityLogRepository, run_migrations};
    use activity_log::{Recorder, RecorderOptions};
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;

    use crate::entries::BenchResult;
    use crate::{Database, Record, compare};

    const NAME: &str = "activity_log_bench_recorder";

    /// A database of the benchmark's own.
    struct Postgres {
        server: String,
        url: String,
    }

    impl Postgres {
        fn create(server: String) -> BenchResult<Self> {
            PgConnection::establish(&server)?.batch_execute(&format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))?;
            PgConnection::establish(&server)?.batch_execute(&format!("CREATE DATABASE {NAME}"))?;
            let (rest, _) = server.rsplit_once('/').ok_or("the address names no database")?;
            let url = format!("{rest}/{NAME}");
            run_migrations(&mut PgConnection::establish(&url)?)?;
            Ok(Self { server, url })
        }
    }

    impl Drop for Postgres {
        fn drop(&mut self) {
            let dropped = PgConnection::establish(&self.server)
                .map(|mut conn| conn.batch_execute(&format!("DROP DATABASE {NAME} WITH (FORCE)")));
            if !matches!(dropped, Ok(Ok(()))) {
                eprintln!("the database {NAME} is still there: {dropped:?}");
            }
        }
    }

    impl Database for Postgres {
        fn clear(&self) -> BenchResult {
            PgConnection::establish(&self.url)?.batch_execute("TRUNCATE activity_log")?;
            Ok(())
        }

        fn recorder(&self) -> BenchResult<Recorder> {
            let url = self.url.clone();
            Ok(Recorder::start(move || PgConnection::establish(&url), RecorderOptions::new())?)
        }

        fn one_by_one(&self) -> BenchResult<Record> {
            let mut conn = PgConnection::establish(&self.url)?;
            Ok(Box::new(move |entry| ActivityLogRepository::new(&mut conn).record(entry)))
        }
    }

    #[expect(clippy::disallowed_methods, reason = "only the environment can tell where a server is")]
    pub(crate) fn compare_in_postgres(time: std::time::Duration) -> BenchResult {
        let Ok(server) = std::env::var("ACTIVITY_LOG_POSTGRES_URL") else {
            println!("\nPostgreSQL: ACTIVITY_LOG_POSTGRES_URL is not set");
            return Ok(());
        };
        compare("PostgreSQL", &Postgres::create(server)?, time)
    }
}

fn main() -> BenchResult {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(SECONDS);
    let time = Duration::from_secs(seconds);
    println!("{ROUNDS} rounds of {time:?}; a connection for each thread beside one recorder");
    compare("SQLite, FULL", &Sqlite::create("FULL")?, time)?;
    compare("SQLite, NORMAL", &Sqlite::create("NORMAL")?, time)?;
    #[cfg(feature = "postgres")]
    server::compare_in_postgres(time)?;
    Ok(())
}
