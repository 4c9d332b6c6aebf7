//! The page, compiled into the program so that there is nothing else to install.

use std::borrow::Cow;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::{entity_tag, viewer_json};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Allows resources from this server only, and nothing inline, so that injected markup could not run a script.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) const STYLE_SHEET: &str = include_str!("../page/style.css");

const INDEX: &str = include_str!("../page/index.html");

/// The path, the content type and the content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/style.css", STYLE, STYLE_SHEET),
    ("/details.css", STYLE, include_str!("../page/details.css")),
    ("/entries.css", STYLE, include_str!("../page/entries.css")),
    ("/histogram.css", STYLE, include_str!("../page/histogram.css")),
    ("/panels.css", STYLE, include_str!("../page/panels.css")),
    ("/print.css", STYLE, include_str!("../page/print.css")),
    ("/active_filters.js", SCRIPT, include_str!("../page/active_filters.js")),
    ("/api.js", SCRIPT, include_str!("../page/api.js")),
    ("/app.js", SCRIPT, include_str!("../page/app.js")),
    ("/bars.js", SCRIPT, include_str!("../page/bars.js")),
    ("/base.js", SCRIPT, include_str!("../page/base.js")),
    ("/calendar.js", SCRIPT, include_str!("../page/calendar.js")),
    ("/changes.js", SCRIPT, include_str!("../page/changes.js")),
    ("/columns.js", SCRIPT, include_str!("../page/columns.js")),
    ("/copy.js", SCRIPT, include_str!("../page/copy.js")),
    ("/curl.js", SCRIPT, include_str!("../page/curl.js")),
    ("/deletions.js", SCRIPT, include_str!("../page/deletions.js")),
    ("/details.js", SCRIPT, include_str!("../page/details.js")),
    ("/dom.js", SCRIPT, include_str!("../page/dom.js")),
    ("/download.js", SCRIPT, include_str!("../page/download.js")),
    ("/entry_link.js", SCRIPT, include_str!("../page/entry_link.js")),
    ("/exports.js", SCRIPT, include_str!("../page/exports.js")),
    ("/facet_menu.js", SCRIPT, include_str!("../page/facet_menu.js")),
    ("/facets.js", SCRIPT, include_str!("../page/facets.js")),
    ("/filter_bar.js", SCRIPT, include_str!("../page/filter_bar.js")),
    ("/filters.js", SCRIPT, include_str!("../page/filters.js")),
    ("/focus.js", SCRIPT, include_str!("../page/focus.js")),
    ("/histogram.js", SCRIPT, include_str!("../page/histogram.js")),
    ("/json.js", SCRIPT, include_str!("../page/json.js")),
    ("/labels.js", SCRIPT, include_str!("../page/labels.js")),
    ("/linked.js", SCRIPT, include_str!("../page/linked.js")),
    ("/list.js", SCRIPT, include_str!("../page/list.js")),
    ("/live.js", SCRIPT, include_str!("../page/live.js")),
    ("/live_state.js", SCRIPT, include_str!("../page/live_state.js")),
    ("/log_panel.js", SCRIPT, include_str!("../page/log_panel.js")),
    ("/long_text.js", SCRIPT, include_str!("../page/long_text.js")),
    ("/members.js", SCRIPT, include_str!("../page/members.js")),
    ("/metadata.js", SCRIPT, include_str!("../page/metadata.js")),
    ("/metadata_tree.js", SCRIPT, include_str!("../page/metadata_tree.js")),
    ("/news.js", SCRIPT, include_str!("../page/news.js")),
    ("/panel.js", SCRIPT, include_str!("../page/panel.js")),
    ("/picks.js", SCRIPT, include_str!("../page/picks.js")),
    ("/place.js", SCRIPT, include_str!("../page/place.js")),
    ("/presets.js", SCRIPT, include_str!("../page/presets.js")),
    ("/recent.js", SCRIPT, include_str!("../page/recent.js")),
    ("/recent_style.js", SCRIPT, include_str!("../page/recent_style.js")),
    ("/retention_form.js", SCRIPT, include_str!("../page/retention_form.js")),
    ("/row.js", SCRIPT, include_str!("../page/row.js")),
    ("/row_keys.js", SCRIPT, include_str!("../page/row_keys.js")),
    ("/rows.js", SCRIPT, include_str!("../page/rows.js")),
    ("/scroll.js", SCRIPT, include_str!("../page/scroll.js")),
    ("/select_bars.js", SCRIPT, include_str!("../page/select_bars.js")),
    ("/shortcuts.js", SCRIPT, include_str!("../page/shortcuts.js")),
    ("/sign_in.js", SCRIPT, include_str!("../page/sign_in.js")),
    ("/state.js", SCRIPT, include_str!("../page/state.js")),
    ("/status.js", SCRIPT, include_str!("../page/status.js")),
    ("/storage.js", SCRIPT, include_str!("../page/storage.js")),
    ("/stream.js", SCRIPT, include_str!("../page/stream.js")),
    ("/streams.js", SCRIPT, include_str!("../page/streams.js")),
    ("/streams_client.js", SCRIPT, include_str!("../page/streams_client.js")),
    ("/streams_worker.js", SCRIPT, include_str!("../page/streams_worker.js")),
    ("/summary.js", SCRIPT, include_str!("../page/summary.js")),
    ("/theme.js", SCRIPT, include_str!("../page/theme.js")),
    ("/time.js", SCRIPT, include_str!("../page/time.js")),
    ("/tree.js", SCRIPT, include_str!("../page/tree.js")),
    ("/view.js", SCRIPT, include_str!("../page/view.js")),
    ("/view_panel.js", SCRIPT, include_str!("../page/view_panel.js")),
    ("/viewer.js", SCRIPT, include_str!("../page/viewer.js")),
    ("/visible.js", SCRIPT, include_str!("../page/visible.js")),
    ("/zone.js", SCRIPT, include_str!("../page/zone.js")),
];

