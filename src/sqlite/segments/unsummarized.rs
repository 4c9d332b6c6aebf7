//! How far the summaries are behind.

use diesel::prelude::*;

use crate::error::Result;
use crate::schema::activity_log;
use crate::sqlite::bounds::in_range;
use crate::sqlite::segments::candidates::CandidateRanges;
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::transaction::with_read_transaction;
use crate::store::range::{Order, SeqRange};

/// How many entries the summaries do not cover, so that pages and counts look through them one by one.
///
/// Recording summarizes the log as it grows and keeps this number at a few thousand. It is larger for a while after many
/// entries were updated, deleted among others that stay, or written by other programs. A failure to summarize does not fail
/// `record`, which tries again within the next few hundred entries; if the number keeps growing, summarizing keeps failing,
/// and [`resummarize`](crate::resummarize) returns the reason.
///
/// The time it takes grows with the number it returns.
///
/// ```
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// if activity_log::unsummarized(&mut conn)? > 100_000 {
///     activity_log::resummarize(&mut conn)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the database fails.
pub fn unsummarized(conn: &mut SqliteConnection) -> Result<u64> {
    with_read_transaction(conn, |conn| {
        let mut entries = 0;
        let stale = Some(SegmentPredicate::Stale);
        let mut ranges = CandidateRanges::new(conn, stale, SeqRange::default(), Order::Ascending)?;
        while let Some(range) = ranges.next(conn)? {
            let rows = in_range(activity_log::table.into_boxed(), activity_log::seq, range);
            entries += rows.count().get_result::<i64>(conn)?.unsigned_abs();
        }
        Ok(entries)
    })
}
