//! Who acts.

use std::fmt;
use std::sync::Arc;

use activity_log::ActorContext;
use http::StatusCode;
use http::request::Parts;

use crate::error::ApiError;

/// The actor where nobody says who acts.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// Who makes a request, as the host knows: see [`Viewer::actor`](crate::Viewer::actor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `None` for whoever the request says.
    name: Option<String>,
    may_act_for_others: bool,
}

impl Actor {
    /// The user or service of this name. The request acts for nobody else.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), may_act_for_others: false }
    }

    /// Whoever the request names, without any proof: for hosts that have no users. The parameter `exported_by` of an
    /// export is `anonymous` by default; a request that clears the log or changes the retention, and each
    /// posted entry, must name an actor.
    #[must_use]
    pub const fn as_claimed() -> Self {
        Self { name: None, may_act_for_others: true }
    }

    /// Lets the request name another actor, such as for a service that records what its users do.
    #[must_use]
    pub fn may_act_for_others(self) -> Self {
        Self { may_act_for_others: true, ..self }
    }
}

type FromRequest = dyn Fn(&Parts) -> Actor + Send + Sync;

/// How the host tells who acts.
#[derive(Clone, Default)]
pub(crate) struct ActorOf(Option<Arc<FromRequest>>);

impl ActorOf {
    pub(crate) fn new(from_request: impl Fn(&Parts) -> Actor + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(from_request)))
    }

    pub(crate) fn of(&self, request: &Parts) -> Actor {
        match &self.0 {
            Some(from_request) => from_request(request),
            None => request.extensions.get().cloned().unwrap_or_else(in_context),
        }
    }
}

/// The actor of the current context.
fn in_context() -> Actor {
    Actor::named(ActorContext::current().map_or_else(|| ANONYMOUS.to_owned(), |context| context.actor))
}

impl fmt::Debug for ActorOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "ActorOf(host)" } else { "ActorOf(request)" })
    }
}

/// The parameter of a request that names who acts, if the request may have it.
pub(crate) type Naming = Option<&'static str>;

impl Actor {
    /// `parameter`, if the request may have it.
    pub(crate) fn naming(&self, parameter: &'static str) -> Naming {
        self.may_act_for_others.then_some(parameter)
    }

    /// Who acts by a request that may name somebody; `None` if nobody is known.
    pub(crate) fn acting(&self, named: Option<&str>) -> Option<String> {
        named.filter(|_| self.may_act_for_others).map(ToOwned::to_owned).or_else(|| self.name.clone())
    }

    pub(crate) fn or_anonymous(acting: Option<String>) -> String {
        acting.unwrap_or_else(|| ANONYMOUS.to_owned())
    }

    /// The actor of an entry that a client sends.
    pub(crate) fn of_posted(&self, named: Option<String>) -> Result<String, ApiError> {
        match (named, &self.name) {
            (Some(named), _) if self.may_act_for_others => Ok(named),
            (Some(named), Some(name)) if named != *name => {
                let reason = format!("must be `{name}`, who sends the entry, or be left out");
                Err(ApiError::field("actor", reason).with_status(StatusCode::FORBIDDEN))
            }
            (_, Some(name)) => Ok(name.clone()),
            (_, None) => Err(ApiError::field("actor", "is missing")),
        }
    }
}
