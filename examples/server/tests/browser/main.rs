//! The page as people use it: each test starts the program and opens its page in headless Chromium, which the tests share.
//!
//! `cargo test -p example-server --test browser -- --ignored`

mod accessibility;
mod browser;
mod driver;
mod exports;
mod facets;
mod filtering;
mod focus;
mod hidden_characters;
mod keyboard;
mod large_entries;
mod layout;
mod links;
mod listing;
mod live;
mod live_truth;
mod log_panel;
mod metadata;
mod mounted;
mod place;
mod recent;
mod retention_form;
mod rows;
mod server;
mod shortcuts;
mod sign_in;
mod tabs;
mod time_spans;
mod time_zones;
mod times;
mod view;
