//! Events of `tracing` become entries.

mod fields;
pub(crate) mod filter;
pub(crate) mod layer;
mod limited_text;
