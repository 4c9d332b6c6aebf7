//! In axum, entries of a request's handlers and of its response's body have the request's context.

use activity_log::{ActorContext, ActorContextLayer, NewActivityLogEntry};
use async_host::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Clone)]
struct User(String);

/// Signs in whomever a header names.
async fn sign_in(headers: HeaderMap, mut request: Request, next: Next) -> Response {
    if let Some(name) = headers.get("user").and_then(|name| name.to_str().ok()) {
        request.extensions_mut().insert(User(name.to_owned()));
    }
    next.run(request).await
}

/// The actor and the path of an entry that is made here.
fn who() -> String {
    let entry = NewActivityLogEntry::here("device", "device.shown", "Showed the lamp");
    format!("{} {}; ", entry.actor, entry.metadata.get("path").and_then(|path| path.as_str()).unwrap_or_default())
}

async fn show() -> Body {
    let handled = who();
    tokio::task::yield_now().await;
    Body::from_stream(stream::iter([0, 1]).map(move |_| Ok::<_, std::io::Error>(format!("{handled}{}", who()))))
}

#[tokio::test]
async fn a_handler_and_its_streamed_body_make_entries_in_the_context_of_the_request() -> Result<()> {
    let context = ActorContextLayer::new(|request: &Request| {
        let user = request.extensions().get::<User>().map_or("anonymous", |user| &user.0);
        ActorContext::new(user).with("path", request.uri().path())
    });
    let app = Router::new().route("/lamps/{id}", get(show)).layer(context).layer(from_fn(sign_in));
    for user in ["alice", "bob"] {
        let request = Request::builder().uri("/lamps/7").header("user", user).body(Body::empty())?;
        let body = app.clone().oneshot(request).await?.into_body().collect().await?.to_bytes();
        assert_eq!(body, format!("{user} /lamps/7; ").repeat(4));
    }
    let request = Request::builder().uri("/lamps/7").body(Body::empty())?;
    let body = app.oneshot(request).await?.into_body().collect().await?.to_bytes();
    assert_eq!(body, "anonymous /lamps/7; ".repeat(4));
    Ok(())
}
