use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::context::actor_context::ActorContext;
use crate::context::current;
use crate::context::in_context::InContext;
use crate::tower::future::ActorContextFuture;

/// A service in which each request has an [`ActorContext`]: see [`ActorContextLayer`](crate::ActorContextLayer).
#[derive(Clone)]
pub struct ActorContextService<S, F> {
    inner: S,
    from_request: F,
}

impl<S, F> ActorContextService<S, F> {
    pub(crate) fn new(inner: S, from_request: F) -> Self {
        Self { inner, from_request }
    }
}

impl<S, F, RequestBody, ResponseBody> Service<Request<RequestBody>> for ActorContextService<S, F>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    F: Fn(&Request<RequestBody>) -> ActorContext,
{
    type Response = Response<InContext<ResponseBody>>;
    type Error = S::Error;
    type Future = ActorContextFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let context = Arc::new((self.from_request)(&request));
        // A service may do its work before it returns a future.
        let _entered = current::enter(Arc::clone(&context));
        ActorContextFuture::new(InContext::new(context, self.inner.call(request)))
    }
}

impl<S: fmt::Debug, F> fmt::Debug for ActorContextService<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorContextService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
