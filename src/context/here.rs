//! Entries that take their actor from the context.

use std::sync::Arc;

use crate::context::actor_context::ActorContext;
use crate::context::current;
use crate::model::category::ActivityCategory;
use crate::model::entry::NewActivityLogEntry;

impl NewActivityLogEntry {
    /// An entry like one of [`new`](Self::new), with the actor and the metadata of the [`ActorContext`] that holds
    /// here. Without a context, the actor is `system` and the metadata is empty.
    ///
    /// The setters come later and win: [`metadata_value`](Self::metadata_value) and
    /// [`metadata_values`](Self::metadata_values) add to the context's metadata and replace values of the same keys,
    /// [`metadata`](Self::metadata) replaces all of it.
    ///
    /// ```
    /// use activity_log::{ActorContext, NewActivityLogEntry};
    ///
    /// let context = ActorContext::new("alice").with("request_id", "r-81");
    /// let entry = context.scope(|| {
    ///     NewActivityLogEntry::here("auth", "user.signed_in", "Signed in").metadata_value("method", "password")
    /// });
    /// assert_eq!(entry.actor, "alice");
    /// assert_eq!(entry.metadata["request_id"], "r-81");
    /// assert_eq!(entry.metadata["method"], "password");
    /// ```
    #[must_use]
    pub fn here(category: impl Into<ActivityCategory>, action: impl Into<String>, message: impl Into<String>) -> Self {
        let ActorContext { actor, metadata } = current::get().map(Arc::unwrap_or_clone).unwrap_or_default();
        Self::new(category, action, actor, message).metadata(metadata)
    }
}
