-- For SQLite and PostgreSQL alike. Earlier versions of the server had tables of devices and users, too.
CREATE TABLE IF NOT EXISTS devices (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS users (
    name TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL
);

-- One row, with JSON.
CREATE TABLE retention_settings (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    settings TEXT NOT NULL
);

INSERT INTO retention_settings (id, settings) VALUES (1, '{"enabled": false, "days": null, "entries": null}');
