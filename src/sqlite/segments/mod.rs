//! Segments summarize the log: one row per 4,096 consecutive `seq`, with a zone map (the least and the greatest time) and
//! rollups (counts by category, severity and actor). They say where rows may match and how many rows there are of a kind.
//!
//! A trigger marks a segment as stale when its rows change. A stale segment is looked through row by row until its
//! summary is computed again. So are the unsummarized rows, those after the last segment.

pub(crate) mod candidates;
pub(crate) mod count;
pub(crate) mod extent;
pub(crate) mod predicate;
mod schema;
pub(crate) mod summarize;
pub(crate) mod unsummarized;
