//! The page about devices, at which links from the log lead to one of them.

use activity_log_axum::ApiError;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::app::App;
use crate::database::tables::Device;
use crate::devices::{Expected, checked};
use crate::html::page;
use crate::identity::Identity;
use crate::sign_in;

pub(crate) const PATH: &str = "/devices";

/// What stands for itself in every part of a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The place of a device on the page.
pub(crate) fn url(id: &str) -> String {
    format!("{PATH}#{}", encoded(id))
}

fn encoded(id: &str) -> String {
    utf8_percent_encode(id, ENCODED).to_string()
}

/// The name that somebody gives to a device.
#[derive(Deserialize)]
pub(crate) struct Name {
    name: String,
}

pub(crate) async fn show(State(app): State<App>, Extension(who): Extension<Identity>) -> Result<Response, ApiError> {
    render(&app, &who, "").await
}

pub(crate) async fn add(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    Form(device): Form<Device>,
) -> Result<Response, ApiError> {
    let put = put(&app, &who, device, Expected::New).await;
    answer(&app, &who, put).await
}

pub(crate) async fn rename(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Form(Name { name }): Form<Name>,
) -> Result<Response, ApiError> {
    let put = put(&app, &who, Device { id, name }, Expected::Known).await;
    answer(&app, &who, put).await
}

async fn put(app: &App, who: &Identity, device: Device, expected: Expected) -> Result<Redirect, ApiError> {
    let device = Device { id: checked("id", device.id)?, name: checked("name", device.name)? };
    let place = url(&device.id);
    app.put(who.name().to_owned(), device, expected).await?;
    Ok(Redirect::to(&place))
}

pub(crate) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let removed = app.remove(who.name().to_owned(), id).await;
    answer(&app, &who, removed.map(|()| Redirect::to(PATH))).await
}

/// Leads back to the page, or shows it with what is wrong.
async fn answer(app: &App, who: &Identity, done: Result<Redirect, ApiError>) -> Result<Response, ApiError> {
    match done {
        Ok(redirect) => Ok(redirect.into_response()),
        Err(error) => Ok((error.status(), render(app, who, &error.to_string()).await?).into_response()),
    }
}

async fn render(app: &App, who: &Identity, problem: &str) -> Result<Response, ApiError> {
    let devices = app.devices().await?;
    let header = html! {
        nav.actions {
            a.button href="/" { "Activity log" }
            @if !app.access.is_open() {
                @if let Identity::User(name) = who { span.count { (name) } }
                form method="post" action=(sign_in::OUT) { button.button { "Sign out" } }
            }
        }
    };
    let main = html! {
        @if !problem.is_empty() { p.state role="alert" { (problem) } }
        @if devices.is_empty() { p.state { "There are no devices yet." } }
        @for Device { id, name } in devices {
            form.filters id=(id) method="post" action=(format!("{PATH}/{}", encoded(&id))) {
                div.line {
                    code { (id) }
                    input name="name" value=(name) aria-label=(format!("Name of {id}")) required maxlength="200";
                    button.button { "Rename" }
                    button.button formaction=(format!("{PATH}/{}/remove", encoded(&id))) { "Remove" }
                }
            }
        }
        form.filters method="post" action=(PATH) {
            div.line {
                input name="id" placeholder="Id" aria-label="Id of a new device" required maxlength="200";
                input name="name" placeholder="Name" aria-label="Name of a new device" required maxlength="200";
                button.button.primary { "Add" }
            }
        }
    };
    Ok(page("Devices", header, main))
}
