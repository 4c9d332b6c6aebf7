use serde_json::{Map, Value};

/// The actor where there is no context.
const SYSTEM: &str = "system";

/// Who acts, and what is known about the request: what [`NewActivityLogEntry::here`](crate::NewActivityLogEntry::here)
/// takes, so that it need not be passed through every function.
///
/// A context holds for a [scope](Self::scope) of a thread or for a [future](Self::in_future).
///
/// ```
/// use activity_log::{ActorContext, NewActivityLogEntry};
///
/// fn rename(lamp: &str) -> NewActivityLogEntry {
///     NewActivityLogEntry::here("device", "device.renamed", "Renamed the lamp").entity("device", lamp)
/// }
///
/// let context = ActorContext::new("alice").with("request_id", "r-81").with("address", "192.0.2.7");
/// let entry = context.scope(|| rename("dev_7"));
/// assert_eq!(entry.actor, "alice");
/// assert_eq!(entry.metadata["request_id"], "r-81");
///
/// assert_eq!(rename("dev_7").actor, "system");
/// ```
///
/// An inner context replaces the outer one while it lasts. To change only a part of it, begin with the current one:
///
/// ```
/// # use activity_log::ActorContext;
/// # ActorContext::new("192.0.2.7").with("request_id", "r-81").scope(|| {
/// let signed_in = ActorContext { actor: "alice".to_owned(), ..ActorContext::current().unwrap_or_default() };
/// # assert_eq!(signed_in, ActorContext::new("alice").with("request_id", "r-81"));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ActorContext {
    /// Who acts: a user, a service, an address.
    pub actor: String,
    /// What the metadata of each entry begins with, such as the request's id and the client's address.
    pub metadata: Map<String, Value>,
}

impl Default for ActorContext {
    /// The actor `system`, without metadata: what holds where no context is set.
    fn default() -> Self {
        Self::new(SYSTEM)
    }
}

impl ActorContext {
    /// A context with this actor and without metadata.
    #[must_use]
    pub fn new(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), metadata: Map::new() }
    }

    /// Sets one value in the metadata.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}
