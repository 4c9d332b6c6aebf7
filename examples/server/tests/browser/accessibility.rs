//! What axe-core finds on the page. `AXE_SCRIPT` in the environment is the path of its `axe.min.js`.

use std::{env, fs};

use activity_log_axum::{Actor, Routes};
use serde_json::{Value, json};

use crate::browser::{Browser, ROWS};
use crate::mounted::{Log, serve};
use crate::retention_form::InMemory;
use crate::server::{Server, TestResult};

#[expect(clippy::disallowed_methods, reason = "where axe-core is differs from machine to machine")]
fn axe() -> TestResult<String> {
    let path = env::var("AXE_SCRIPT").map_err(|_| "AXE_SCRIPT is not set: it is the path of axe.min.js")?;
    Ok(fs::read_to_string(path)?)
}

/// The rules that axe-core says are broken, each with the elements that break it.
async fn violations(browser: &Browser) -> TestResult<Vec<String>> {
    if browser.value("'axe' in window").await? == false {
        browser.run(&axe()?).await?;
    }
    let script = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).slice(0, 3).join('; ')}`))";
    Ok(serde_json::from_value(browser.value(script).await?)?)
}

const IS_LOADING: &str = "document.querySelector(':popover-open .note')?.textContent === 'Loading…'";

fn server_with_all_kinds_of_entries() -> TestResult<Server> {
    let server = Server::start()?;
    let of = |severity, metadata| {
        json!({"category": "device", "action": "device.updated", "actor": "al\u{202E}ice", "message": "Dimmed\nthe lamp",
            "severity": severity, "entity_type": "device", "entity_id": "7", "entity_name": "Lamp", "metadata": metadata})
    };
    let changed = json!({"changed": {"name": {"from": "Hall", "to": "Lamp"}, "level": {"to": 3}}});
    let deep = json!({"a": {"b": [1, 2, {"c": true}]}, "d": 1, "e": 2, "f": 3, "g": 4, "h": null});
    server.post(&[of("info", json!({})), of("warning", deep), of("error", changed)])?;
    server.post(&vec![of("info", json!({"n": 1})); 40])?;
    server.post(&[of("error", json!({"changed": {"name": {"from": "Hall", "to": "Lamp"}, "level": {"to": 3}}}))])?;
    Ok(server)
}

/// Looks at the page on a desktop, on a phone, and on a desktop enlarged to 400 %, each with rows open.
async fn look_at_all_sizes(media: &Value) -> TestResult {
    let server = server_with_all_kinds_of_entries()?;
    let browser = Browser::open("about:blank").await?;
    browser.emulate(media)?;
    for (width, height, hash) in [(1280, 900, ""), (1280, 900, "#entry-2"), (390, 844, "#entry-2"), (320, 256, "")] {
        browser.resize(width, height)?;
        browser.goto("about:blank").await?;
        browser
            .goto(&server.url(&format!("/?categories=device&exclude_actors=cron&since=2026-01-01T00:00:00Z{hash}")))
            .await?;
        browser.until("document.querySelectorAll('#rows .row').length", 44).await?;
        browser
            .until(
                "document.querySelectorAll('.bar').length > 0 && document.getElementById('live').textContent",
                "Live",
            )
            .await?;
        browser.value("(document.querySelectorAll('#rows .row')[0].click(), document.querySelectorAll('#rows .row')[42].click())").await?;
        browser.until("document.querySelectorAll('.details').length", if hash.is_empty() { 2 } else { 3 }).await?;
        assert_eq!(violations(&browser).await?, [""; 0], "{width} pixels");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and AXE_SCRIPT: see CONTRIBUTING.md"]
async fn axe_finds_nothing_in_light_colours() -> TestResult {
    look_at_all_sizes(&json!([{"name": "prefers-color-scheme", "value": "light"}])).await
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and AXE_SCRIPT: see CONTRIBUTING.md"]
async fn axe_finds_nothing_in_dark_colours() -> TestResult {
    look_at_all_sizes(&json!([{"name": "prefers-color-scheme", "value": "dark"}])).await
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and AXE_SCRIPT: see CONTRIBUTING.md"]
async fn axe_finds_nothing_in_forced_colours() -> TestResult {
    look_at_all_sizes(&json!([{"name": "forced-colors", "value": "active"}])).await
}

#[tokio::test]
#[ignore = "needs chromium, chromedriver and AXE_SCRIPT: see CONTRIBUTING.md"]
async fn axe_finds_nothing_in_panels_and_states() -> TestResult {
    let server = server_with_all_kinds_of_entries()?;
    let browser = Browser::open(&server.url("/?exclude_actions=x")).await?;
    for scheme in ["light", "dark"] {
        browser.emulate(&json!([{"name": "prefers-color-scheme", "value": scheme}]))?;
        for button in ["#facet-actor", "#facet-action", "#show-log", "#show-view", "#show-help"] {
            browser.click(button).await?;
            browser.until("document.querySelector(':popover-open, dialog[open]') !== null", true).await?;
            browser.until(IS_LOADING, false).await?;
            assert_eq!(violations(&browser).await?, [""; 0], "{button} {scheme}");
            browser.keys("\u{E00C}").await?;
            browser.until("document.querySelector(':popover-open, dialog[open]') === null", true).await?;
        }
        browser.press("More filters").await?;
        assert_eq!(violations(&browser).await?, [""; 0], "more filters {scheme}");
    }
    browser.goto(&server.url("/?actor=nobody")).await?;
    browser.until("document.querySelectorAll('#state h2').length", 1).await?;
    assert_eq!(violations(&browser).await?, [""; 0], "no entries");
    browser.goto(&server.url("/?since=yesterday")).await?;
    browser.until("document.querySelectorAll('#state.failed h2').length", 1).await?;
    assert_eq!(violations(&browser).await?, [""; 0], "a failure");
    let server = Server::start_with(&["--token", "a-token-that-is-long-enough-for-anyone"])?;
    browser.goto(&server.url("/")).await?;
    browser.until("document.querySelectorAll('form.sign-in').length", 1).await?;
    assert_eq!(violations(&browser).await?, [""; 0], "signing in");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and AXE_SCRIPT: see CONTRIBUTING.md"]
async fn axe_finds_nothing_in_the_form_that_changes_the_retention() -> TestResult {
    let log = Log::create()?;
    log.record("One")?;
    let viewer = log.viewer()?.retention(InMemory::of(&log)?).routes(Routes::default().change_retention());
    let address = serve(viewer.actor(|_| Actor::as_claimed()).into_router()).await?;
    let browser = Browser::open("about:blank").await?;
    for (feature, value, width) in [
        ("prefers-color-scheme", "light", 1280),
        ("prefers-color-scheme", "dark", 390),
        ("forced-colors", "active", 1280),
    ] {
        browser.emulate(&json!([{"name": feature, "value": value}]))?;
        browser.resize(width, 844)?;
        browser.goto(&address).await?;
        browser.until(ROWS, 1).await?;
        browser.press("Log").await?;
        browser.type_into("#retention [name=days]", "000").await?;
        browser.press("Save").await?;
        browser.until("document.activeElement.getAttribute('aria-invalid')", "true").await?;
        assert_eq!(violations(&browser).await?, [""; 0], "{value}");
        assert_eq!(browser.value("document.documentElement.scrollWidth > innerWidth").await?, false, "{value}");
    }
    Ok(())
}
