//! The context that holds on this thread.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::context::actor_context::ActorContext;

thread_local! {
    static CURRENT: RefCell<Option<Arc<ActorContext>>> = const { RefCell::new(None) };
}

/// `None` also while the thread ends and its variables are gone.
pub(crate) fn get() -> Option<Arc<ActorContext>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Lets a context hold on this thread until the value that is returned is dropped.
pub(crate) fn enter(context: Arc<ActorContext>) -> Entered {
    Entered { former: replace(Some(context)), on_this_thread: PhantomData }
}

#[must_use]
pub(crate) struct Entered {
    former: Option<Arc<ActorContext>>,
    /// A pointer cannot be sent to another thread.
    on_this_thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.former.take());
    }
}

fn replace(context: Option<Arc<ActorContext>>) -> Option<Arc<ActorContext>> {
    CURRENT.try_with(|current| current.replace(context)).ok().flatten()
}
