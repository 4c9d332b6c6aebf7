//! How far the summaries are behind.

use diesel::SqliteConnection;

use crate::error::Result;
use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::count::count_in_segments;
use crate::sqlite::query::Selection;
use crate::sqlite::segments::predicate::SegmentPredicate;
use crate::sqlite::transaction::with_read_transaction;

/// How many entries the summaries do not cover: a count has to look through them one by one, and a page through the
/// newest of them, which are not summarized yet.
///
/// [Start-up](crate::run_migrations) and recording summarize the log and keep this number at a few thousand to some
/// twenty thousand. It is larger for a while after many entries were updated, deleted among others that stay, or
/// written by other programs. A failure to summarize does not fail `record`, which tries again within the next hundred
/// entries or so; if the number keeps growing, summarizing keeps failing, and [`resummarize`](crate::resummarize)
/// returns the reason.
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
    let everything = NormalizedFilters::default();
    let Some(selection) = Selection::new(&everything) else { return Ok(0) };
    with_read_transaction(conn, |conn| {
        count_in_segments(conn, &selection, SegmentPredicate::uncounted(&selection, None))
    })
}
