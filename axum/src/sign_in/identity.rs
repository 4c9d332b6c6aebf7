//! Who makes a request.

use std::net::SocketAddr;

use activity_log::ActorContext;
use axum::extract::{ConnectInfo, Request};

use crate::actor::{ANONYMOUS, Actor};

/// Who makes a request that [`SignIn::protect`](crate::SignIn::protect) has let through: an extension of the request. A
/// request for a public path has it only if somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// The user of this name, who acts for nobody else.
    User(String),
    /// A client that knows the token, or anybody on this machine where nobody signs in: whoever it says.
    Trusted,
}

impl Identity {
    /// The actor of what the request does where it names nobody else: the user, or `anonymous`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) => name,
            Self::Trusted => ANONYMOUS,
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

/// The context in which a request is handled. The address is that of the last proxy, if there is one.
pub(crate) fn context_of(request: &Request) -> ActorContext {
    let actor = request.extensions().get().map_or(ANONYMOUS, Identity::name);
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    ActorContext::new(actor).with("address", client.map(|ConnectInfo(address)| address.ip().to_canonical().to_string()))
}
