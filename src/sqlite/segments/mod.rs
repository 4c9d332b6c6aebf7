//! Segments summarize the log: one row per 4,096 consecutive `seq`, with a zone map (the least and the greatest time)
//! and rollups (counts by category, severity, action, entity type and actor). The zone map and the rollups say where
//! rows may match, and how many rows of each kind there are.
//!
//! When rows change, a trigger marks their segment as stale and widens its summary. The summary then still says where
//! rows may match, but no longer how many there are. The unsummarized rows, those after the last segment, are searched
//! one by one.

pub(crate) mod candidates;
pub(crate) mod count;
pub(crate) mod cuts;
pub(crate) mod extent;
pub(crate) mod facets;
pub(crate) mod histogram;
pub(crate) mod predicate;
pub(crate) mod rollup;
pub(crate) mod schema;
pub(crate) mod summarize;
pub(crate) mod unsummarized;
pub(crate) mod verify;
