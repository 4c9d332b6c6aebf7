//! The locks of a recorder. The tests in `schedules` replace them to try many orders of threads.

#[cfg(activity_log_shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, PoisonError};
#[cfg(not(activity_log_shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
