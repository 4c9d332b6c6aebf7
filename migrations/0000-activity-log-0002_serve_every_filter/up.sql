-- Serves the filters that the first indexes leave to a scan. Like every migration here it can run twice.
--
-- All of it together may make recording at most 25 % slower (`cargo bench --bench writes` prints how much it does). Three
-- things are left out for that: an index on (actor, category), which alone costs more than the indexes below, partial
-- indexes for pairs of filters with a severity, and a trigger on inserts, which triples the time of an insert, because
-- SQLite then copies every page that the statement touches.

-- Stops where an index of another table has a name that is needed here: SQLite keeps the names of indexes when a table is
-- renamed, and `IF NOT EXISTS` and `DROP INDEX` below would take that index for the log's.
CREATE TEMP TABLE IF NOT EXISTS activity_log_name_check (
    name TEXT CONSTRAINT "an index of another table has a name that the log needs: rename or drop it" CHECK (FALSE)
);
INSERT INTO activity_log_name_check
SELECT name FROM sqlite_master
WHERE type = 'index' AND tbl_name <> 'activity_log' COLLATE NOCASE AND lower(name) IN (
    'idx_activity_log_severity', 'idx_activity_log_entity_type', 'idx_activity_log_action', 'idx_activity_log_ts'
);
DROP TABLE activity_log_name_check;

-- Serves pages of warnings and errors, as before (`severity IN (…) AND severity IS NOT 'info' ORDER BY seq DESC`: SQLite
-- needs the last test to use the index), also of certain categories, within the segments below that have both. Pages by
-- severities that include info search the segments that have such rows, which finds them at once: nine in ten entries are
-- info. Leaving these out saves what the index on the action costs.
DROP INDEX IF EXISTS idx_activity_log_severity;
CREATE INDEX idx_activity_log_severity ON activity_log (severity) WHERE severity IS NOT 'info';

-- Serves pages and exports by entity type alone. In the index on (entity_type, entity_id) the rows of a type are not in the
-- order of `seq`: each page would sort all of them.
CREATE INDEX IF NOT EXISTS idx_activity_log_entity_type ON activity_log (entity_type);

-- Serves pages by one or more actions (`action IN (…) ORDER BY seq DESC`), and the lookup of actions that begin with a
-- prefix.
CREATE INDEX IF NOT EXISTS idx_activity_log_action ON activity_log (action);

-- Serves what it served before: prune by age, and count within a time window. New entries usually have the latest time. A
-- descending index has the latest time at its front, where SQLite splits pages in the middle. An ascending index fills its
-- pages, takes half the space, and so pays for the indexes above. It ends in `seq` without naming it, as every index does.
DROP INDEX IF EXISTS idx_activity_log_ts;
CREATE INDEX idx_activity_log_ts ON activity_log (ts);

-- Segments: a summary of each 4,096 consecutive `seq`, from a multiple of 4,096 on. The crate adds a segment once SQLite's
-- sequence is beyond it, so that no program can insert another row into it. `run_migrations` adds segments for the rows that
-- exist at start-up, recording for later ones, whoever wrote the rows. The rows after the last segment are unsummarized and
-- are looked through one by one. Before the last segment, a segment is missing only if it has no rows.
--
-- Serves pages within a time window by its zone map, the least and the greatest time: a page searches only the segments that
-- the window overlaps (`max_ts >= ? AND min_ts <= ? ORDER BY first_seq DESC`), whereas the index on `ts` would have to sort
-- all rows in the window. Serves the count of all entries.
--
-- If rows have changed since, the segment is `stale`: its zone map and its rollups may cover more than its rows do, never
-- less. Until the segment is summarized again, pages use it as before, and only counts look through its rows. With
-- `has_null`, some rows have a NULL, which an older table may allow. The rollups leave these rows out, so the segment is
-- always looked through. With `in_order`, the times do not go back from one row to the next, so a histogram may split the
-- segment by `seq`. `in_search` says that the search index, which is optional, proposes every message of the segment.
-- Otherwise a search looks through it.
CREATE TABLE IF NOT EXISTS activity_log_segments (
    first_seq INTEGER PRIMARY KEY NOT NULL,
    entries BIGINT NOT NULL,
    min_ts TEXT NOT NULL,
    max_ts TEXT NOT NULL,
    stale BOOLEAN NOT NULL,
    has_null BOOLEAN NOT NULL,
    in_order BOOLEAN NOT NULL DEFAULT FALSE,
    in_search BOOLEAN NOT NULL DEFAULT FALSE
);

