//! The shared behaviour tests on SQLite, and the tests specific to SQLite.

#[path = "../behaviour/mod.rs"]
mod behaviour;
#[path = "../support/chance.rs"]
mod chance;
mod damage;
mod database;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/workers.rs"]
mod workers;

mod batches;
mod busy;
mod call_forms;
mod changes;
mod connection;
mod corrections;
mod crash;
mod entity_types;
mod erasing;
mod filter_plans;
mod foreign_rows;
mod full_disk;
mod kinds;
mod limits;
mod migrations;
mod other_tools;
mod own_inserts;
mod page_statements;
mod power_cut;
mod query_plans;
mod recorder_busy_commits;
mod recorder_full_disk;
mod retention_held_back;
mod retention_kill;
mod retention_limits;
mod retention_locks;
mod search;
mod segments;
mod space;
mod statements;
mod stored_times;
mod summarizing;
mod text_transactions;
mod triggers;
mod utf_16;
