-- Serves pages by every filter. PostgreSQL chooses among indexes by statistics, which may be stale or missing, and chose to
-- walk a million rows where an index finds fifty. Each index therefore has one use and is the only one that can serve it: a
-- page is ordered by an expression such as `seq + 0`, in whose order only the index on its filter has the rows, and its other
-- filters are inside an expression that no index has.

-- Serves pages of one or more actors (`actor = $1 ORDER BY seq + 0 DESC`).
CREATE INDEX IF NOT EXISTS activity_log_actor ON activity_log (actor, (seq + 0));

-- Serves pages of one or more actions (`action = $1 ORDER BY seq + 5 DESC`), and the lookup of the actions with a beginning.
CREATE INDEX IF NOT EXISTS activity_log_action ON activity_log (action, (seq + 5));

-- Serves pages of categories, of all severities or of some: one search for each pair
-- (`category = $1 AND severity = $2 ORDER BY seq + 0 DESC`).
CREATE INDEX IF NOT EXISTS activity_log_kind ON activity_log (category, severity, (seq + 0));

-- Serves pages of warnings and errors of any category (`severity = $1 AND severity <> 'info' ORDER BY seq + 2 DESC`). Most
-- entries are info, and a page of these finds enough of them among the newest rows. Its order is of its own, because a custom
-- plan knows that an error is not info and would choose this index for a category's errors too.
CREATE INDEX IF NOT EXISTS activity_log_alarm ON activity_log (severity, (seq + 2)) WHERE severity <> 'info';

-- Serve pages of the warnings and errors of actors and of actions, which may be few among many entries. Recorders seldom pay
-- for them (`actor = $1 AND severity = $2 AND severity <> 'info' ORDER BY seq + 3 DESC`; of an action, `seq + 4`).
CREATE INDEX IF NOT EXISTS activity_log_actor_alarm ON activity_log (actor, severity, (seq + 3)) WHERE severity <> 'info';
CREATE INDEX IF NOT EXISTS activity_log_action_alarm ON activity_log (action, severity, (seq + 4)) WHERE severity <> 'info';

-- Serves pages of an entity type (`entity_type = $1 ORDER BY seq + 0 DESC`). Without the rows that have no type, because it
-- must not serve the entities that have none.
CREATE INDEX IF NOT EXISTS activity_log_entity_type ON activity_log (entity_type, (seq + 0)) WHERE entity_type IS NOT NULL;

-- Serves pages of an entity (`entity_id = $1 AND entity_type = $2 ORDER BY entity_type DESC, seq + 1 DESC`), and the lookup of
-- the types that an id has.
CREATE INDEX IF NOT EXISTS activity_log_entity ON activity_log (entity_id, entity_type, (seq + 1));

-- Serve pages by several filters, which may each match many rows and few or none together: an actor and a category, an action
-- and an entity type. A page first looks up which kinds of entries pass the filters, by steps through the index (`actor = $1
-- AND (category, action, coalesce(entity_type, ''), severity) > ($2, $3, $4, $5)`), and then searches for each of them
-- (`actor = $1 AND category = $2 AND action = $3 AND coalesce(entity_type, '') = $4 AND severity = $5 ORDER BY seq + 6 DESC`).
-- A missing type is an empty text, because NULL is not greater than anything. Filters without actors use the second index.
CREATE INDEX IF NOT EXISTS activity_log_actor_combined
    ON activity_log (actor, category, action, coalesce(entity_type, ''), severity, (seq + 6));
CREATE INDEX IF NOT EXISTS activity_log_combined
    ON activity_log (category, action, coalesce(entity_type, ''), severity, (seq + 7));

-- Serves time windows and prunes by age: finds the blocks of 16,384 consecutive `seq` that have rows in a window
-- (`seq >> 14 = $1 AND ts BETWEEN $2 AND $3`). An index on `ts` alone would have to sort the window by `seq`.
CREATE INDEX IF NOT EXISTS activity_log_time ON activity_log ((seq >> 14), ts);
