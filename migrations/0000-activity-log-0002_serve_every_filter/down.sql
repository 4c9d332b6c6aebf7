-- Undoes up.sql; and what `enable_search` added, which nothing would keep after the table is gone.
DROP TRIGGER IF EXISTS activity_log_search_insert;
DROP TRIGGER IF EXISTS activity_log_search_delete;
DROP TRIGGER IF EXISTS activity_log_search_update;
DROP TABLE IF EXISTS activity_log_search;

DROP TRIGGER IF EXISTS activity_log_blocks_update;
DROP TABLE IF EXISTS activity_log_blocks;
DROP INDEX IF EXISTS idx_activity_log_ts;
CREATE INDEX idx_activity_log_ts ON activity_log (ts DESC, seq DESC);
DROP INDEX IF EXISTS idx_activity_log_entity_type;
DROP INDEX IF EXISTS idx_activity_log_category_severity;
