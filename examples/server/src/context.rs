//! Who makes a request, for the entries about requests.

use std::net::SocketAddr;

use activity_log::ActorContext;
use axum::extract::{ConnectInfo, Request};

/// The context in which a request is handled. The server has no users of its own: a request that names one sets the
/// actor of its entry. The address is that of the last proxy, if there is one.
pub(crate) fn of_request(request: &Request) -> ActorContext {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    ActorContext::new("anonymous").with("address", client.map(|ConnectInfo(address)| address.ip().to_string()))
}
