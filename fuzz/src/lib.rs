//! What the fuzz targets share: arbitrary values of the crate's types, what they should read back as, and a naive model
//! of the log.

pub mod input;
pub mod model;
pub mod normal;
