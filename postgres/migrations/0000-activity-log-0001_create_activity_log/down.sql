DROP TABLE IF EXISTS activity_log;
-- What `enable_rollups` adds stands beside the table and is of no use without it.
DROP TABLE IF EXISTS activity_log_rollups, activity_log_rollup_blocks, activity_log_rollup_marks, activity_log_rollup_progress;
DROP SEQUENCE IF EXISTS activity_log_rollup_boundary;
DROP FUNCTION IF EXISTS activity_log_rollup_mark();
