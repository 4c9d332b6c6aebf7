//! Waiting for room in the queue without a thread.

use std::future::poll_fn;
use std::task::Poll;

use crate::error::recorder::RecorderError;
use crate::recorder::guard::isolated;
use crate::recorder::load::Load;
use crate::recorder::shared::{Place, Shared};
use crate::recorder::state::State;
use crate::recorder::sync::MutexGuard;

impl Shared {
    /// Gets a place for this much of the host's if there is room now, whatever the policy.
    pub(crate) fn admit_now(&self, load: Load) -> Result<Place<'_>, RecorderError> {
        let state = self.state();
        state.closed()?;
        if self.has_room(&state, load) { Ok(Place::new(self, state, load)) } else { Err(RecorderError::QueueFull) }
    }

    /// Waits until there may be room, or until waiting has no point.
    pub(crate) async fn room(&self, load: Load) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.closed().is_err() || self.has_room(&state, load) {
                return Poll::Ready(());
            }
            if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                state.wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Lets all tasks that wait for room look again. It takes the lock away first, because they may run at once.
pub(crate) fn release_and_wake(mut state: MutexGuard<'_, State>) {
    let wakers = std::mem::take(&mut state.wakers);
    drop(state);
    wakers.into_iter().for_each(|waker| isolated(|| waker.wake()));
}
