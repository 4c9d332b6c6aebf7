//! Shared code of the fuzz targets: arbitrary values of the crate's types, the values that they should read back as,
//! and a naive model of the log.

pub mod input;
pub mod model;
pub mod normal;
