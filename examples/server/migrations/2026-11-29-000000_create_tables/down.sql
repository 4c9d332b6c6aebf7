DROP TABLE retention;
DROP TABLE users;
DROP TABLE devices;
