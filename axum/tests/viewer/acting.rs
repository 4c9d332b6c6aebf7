//! Who acts is for the host to say.

use activity_log::{ActorContext, ActorContextLayer};
use activity_log_axum::{Actor, Routes};
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::json;

use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, messages, send, unsigned};

fn all() -> Routes {
    Routes::default().record().clear()
}

/// A host whose user is in the header `x-user`.
fn host_with_users() -> TestResult<Host> {
    Host::new(|viewer| {
        viewer.routes(all()).actor(|request| {
            let name = request.headers.get("x-user").and_then(|name| name.to_str().ok());
            name.map_or_else(|| Actor::named("nobody"), Actor::named)
        })
    })
}

#[tokio::test]
async fn an_export_is_recorded_as_that_of_the_hosts_user() -> TestResult {
    let host = host_with_users()?;
    let request = Request::get(format!("{LOG}/export")).header("x-user", "alice").body(Body::empty())?;
    assert_eq!(send(&host.router, request).await?.status, StatusCode::OK);
    let page = host.list("").await?;
    assert_eq!(page["entries"][0]["actor"], "alice");
    assert_eq!(messages(&page), ["alice exported the activity log as ndjson"]);
    Ok(())
}

#[tokio::test]
async fn a_client_cannot_name_another() -> TestResult {
    let host = host_with_users()?;
    for path in [format!("{LOG}/export?exported_by=bob"), format!("{LOG}/export?format=csv&exported_by=nobody")] {
        let answer = host.get(&path).await?;
        assert_eq!(
            (answer.status, &answer.json["error"]["parameter"]),
            (StatusCode::BAD_REQUEST, &json!("exported_by"))
        );
    }
    let answer = host.delete("actor=bob").await?;
    assert_eq!((answer.status, &answer.json["error"]["parameter"]), (StatusCode::BAD_REQUEST, &json!("actor")));

    let mut of_bob = unsigned("Forged");
    of_bob["actor"] = json!("bob");
    let answer = host.post(&of_bob).await?;
    assert_eq!((answer.status, &answer.json["error"]["field"]), (StatusCode::FORBIDDEN, &json!("actor")));
    assert!(messages(&host.list("").await?).is_empty());
    Ok(())
}

#[tokio::test]
async fn the_line_of_another_actors_entry_is_named() -> TestResult {
    let host = host_with_users()?;
    let mut of_bob = unsigned("Forged");
    of_bob["actor"] = json!("bob");
    let lines = format!("{}\n{of_bob}\n", unsigned("Mine"));
    let request = Request::post(LOG).header("content-type", "application/x-ndjson").body(lines.into())?;
    let answer = send(&host.router, request).await?;
    assert_eq!((answer.status, &answer.json["error"]["line"]), (StatusCode::FORBIDDEN, &json!(2)));
    assert!(messages(&host.list("").await?).is_empty());
    Ok(())
}

#[tokio::test]
async fn an_entry_without_an_actor_is_of_the_hosts_user() -> TestResult {
    let host = host_with_users()?;
    assert_eq!(host.post(&unsigned("Mine")).await?.status, StatusCode::CREATED);
    let mut named = unsigned("Named");
    named["actor"] = json!("nobody");
    assert_eq!(host.post(&named).await?.status, StatusCode::CREATED);
    let page = host.list("actor=nobody").await?;
    assert_eq!(messages(&page), ["Named", "Mine"]);
    Ok(())
}

#[tokio::test]
async fn who_clears_the_log_is_the_hosts_user() -> TestResult {
    let host = host_with_users()?;
    host.record(&["Gone soon"])?;
    let answer = host.delete("").await?;
    assert_eq!((answer.status, answer.json), (StatusCode::OK, json!({"deleted": 1})));
    let page = host.list("").await?;
    assert_eq!(page["entries"][0]["actor"], "nobody");
    assert_eq!(messages(&page), ["nobody cleared the activity log of 1 entries"]);
    Ok(())
}

#[tokio::test]
async fn a_request_may_name_others_where_the_host_lets_it() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(all()).actor(|_| Actor::named("gateway").may_act_for_others()))?;
    let mut of_bob = unsigned("Of Bob");
    of_bob["actor"] = json!("bob");
    assert_eq!(host.post(&of_bob).await?.status, StatusCode::CREATED);
    assert_eq!(host.post(&unsigned("Its own")).await?.status, StatusCode::CREATED);
    assert_eq!(host.get(&format!("{LOG}/export?exported_by=carol")).await?.status, StatusCode::OK);
    let page = host.list("").await?;
    let actors = page["entries"].as_array().into_iter().flatten().map(|entry| &entry["actor"]).collect::<Vec<_>>();
    assert_eq!(actors, ["carol", "gateway", "bob"]);
    Ok(())
}

#[tokio::test]
async fn where_nobody_is_known_a_request_that_changes_something_must_say_who_acts() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(all()).actor(|_| Actor::as_claimed()))?;
    assert_eq!(host.post(&unsigned("Whose?")).await?.json["error"]["field"], "actor");
    assert_eq!(host.delete("").await?.json["error"]["parameter"], "actor");
    assert_eq!(host.get(&format!("{LOG}/export")).await?.status, StatusCode::OK);
    assert_eq!(host.list("").await?["entries"][0]["actor"], "anonymous");
    Ok(())
}

#[tokio::test]
async fn without_a_function_the_actor_of_the_context_acts() -> TestResult {
    let Host { log, router } = Host::new(|viewer| viewer.routes(all()))?;
    let context = ActorContextLayer::new(|_: &Request| ActorContext::new("alice").with("address", "192.0.2.7"));
    let host = Host { log, router: router.layer(context) };
    assert_eq!(host.get(&format!("{LOG}/export")).await?.status, StatusCode::OK);
    assert_eq!(host.delete("").await?.status, StatusCode::OK);
    let page = host.list("").await?;
    assert_eq!(page["entries"][0]["actor"], "alice");
    assert_eq!(page["entries"][0]["metadata"], json!({"address": "192.0.2.7", "deleted": 1}));
    Ok(())
}

#[tokio::test]
async fn without_any_of_these_nobody_acts() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    assert_eq!(host.get(&format!("{LOG}/export")).await?.status, StatusCode::OK);
    assert_eq!(host.list("").await?["entries"][0]["actor"], "anonymous");
    Ok(())
}

#[tokio::test]
async fn the_page_asks_for_a_name_only_where_it_counts() -> TestResult {
    let claimed = Host::new(|viewer| viewer.actor(|_| Actor::as_claimed()))?;
    assert_eq!(claimed.get("/viewer.json").await?.json["asks_for_name"], true);
    let unrecorded = Host::new(|viewer| viewer.actor(|_| Actor::as_claimed()).read_only())?;
    assert_eq!(unrecorded.get("/viewer.json").await?.json["asks_for_name"], false);
    assert_eq!(host_with_users()?.get("/viewer.json").await?.json["asks_for_name"], false);
    Ok(())
}
