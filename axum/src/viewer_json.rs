//! What the page must know about its viewer.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::actor::Actor;
use crate::app::App;

pub(crate) const PATH: &str = "/viewer.json";

/// What the page shows and hides. It says nothing about the entries.
pub(crate) struct Settings {
    pub(crate) title: String,
    /// Where one signs in again.
    pub(crate) sign_in_url: Option<String>,
    /// Where a POST signs the reader out, if there is somebody to sign out.
    pub(crate) sign_out_url: SignOutUrl,
    /// Whether programs may send a token instead of a browser's cookie.
    pub(crate) takes_token: bool,
    /// The host's own page.
    pub(crate) home: Option<Home>,
}

pub(crate) type SignOutUrl = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// A link to the host's own page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Home {
    pub(crate) label: String,
    pub(crate) url: String,
}

#[derive(Serialize)]
struct Viewer<'a> {
    title: &'a str,
    sign_in_url: Option<&'a str>,
    sign_out_url: Option<String>,
    takes_token: bool,
    home: Option<&'a Home>,
    exports: bool,
    /// Whether the server tells the size of the log and how recording is doing.
    status: bool,
    /// Whether the server says how long it keeps entries.
    retention: bool,
    /// Whether the reader may change that.
    changes_retention: bool,
    /// Whether the page asks for the reader's name, which is recorded with exports and changes.
    asks_for_name: bool,
}

pub(crate) async fn serve(settings: &Settings, State(app): State<App>, actor: Actor) -> Json<serde_json::Value> {
    let (exports, status) = (app.routes.has_export, app.routes.has_status);
    let retention = app.retention.is_some();
    let changes_retention = retention && app.routes.has_retention;
    let asks_for_name = (exports || changes_retention) && app.writes && actor.naming("actor").is_some();
    Json(
        serde_json::to_value(Viewer {
            title: &settings.title,
            sign_in_url: settings.sign_in_url.as_deref(),
            sign_out_url: (settings.sign_out_url)(),
            takes_token: settings.takes_token,
            home: settings.home.as_ref(),
            exports,
            status,
            retention,
            changes_retention,
            asks_for_name,
        })
        .unwrap_or_default(),
    )
}
