//! What a viewer does in every database. `crate::database` is the one module that names it.

mod acting;
pub(crate) mod host;
mod hosts;
mod links;
mod mounting;
mod pools;
mod reading;
mod recording;
mod retention;
mod routes;
#[cfg(feature = "sign-in")]
mod sign_in;
mod status;
mod streams;
mod unreadable;

pub(crate) type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;
