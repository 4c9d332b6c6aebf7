use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::context::in_context::InContext;

pin_project! {
    /// The future of a response: see [`ActorContextLayer`](crate::ActorContextLayer).
    #[must_use = "futures do nothing unless polled"]
    pub struct ActorContextFuture<F> {
        #[pin]
        future: InContext<F>,
    }
}

impl<F> ActorContextFuture<F> {
    pub(crate) fn new(future: InContext<F>) -> Self {
        Self { future }
    }
}

impl<F, B, E> Future for ActorContextFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<InContext<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut future = self.project().future;
        let response = ready!(future.as_mut().poll(context));
        Poll::Ready(response.map(|response| response.map(|body| future.around(body))))
    }
}

impl<F> fmt::Debug for ActorContextFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.future.fmt(f)
    }
}
