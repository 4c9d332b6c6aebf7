-- For SQLite and PostgreSQL alike.
CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE users (
    name TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL
);

-- One row, with JSON.
CREATE TABLE retention (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    settings TEXT NOT NULL
);

INSERT INTO retention (id, settings) VALUES (1, '{"enabled": false, "days": null, "entries": null}');
