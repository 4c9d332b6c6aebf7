-- Undoes up.sql.
DROP TRIGGER IF EXISTS activity_log_blocks_update;
DROP TABLE IF EXISTS activity_log_blocks;
DROP INDEX IF EXISTS idx_activity_log_ts;
CREATE INDEX idx_activity_log_ts ON activity_log (ts DESC, seq DESC);
DROP INDEX IF EXISTS idx_activity_log_entity_type;
DROP INDEX IF EXISTS idx_activity_log_category_severity;
