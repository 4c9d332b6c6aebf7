//! Each request is handled in the context that the host makes from it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::pin::{Pin, pin};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use activity_log::{ActorContext, ActorContextLayer};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::context::here;
use crate::support::TestResult;

/// A function, as each request of these tests names its user.
fn user(request: &Request<String>) -> ActorContext {
    ActorContext::new(request.body().clone()).with("path", request.uri().path())
}

fn of(user: &str) -> TestResult<Request<String>> {
    Ok(Request::builder().uri("/lamps/7").body(user.to_owned())?)
}

/// The actor and the path of an entry that is made here.
fn who() -> String {
    let entry = here();
    format!("{} {:?}", entry.actor, entry.metadata.get("path").and_then(|path| path.as_str()))
}

/// A body whose frames say who acts when each is produced. It says so too when it is dropped.
struct Stream {
    left: usize,
    dropped: Option<Sender<String>>,
}

impl Body for Stream {
    type Data = VecDeque<u8>;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<VecDeque<u8>>, Infallible>>> {
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(who().into_bytes().into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(dropped) = self.dropped.take() {
            dropped.send(who()).ok();
        }
    }
}

fn next_frame(body: Pin<&mut (impl Body<Data = VecDeque<u8>, Error = Infallible> + ?Sized)>) -> TestResult<String> {
    match body.poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => Ok(String::from_utf8(frame.into_data().map_err(|_| "no data")?.into())?),
        _ => Err("there is no frame".into()),
    }
}

#[tokio::test]
async fn a_handler_makes_entries_in_the_context_of_its_request() -> TestResult {
    let handler = service_fn(async |_: Request<String>| {
        let before = who();
        tokio::task::yield_now().await;
        let response = Response::new(Stream { left: 0, dropped: None });
        let (mut parts, body) = response.into_parts();
        parts.extensions.insert((before, who()));
        Ok::<_, Infallible>(Response::from_parts(parts, body))
    });
    let mut service = ActorContextLayer::new(user).layer(handler);
    for name in ["alice", "bob"] {
        let response = service.ready().await?.call(of(name)?).await?;
        let expected = format!("{name} Some(\"/lamps/7\")");
        assert_eq!(response.extensions().get(), Some(&(expected.clone(), expected)));
        assert_eq!(ActorContext::current(), None);
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_works_before_it_returns_a_future_has_the_context_too() -> TestResult {
    let (send, sent) = channel();
    let handler = service_fn(|_: Request<String>| {
        send.send(who()).ok();
        ready(Ok::<_, Infallible>(Response::new(Stream { left: 0, dropped: None })))
    });
    ActorContextLayer::new(user).layer(handler).oneshot(of("alice")?).await?;
    assert_eq!(sent.try_iter().collect::<Vec<_>>(), ["alice Some(\"/lamps/7\")"]);
    assert_eq!(ActorContext::current(), None);
    Ok(())
}

#[tokio::test]
async fn a_body_is_produced_and_dropped_in_the_context_of_its_request() -> TestResult {
    let (send, sent) = channel();
    let handler = service_fn(move |_: Request<String>| {
        ready(Ok::<_, Infallible>(Response::new(Stream { left: 2, dropped: Some(send.clone()) })))
    });
    let mut service = ActorContextLayer::new(user).layer(handler);
    let mut of_alice = Box::pin(service.ready().await?.call(of("alice")?).await?.into_body());
    let mut of_bob = Box::pin(service.ready().await?.call(of("bob")?).await?.into_body());
    assert_eq!(next_frame(of_alice.as_mut())?, "alice Some(\"/lamps/7\")");
    assert_eq!(next_frame(of_bob.as_mut())?, "bob Some(\"/lamps/7\")");
    assert_eq!(next_frame(of_alice.as_mut())?, "alice Some(\"/lamps/7\")");
    assert_eq!(ActorContext::current(), None);

    drop(of_bob);
    assert_eq!(sent.try_iter().collect::<Vec<_>>(), ["bob Some(\"/lamps/7\")"]);
    Ok(())
}

#[tokio::test]
async fn a_body_says_its_size_and_its_end_as_without_the_layer() -> TestResult {
    let handler = service_fn(|request: Request<String>| {
        let left = request.body().len();
        ready(Ok::<_, Infallible>(Response::new(Stream { left, dropped: None })))
    });
    let mut service = ActorContextLayer::new(user).layer(handler);
    for (body, is_end) in [("", true), ("alice", false)] {
        let body = service.ready().await?.call(of(body)?).await?.into_body();
        assert_eq!(body.is_end_stream(), is_end);
        assert_eq!(body.size_hint().exact(), Some(7));
    }
    Ok(())
}

#[tokio::test]
async fn an_error_of_a_handler_passes_through() -> TestResult {
    let handler = service_fn(|_: Request<String>| ready(Err::<Response<Stream>, _>("broken")));
    let answered = ActorContextLayer::new(user).layer(handler).oneshot(of("alice")?).await;
    assert_eq!(answered.map(|_| ()), Err("broken"));
    Ok(())
}

#[test]
fn a_request_that_is_given_up_is_dropped_in_its_context() -> TestResult {
    let (send, sent) = channel();
    let handler = service_fn(move |_: Request<String>| {
        let stream = Stream { left: 0, dropped: Some(send.clone()) };
        async move {
            pending::<()>().await;
            Ok::<_, Infallible>(Response::new(stream))
        }
    });
    {
        let mut response = pin!(ActorContextLayer::new(user).layer(handler).oneshot(of("alice")?));
        assert!(response.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(ActorContext::current(), None);
    }
    assert_eq!(sent.try_iter().collect::<Vec<_>>(), ["alice Some(\"/lamps/7\")"]);
    Ok(())
}
