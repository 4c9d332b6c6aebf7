//! What a server does at start-up, for async programs.
//!
//! These work in transactions. If one of the futures is dropped, drop its connection too.

use diesel_async::AsyncPgConnection;

use crate::error::Result;
use crate::model::problem::Problem;
use crate::postgres::check::find_problems;
use crate::postgres::distribute::{distribute_log, undistribute_log};
use crate::postgres::rollups::enable as rollups;
use crate::postgres::rollups::upkeep::catch_up;
use crate::postgres::search::enable::{disable, enable};
use crate::postgres::start_up::start_up;

/// Brings the database to the schema that this version of the crate reads and writes: see
/// [`run_migrations`](crate::postgres::run_migrations). If the future is dropped, drop the connection as well: it may be in a
/// transaction.
///
/// # Errors
///
/// Those of [`run_migrations`](crate::postgres::run_migrations).
pub async fn run_migrations_async(conn: &mut AsyncPgConnection) -> Result<()> {
    start_up(conn).await
}

/// Reports what is wrong with the log: see [`check`](crate::postgres::check). If the future is dropped, drop the connection
/// as well: it may be in a transaction.
///
/// # Errors
///
/// Those of [`check`](crate::postgres::check).
pub async fn check_async(conn: &mut AsyncPgConnection) -> Result<Vec<Problem>> {
    find_problems(conn).await
}

/// Adds an index that finds texts in messages: see [`enable_search`](crate::postgres::enable_search). If the future is
/// dropped, drop the connection as well: it may be in a transaction.
///
/// # Errors
///
/// Those of [`enable_search`](crate::postgres::enable_search).
pub async fn enable_search_async(conn: &mut AsyncPgConnection) -> Result<()> {
    enable(conn).await
}

/// Removes that index: see [`disable_search`](crate::postgres::disable_search).
///
/// # Errors
///
/// Those of [`disable_search`](crate::postgres::disable_search).
pub async fn disable_search_async(conn: &mut AsyncPgConnection) -> Result<()> {
    disable(conn).await
}

/// Distributes the log among the workers of a Citus cluster: see [`distribute`](crate::postgres::distribute). If the future
/// is dropped, drop the connection as well: it may be in a transaction.
///
/// # Errors
///
/// Those of [`distribute`](crate::postgres::distribute).
pub async fn distribute_async(conn: &mut AsyncPgConnection) -> Result<()> {
    distribute_log(conn).await
}

/// Makes a distributed log a table of one server again: see [`undistribute`](crate::postgres::undistribute). If the future is
/// dropped, drop the connection as well: it may be in a transaction.
///
/// # Errors
///
/// Those of [`undistribute`](crate::postgres::undistribute).
pub async fn undistribute_async(conn: &mut AsyncPgConnection) -> Result<()> {
    undistribute_log(conn).await
}

/// Adds rollups, which count entries in advance, and summarizes what is due: see
/// [`enable_rollups`](crate::postgres::enable_rollups). If the future is dropped, drop the connection as well: it may be in a
/// transaction.
///
/// # Errors
///
/// Those of [`enable_rollups`](crate::postgres::enable_rollups).
pub async fn enable_rollups_async(conn: &mut AsyncPgConnection) -> Result<()> {
    rollups::enable(conn).await
}

/// Removes the rollups: see [`disable_rollups`](crate::postgres::disable_rollups). If the future is dropped, drop the
/// connection as well: it may be in a transaction.
///
/// # Errors
///
/// Those of [`disable_rollups`](crate::postgres::disable_rollups).
pub async fn disable_rollups_async(conn: &mut AsyncPgConnection) -> Result<()> {
    rollups::disable(conn).await
}

/// Summarizes all blocks of the log that are due: see [`summarize`](crate::postgres::summarize). If the future is dropped,
/// the connection stays usable.
///
/// # Errors
///
/// Those of [`summarize`](crate::postgres::summarize).
pub async fn summarize_async(conn: &mut AsyncPgConnection) -> Result<()> {
    catch_up(conn).await
}
