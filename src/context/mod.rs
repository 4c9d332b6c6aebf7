//! Who acts: what entries take from where they are made.

pub(crate) mod actor_context;
pub(crate) mod current;
mod here;
pub(crate) mod in_context;

use std::sync::Arc;

use crate::context::actor_context::ActorContext;
use crate::context::in_context::InContext;

impl ActorContext {
    /// The context that holds here, if one does.
    ///
    /// A thread or task that is started inside a context does not inherit it. Give it the current one:
    ///
    /// ```
    /// # use activity_log::ActorContext;
    /// # ActorContext::new("alice").scope(|| {
    /// let context = ActorContext::current().unwrap_or_default();
    /// let thread = std::thread::spawn(|| context.scope(|| ActorContext::current()));
    /// # assert_eq!(thread.join().ok().flatten(), Some(ActorContext::new("alice")));
    /// # });
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        current::get().map(Arc::unwrap_or_clone)
    }

    /// Runs `work` in this context, on this thread. Afterwards the former context holds again, also after a panic.
    pub fn scope<T>(self, work: impl FnOnce() -> T) -> T {
        let _entered = current::enter(Arc::new(self));
        work()
    }

    /// Wraps a future, so that this context holds in it: at each poll and while it is dropped, on any thread and with
    /// any executor. Between the polls, and in other tasks, it does not.
    ///
    /// ```
    /// use activity_log::{ActorContext, NewActivityLogEntry};
    ///
    /// # async fn load() {}
    /// # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
    /// let entry = ActorContext::new("alice")
    ///     .in_future(async {
    ///         load().await;
    ///         NewActivityLogEntry::here("device", "device.renamed", "Renamed the lamp")
    ///     })
    ///     .await;
    /// assert_eq!(entry.actor, "alice");
    /// # });
    /// ```
    pub fn in_future<F: Future>(self, future: F) -> InContext<F> {
        InContext::new(Arc::new(self), future)
    }
}
