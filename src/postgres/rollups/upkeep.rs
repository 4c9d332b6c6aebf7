//! When blocks are summarized.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{Duration, Instant};

use diesel::prelude::QueryResult;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::error::{Error, Result};
use crate::model::entry::NewActivityLogEntry;
use crate::postgres::blocks::BLOCK_ROWS;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::access::Access;
use crate::postgres::rollups::summarize::{LAST_COMPLETE, summarize_some};
use crate::postgres::statement::Sql;
use crate::postgres::transaction::is_in_transaction;
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// One in how many records checks whether upkeep is due.
const RECORDS_PER_CHECK: u64 = 1_024;
/// How many blocks a call that records summarizes, besides those that it fills. It takes some tens of milliseconds.
const MAX_BLOCKS_OF_RECORD: u64 = 1;
/// How many blocks one transaction of other upkeep summarizes.
const MAX_BLOCKS: u64 = 4;
/// How long upkeep other than recording waits for transactions that write to the log, and for other summarizers.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// Summarizes all blocks of the log that are due, in short transactions: see
/// [`enable_rollups`](crate::postgres::enable_rollups). A program that records only inside transactions of its own calls it
/// now and then, outside of a transaction; otherwise recording does it.
///
/// Nobody waits for it. It waits up to a second for transactions that write to the log, without which it is not certain
/// that a block has all its entries, and leaves their blocks to the next call if they stay open. It also leaves blocks to the
/// next call if others change blocks as fast as it summarizes them. It does nothing if the
/// rollups are not enabled, inside a transaction, or if the role may not write to the rollups.
///
/// # Errors
///
/// [`Error::Full`] if there is no room, [`Error::Database`] if the database fails otherwise. The log and all counts are as
/// right as before.
#[cfg(feature = "postgres")]
pub fn summarize(conn: &mut PgConnection) -> Result<()> {
    run(catch_up(conn))
}

/// Does a part of what is due now and then, after these entries were recorded. A failure leaves all counts as right as they
/// were, and the entries are recorded.
///
/// The choice looks random, because other programs may record in any rhythm.
pub(crate) async fn after_recording(conn: &mut impl Execute, entries: &[NewActivityLogEntry]) {
    let Some(last) = entries.last() else { return };
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&last.id);
    if hash % RECORDS_PER_CHECK < entries.len() as u64 {
        drop(keep_up(conn, entries.len()).await);
    }
}

async fn keep_up(conn: &mut impl Execute, entries: usize) -> Result<()> {
    if can_summarize(conn).await? && Backlog::find(conn).await?.is_due() {
        summarize_some(conn, MAX_BLOCKS_OF_RECORD + entries as u64 / BLOCK_ROWS.unsigned_abs()).await?;
    }
    Ok(())
}

/// Summarizes what is due after entries were changed. A failure leaves all counts as right as they were.
pub(crate) async fn catch_up_if_possible(conn: &mut impl Execute) {
    drop(catch_up(conn).await);
}

/// Summarizes all that is due and decided. Beside others that change blocks as fast as it summarizes, it gives up.
pub(crate) async fn catch_up(conn: &mut impl Execute) -> Result<()> {
    if !can_summarize(conn).await? {
        return Ok(());
    }
    let mut advanced = Instant::now();
    let mut before = Backlog::find(conn).await?;
    let mut fewest_marked = before.marked;
    while before.is_due() {
        summarize_some(conn, MAX_BLOCKS).await?;
        let after = Backlog::find(conn).await?;
        if after.marked < fewest_marked || after.new != before.new {
            advanced = Instant::now();
        } else if advanced.elapsed() > LONGEST_WAIT {
            break;
        } else if after == before {
            conn.sleep(PAUSE).await;
        }
        fewest_marked = fewest_marked.min(after.marked);
        before = after;
    }
    Ok(())
}

/// Removes what the rollups still say of entries as they were before these were rewritten.
pub(crate) async fn forget_old_texts(conn: &mut impl Execute) -> Result<()> {
    if !can_summarize(conn).await? {
        return Ok(());
    }
    catch_up(conn).await?;
    if Backlog::find(conn).await?.marked > 0 {
        let reason = "another connection summarizes the activity log".to_owned();
        return Err(Error::Busy(DatabaseError(DatabaseErrorKind::Unknown, Box::new(reason))));
    }
    Ok(conn.batch("VACUUM (FULL, ANALYZE) activity_log_rollups").await?)
}

/// Asks about the transaction first: inside the caller's, a query that fails would abort it.
async fn can_summarize(conn: &mut impl Execute) -> QueryResult<bool> {
    Ok(!is_in_transaction(conn).await? && Access::find(conn).await?.can_summarize)
}

/// What is left to do.
#[derive(Debug, PartialEq)]
struct Backlog {
    /// Blocks to summarize again.
    marked: i64,
    new: NewBlocks,
}

/// Blocks to summarize for the first time.
#[derive(Debug, PartialEq)]
struct NewBlocks {
    /// The last block that was summarized.
    through: Option<i64>,
    /// The block up to which transactions may still add entries.
    pending: Option<i64>,
    /// Whether there are decided blocks after `through`, or complete ones after these.
    has_more: bool,
}

impl Backlog {
    async fn find(conn: &mut impl Execute) -> QueryResult<Self> {
        let backlog = format!("{BACKLOG}({LAST_COMPLETE}){BACKLOG_END}");
        let backlog = Sql::new(backlog).returning::<(BigInt, Nullable<BigInt>, Nullable<BigInt>, Bool)>();
        let (marked, through, pending, has_more) =
            conn.one::<(i64, Option<i64>, Option<i64>, bool), _>(backlog).await?;
        Ok(Self { marked, new: NewBlocks { through, pending, has_more } })
    }

    fn is_due(&self) -> bool {
        self.marked > 0 || self.new.pending.is_some() || self.new.has_more
    }
}

const BACKLOG: &str = "\
    SELECT (SELECT count(*) FROM (SELECT DISTINCT block FROM activity_log_rollup_marks \
            WHERE block IS NULL OR block <= through) AS marked), \
        through, pending, pending IS NULL AND ";
const BACKLOG_END: &str = " > coalesce(decided, -562949953421313) IS TRUE OR EXISTS (SELECT 1 FROM activity_log \
            WHERE seq >= coalesce((through + 1) << 14, -9223372036854775808) AND seq < (decided + 1) << 14) \
    FROM activity_log_rollup_progress";
