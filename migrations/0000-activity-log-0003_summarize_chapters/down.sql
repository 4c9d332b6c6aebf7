-- Undoes up.sql.
DROP TRIGGER IF EXISTS activity_log_chapters_empty;
DROP TRIGGER IF EXISTS activity_log_chapters_update;
DROP TRIGGER IF EXISTS activity_log_chapters_delete;
DROP TABLE IF EXISTS activity_log_chapter_actors;
DROP TABLE IF EXISTS activity_log_chapter_counts;
DROP TABLE IF EXISTS activity_log_chapters;
DROP INDEX IF EXISTS idx_activity_log_category_severity;
CREATE INDEX idx_activity_log_category_severity ON activity_log (category, severity);
