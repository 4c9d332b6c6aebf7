//! Asks a log. The module above this one says which database it is in.

use std::sync::atomic::AtomicBool;

use super::{ActivityLogRepository, Connection};
use crate::behaviour::model::answer::{Answer, Numbers};
use crate::behaviour::model::operation::Operation;
use crate::support::{TestResult, everything};

/// The flag of a run that nobody stops.
static RUNNING: AtomicBool = AtomicBool::new(false);

/// What the log answers to an operation.
pub(crate) fn ask(conn: &mut Connection, numbers: &mut Numbers, operation: &Operation) -> TestResult<Answer> {
    attempt(conn, numbers, operation).or_else(|error| numbers.refusal(error))
}

/// Adds the numbers of entries that were recorded since.
pub(crate) fn catch_up(conn: &mut Connection, numbers: &mut Numbers) -> activity_log::Result<()> {
    let recorded = ActivityLogRepository::new(conn).query_after(&everything(), numbers.last(), u32::MAX)?;
    numbers.extend(recorded.iter().map(|entry| entry.seq));
    Ok(())
}

fn attempt(conn: &mut Connection, numbers: &mut Numbers, operation: &Operation) -> activity_log::Result<Answer> {
    let mut log = ActivityLogRepository::new(conn);
    Ok(match operation {
        Operation::Record(entry) => {
            numbers.extend([log.record(entry)?]);
            Answer::Recorded(numbers.up_to(numbers.last()))
        }
        Operation::RecordAll(entries) => {
            let recorded = log.record_all(entries)?;
            catch_up(conn, numbers)?;
            assert_eq!(recorded, entries.len());
            Answer::Recorded(numbers.up_to(numbers.last()))
        }
        Operation::Query(filters, before, limit) => {
            let entries = log.query(filters, before.map(|before| numbers.cursor(before)), *limit)?;
            Answer::Entries(numbers.entries(entries))
        }
        Operation::Page(filters, before, limit, bytes) => {
            let before = before.map(|before| numbers.cursor(before));
            numbers.page(log.with_page_bytes(*bytes).page(filters, before, *limit)?)
        }
        Operation::QueryAfter(filters, after, limit) => {
            let entries = log.query_after(filters, numbers.cursor(*after), *limit)?;
            Answer::Entries(numbers.entries(entries))
        }
        Operation::PageAfter(filters, after, limit, bytes) => {
            let after = numbers.cursor(*after);
            numbers.page(log.with_page_bytes(*bytes).page_after(filters, after, *limit)?)
        }
        Operation::Get(Err(id)) => Answer::Entries(numbers.entries(log.get(id)?.into_iter().collect())),
        Operation::Get(Ok(position)) => {
            let after = numbers.cursor(i64::try_from(*position).unwrap_or(i64::MAX));
            let next = log.query_after(&everything(), after, 1)?.pop();
            let id = next.map_or_else(|| "none".to_owned(), |entry| entry.id);
            Answer::Entries(numbers.entries(log.get(&id)?.into_iter().collect()))
        }
        Operation::NewestSeq => Answer::Seq(log.newest_seq()?.map(|seq| numbers.up_to(seq))),
        Operation::Count(filters) => Answer::Number(log.count(filters)?),
        Operation::CountUpTo(filters, limit) => Answer::Number(log.count_up_to(filters, *limit)?),
        Operation::Facets(filters, facet, limit) => Answer::Facets(log.facets(filters, *facet, *limit)?),
        Operation::Histogram(filters, edges) => Answer::Histogram(log.histogram(filters, edges)?),
        Operation::Export(filters) => {
            let entries = log.iter_export(filters)?.collect::<activity_log::Result<Vec<_>>>()?;
            Answer::files(&numbers.entries(entries))?
        }
        Operation::Prune(before_ts, max_entries) => Answer::Number(log.prune(*before_ts, *max_entries)?),
        Operation::Retain(rules, now) => Answer::Number(log.apply_retention(&rules.policy(), *now, &RUNNING)?.deleted),
        Operation::Rewrite(filters, change) => Answer::Number(log.rewrite(filters, |entry| change.make(entry))?),
        Operation::EraseActor(actor, by) => Answer::Number(log.erase_actor(actor, by)?),
        Operation::EraseTexts(texts, by) => {
            let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
            Answer::Number(log.erase_texts(&texts, by)?)
        }
        Operation::Clear => Answer::Number(log.clear()?),
    })
}
