//! Rollups: how many rows of each kind a block of consecutive `seq` has, so that exact counts need not read all rows.
//!
//! A block is counted from its rollup if it is summarized and has no mark. Whoever deletes or changes rows of a block, or
//! inserts rows into an old one, marks it in the same transaction, and whoever reads sees a change if and only if they see
//! its mark. [`read`] looks through marked blocks and those without a summary row by row, in the same statement, so that a
//! count is that of one moment. Marks are only added, which holds up nobody. [`summarize`] removes them.

pub(crate) mod access;
pub(crate) mod condition;
pub(crate) mod definition;
pub(crate) mod enable;
pub(crate) mod level;
pub(crate) mod read;
pub(crate) mod summarize;
pub(crate) mod upkeep;
