//! Waiting for room in the queue without a thread.

use std::future::poll_fn;
use std::task::{Context, Poll};

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
        let mut waiting = Waiting { shared: self, number: None };
        poll_fn(|context| waiting.poll(load, context)).await;
    }
}

/// A task that waits for room. It is forgotten as soon as it no longer does, such as after a timeout.
struct Waiting<'a> {
    shared: &'a Shared,
    /// Its key among the wakers, once it is there.
    number: Option<u64>,
}

impl Waiting<'_> {
    fn poll(&mut self, load: Load, context: &Context<'_>) -> Poll<()> {
        // Wakers are cloned and dropped without the lock, because that may run the host's executor.
        let waker = context.waker().clone();
        let mut state = self.shared.state();
        if state.closed().is_err() || self.shared.has_room(&state, load) {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert(state.next_waker);
        state.next_waker = state.next_waker.max(number.wrapping_add(1));
        let former = state.wakers.insert(number, waker);
        drop(state);
        drop(former);
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waker = self.number.and_then(|number| self.shared.state().wakers.remove(&number));
        drop(waker);
    }
}

/// Lets all tasks that wait for room look again. It takes the lock away first, because they may run at once.
pub(crate) fn release_and_wake(mut state: MutexGuard<'_, State>) {
    let wakers = std::mem::take(&mut state.wakers);
    drop(state);
    wakers.into_values().for_each(|waker| isolated(|| waker.wake()));
}
