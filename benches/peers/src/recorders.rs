//! One thread that writes for many: activity-log's recorder, the same by hand, and a logger's file.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use activity_log::{NewActivityLogEntry, Recorder, RecorderOptions};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::databases::{Databases, Log, Schema};
use crate::entries::entries;
use crate::hand_written::HandWritten;
use crate::peer::{BenchResult, Peer};

/// As many as activity-log's recorder holds by default, and writes in one transaction.
const QUEUE: usize = 10_000;
const BATCH: usize = 1_000;

const THREADS: usize = 16;
const WAITING_ENTRIES: usize = 8_000;
const ENTRIES: usize = 50_000;
const ROUNDS: usize = 5;

pub(crate) fn compare(databases: &Databases, first_number: usize) -> BenchResult {
    println!("| recorders | hand-written | activity-log | tracing-appender |\n|---|---:|---:|---:|");
    let numbers = first_number..first_number + WAITING_ENTRIES;
    let (mut by_hand, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        by_hand.push(waiting::<ByHand>(databases, entries(numbers.clone())?)?);
        ours.push(waiting::<Recorder>(databases, entries(numbers.clone())?)?);
    }
    let by_hand = median(by_hand);
    let ratio = median(ours).as_secs_f64() / by_hand.as_secs_f64();
    println!("| {WAITING_ENTRIES} by {THREADS} threads, each waits | {} ms | {ratio:.2} | |", by_hand.as_millis());

    let numbers = first_number..first_number + ENTRIES;
    let (mut by_hand, mut ours, mut logger) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        by_hand.push(without_waiting::<ByHand>(databases, entries(numbers.clone())?)?);
        ours.push(without_waiting::<Recorder>(databases, entries(numbers.clone())?)?);
        logger.push(without_waiting::<Logger>(databases, entries(numbers.clone())?)?);
    }
    let by_hand = median(by_hand);
    let [ours, logger] = [ours, logger].map(|times| median(times).as_secs_f64() / by_hand.as_secs_f64());
    println!(
        "| {ENTRIES} by one thread, until all are written | {} ms | {ours:.2} | {logger:.2} |",
        by_hand.as_millis()
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One thread that writes for many.
trait Writer: Sized + Send + Sync {
    /// Starts on a fresh copy of the log at `path`.
    fn start(path: &Path) -> BenchResult<Self>;

    fn record(&self, entry: NewActivityLogEntry) -> BenchResult;

    /// Waits until everything is written.
    fn end(self) -> BenchResult;
}

/// A writer that says when an entry is committed.
trait Acknowledging: Writer {
    fn record_and_wait(&self, entry: NewActivityLogEntry) -> BenchResult<i64>;
}

fn waiting<W: Acknowledging>(databases: &Databases, mut entries: Vec<NewActivityLogEntry>) -> BenchResult<Duration> {
    let writer = &W::start(&databases.copy(Schema::AllMigrations, Log::Small)?)?;
    let began = Instant::now();
    thread::scope(|scope| {
        let per_thread = entries.len() / THREADS;
        let threads = (0..THREADS).map(|_| {
            let entries = entries.split_off(entries.len() - per_thread);
            scope.spawn(move || entries.into_iter().try_for_each(|entry| writer.record_and_wait(entry).map(drop)))
        });
        let threads = threads.collect::<Vec<_>>();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    Ok(began.elapsed())
}

fn without_waiting<W: Writer>(databases: &Databases, entries: Vec<NewActivityLogEntry>) -> BenchResult<Duration> {
    let writer = W::start(&databases.copy(Schema::AllMigrations, Log::Small)?)?;
    let began = Instant::now();
    for entry in entries {
        writer.record(entry)?;
    }
    writer.end()?;
    Ok(began.elapsed())
}

impl Writer for Recorder {
    fn start(path: &Path) -> BenchResult<Self> {
        let path = path.display().to_string();
        Ok(Self::start(move || activity_log::connect(&path), RecorderOptions::new())?)
    }

    fn record(&self, entry: NewActivityLogEntry) -> BenchResult {
        Ok(self.try_record(entry).map(drop)?)
    }

    fn end(self) -> BenchResult {
        let unwritten = self.shutdown(Duration::from_secs(60));
        if unwritten.is_empty() { Ok(()) } else { Err("the recorder did not write everything".into()) }
    }
}

impl Acknowledging for Recorder {
    fn record_and_wait(&self, entry: NewActivityLogEntry) -> BenchResult<i64> {
        Ok(self.record(entry).wait()?)
    }
}

type Job = (NewActivityLogEntry, SyncSender<i64>);

/// What a host would write: a channel and a thread. It takes what has gathered into one transaction. An entry at fault
/// or a busy database ends it, and what is in the channel is lost.
struct ByHand {
    jobs: SyncSender<Job>,
    thread: JoinHandle<BenchResult>,
}

fn write(mut log: HandWritten, jobs: &Receiver<Job>) -> BenchResult {
    while let Ok(first) = jobs.recv() {
        let batch = [first].into_iter().chain(jobs.try_iter().take(BATCH - 1));
        let (entries, answers) = batch.unzip::<_, _, Vec<_>, Vec<_>>();
        let first_seq = log.record(&entries)? - entries.len() as i64 + 1;
        for (seq, answer) in (first_seq..).zip(answers) {
            // Nobody may be waiting.
            answer.try_send(seq).ok();
        }
    }
    Box::new(log).close()
}

impl Writer for ByHand {
    fn start(path: &Path) -> BenchResult<Self> {
        let log = HandWritten::open(path)?;
        let (jobs, receiver) = sync_channel(QUEUE);
        Ok(Self { jobs, thread: thread::spawn(move || write(log, &receiver)) })
    }

    fn record(&self, entry: NewActivityLogEntry) -> BenchResult {
        Ok(self.jobs.send((entry, sync_channel(1).0)).map_err(|_| "the thread has ended")?)
    }

    fn end(self) -> BenchResult {
        drop(self.jobs);
        self.thread.join().map_err(|_| "the thread panicked")?
    }
}

impl Acknowledging for ByHand {
    fn record_and_wait(&self, entry: NewActivityLogEntry) -> BenchResult<i64> {
        let (answer, answered) = sync_channel(1);
        self.jobs.send((entry, answer)).map_err(|_| "the thread has ended")?;
        Ok(answered.recv()?)
    }
}

/// Lines of JSON in a file, as a program logs them: nobody learns when a line is on the disk, and it cannot be
/// queried.
struct Logger {
    lines: NonBlocking,
    guard: WorkerGuard,
    file: File,
    bytes: AtomicU64,
}

impl Writer for Logger {
    fn start(path: &Path) -> BenchResult<Self> {
        let file = File::create(path.with_extension("ndjson"))?;
        let builder = NonBlockingBuilder::default().buffered_lines_limit(QUEUE).lossy(false);
        let (lines, guard) = builder.finish(file.try_clone()?);
        Ok(Self { lines, guard, file, bytes: AtomicU64::new(0) })
    }

    fn record(&self, entry: NewActivityLogEntry) -> BenchResult {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.bytes.fetch_add(line.len() as u64, Ordering::Relaxed);
        Ok(self.lines.clone().write_all(&line)?)
    }

    fn end(self) -> BenchResult {
        // Waits for the lines that are queued, for a second at most.
        drop(self.guard);
        self.file.sync_all()?;
        let written = self.file.metadata()?.len();
        if written == self.bytes.into_inner() { Ok(()) } else { Err("the logger did not write every line".into()) }
    }
}
