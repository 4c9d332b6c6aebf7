-- Pages by filters that the first indexes leave to a scan. Can be run twice, as every migration here: the index on `ts`
-- is then built anew, the rest is left as it is.
--
-- Recording must not get more than 20 % slower by it (`cargo bench --bench writes` prints how much it is). Left out for
-- that: an index on (actor, category), which alone costs more than the two below, and a trigger that would keep the
-- blocks, which triples the time of an insert: SQLite copies every page that a statement with a trigger touches.

-- Serves pages by category and severity, also where they never meet, and counts by both from the index alone.
CREATE INDEX IF NOT EXISTS idx_activity_log_category_severity ON activity_log (category, severity);

-- Serves pages and exports by the type of entity alone. In the index on (entity_type, entity_id) a type's rows are not
-- in the order of `seq`: each page would sort them all.
CREATE INDEX IF NOT EXISTS idx_activity_log_entity_type ON activity_log (entity_type);

-- Serves what it did: prune by age and count within a time window. A log grows at the end of time, which the descending
-- index has in front: there SQLite splits its pages in the middle, here it fills them. That makes it half as large and
-- pays for the indexes above.
DROP INDEX IF EXISTS idx_activity_log_ts;
CREATE INDEX idx_activity_log_ts ON activity_log (ts, seq);

-- The least and the greatest time within each 1,024 consecutive `seq`, a block, as in PostgreSQL's block range indexes.
-- Serves pages within a time window, which are looked for in the blocks where it may be
-- (`greatest_ts >= ? AND least_ts <= ? ORDER BY first_seq DESC`): the index on `ts` would have to sort all that is in it.
--
-- A block may span more time than its rows, where some were deleted, but never less: the test on `ts` itself decides.
-- Rows after the last block belong to none yet. The crate adds blocks as it records, also for rows that others wrote.
CREATE TABLE IF NOT EXISTS activity_log_blocks (
    first_seq INTEGER PRIMARY KEY NOT NULL,
    last_seq BIGINT NOT NULL,
    least_ts TEXT NOT NULL,
    greatest_ts TEXT NOT NULL
);

-- The newest block is left open: it still grows.
INSERT OR IGNORE INTO activity_log_blocks (first_seq, last_seq, least_ts, greatest_ts)
SELECT seq >> 10 << 10, (seq >> 10 << 10) + 1023, coalesce(min(ts), ''), coalesce(max(ts), '')
FROM activity_log
WHERE seq < (SELECT max(seq) FROM activity_log) >> 10 << 10
    AND seq > coalesce((SELECT max(last_seq) FROM activity_log_blocks), -9223372036854775808)
GROUP BY seq >> 10;

-- Keeps a block true when somebody corrects a time. (It costs an insert nothing.)
CREATE TRIGGER IF NOT EXISTS activity_log_blocks_update AFTER UPDATE OF ts ON activity_log
BEGIN
    UPDATE activity_log_blocks
    SET least_ts = min(least_ts, coalesce(new.ts, least_ts)), greatest_ts = max(greatest_ts, coalesce(new.ts, greatest_ts))
    WHERE first_seq = (SELECT max(first_seq) FROM activity_log_blocks WHERE first_seq <= new.seq)
        AND last_seq >= new.seq;
END;
