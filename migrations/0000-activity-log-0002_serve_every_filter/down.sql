-- Undoes up.sql. Also removes what `enable_search` added, which would outlive the table; a table of the host's with that name
-- stops it here.
CREATE TEMP TABLE IF NOT EXISTS activity_log_name_check (
    name TEXT CONSTRAINT "a table of the host's has the name of the search index: rename it" CHECK (FALSE)
);
INSERT INTO activity_log_name_check
SELECT name FROM sqlite_master WHERE name = 'activity_log_search' AND NOT instr(sql, 'tokenize = ''trigram''');
DROP TABLE activity_log_name_check;
DROP TABLE IF EXISTS activity_log_search;

DROP TRIGGER IF EXISTS activity_log_segments_replace;
DROP TRIGGER IF EXISTS activity_log_segments_message;
DROP TRIGGER IF EXISTS activity_log_segments_widen_again;
DROP TRIGGER IF EXISTS activity_log_segments_widen;
DROP TRIGGER IF EXISTS activity_log_segments_update;
DROP TRIGGER IF EXISTS activity_log_segments_delete;
DROP TABLE IF EXISTS activity_log_segment_rollups;
DROP TABLE IF EXISTS activity_log_segments;
DROP INDEX IF EXISTS idx_activity_log_ts;
CREATE INDEX idx_activity_log_ts ON activity_log (ts DESC, seq DESC);
DROP INDEX IF EXISTS idx_activity_log_action;
DROP INDEX IF EXISTS idx_activity_log_entity_type;
DROP INDEX IF EXISTS idx_activity_log_actor_errors;
DROP INDEX IF EXISTS idx_activity_log_severity;
CREATE INDEX idx_activity_log_severity ON activity_log (severity);
DROP INDEX IF EXISTS idx_activity_log_category_severity;
