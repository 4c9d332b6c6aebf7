//! The page as people use it: the program is started, and headless Chromium opens what it serves.
//!
//! `cargo test -p example-server --test browser -- --ignored`

mod browser;
mod filtering;
mod keyboard;
mod listing;
mod live;
mod rows;
mod server;
mod sign_in;
