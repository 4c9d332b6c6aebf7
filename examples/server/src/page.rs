//! The page at `/`, compiled into the program so that there is nothing else to install.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::entity_tag;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Allows resources from this server only, and nothing inline, so that injected markup could not run a script.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The path, the content type and the content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("../../../axum/page/index.html")),
    ("/style.css", STYLE, include_str!("../../../axum/page/style.css")),
    ("/details.css", STYLE, include_str!("../../../axum/page/details.css")),
    ("/entries.css", STYLE, include_str!("../../../axum/page/entries.css")),
    ("/histogram.css", STYLE, include_str!("../../../axum/page/histogram.css")),
    ("/panels.css", STYLE, include_str!("../../../axum/page/panels.css")),
    ("/print.css", STYLE, include_str!("../../../axum/page/print.css")),
    ("/active_filters.js", SCRIPT, include_str!("../../../axum/page/active_filters.js")),
    ("/api.js", SCRIPT, include_str!("../../../axum/page/api.js")),
    ("/app.js", SCRIPT, include_str!("../../../axum/page/app.js")),
    ("/bars.js", SCRIPT, include_str!("../../../axum/page/bars.js")),
    ("/calendar.js", SCRIPT, include_str!("../../../axum/page/calendar.js")),
    ("/changes.js", SCRIPT, include_str!("../../../axum/page/changes.js")),
    ("/columns.js", SCRIPT, include_str!("../../../axum/page/columns.js")),
    ("/copy.js", SCRIPT, include_str!("../../../axum/page/copy.js")),
    ("/curl.js", SCRIPT, include_str!("../../../axum/page/curl.js")),
    ("/deletions.js", SCRIPT, include_str!("../../../axum/page/deletions.js")),
    ("/details.js", SCRIPT, include_str!("../../../axum/page/details.js")),
    ("/dom.js", SCRIPT, include_str!("../../../axum/page/dom.js")),
    ("/download.js", SCRIPT, include_str!("../../../axum/page/download.js")),
    ("/entry_link.js", SCRIPT, include_str!("../../../axum/page/entry_link.js")),
    ("/exports.js", SCRIPT, include_str!("../../../axum/page/exports.js")),
    ("/facet_menu.js", SCRIPT, include_str!("../../../axum/page/facet_menu.js")),
    ("/facets.js", SCRIPT, include_str!("../../../axum/page/facets.js")),
    ("/filter_bar.js", SCRIPT, include_str!("../../../axum/page/filter_bar.js")),
    ("/filters.js", SCRIPT, include_str!("../../../axum/page/filters.js")),
    ("/focus.js", SCRIPT, include_str!("../../../axum/page/focus.js")),
    ("/histogram.js", SCRIPT, include_str!("../../../axum/page/histogram.js")),
    ("/labels.js", SCRIPT, include_str!("../../../axum/page/labels.js")),
    ("/linked.js", SCRIPT, include_str!("../../../axum/page/linked.js")),
    ("/list.js", SCRIPT, include_str!("../../../axum/page/list.js")),
    ("/live.js", SCRIPT, include_str!("../../../axum/page/live.js")),
    ("/live_state.js", SCRIPT, include_str!("../../../axum/page/live_state.js")),
    ("/long_text.js", SCRIPT, include_str!("../../../axum/page/long_text.js")),
    ("/metadata.js", SCRIPT, include_str!("../../../axum/page/metadata.js")),
    ("/metadata_tree.js", SCRIPT, include_str!("../../../axum/page/metadata_tree.js")),
    ("/news.js", SCRIPT, include_str!("../../../axum/page/news.js")),
    ("/panel.js", SCRIPT, include_str!("../../../axum/page/panel.js")),
    ("/picks.js", SCRIPT, include_str!("../../../axum/page/picks.js")),
    ("/place.js", SCRIPT, include_str!("../../../axum/page/place.js")),
    ("/presets.js", SCRIPT, include_str!("../../../axum/page/presets.js")),
    ("/recent.js", SCRIPT, include_str!("../../../axum/page/recent.js")),
    ("/recent_style.js", SCRIPT, include_str!("../../../axum/page/recent_style.js")),
    ("/row.js", SCRIPT, include_str!("../../../axum/page/row.js")),
    ("/row_keys.js", SCRIPT, include_str!("../../../axum/page/row_keys.js")),
    ("/rows.js", SCRIPT, include_str!("../../../axum/page/rows.js")),
    ("/scroll.js", SCRIPT, include_str!("../../../axum/page/scroll.js")),
    ("/select_bars.js", SCRIPT, include_str!("../../../axum/page/select_bars.js")),
    ("/shortcuts.js", SCRIPT, include_str!("../../../axum/page/shortcuts.js")),
    ("/sign_in.js", SCRIPT, include_str!("../../../axum/page/sign_in.js")),
    ("/state.js", SCRIPT, include_str!("../../../axum/page/state.js")),
    ("/storage.js", SCRIPT, include_str!("../../../axum/page/storage.js")),
    ("/stream.js", SCRIPT, include_str!("../../../axum/page/stream.js")),
    ("/streams.js", SCRIPT, include_str!("../../../axum/page/streams.js")),
    ("/streams_client.js", SCRIPT, include_str!("../../../axum/page/streams_client.js")),
    ("/streams_worker.js", SCRIPT, include_str!("../../../axum/page/streams_worker.js")),
    ("/summary.js", SCRIPT, include_str!("../../../axum/page/summary.js")),
    ("/theme.js", SCRIPT, include_str!("../../../axum/page/theme.js")),
    ("/time.js", SCRIPT, include_str!("../../../axum/page/time.js")),
    ("/tree.js", SCRIPT, include_str!("../../../axum/page/tree.js")),
    ("/view.js", SCRIPT, include_str!("../../../axum/page/view.js")),
    ("/view_panel.js", SCRIPT, include_str!("../../../axum/page/view_panel.js")),
    ("/visible.js", SCRIPT, include_str!("../../../axum/page/visible.js")),
    ("/zone.js", SCRIPT, include_str!("../../../axum/page/zone.js")),
];

/// Serves the page. It holds no entries, so a browser can load it without the token and be asked for the token there.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, &(path, content_type, content)| {
        let tag = entity_tag::of(content);
        router.route(path, get(async move |headers: HeaderMap| file(content_type, content, tag, &headers)))
    })
}

/// Whether the path is that of a file of the page.
pub(crate) fn has(path: &str) -> bool {
    FILES.iter().any(|(known, _, _)| *known == path)
}

fn file(content_type: &'static str, content: &'static str, tag: String, request: &HeaderMap) -> Response {
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
        (response, [(header::CONTENT_TYPE, content_type)], content).into_response()
    }
}
