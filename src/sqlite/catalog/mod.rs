//! What the database consists of, and what of it belongs to the log.

pub(crate) mod column;
pub(crate) mod difference;
pub(crate) mod expected;
pub(crate) mod object;
