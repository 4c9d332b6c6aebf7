DROP INDEX IF EXISTS activity_log_time;
DROP INDEX IF EXISTS activity_log_entity;
DROP INDEX IF EXISTS activity_log_entity_type;
DROP INDEX IF EXISTS activity_log_alarm;
DROP INDEX IF EXISTS activity_log_kind;
DROP INDEX IF EXISTS activity_log_action;
DROP INDEX IF EXISTS activity_log_actor;
