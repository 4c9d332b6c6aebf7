//! What the database consists of, and what of it belongs to the log.

pub(crate) mod difference;
pub(crate) mod expected;
pub(crate) mod object;
pub(crate) mod place;
pub(crate) mod repair;
