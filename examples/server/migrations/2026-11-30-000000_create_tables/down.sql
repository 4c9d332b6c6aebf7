DROP TABLE retention_settings;
DROP TABLE users;
DROP TABLE devices;
