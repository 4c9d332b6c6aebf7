-- One row at most.
CREATE TABLE retention (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    enabled INTEGER NOT NULL,
    days INTEGER,
    entries INTEGER
) STRICT;
