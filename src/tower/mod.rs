//! Contexts of HTTP requests.

mod body;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod service;
