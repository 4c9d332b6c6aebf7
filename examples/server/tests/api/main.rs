//! The server as its clients meet it: each test starts the program in a folder of its own, on a free port.

#![expect(clippy::indexing_slicing, reason = "a JSON value gives null for what it does not have")]

mod authentication;
mod bad_requests;
mod busy_database;
mod checkpoint;
mod clearing;
mod counting;
mod demonstration;
mod description;
mod events;
mod exporting;
mod following;
mod health;
mod histogram;
mod listing;
mod origins;
mod real_events;
mod recording;
mod response_headers;
mod server;
mod slow_exports;
mod starting_and_stopping;
