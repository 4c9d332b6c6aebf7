//! Whether a call comes from the thread of a recorder, which would wait for itself.

use std::cell::Cell;

use crate::error::recorder::RecorderError;

thread_local! {
    static IS_RECORDERS: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one of a recorder.
pub(crate) fn enter() {
    IS_RECORDERS.set(true);
}

/// # Errors
///
/// [`RecorderError::OwnThread`] in the thread of a recorder, as in its callbacks.
pub(crate) fn may_wait() -> Result<(), RecorderError> {
    if IS_RECORDERS.get() { Err(RecorderError::OwnThread) } else { Ok(()) }
}
