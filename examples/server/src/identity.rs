//! Who makes a request.

use activity_log_axum::Actor;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A user, who acts for nobody else.
    User(String),
    /// A client with the server's token, or anybody on this machine where there is nothing to know: whoever it says.
    Trusted,
}

impl Identity {
    /// The actor where a request names nobody else.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User(name) => name,
            Self::Trusted => "anonymous",
        }
    }
}

impl From<&Identity> for Actor {
    fn from(identity: &Identity) -> Self {
        match identity {
            Identity::User(name) => Self::named(name),
            Identity::Trusted => Self::as_claimed(),
        }
    }
}
