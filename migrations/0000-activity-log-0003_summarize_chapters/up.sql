-- What each 4,096 consecutive `seq`, a chapter, holds of categories, severities and actors, for what the indexes cannot
-- serve alone. Can be run twice, as every migration here: a chapter that is there is left as it is.
--
-- As a block, a chapter is added once the log has gone beyond it; the rows after the last one are open, and looked at one
-- by one. There is no trigger on inserts, which would triple their time: the crate adds chapters as it records, also for
-- rows that others wrote.

-- Serves pages by category and severity, also where they never meet, unless information is among what is asked for
-- (`category = ? AND severity = ? AND severity IS NOT 'info'`: SQLite wants to be told). Nine of ten entries are
-- information; without them the index costs a tenth, which pays for the chapters. And serves these, which count in it.
DROP INDEX IF EXISTS idx_activity_log_category_severity;
CREATE INDEX idx_activity_log_category_severity ON activity_log (category, severity) WHERE severity IS NOT 'info';

-- The chapters that there are. Serves whatever asks for one of the tables below: it says where these end.
CREATE TABLE IF NOT EXISTS activity_log_chapters (
    first_seq INTEGER PRIMARY KEY NOT NULL
);

-- How many rows of each category and severity a chapter has, exactly; an empty blob stands for NULL, which an older table
-- may hold. Serves counts by categories and severities: they add up a few rows for each 4,096 of the log. And serves
-- pages by categories with information: they are looked for in the chapters that have some.
CREATE TABLE IF NOT EXISTS activity_log_chapter_counts (
    first_seq BIGINT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (first_seq, category, severity)
) WITHOUT ROWID;

-- Serves counts by category (`category IN (…)`, with severities or without): of a rare one they read the few chapters
-- that have some.
CREATE INDEX IF NOT EXISTS idx_activity_log_chapter_counts_kind
ON activity_log_chapter_counts (category, severity, entries);

-- Which actors, categories and severities meet in a chapter. Serves pages by an actor with categories or severities: they
-- are looked for in the chapters where these meet. It may have some that met in rows which are gone, but never too few.
--
-- An index on (actor, category) would cost a record ten times as much: each of its entries goes to a place of its own,
-- whereas a chapter's rows all go to the end.
CREATE TABLE IF NOT EXISTS activity_log_chapter_actors (
    first_seq BIGINT NOT NULL,
    actor TEXT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (first_seq, actor, category, severity)
) WITHOUT ROWID;

-- The newest chapter is left open: it still grows.
INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries)
SELECT seq >> 12 << 12, coalesce(category, x''), coalesce(severity, x''), count(*)
FROM activity_log
WHERE seq < (SELECT max(seq) FROM activity_log) >> 12 << 12
    AND seq >= coalesce((SELECT max(first_seq) + 4096 FROM activity_log_chapters), -9223372036854775808)
GROUP BY 1, 2, 3;

INSERT OR IGNORE INTO activity_log_chapter_actors (first_seq, actor, category, severity)
SELECT DISTINCT seq >> 12 << 12, coalesce(actor, x''), coalesce(category, x''), coalesce(severity, x'')
FROM activity_log
WHERE seq < (SELECT max(seq) FROM activity_log) >> 12 << 12
    AND seq >= coalesce((SELECT max(first_seq) + 4096 FROM activity_log_chapters), -9223372036854775808);

INSERT OR IGNORE INTO activity_log_chapters (first_seq)
SELECT DISTINCT first_seq FROM activity_log_chapter_counts;

-- Keeps the counts exact when rows are deleted. (It costs an insert nothing, and a deletion a fifth; but SQLite then
-- empties the table row by row, where it would drop all pages at once. The crate's `clear` knows a way around.)
--
-- A count may be below nothing for a moment: a trigger of the host's that corrects a row again comes before this one.
CREATE TRIGGER IF NOT EXISTS activity_log_chapters_delete AFTER DELETE ON activity_log
BEGIN
    INSERT INTO activity_log_chapter_counts (first_seq, category, severity, entries)
    SELECT first_seq, coalesce(old.category, x''), coalesce(old.severity, x''), -1
    FROM activity_log_chapters
    WHERE first_seq = old.seq >> 12 << 12
    ON CONFLICT (first_seq, category, severity) DO UPDATE SET entries = entries - 1;
END;

-- Keeps a chapter true when somebody corrects a row. (It costs an insert nothing.) What is new goes first: a chapter in
-- which nothing is left is dropped. And never OR IGNORE: the OR of the correcting statement would take its place.
CREATE TRIGGER IF NOT EXISTS activity_log_chapters_update
AFTER UPDATE OF seq, rowid, oid, _rowid_, category, severity, actor ON activity_log
BEGIN
    INSERT INTO activity_log_chapters (first_seq)
    SELECT new.seq >> 12 << 12 WHERE new.seq < (SELECT max(first_seq) + 4096 FROM activity_log_chapters)
    ON CONFLICT DO NOTHING;

    INSERT INTO activity_log_chapter_counts (first_seq, category, severity, entries)
    SELECT first_seq, coalesce(new.category, x''), coalesce(new.severity, x''), 1
    FROM activity_log_chapters
    WHERE first_seq = new.seq >> 12 << 12
    ON CONFLICT (first_seq, category, severity) DO UPDATE SET entries = entries + 1;

    INSERT INTO activity_log_chapter_actors (first_seq, actor, category, severity)
    SELECT first_seq, coalesce(new.actor, x''), coalesce(new.category, x''), coalesce(new.severity, x'')
    FROM activity_log_chapters
    WHERE first_seq = new.seq >> 12 << 12
    ON CONFLICT DO NOTHING;

    INSERT INTO activity_log_chapter_counts (first_seq, category, severity, entries)
    SELECT first_seq, coalesce(old.category, x''), coalesce(old.severity, x''), -1
    FROM activity_log_chapters
    WHERE first_seq = old.seq >> 12 << 12
    ON CONFLICT (first_seq, category, severity) DO UPDATE SET entries = entries - 1;
END;

-- Drops a count that has come to nothing, and with the last one the chapter.
CREATE TRIGGER IF NOT EXISTS activity_log_chapters_empty AFTER UPDATE OF entries ON activity_log_chapter_counts
WHEN new.entries = 0
BEGIN
    DELETE FROM activity_log_chapter_counts
    WHERE first_seq = new.first_seq AND category = new.category AND severity = new.severity;

    DELETE FROM activity_log_chapters
    WHERE first_seq = new.first_seq
        AND NOT EXISTS (SELECT 1 FROM activity_log_chapter_counts WHERE first_seq = new.first_seq);

    DELETE FROM activity_log_chapter_actors
    WHERE first_seq = new.first_seq
        AND NOT EXISTS (SELECT 1 FROM activity_log_chapters WHERE first_seq = new.first_seq);
END;
