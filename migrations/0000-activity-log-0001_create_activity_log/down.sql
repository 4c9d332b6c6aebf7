-- Undoes up.sql, entries included: dropping the table drops every row in it.
DROP INDEX IF EXISTS idx_activity_log_entity;
DROP INDEX IF EXISTS idx_activity_log_actor;
DROP INDEX IF EXISTS idx_activity_log_severity;
DROP INDEX IF EXISTS idx_activity_log_category;
DROP INDEX IF EXISTS idx_activity_log_ts;
DROP TABLE IF EXISTS activity_log;
