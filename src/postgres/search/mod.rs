//! The search index: trigrams of the messages, in lower case.
//!
//! It proposes messages, and `ILIKE` still decides. Only conditions that are written as the index has its expression can use
//! it, so no other statement does.

pub(crate) mod candidates;
pub(crate) mod enable;
pub(crate) mod term;