-- Serves finding the segments to summarize again (`WHERE stale`), which are few.
CREATE INDEX IF NOT EXISTS idx_activity_log_segments_stale ON activity_log_segments (stale) WHERE stale;

-- Serves finding the segments that a search has to look through (`WHERE NOT in_search ORDER BY first_seq`).
CREATE INDEX IF NOT EXISTS idx_activity_log_segments_not_in_search ON activity_log_segments (first_seq) WHERE NOT in_search;

-- Rollups count the rows of each kind in a segment, at four levels. Level 0 groups rows by category and severity, level 1
-- also by action and entity type, level 2 by actor alone, and level 3 by all five columns. A column that a level does not
-- group by is empty, and so is the entity type of rows without one.
--
-- Serves counts, facets and histograms, which add up a few rows per segment. Also serves pages by filters that each match
-- many rows but few together, or that exclude what most rows have: these pages search only the segments that have such rows.
--
-- An index on (actor, category) would cost a record ten times as much: its entries go to many places, whereas those of a
-- segment all go to the end.
CREATE TABLE IF NOT EXISTS activity_log_segment_rollups (
    first_seq BIGINT NOT NULL,
    level INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (first_seq, level, actor, action, category, severity, entity_type)
) WITHOUT ROWID;

-- The triggers below serve every query that uses the segments: they mark a segment as stale when one of its rows changes,
-- and widen its zone map and its rollups by what a row becomes. Comparing old with new values makes them independent of the
-- name that an UPDATE has for `seq`: rowid, oid, _rowid_. They run before the change, because a trigger of the host's may end
-- the statement after it, with the row changed, before theirs have run.
--
-- They cost an insert nothing, a deletion next to nothing, and an update two lookups. With a trigger on deletes, SQLite
-- empties the table row by row where it would drop all pages at once; the crate's `clear` drops the trigger for that.

CREATE TRIGGER IF NOT EXISTS activity_log_segments_delete BEFORE DELETE ON activity_log
BEGIN
    UPDATE activity_log_segments SET stale = TRUE WHERE first_seq = old.seq >> 12 << 12 AND NOT stale;
END;

CREATE TRIGGER IF NOT EXISTS activity_log_segments_update BEFORE UPDATE ON activity_log
WHEN (old.seq, old.ts, old.category, old.severity, old.actor, old.action, old.entity_type)
    IS NOT (new.seq, new.ts, new.category, new.severity, new.actor, new.action, new.entity_type)
BEGIN
    UPDATE activity_log_segments SET stale = TRUE
    WHERE first_seq IN (old.seq >> 12 << 12, new.seq >> 12 << 12) AND NOT stale;
END;

-- A row may move to a segment that is missing, because it had no rows. The conflict clauses are those of an upsert: an
-- outer `UPDATE OR …` overrides any other.
CREATE TRIGGER IF NOT EXISTS activity_log_segments_widen BEFORE UPDATE ON activity_log
WHEN (old.seq, old.ts, old.category, old.severity, old.actor, old.action, old.entity_type)
    IS NOT (new.seq, new.ts, new.category, new.severity, new.actor, new.action, new.entity_type)
    AND NOT (
        EXISTS (
            SELECT 1 FROM activity_log_segments
            WHERE first_seq = new.seq >> 12 << 12 AND min_ts <= new.ts AND max_ts >= new.ts
        ) AND EXISTS (
            SELECT 1 FROM activity_log_segment_rollups
            WHERE first_seq = new.seq >> 12 << 12 AND level = 3 AND actor = new.actor AND action = new.action
                AND category = new.category AND severity = new.severity AND entity_type = coalesce(new.entity_type, '')
        )
    )
