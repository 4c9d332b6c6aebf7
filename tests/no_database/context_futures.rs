//! A context holds in its future, whoever polls it, and nowhere else.

use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use activity_log::ActorContext;

use crate::context::{alice, here};
use crate::support::TestResult;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Gives the executor a turn once.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The actors before and after each of several turns.
async fn actors() -> Vec<String> {
    let mut actors = Vec::new();
    for _ in 0..20 {
        actors.push(here().actor);
        yield_once().await;
    }
    actors
}

/// Says who acts when it is dropped.
struct Witness(Sender<String>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.send(here().actor).ok();
    }
}

#[test]
fn a_context_holds_across_awaits_and_not_between_polls() {
    let mut future = pin!(alice().in_future(actors()));
    while poll(future.as_mut()).is_pending() {
        assert_eq!(ActorContext::current(), None);
    }
    assert_eq!(ActorContext::current(), None);
    assert_eq!(to_its_end(alice().in_future(actors())), vec!["alice"; 20]);
}

fn to_its_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

#[test]
fn futures_polled_in_turn_on_one_thread_each_have_their_own_context() {
    let mut of_alice = pin!(alice().in_future(actors()));
    let mut of_bob = pin!(ActorContext::new("bob").in_future(actors()));
    let mut of_nobody = pin!(actors());
    loop {
        let polled = (poll(of_alice.as_mut()), poll(of_nobody.as_mut()), poll(of_bob.as_mut()));
        if let (Poll::Ready(of_alice), Poll::Ready(of_nobody), Poll::Ready(of_bob)) = polled {
            assert_eq!(
                (of_alice, of_nobody, of_bob),
                (vec!["alice".into(); 20], vec!["system".into(); 20], vec!["bob".into(); 20])
            );
            return;
        }
    }
}

#[test]
fn a_context_goes_with_its_future_to_other_threads() -> TestResult {
    let mut future = Box::pin(alice().in_future(actors()));
    loop {
        let polled = thread::spawn(move || {
            let polled = poll(future.as_mut());
            (future, polled, ActorContext::current())
        });
        let (again, polled, left_behind) = polled.join().map_err(|_| "the thread panicked")?;
        assert_eq!(left_behind, None);
        future = again;
        if let Poll::Ready(actors) = polled {
            assert_eq!(actors, vec!["alice"; 20]);
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_on_many_threads_never_see_the_context_of_another() -> TestResult {
    let tasks = (0..200).map(|number| {
        let own = format!("user {number}");
        let task = async move {
            for _ in 0..50 {
                assert_eq!(here().actor, own);
                tokio::task::yield_now().await;
            }
        };
        match number % 4 {
            0 => tokio::spawn(async move {
                for _ in 0..50 {
                    assert_eq!(here().actor, "system");
                    tokio::task::yield_now().await;
                }
            }),
            _ => tokio::spawn(ActorContext::new(format!("user {number}")).in_future(task)),
        }
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await?;
    }
    assert_eq!(ActorContext::current(), None);
    Ok(())
}

#[test]
fn an_inner_future_has_its_own_context_and_the_outer_one_holds_afterwards() {
    let future = alice().in_future(async {
        let inner = ActorContext::new("bob").in_future(actors()).await;
        (inner, here().actor)
    });
    assert_eq!(to_its_end(future), (vec!["bob".to_owned(); 20], "alice".to_owned()));
}

#[test]
fn a_scope_around_a_poll_holds_again_after_it() {
    ActorContext::new("bob").scope(|| {
        assert_eq!(poll(pin!(alice().in_future(async { here().actor }))), Poll::Ready("alice".to_owned()));
        assert_eq!(here().actor, "bob");
    });
}

#[test]
fn a_panic_in_a_future_leaves_no_context_behind() {
    let mut future = pin!(alice().in_future(async { std::panic::resume_unwind(Box::new("the future panics")) }));
    let panicked: thread::Result<Poll<()>> = catch_unwind(AssertUnwindSafe(|| poll(future.as_mut())));
    assert!(panicked.is_err());
    assert_eq!(ActorContext::current(), None);
}

#[test]
fn what_a_future_holds_is_dropped_in_its_context_wherever_the_future_is_dropped() -> TestResult {
    let (send, sent) = channel();
    let witness = Witness(send.clone());
    let unpolled = alice().in_future(async move { drop(witness) });
    let witness = Witness(send.clone());
    let mut polled = Box::pin(alice().in_future(async move {
        let _witness = witness;
        pending::<()>().await;
    }));
    assert!(poll(polled.as_mut()).is_pending());
    let finished = alice().in_future(ready(Witness(send)));

    ActorContext::new("bob").scope(|| drop((unpolled, polled, finished)));
    assert_eq!(sent.iter().collect::<Vec<_>>(), vec!["alice"; 3]);
    assert_eq!(ActorContext::current(), None);
    Ok(())
}

#[test]
fn a_future_in_a_context_can_be_sent_and_pinned_like_the_one_that_it_wraps() {
    fn sendable<T: Send + Sync>(_: &T) {}
    fn unpinnable<T: Unpin>(_: &T) {}
    sendable(&alice().in_future(ready(7)));
    unpinnable(&alice().in_future(ready(7)));
}
