//! The server as clients see it: each test starts the program in its own folder, on a free port.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value with a missing key gives null")]

mod authentication;
mod bad_requests;
mod busy_database;
mod checkpoint;
mod clearing;
mod compressed;
mod counting;
mod declared_lengths;
mod demonstration;
mod description;
mod devices;
mod events;
mod exporting;
mod facets;
mod failed_sign_ins;
mod file_mode;
mod following;
mod full_disk;
mod health;
mod histogram;
mod hosts;
mod idempotency;
#[cfg(feature = "postgres")]
mod in_postgres;
mod listing;
#[cfg(unix)]
mod lost_file;
mod one_entry;
mod origins;
mod page_files;
mod real_events;
mod recording;
mod request_log;
mod response_headers;
mod restored_log;
mod restoring;
mod retention;
mod secrets;
mod server;
mod sessions;
mod slow_exports;
mod slow_requests;
mod starting_and_stopping;
mod users;
