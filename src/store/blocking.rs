//! Running what is written for connections of any kind on one that blocks.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future to its end. On a blocking connection, each of its waits is over before it begins.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
