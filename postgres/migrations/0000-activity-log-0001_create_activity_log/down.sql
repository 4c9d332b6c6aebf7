-- What `enable_rollups` adds stands beside the table and is of no use without it. Another schema of the search path may have
-- the rollups of another log.
DO $activity_log$
DECLARE
    log_schema regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('activity_log'));
BEGIN
    IF log_schema IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('DROP TABLE %1$s.activity_log', log_schema);
    EXECUTE format('DROP TABLE IF EXISTS %1$s.activity_log_rollups, %1$s.activity_log_rollup_blocks, '
        '%1$s.activity_log_rollup_marks, %1$s.activity_log_rollup_progress', log_schema);
    EXECUTE format('DROP SEQUENCE IF EXISTS %1$s.activity_log_rollup_boundary', log_schema);
    EXECUTE format('DROP FUNCTION IF EXISTS %1$s.activity_log_rollup_mark()', log_schema);
END
$activity_log$;
