//! Summarizing blocks, a few in one short transaction.
//!
//! Why no count is wrong, whatever else happens at the same time:
//!
//! - A block is summarized from what one statement sees, after its marks that an earlier statement saw were deleted. Whoever
//!   changes rows in between, or later, commits a mark that stays, and the block is looked through. Whoever committed before
//!   is seen.
//! - An advisory lock, held until the summaries are committed, lets one summarizer work at a time. It is asked for before the
//!   first statement looks at anything. Nobody waits for it.
//! - Rows that are inserted into a summarized block need a mark, and recorders must not pay for it. So the *boundary*, a
//!   sequence, has the last number of any summarized block, and the trigger on inserts compares it with the number of each
//!   row. A sequence is not part of a transaction: the boundary is moved first, and then all who write to the log at that
//!   moment are noted. Until these have ended, blocks up to the boundary are *pending*, because they may have compared a row
//!   with the boundary as it was. Then the blocks are *decided*: all rows without a mark are visible. Which numbers rows have,
//!   and where these come from, does not matter. If the transaction fails, the boundary stays moved, which only costs marks:
//!   what is due is told by the decided blocks, and not by the boundary.
//!
//! Upkeep does not wait for the writers. It notes them in the table, and the next upkeep looks whether they have ended.

use crate::error::Result;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::definition::BOUNDARY;

/// Summarizes up to `blocks` of the blocks that are due, in a transaction of its own. It does nothing if another connection
/// summarizes, or if a lock is not granted soon.
///
/// It is one message to the server, so that nothing is left undone if the caller stops waiting for it.
pub(crate) async fn summarize_some(conn: &mut impl Execute, blocks: u64) -> Result<()> {
    let sql = SUMMARIZE.replace("{blocks}", &blocks.to_string()).replace("{last_complete}", LAST_COMPLETE);
    Ok(conn.batch(&sql.replace("{boundary}", BOUNDARY).replace("{lock}", &LOCK.to_string())).await?)
}

/// "roll" in ASCII, before the table's number.
const LOCK: i32 = i32::from_be_bytes(*b"roll");

/// The last block that can be summarized: recorders have all its numbers, and are unlikely to still use one of them. If one
/// does, its row is marked.
pub(crate) const LAST_COMPLETE: &str = "\
    SELECT ((coalesce(CASE WHEN has_sequence_privilege(own, 'USAGE, SELECT') THEN pg_sequence_last_value(own) END, \
        (SELECT max(seq) FROM activity_log)) - 2048) >> 14) - 1 \
    FROM (SELECT pg_get_serial_sequence('activity_log', 'seq')::regclass AS own) AS numbers";

/// A transaction that the server recovered after a crash has lost the number by which it was noted, and counts as noted.
const SUMMARIZE: &str = "\
SET TRANSACTION ISOLATION LEVEL READ COMMITTED; \
DO $activity_log$
DECLARE
    state activity_log_rollup_progress%ROWTYPE;
    boundary CONSTANT regclass := '{boundary}';
    last_complete bigint;
    chosen bigint;
    blocks_left bigint := {blocks};
BEGIN
    PERFORM set_config('lock_timeout', '100ms', TRUE);
    IF NOT pg_try_advisory_xact_lock({lock}, 'activity_log'::regclass::oid::integer) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT state FROM activity_log_rollup_progress;

    IF state.pending IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'relation' AND relation = 'activity_log'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND mode = 'RowExclusiveLock' AND granted
            AND (virtualtransaction = ANY(state.writers) OR virtualtransaction LIKE '-1/%'
                OR virtualtransaction LIKE '%/0' AND split_part(virtualtransaction, '/', 1) IN (
                    SELECT split_part(writer, '/', 1) FROM unnest(state.writers) AS writer))
    ) THEN
        state.decided := state.pending;
        state.pending := NULL;
    END IF;
    last_complete := ({last_complete});
    IF state.pending IS NULL AND last_complete > coalesce(state.decided, -562949953421313) THEN
        PERFORM setval(boundary, greatest(pg_sequence_last_value(boundary), ((last_complete + 1) << 14) - 1));
        state.pending := last_complete;
        state.writers := ARRAY(
            SELECT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND relation = 'activity_log'::regclass
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid());
        IF state.writers = '{}' THEN
            state.decided := state.pending;
            state.pending := NULL;
        END IF;
    END IF;

    IF EXISTS (SELECT 1 FROM activity_log_rollup_marks WHERE block IS NULL) THEN
        DELETE FROM activity_log_rollup_marks;
        DELETE FROM activity_log_rollup_blocks;
        DELETE FROM activity_log_rollups;
        state.through := NULL;
    END IF;
    WHILE blocks_left > 0 LOOP
        SELECT block INTO chosen FROM activity_log_rollup_marks WHERE block <= state.through ORDER BY block LIMIT 1;
        IF NOT FOUND THEN
            SELECT seq >> 14 INTO chosen FROM activity_log
            WHERE seq >= coalesce((state.through + 1) << 14, -9223372036854775808) ORDER BY seq LIMIT 1;
            EXIT WHEN chosen IS NULL OR chosen > state.decided IS NOT FALSE;
            state.through := chosen;
        END IF;
        DELETE FROM activity_log_rollup_marks WHERE block = chosen;
        DELETE FROM activity_log_rollup_blocks WHERE block = chosen;
        DELETE FROM activity_log_rollups WHERE block = chosen;
        WITH kinds AS MATERIALIZED (
            SELECT actor, action, category, severity, entity_type, count(*) AS entries, min(ts) AS min_ts, max(ts) AS max_ts,
                count(*) = count(ts) AS have_times
            FROM activity_log WHERE seq BETWEEN chosen << 14 AND ((chosen + 1) << 14) - 1
            GROUP BY actor, action, category, severity, entity_type
        ), summary AS (
            INSERT INTO activity_log_rollup_blocks
            SELECT chosen, sum(entries), CASE WHEN bool_and(have_times) THEN min(min_ts) ELSE '-infinity' END,
                CASE WHEN bool_and(have_times) THEN max(max_ts) ELSE 'infinity' END
            FROM kinds HAVING count(*) > 0
        )
        INSERT INTO activity_log_rollups
        SELECT chosen, CASE GROUPING(actor, action, category) WHEN 0 THEN 3 WHEN 3 THEN 2 WHEN 4 THEN 1 ELSE 0 END,
            actor, action, category, severity, entity_type, sum(entries)
        FROM kinds GROUP BY GROUPING SETS (
            (actor, action, category, severity, entity_type), (actor), (action, category, severity, entity_type),
            (category, severity));
        blocks_left := blocks_left - 1;
    END LOOP;
    UPDATE activity_log_rollup_progress SET through = state.through, decided = state.decided, pending = state.pending,
        writers = state.writers
    WHERE (through, decided, pending) IS DISTINCT FROM (state.through, state.decided, state.pending);
END
$activity_log$";
