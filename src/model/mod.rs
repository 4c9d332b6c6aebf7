//! Entries, filters and limits, and the rules that hold for them in every database.

pub(crate) mod category;
pub(crate) mod changes;
pub(crate) mod encoding;
pub(crate) mod entry;
pub(crate) mod facet;
mod filter_query;
pub(crate) mod filters;
pub(crate) mod histogram;
pub(crate) mod instant;
pub(crate) mod json;
pub(crate) mod limits;
pub(crate) mod member;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod normalized_filters;
pub(crate) mod pattern;
pub(crate) mod problem;
pub(crate) mod prune_report;
pub(crate) mod redactor;
pub(crate) mod retention_archive;
pub(crate) mod retention_policy;
pub(crate) mod retention_report;
pub(crate) mod retention_rule;
pub(crate) mod severity;
pub(crate) mod size;
pub(crate) mod stored_row;
