) AS oid)
-- A default that takes the next number of the column's own sequence is described as the word "sequence", because the
-- sequence may have any name.
SELECT 'column', attname::text, concat_ws('; ', format_type(atttypid, atttypmod), 'collation ' || collname,
    CASE WHEN attnotnull THEN 'not null' END,
    'default ' || CASE
        WHEN attidentity <> '' OR EXISTS (SELECT 1 FROM pg_depend AS used JOIN pg_depend AS owned
            ON owned.classid = 'pg_class'::regclass AND owned.objid = used.refobjid AND owned.deptype = 'a'
            WHERE used.classid = 'pg_attrdef'::regclass AND used.objid = pg_attrdef.oid
                AND used.refclassid = 'pg_class'::regclass AND owned.refclassid = 'pg_class'::regclass
                AND owned.refobjid = attrelid AND owned.refobjsubid = attnum) THEN 'sequence'
        ELSE pg_get_expr(adbin, adrelid)
    END), TRUE
FROM log JOIN pg_attribute ON attrelid = log.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
UNION ALL
SELECT 'constraint', conname::text, regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', ''),
    convalidated
FROM log JOIN pg_constraint ON conrelid = log.oid
WHERE contype IN ('c', 'p', 'u', 'x')
UNION ALL
-- What comes after the name of the table. Storage parameters are the operator's.
SELECT 'index', own.relname::text,
    CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END || regexp_replace(
        substring(definition FROM position(format('.%I USING ', owner.relname) IN definition)
            + length(format('.%I ', owner.relname))),
        ' WITH \([^)]*\)', ''),
    indisvalid AND indisready
FROM log JOIN pg_index ON indrelid = log.oid
    JOIN pg_class AS own ON own.oid = indexrelid JOIN pg_class AS owner ON owner.oid = indrelid,
    LATERAL (SELECT pg_get_indexdef(indexrelid) AS definition) AS described
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
ORDER BY 1, 2
