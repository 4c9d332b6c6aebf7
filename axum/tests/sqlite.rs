//! The viewer of a log in SQLite.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value with a missing key gives null")]

#[path = "sqlite/database.rs"]
mod database;
#[cfg(unix)]
#[path = "sqlite/lost_file.rs"]
mod lost_file;
mod viewer;
