//! Who makes a request, for the entries about requests.

use std::net::SocketAddr;

use activity_log::ActorContext;
use axum::extract::{ConnectInfo, Request};

use crate::identity::Identity;

/// The context in which a request is handled. Where there are no users, a request that names one sets the actor of its
/// entry. The address is that of the last proxy, if there is one.
pub(crate) fn of_request(request: &Request) -> ActorContext {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let actor = request.extensions().get().unwrap_or(&Identity::Trusted).name();
    ActorContext::new(actor).with("address", client.map(|ConnectInfo(address)| address.ip().to_canonical().to_string()))
}
