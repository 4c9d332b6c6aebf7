//! The host's functions in the recorder's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Result;
use crate::error::recorder::RecorderError;

/// Turns a panic into an error, so that it ends neither the thread nor the host.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(RecorderError::HostPanicked.into()))
}

/// Runs work whose panic concerns nobody else.
pub(crate) fn isolated(work: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(work)));
}