/// Serves the page and its files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new().route("/", get(index)), |router, &(path, content_type, content)| {
        let tag = entity_tag::of(content);
        router.route(path, get(async move |headers: HeaderMap| file(content_type, content, tag, &headers)))
    })
}

/// The page itself. Its links are relative, so they name the last part of an address that does not end in a slash.
pub(crate) async fn index(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    let page = match uri.path().rsplit_once('/') {
        Some((_, last)) if !last.is_empty() => INDEX.replace("=\"./", &format!("=\"./{}/", escaped(last))).into(),
        _ => Cow::Borrowed(INDEX),
    };
    let tag = entity_tag::of(&page);
    file(HTML, page, tag, &headers)
}

/// The part of a path as an attribute of HTML has it.
fn escaped(part: &str) -> String {
    part.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a path below the viewer's own is that of the page or of one of its files: what a browser needs to show the
/// page without any entries.
///
/// A host may serve these to anybody, so that the page itself can say that the reader is signed out.
///
/// ```
/// use activity_log_axum::is_page_file;
///
/// assert!(is_page_file("/") && is_page_file("/style.css"));
/// assert!(!is_page_file("/api/v1/activity-log"));
/// ```
#[must_use]
pub fn is_page_file(path: &str) -> bool {
    matches!(path, "" | "/" | viewer_json::PATH) || FILES.iter().any(|(known, _, _)| *known == path)
}

fn file(
    content_type: &'static str,
    content: impl Into<Cow<'static, str>>,
    tag: String,
    request: &HeaderMap,
) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A page cached from an older server might use routes that a newer server no longer has, so the browser asks
        // each time whether the file is still the same.
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
    ];
    let is_known = entity_tag::is_known(request, &tag);
    let response = (headers, [(header::ETAG, tag)]);
    if is_known {
        (StatusCode::NOT_MODIFIED, response).into_response()
    } else {
        (response, [(header::CONTENT_TYPE, content_type)], content.into()).into_response()
    }
}
