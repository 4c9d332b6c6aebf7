//! The ways in which an async host uses the log, on real files.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy does not see that the functions in `for_each_way!` are tests"
)]

#[macro_use]
mod way;

mod axum_server;
mod cancellation;
mod changes;
mod context;
mod export;
mod follow;
mod naive_transactions;
mod page;
mod panics;
