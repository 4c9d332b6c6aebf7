//! How an operator changes how long entries are kept.

use std::sync::{Arc, Mutex, PoisonError};

use activity_log::{ActivityLogRepository, RetentionPolicy, RetentionRun, RetentionWorker, RetentionWorkerOptions};
use activity_log_axum::{Actor, ApiError, Retention, RetentionChange, RetentionSettings, Routes};
use serde_json::json;

use crate::browser::{Browser, MESSAGES, ROWS};
use crate::mounted::{Log, serve};
use crate::server::TestResult;

const EFFECT: &str = "document.getElementById('retention-effect').textContent";
const RETENTION: &str = "[...document.querySelectorAll('#log dt')]
    .find((name) => name.textContent === 'Retention')?.nextSibling.textContent";

/// Settings in memory, and a worker that applies them.
pub(crate) struct InMemory {
    path: String,
    settings: Arc<Mutex<RetentionSettings>>,
    worker: RetentionWorker,
}

impl InMemory {
    pub(crate) fn of(log: &Log) -> activity_log::Result<Self> {
        let settings = RetentionSettings::new(true, Some(90), None);
        let path = log.path.clone();
        let options = RetentionWorkerOptions::new();
        let worker = RetentionWorker::start(move || activity_log::connect(&path), RetentionPolicy::new(), options)?;
        Ok(Self { path: log.path.clone(), settings: Arc::new(Mutex::new(settings)), worker })
    }
}

impl Retention for InMemory {
    fn settings(&self) -> Result<RetentionSettings, ApiError> {
        Ok(*self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: &RetentionChange) -> Result<(), ApiError> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = change.entry(&settings)? {
            ActivityLogRepository::new(&mut activity_log::connect(&self.path)?).record(&entry)?;
        }
        *settings = change.settings();
        self.worker.set_policy(settings.policy())?;
        self.worker.run_now();
        Ok(())
    }

    fn last_run(&self) -> Option<RetentionRun> {
        self.worker.last_run()
    }
}

/// A host that lets its readers change the settings, with the panel open.
async fn open(actor: Actor) -> TestResult<(Log, Browser, Arc<Mutex<RetentionSettings>>)> {
    let log = Log::create()?;
    for message in ["One", "Two", "Three"] {
        log.record(message)?;
    }
    let retention = InMemory::of(&log)?;
    let settings = Arc::clone(&retention.settings);
    let viewer = log.viewer()?.retention(retention).routes(Routes::default().change_retention());
    let address = serve(viewer.actor(move |_| actor.clone()).into_router()).await?;
    let browser = Browser::open(&address).await?;
    browser.until(ROWS, 3).await?;
    browser.press("Log").await?;
    browser.until("document.getElementById('retention').checkVisibility()", true).await?;
    browser.until(RETENTION, "Entries older than 90 days are deleted.").await?;
    Ok((log, browser, settings))
}

async fn set(browser: &Browser, name: &str, value: &str) -> TestResult {
    browser.run(&format!("document.querySelector('#retention [name={name}]').value = ''")).await?;
    browser.type_into(&format!("#retention [name={name}]"), value).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_form_says_what_a_change_will_delete_and_the_log_who_made_it() -> TestResult {
    let (_log, browser, _) = open(Actor::named("alice")).await?;
    browser.until(EFFECT, "").await?;
    set(&browser, "days", "30").await?;
    browser.until(EFFECT, "Entries older than 30 days are deleted.").await?;
    set(&browser, "entries", "2").await?;
    let both = "Entries older than 30 days are deleted. Only the newest 2 entries are kept.";
    browser.until(EFFECT, both).await?;
    browser.click("#retention [name=enabled]").await?;
    browser.until(EFFECT, "Nothing is deleted.").await?;
    browser.click("#retention [name=enabled]").await?;
    assert_eq!(browser.value("document.getElementById('changed-by').checkVisibility()").await?, false);
    browser.press("Save").await?;
    browser.until(EFFECT, "Saved.").await?;
    browser.until(RETENTION, both).await?;
    let run = "/^now: 2 entries deleted$|^\\d+ s ago: 2 entries deleted$/.test(
        [...document.querySelectorAll('#log dt')].find((name) => name.textContent === 'Last run').nextSibling.textContent)";
    browser.until(run, true).await?;
    let first = format!("({MESSAGES}).includes('alice changed how long the activity log is kept')");
    browser.until(&first, true).await?;
    assert_eq!(browser.complaints()?, [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn an_error_of_the_server_stands_at_its_field() -> TestResult {
    let (_log, browser, settings) = open(Actor::as_claimed()).await?;
    set(&browser, "days", "40000").await?;
    set(&browser, "actor", "Ada").await?;
    browser.press("Save").await?;
    let problem = |name| format!("document.getElementById('{name}-problem').textContent");
    browser.until(&problem("days"), "Must be a whole number from 1 to 36500, or empty").await?;
    browser.until("document.activeElement.name", "days").await?;
    browser.until("document.activeElement.getAttribute('aria-invalid')", "true").await?;

    set(&browser, "days", "30").await?;
    set(&browser, "entries", "many").await?;
    browser.press("Save").await?;
    browser.until(&problem("entries"), "Must be a whole number, or empty").await?;
    browser.until(&problem("days"), "").await?;

    set(&browser, "entries", "9").await?;
    browser.run("document.querySelector('#retention [name=actor]').value = ''").await?;
    browser.press("Save").await?;
    browser.until(&problem("actor"), "Must name who makes the change").await?;
    let untouched = RetentionSettings::new(true, Some(90), None);
    assert_eq!(*settings.lock().unwrap_or_else(PoisonError::into_inner), untouched);

    browser.type_into("#retention [name=actor]", "Ada").await?;
    browser.press("Save").await?;
    browser.until(EFFECT, "Saved.").await?;
    browser.until(&format!("({MESSAGES}).includes('Ada changed how long the activity log is kept')"), true).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn what_the_reader_types_stays_while_the_panel_is_read_again() -> TestResult {
    let (_log, browser, settings) = open(Actor::named("alice")).await?;
    let values = "['days', 'entries'].map((name) => document.querySelector(`#retention [name=${name}]`).value)";
    let change = |days| {
        settings.lock().unwrap_or_else(PoisonError::into_inner).days = Some(days);
    };
    change(60);
    browser.until(values, json!(["60", ""])).await?;
    set(&browser, "entries", "500").await?;
    change(50);
    browser.until(RETENTION, "Entries older than 50 days are deleted.").await?;
    browser.until(values, json!(["60", "500"])).await
}
