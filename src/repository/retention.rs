//! Applies a retention policy in batches. Each batch can be archived, and a run can stop between two batches.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::retention_policy::{Due, RetentionPolicy};
use crate::model::retention_report::RetentionReport;
use crate::repository::retention_hooks::RetentionHooks;
use crate::store::Store;
use crate::store::batch::{Batch, ReadLimit, Row};
use crate::store::pace::Pace;
use crate::store::range::{Order, SeqRange};

/// The largest batch. It is held in memory, and an archive writes it in one piece.
const MAX_BATCH: ReadLimit = ReadLimit { rows: 8_192, bytes: 4 << 20 };
const FIRST_BATCH_ROWS: i64 = 500;
/// How many `seq` are searched at first before the run checks `stop` again.
const FIRST_SPAN: i64 = 1 << 14;

/// Deletes what is due by the policy.
pub(crate) async fn apply<C: Store>(
    conn: &mut C,
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
    stop: &AtomicBool,
    hooks: RetentionHooks<'_>,
) -> Result<RetentionReport> {
    let due = policy.due(now)?;
    let mut run = Run {
        conn,
        stop,
        hooks,
        report: RetentionReport::new(due.iter().map(|(rule, _)| rule.clone())),
        pace: Pace::new(FIRST_BATCH_ROWS),
        batch: Batch::default(),
        held_back: BTreeSet::new(),
    };
    if !due.is_empty() {
        run.delete(due.into_iter().map(|(_, due)| due), policy.keep_at_least).await?;
        if run.report.deleted > 0 {
            run.conn.keep_up().await;
        }
    }
    Ok(run.report)
}

struct Run<'a, 'h, C: Store> {
    conn: &'a mut C,
    stop: &'a AtomicBool,
    hooks: RetentionHooks<'h>,
    report: RetentionReport,
    pace: Pace,
    batch: Batch<C::Row>,
    /// The `seq` of rows that stay, so that no later rule archives, tries or counts them again.
    held_back: BTreeSet<i64>,
}

impl<C: Store> Run<'_, '_, C> {
    /// Deletes what is due by each rule, among the rows that are there now and that the policy does not always keep.
    async fn delete(&mut self, due: impl Iterator<Item = Due>, keep_at_least: u64) -> Result<()> {
        if self.must_stop() {
            return Ok(());
        }
        let Some(newest) = self.conn.newest_seq().await? else { return Ok(()) };
        let Some(last) = self.conn.newest_seq_beyond_rows(keep_at_least, newest).await? else { return Ok(()) };
        let Some(oldest) = self.oldest_seq().await? else { return Ok(()) };
        for (rule, due) in due.enumerate() {
            let (filters, beyond) = match due {
                Due::ByAge(filters) => (*filters, Some(last)),
                Due::BeyondEntries(rows) => {
                    (NormalizedFilters::default(), self.conn.newest_seq_beyond_rows(rows, newest).await?)
                }
                Due::BeyondBytes(bytes) => {
                    (NormalizedFilters::default(), self.conn.newest_seq_beyond_bytes(bytes, newest, self.stop).await?)
                }
            };
            if self.must_stop() {
                return Ok(());
            }
            if let Some(beyond) = beyond {
                let range = SeqRange::from(oldest).intersection(SeqRange::through(beyond.min(last)));
                self.delete_matching(rule, &filters, range).await?;
            }
        }
        Ok(())
    }

    /// Deletes the matching rows of a range. Each batch begins after the last row of the one before, whether or not
    /// that row is still there.
    async fn delete_matching(&mut self, rule: usize, filters: &NormalizedFilters, mut rest: SeqRange) -> Result<()> {
        // Where few rows match, reading takes most of the time.
        let mut span = Pace::new(FIRST_SPAN);
        while !rest.is_empty() && !self.must_stop() {
            let end = rest.after.unwrap_or(i64::MIN).saturating_add(span.size());
            let (part, _) = rest.split(Order::Ascending, end);
            let limit = ReadLimit { rows: self.pace.size().min(MAX_BATCH.rows), ..MAX_BATCH };
            let started = Instant::now();
            self.conn.read(filters, part, Order::Ascending, limit, &mut self.batch).await?;
            let is_full = self.batch.is_full(limit);
            if is_full {
                rest.after = self.batch.last_seq();
            } else {
                span.adjust(started.elapsed());
                rest.after = part.before.and_then(|before| before.checked_sub(1));
            }
            if !self.batch.is_empty() {
                self.delete_batch(rule).await?;
            }
            if !is_full && part.before.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Archives and deletes the rows of the batch.
    async fn delete_batch(&mut self, rule: usize) -> Result<()> {
        let seqs = match self.archive_batch(rule).await {
            // Here and below, it stopped waiting for the lock because it was told to stop.
            Err(Error::Busy(_)) if self.must_stop() => return Ok(()),
            seqs => seqs?,
        };
        let deletion = match self.conn.delete(&seqs, self.stop).await {
            Err(Error::Busy(_)) if self.must_stop() => return Ok(()),
            deletion => deletion?,
        };
        self.report.add(rule, deletion.deleted, 0);
        self.hold_back(rule, deletion.held_back);
        self.hooks.report(&self.report);
        self.pace.adjust(deletion.lock_time);
        self.conn.pause(deletion.lock_time, self.stop).await;
        Ok(())
    }

    /// Hands the rows of the batch to the archive, if there is one, and returns their `seq`.
    async fn archive_batch(&mut self, rule: usize) -> Result<Vec<i64>> {
        let mut rows = Vec::new();
        while let Some(row) = self.batch.pop() {
            if !self.held_back.contains(&row.seq()) {
                rows.push(row);
            }
        }
        let seqs = rows.iter().map(Row::seq).collect::<Vec<_>>();
        if !self.hooks.has_archive() {
            return Ok(seqs);
        }
        // Rows that the host holds back stay in the log, so they do not belong in the archive.
        let mut held_back = self.conn.held_back(&seqs, self.stop).await?;
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for row in rows {
            let seq = row.seq();
            match row.decode() {
                _ if held_back.binary_search(&seq).is_ok() => {}
                Ok(entry) => entries.push(entry),
                Err(_) => unreadable.push(seq),
            }
        }
        held_back.extend(unreadable);
        self.hooks.append(&entries).map_err(Error::Output)?;
        self.hold_back(rule, held_back);
        Ok(entries.iter().map(|entry| entry.seq).collect())
    }

    fn hold_back(&mut self, rule: usize, seqs: Vec<i64>) {
        self.report.add(rule, 0, seqs.len() as u64);
        self.held_back.extend(seqs);
    }

    async fn oldest_seq(&mut self) -> Result<Option<i64>> {
        let all = NormalizedFilters::default();
        self.conn.read(&all, SeqRange::default(), Order::Ascending, ReadLimit::rows(1), &mut self.batch).await?;
        Ok(self.batch.last_seq())
    }

    fn must_stop(&mut self) -> bool {
        self.report.stopped |= self.stop.load(Ordering::Relaxed);
        self.report.stopped
    }
}
