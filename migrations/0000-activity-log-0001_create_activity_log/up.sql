-- Stops where an index of another table has a name that is needed here: SQLite keeps the names of indexes when a table is
-- renamed, and `IF NOT EXISTS` and `DROP INDEX` below would take that index for the log's.
CREATE TEMP TABLE IF NOT EXISTS activity_log_name_check (
    name TEXT CONSTRAINT "an index of another table has a name that the log needs: rename or drop it" CHECK (FALSE)
);
INSERT INTO activity_log_name_check
SELECT name FROM sqlite_master
WHERE type = 'index' AND tbl_name <> 'activity_log' COLLATE NOCASE AND lower(name) IN (
    'idx_activity_log_ts', 'idx_activity_log_category', 'idx_activity_log_severity',
    'idx_activity_log_actor', 'idx_activity_log_entity'
);
DROP TABLE activity_log_name_check;

-- The activity log: one row per entry, newest last by `seq`.
--
-- Every statement is IF NOT EXISTS, so a database that already has the table, as the Python server writes it, keeps its
-- rows. There is no foreign key: an entry outlives what it describes.
CREATE TABLE IF NOT EXISTS activity_log (
    -- AUTOINCREMENT never reuses a number, not even after every row is gone: a page's cursor stays valid forever.
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT UNIQUE NOT NULL,
    -- YYYY-MM-DDTHH:MM:SS.ffffff+00:00, so that the order of the texts is the order of time.
    ts TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor TEXT NOT NULL,
    entity_type TEXT,
    entity_id TEXT,
    entity_name TEXT,
    message TEXT NOT NULL,
    -- A JSON object.
    metadata TEXT NOT NULL DEFAULT '{}'
);

-- Each index below ends in the rowid, which is `seq`: rows with equal columns come in page order.

-- Serves prune by age (`ts < ?`) and count within a time window, both from the index alone.
CREATE INDEX IF NOT EXISTS idx_activity_log_ts ON activity_log (ts DESC, seq DESC);

-- Serves the pages of one or more categories (`category IN (…) ORDER BY seq DESC`).
CREATE INDEX IF NOT EXISTS idx_activity_log_category ON activity_log (category);

-- Serves the pages of one or more severities: errors are rare.
CREATE INDEX IF NOT EXISTS idx_activity_log_severity ON activity_log (severity);

-- Serves the pages of one actor (`actor = ? ORDER BY seq DESC`).
CREATE INDEX IF NOT EXISTS idx_activity_log_actor ON activity_log (actor);

-- Serves the history of one entity (`entity_type = ? AND entity_id = ? ORDER BY seq DESC`).
CREATE INDEX IF NOT EXISTS idx_activity_log_entity ON activity_log (entity_type, entity_id);
