use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::actor_context::ActorContext;
use crate::context::current;

pin_project! {
    /// A future in which an [`ActorContext`] holds: see [`in_future`](ActorContext::in_future). With the feature
    /// `tower`, it may also be the body of a response.
    #[must_use = "futures do nothing unless polled"]
    pub struct InContext<T> {
        // `None` only while this is dropped.
        #[pin]
        inner: Option<T>,
        context: Arc<ActorContext>,
    }

    impl<T> PinnedDrop for InContext<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = current::enter(Arc::clone(this.context));
            this.inner.set(None);
        }
    }
}

impl<T> InContext<T> {
    pub(crate) fn new(context: Arc<ActorContext>, inner: T) -> Self {
        Self { inner: Some(inner), context }
    }

    /// Wraps something else in the same context.
    #[cfg(feature = "tower")]
    pub(crate) fn around<U>(&self, inner: U) -> InContext<U> {
        InContext::new(Arc::clone(&self.context), inner)
    }

    #[cfg(feature = "tower")]
    pub(crate) fn inner(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    /// Polls what is wrapped while the context holds.
    pub(crate) fn poll_inner<O>(self: Pin<&mut Self>, poll: impl FnOnce(Pin<&mut T>) -> Poll<O>) -> Poll<O> {
        let this = self.project();
        let _entered = current::enter(Arc::clone(this.context));
        this.inner.as_pin_mut().map_or(Poll::Pending, poll)
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_inner(|future| future.poll(context))
    }
}

impl<T> fmt::Debug for InContext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InContext").field("context", &self.context).finish_non_exhaustive()
    }
}
