use std::fmt;

use http::Request;
use tower_layer::Layer;

use crate::context::actor_context::ActorContext;
use crate::tower::service::ActorContextService;

/// A layer for tower, axum and others, in which each request has an [`ActorContext`]: while the inner services handle it,
/// and while the response's body is sent.
///
/// The host's function makes the context from the request:
///
/// ```
/// use activity_log::{ActorContext, ActorContextLayer, NewActivityLogEntry};
/// use http::{Request, Response};
/// use tower::{Layer, Service, ServiceExt};
///
/// async fn rename(_: Request<String>) -> Result<Response<String>, std::convert::Infallible> {
///     let entry = NewActivityLogEntry::here("device", "device.renamed", "Renamed the lamp");
///     Ok(Response::new(format!("{} {}", entry.actor, entry.metadata["request_id"])))
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
/// let layer = ActorContextLayer::new(|request: &Request<String>| {
///     let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
///     ActorContext::new("alice").with("request_id", header("x-request-id"))
/// });
/// let service = layer.layer(tower::service_fn(rename));
/// let request = Request::builder().header("x-request-id", "r-81").body(String::new()).expect("a request");
/// # let poll_body = |response: Response<_>| format!("{:?}", response.into_body());
/// let response = service.oneshot(request).await.expect("a response");
/// # assert!(poll_body(response).contains("alice"));
/// # });
/// ```
///
/// In axum, add it with `Router::layer` inside the layer that signs users in, which puts the user into the request's
/// extensions; the layer that was added last is the outermost. Where the user becomes known only later, such as in an
/// extractor, set an [inner context](ActorContext#) there.
///
/// A task that a handler spawns does not inherit the context: see [`current`](ActorContext::current).
#[derive(Clone)]
pub struct ActorContextLayer<F> {
    from_request: F,
}

impl<F> ActorContextLayer<F> {
    /// A layer that calls `from_request` for each request, before the inner services see it.
    #[must_use]
    pub fn new<B>(from_request: F) -> Self
    where
        F: Fn(&Request<B>) -> ActorContext,
    {
        Self { from_request }
    }
}

impl<S, F: Clone> Layer<S> for ActorContextLayer<F> {
    type Service = ActorContextService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        ActorContextService::new(inner, self.from_request.clone())
    }
}

impl<F> fmt::Debug for ActorContextLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorContextLayer").finish_non_exhaustive()
    }
}
