//! The viewer of a log in PostgreSQL.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value with a missing key gives null")]

#[path = "postgres/cannot_follow.rs"]
mod cannot_follow;
#[path = "postgres/database.rs"]
mod database;
#[path = "postgres/open_transactions.rs"]
mod open_transactions;
mod viewer;
