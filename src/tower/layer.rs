use std::fmt;

use http::Request;
use tower_layer::Layer;

use crate::context::actor_context::ActorContext;
use crate::tower::service::ActorContextService;

/// A layer for tower, axum and others, in which each request has an [`ActorContext`]: while the inner services handle
/// it, and while the response's body is sent.
///
/// The host's function makes the context from the request:
///
/// ```
/// use activity_log::{ActorContext, ActorContextLayer, NewActivityLogEntry};
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt};
///
/// async fn rename(_: Request<String>) -> Result<Response<String>, std::convert::Infallible> {
///     let entry = NewActivityLogEntry::here("device", "device.renamed", "Renamed the lamp");
///     assert_eq!(entry.actor, "alice");
///     assert_eq!(entry.metadata["request_id"], "r-81");
///     Ok(Response::default())
/// }
///
/// # fn user(_: &Request<String>) -> &'static str { "alice" }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = ActorContextLayer::new(|request: &Request<String>| {
///     let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
///     ActorContext::new(user(request)).with("request_id", id)
/// });
/// let request = Request::builder().header("x-request-id", "r-81").body(String::new())?;
/// layer.layer(tower::service_fn(rename)).oneshot(request).await?;
/// # Ok(())
/// # }
/// ```
///
/// In axum, add it with `Router::layer` inside the layer that signs users in, which puts the user into the request's
/// extensions; the layer that was added last is the outermost. Where the user becomes known only later, such as in an
/// extractor, set an inner [`ActorContext`] there.
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
