//! The ways in which an async host uses the log, on real files.

#[macro_use]
mod way;

mod axum_server;
mod cancellation;
mod changes;
mod export;
mod follow;
mod naive_transactions;
mod page;
mod panics;
