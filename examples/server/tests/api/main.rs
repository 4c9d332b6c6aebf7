//! The server as its clients meet it: each test starts the program in a folder of its own, on a free port.

#![expect(clippy::indexing_slicing, reason = "a JSON value gives null for what it does not have")]

mod bad_requests;
mod busy_database;
mod clearing;
mod listing;
mod real_events;
mod recording;
mod server;
mod starting_and_stopping;
