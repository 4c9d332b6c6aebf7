-- The log. Additive and idempotent: it creates what is missing and touches nothing else.
--
-- `seq` comes from a sequence, which never gives a number again. It is no primary key, and no IDENTITY, so that Citus can
-- distribute the table by `id`. The texts have the collation "C": comparing them is then a comparison of bytes, which is
-- cheaper, finds the beginning of an action in an index, and lets ILIKE fold ASCII letters only. `metadata` is text and not
-- jsonb, which refuses U+0000, changes numbers, reorders keys and drops repeated ones: what is read is what was recorded.
CREATE TABLE IF NOT EXISTS activity_log (
    seq bigserial NOT NULL,
    id text COLLATE "C" NOT NULL CONSTRAINT activity_log_pkey PRIMARY KEY,
    ts timestamptz NOT NULL,
    category text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL CONSTRAINT activity_log_severity CHECK (severity IN ('info', 'warning', 'error')),
    actor text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C",
    entity_id text COLLATE "C",
    entity_name text COLLATE "C",
    message text COLLATE "C" NOT NULL,
    metadata text COLLATE "C" NOT NULL DEFAULT '{}'
);

-- Serves pages without filters, followers and exports (`seq > $1 ORDER BY seq`), and the lookup of a row by its number.
CREATE INDEX IF NOT EXISTS activity_log_seq ON activity_log (seq);
