//! How long entries are kept, as far as the host lets people see and change it.

use std::sync::{Arc, Mutex, PoisonError};

use activity_log::{Repository, RetentionRun};
use activity_log_axum::{Actor, ApiError, Retention, RetentionChange, RetentionSettings, Routes};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use diesel::r2d2::{ConnectionManager, Pool};
use serde_json::{Value, json};

use crate::database::{Connection, Log};
use crate::viewer::TestResult;
use crate::viewer::host::{Answer, Host, LOG, get, messages, send};

/// A host that keeps its settings in memory.
struct InMemory {
    /// What another process makes of the settings just before a change locks them.
    beside: Option<RetentionSettings>,
    settings: Arc<Mutex<RetentionSettings>>,
    pool: Pool<ConnectionManager<Connection>>,
}

const BEFORE: RetentionSettings = RetentionSettings::new(true, Some(90), None);

impl Retention for InMemory {
    fn settings(&self) -> Result<RetentionSettings, ApiError> {
        Ok(*self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: &RetentionChange) -> Result<(), ApiError> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        *settings = self.beside.unwrap_or(*settings);
        if let Some(entry) = change.entry(&settings)? {
            Repository::new(&mut *self.pool.get()?).record(&entry)?;
        }
        *settings = change.settings();
        Ok(())
    }

    fn last_run(&self) -> Option<RetentionRun> {
        None
    }
}

fn host(routes: Routes) -> TestResult<Host> {
    host_beside(None, routes)
}

fn host_beside(beside: Option<RetentionSettings>, routes: Routes) -> TestResult<Host> {
    let log = Log::create()?;
    let retention = InMemory { beside, settings: Arc::new(Mutex::new(BEFORE)), pool: log.pool(1)? };
    let viewer = activity_log_axum::Viewer::new(log.pool(2)?).actor(|_| Actor::named("alice")).routes(routes);
    Ok(Host { router: viewer.retention(retention).into_router(), log })
}

async fn put(host: &Host, settings: &Value) -> TestResult<Answer> {
    let request = Request::put(format!("{LOG}/retention")).header("content-type", "application/json");
    send(&host.router, request.body(Body::from(settings.to_string()))?).await
}

#[tokio::test]
async fn the_settings_are_shown_and_changed_and_the_log_says_who_changed_what() -> TestResult {
    let host = host(Routes::default().change_retention())?;
    let before = json!({"enabled": true, "days": 90, "entries": null});
    assert_eq!(host.get(&format!("{LOG}/retention")).await?.json, before);
    let after = json!({"enabled": true, "days": 30, "entries": 10_000});
    let answer = put(&host, &after).await?;
    assert_eq!((answer.status, &answer.json), (StatusCode::OK, &after));
    assert_eq!(host.get(&format!("{LOG}/retention")).await?.json, after);

    let page = host.list("").await?;
    assert_eq!(messages(&page), ["alice changed how long the activity log is kept"]);
    let entry = &page["entries"][0];
    assert_eq!((&entry["actor"], &entry["severity"]), (&json!("alice"), &json!("warning")));
    let changed = json!({"days": {"from": 90, "to": 30}, "entries": {"from": null, "to": 10_000}});
    assert_eq!(entry["metadata"]["changed"], changed);
    Ok(())
}

#[tokio::test]
async fn settings_that_stay_as_they_are_are_not_recorded() -> TestResult {
    let host = host(Routes::default().change_retention())?;
    assert_eq!(put(&host, &json!({"enabled": true, "days": 90})).await?.status, StatusCode::OK);
    assert!(messages(&host.list("").await?).is_empty());
    Ok(())
}

#[tokio::test]
async fn what_another_process_changed_meanwhile_is_not_recorded_as_changed_by_the_request() -> TestResult {
    let beside = RetentionSettings::new(true, Some(60), Some(10_000));
    let host = host_beside(Some(beside), Routes::default().change_retention())?;
    put(&host, &json!({"enabled": true, "days": 30, "entries": 10_000})).await?;
    let page = host.list("").await?;
    assert_eq!(page["entries"][0]["metadata"]["changed"], json!({"days": {"from": 60, "to": 30}}));
    Ok(())
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() -> TestResult {
    let host = host(Routes::default().change_retention())?;
    for (settings, field) in [
        (json!({"enabled": true, "days": 0}), json!("days")),
        (json!({"enabled": true, "days": 40_000}), json!("days")),
        (json!({"enabled": true, "entries": 0}), json!("entries")),
        (json!({"enabled": true, "weeks": 1}), json!(null)),
        (json!({"days": 30}), json!(null)),
        (json!([]), json!(null)),
    ] {
        let answer = put(&host, &settings).await?;
        assert_eq!((answer.status, &answer.json["error"]["field"]), (StatusCode::BAD_REQUEST, &field), "{settings}");
    }
    assert_eq!(host.get(&format!("{LOG}/retention")).await?.json["days"], 90);
    Ok(())
}

#[tokio::test]
async fn the_settings_can_be_changed_only_where_the_host_lets_them() -> TestResult {
    let host = host(Routes::default())?;
    assert_eq!(put(&host, &json!({"enabled": false})).await?.status, StatusCode::METHOD_NOT_ALLOWED);
    let viewer = host.get("/viewer.json").await?.json;
    assert_eq!((&viewer["retention"], &viewer["changes_retention"]), (&json!(true), &json!(false)));
    let described = host.get("/openapi.json").await?.json;
    let retention = &described["paths"][format!("{LOG}/retention")];
    assert!(retention["get"].is_object() && retention["put"].is_null());
    Ok(())
}

#[tokio::test]
async fn a_host_that_keeps_everything_has_no_settings() -> TestResult {
    let host = Host::new(|viewer| viewer.routes(Routes::default().change_retention()))?;
    assert_eq!(host.get(&format!("{LOG}/retention")).await?.status, StatusCode::NOT_FOUND);
    assert_eq!(host.get("/viewer.json").await?.json["retention"], false);
    Ok(())
}

#[tokio::test]
async fn the_status_says_how_long_entries_are_kept() -> TestResult {
    let host = host(Routes::default())?;
    let status = host.get(&format!("{LOG}/status")).await?.json;
    let settings = json!({"enabled": true, "days": 90, "entries": null});
    assert_eq!(status["retention"], json!({"settings": settings, "last_run": null}));
    Ok(())
}

#[tokio::test]
async fn the_page_asks_for_the_name_of_who_changes_the_settings() -> TestResult {
    let log = Log::create()?;
    let asks_for_name = async |routes| -> TestResult<Value> {
        let retention = InMemory { beside: None, settings: Arc::new(Mutex::new(BEFORE)), pool: log.pool(1)? };
        let viewer = activity_log_axum::Viewer::new(log.pool(2)?).actor(|_| Actor::as_claimed()).routes(routes);
        let answer = get(&viewer.retention(retention).into_router(), "/viewer.json").await?;
        Ok(answer.json["asks_for_name"].clone())
    };
    assert_eq!(asks_for_name(Routes::read_only()).await?, false);
    assert_eq!(asks_for_name(Routes::read_only().change_retention()).await?, true);
    Ok(())
}