BEGIN
    INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null)
    SELECT
        new.seq >> 12 << 12, 0, coalesce(new.ts, ''), coalesce(new.ts, ''), TRUE,
        new.ts IS NULL OR new.category IS NULL OR new.severity IS NULL OR new.actor IS NULL OR new.action IS NULL
    WHERE new.seq < (SELECT max(first_seq) + 4096 FROM activity_log_segments)
    ON CONFLICT (first_seq) DO UPDATE SET
        min_ts = min(min_ts, excluded.min_ts), max_ts = max(max_ts, excluded.max_ts), stale = TRUE,
        has_null = has_null OR excluded.has_null;

    INSERT INTO activity_log_segment_rollups
        (first_seq, level, actor, action, category, severity, entity_type, entries)
    SELECT
        first_seq, level, iif(level IN (2, 3), new.actor, ''), iif(level IN (1, 3), new.action, ''),
        iif(level <> 2, new.category, ''), iif(level <> 2, new.severity, ''),
        iif(level IN (1, 3), coalesce(new.entity_type, ''), ''), 0
    FROM activity_log_segments CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)
    WHERE first_seq = new.seq >> 12 << 12
        AND new.actor IS NOT NULL AND new.action IS NOT NULL AND new.category IS NOT NULL AND new.severity IS NOT NULL
    ON CONFLICT DO NOTHING;
END;

-- Again, if a trigger of the host's that ran before the change has changed the row further.
CREATE TRIGGER IF NOT EXISTS activity_log_segments_widen_again AFTER UPDATE ON activity_log
WHEN (old.seq, old.ts, old.category, old.severity, old.actor, old.action, old.entity_type)
    IS NOT (new.seq, new.ts, new.category, new.severity, new.actor, new.action, new.entity_type)
    AND NOT (
        EXISTS (
            SELECT 1 FROM activity_log_segments
            WHERE first_seq = new.seq >> 12 << 12 AND min_ts <= new.ts AND max_ts >= new.ts
        ) AND EXISTS (
            SELECT 1 FROM activity_log_segment_rollups
            WHERE first_seq = new.seq >> 12 << 12 AND level = 3 AND actor = new.actor AND action = new.action
                AND category = new.category AND severity = new.severity AND entity_type = coalesce(new.entity_type, '')
        )
    )
BEGIN
    INSERT INTO activity_log_segments (first_seq, entries, min_ts, max_ts, stale, has_null)
    SELECT
        new.seq >> 12 << 12, 0, coalesce(new.ts, ''), coalesce(new.ts, ''), TRUE,
        new.ts IS NULL OR new.category IS NULL OR new.severity IS NULL OR new.actor IS NULL OR new.action IS NULL
    WHERE new.seq < (SELECT max(first_seq) + 4096 FROM activity_log_segments)
    ON CONFLICT (first_seq) DO UPDATE SET
        min_ts = min(min_ts, excluded.min_ts), max_ts = max(max_ts, excluded.max_ts), stale = TRUE,
        has_null = has_null OR excluded.has_null;

    INSERT INTO activity_log_segment_rollups
        (first_seq, level, actor, action, category, severity, entity_type, entries)
    SELECT
        first_seq, level, iif(level IN (2, 3), new.actor, ''), iif(level IN (1, 3), new.action, ''),
        iif(level <> 2, new.category, ''), iif(level <> 2, new.severity, ''),
        iif(level IN (1, 3), coalesce(new.entity_type, ''), ''), 0
    FROM activity_log_segments CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)
    WHERE first_seq = new.seq >> 12 << 12
        AND new.actor IS NOT NULL AND new.action IS NOT NULL AND new.category IS NOT NULL AND new.severity IS NOT NULL
    ON CONFLICT DO NOTHING;
END;

-- Serves searches: the index does not propose what a message becomes.
CREATE TRIGGER IF NOT EXISTS activity_log_segments_message BEFORE UPDATE ON activity_log
WHEN (old.seq, old.message) IS NOT (new.seq, new.message)
BEGIN
    UPDATE activity_log_segments SET in_search = FALSE
    WHERE first_seq IN (old.seq >> 12 << 12, new.seq >> 12 << 12) AND in_search;
END;

-- UPDATE OR REPLACE deletes the row that has the new id or `seq` already, without running the trigger on deletes.
CREATE TRIGGER IF NOT EXISTS activity_log_segments_replace BEFORE UPDATE ON activity_log
WHEN old.id IS NOT new.id
BEGIN
    UPDATE activity_log_segments SET stale = TRUE
    WHERE first_seq = (SELECT seq >> 12 << 12 FROM activity_log WHERE id = new.id) AND NOT stale;
END;
