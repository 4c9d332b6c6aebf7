//! A viewer under any path, beside others, and behind the host's layers.

use activity_log_axum::{Viewer, viewer};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get as get_route;
use serde_json::json;

use crate::database::Log;
use crate::viewer::TestResult;
use crate::viewer::host::{Events, Host, LOG, entry, get, messages, send};

const PREFIX: &str = "/admin/activity";

/// The paths that the page names, as a browser resolves them.
fn links(page: &str, address: &str) -> Vec<String> {
    let folder = address.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relative = page.split("=\"./").skip(1).filter_map(|rest| rest.split_once('"'));
    relative.map(|(link, _)| format!("{folder}/{link}")).collect()
}

#[tokio::test]
async fn the_page_and_all_that_it_links_to_are_found_with_and_without_a_slash_at_the_end() -> TestResult {
    let log = Log::create()?;
    let nested = Router::new().nest(PREFIX, viewer(log.pool(2)?));
    let service = Router::new().nest_service(PREFIX, viewer(log.pool(2)?));
    let merged = Router::new().merge(viewer(log.pool(2)?));
    let fallback = Router::new().fallback_service(viewer(log.pool(2)?));
    for (router, address) in [
        (&nested, "/admin/activity"),
        (&service, "/admin/activity"),
        (&service, "/admin/activity/"),
        (&merged, "/"),
        (&fallback, "/"),
    ] {
        let page = get(router, &format!("{address}?actors=alice")).await?;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
        let links = links(&page.text, address);
        assert!(links.len() > 5, "{links:?}");
        for link in links {
            assert_eq!(get(router, &link).await?.status, StatusCode::OK, "{address}: {link}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_last_part_of_an_address_cannot_break_out_of_the_page() -> TestResult {
    let log = Log::create()?;
    let router = Router::new().nest("/of/{tenant}", viewer(log.pool(1)?));
    let page = get(&router, "/of/a\"onload=x&b").await?;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("src=\"./a&quot;onload=x&amp;b/app.js\""), "{}", page.text);
    Ok(())
}

#[tokio::test]
async fn the_description_says_where_the_routes_are() -> TestResult {
    let log = Log::create()?;
    let nested = Router::new().nest(PREFIX, viewer(log.pool(1)?));
    let described = get(&nested, "/admin/activity/openapi.json").await?.json;
    assert_eq!(described["servers"], json!([{"url": PREFIX}]));
    assert!(described["paths"][LOG]["get"].is_object());
    assert_eq!(get(&viewer(log.pool(1)?), "/openapi.json").await?.json["servers"], json!(null));
    Ok(())
}

#[tokio::test]
async fn a_host_can_describe_its_own_routes_too() -> TestResult {
    let host = Host::new(|viewer| viewer.describe(|description| description.info.title = "Lamps".to_owned()))?;
    assert_eq!(host.get("/openapi.json").await?.json["info"]["title"], "Lamps");
    Ok(())
}

#[tokio::test]
async fn two_viewers_of_one_host_show_each_its_own_log() -> TestResult {
    let (one, other) = (Host::new(|viewer| viewer.title("One"))?, Host::new(|viewer| viewer)?);
    one.record(&["Of one"])?;
    other.record(&["Of the other"])?;
    let router = Router::new().nest("/one", one.router.clone()).nest("/other", other.router.clone());
    for (path, message, title) in [("/one", "Of one", "One"), ("/other", "Of the other", "Activity log")] {
        assert_eq!(messages(&get(&router, &format!("{path}{LOG}")).await?.json), [message]);
        assert_eq!(get(&router, &format!("{path}/viewer.json")).await?.json["title"], title);
    }
    Ok(())
}

async fn require_a_session(request: Request, next: Next) -> Response {
    if request.headers().contains_key("cookie") {
        return next.run(request).await;
    }
    StatusCode::UNAUTHORIZED.into_response()
}

#[tokio::test]
async fn nothing_gets_past_the_layer_of_the_host() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["Secret"])?;
    let router = Router::new()
        .nest(PREFIX, host.router.clone())
        .layer(from_fn(require_a_session))
        .route("/", get_route(async || "The host's own page"));
    for path in ["", "/", "/style.css", "/healthz", LOG, &format!("{LOG}/export"), &format!("{LOG}/stream"), "/none"] {
        let answer = get(&router, &format!("{PREFIX}{path}")).await?;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!answer.text.contains("Secret"), "{path}");
    }
    let signed_in = Request::get(format!("{PREFIX}{LOG}")).header("cookie", "session=1").body(Body::empty())?;
    assert_eq!(messages(&send(&router, signed_in).await?.json), ["Secret"]);
    assert_eq!(get(&router, "/").await?.text, "The host's own page");
    Ok(())
}

#[tokio::test]
async fn what_a_viewer_does_not_have_is_answered_as_json_below_its_path_alone() -> TestResult {
    let log = Log::create()?;
    let router = Router::new().nest_service(PREFIX, viewer(log.pool(1)?));
    for (method, path, status) in [
        (Method::GET, "/none", StatusCode::NOT_FOUND),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "", StatusCode::METHOD_NOT_ALLOWED),
        (Method::PATCH, LOG, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let request = Request::builder().method(method).uri(format!("{PREFIX}{path}")).body(Body::empty())?;
        let answer = send(&router, request).await?;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json["error"]["message"].is_string(), "{path}: {}", answer.text);
    }
    assert_eq!(get(&router, "/elsewhere").await?.text, "");
    Ok(())
}

#[tokio::test]
async fn responses_below_a_path_have_the_headers_that_keep_them_safe() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    let router = Router::new().nest(PREFIX, host.router.clone());
    let page = get(&router, PREFIX).await?;
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let list = get(&router, &format!("{PREFIX}{LOG}")).await?;
    assert_eq!(list.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!((list.header("cache-control"), list.header("x-content-type-options")), ("no-store", "nosniff"));
    let foreign = Request::get(format!("{PREFIX}{LOG}")).header("sec-fetch-site", "cross-site").body(Body::empty())?;
    assert_eq!(send(&router, foreign).await?.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[test]
fn a_viewer_is_built_outside_of_a_runtime_and_follows_inside_of_one() -> TestResult {
    let host = Host::new(|viewer: Viewer| viewer)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut events = Events::open(&host.router, &format!("{LOG}/stream")).await?;
        host.record(&["News"])?;
        assert_eq!(events.next().await?.unwrap_or_default()["message"], entry("News").message);
        Ok(())
    })
}
