use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

/// The texts of the header and of the first row that can be seen.
const COLUMNS: &str = "[...document.querySelectorAll('#columns span')]
    .filter((cell) => cell.checkVisibility()).map((cell) => cell.textContent)";
const CELLS: &str = "[...document.querySelector('.row').children]
    .filter((cell) => cell.checkVisibility()).map((cell) => cell.classList[0])";
const GROUND: &str = "getComputedStyle(document.body).backgroundColor";

async fn choose(browser: &Browser, name: &str, value: &str) -> TestResult {
    browser.press("View").await?;
    browser.click(&format!("#view input[name={name}][value={value}]")).await?;
    browser.keys("\u{E00C}").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn columns_can_be_hidden_and_stay_hidden() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    choose(&browser, "column", "category").await?;
    choose(&browser, "column", "entity").await?;
    browser.until(COLUMNS, json!(["Severity", "Time", "Message", "Actor", "Action"])).await?;
    browser.until(CELLS, json!(["severity", "when", "message", "actor", "action", "icon"])).await?;
    // Each cell stands below the name of its column.
    let lefts = "['#columns', '.row'].map((css) => [...document.querySelector(css).children]
        .filter((cell) => cell.checkVisibility()).slice(0, 5).map((cell) => Math.round(cell.getBoundingClientRect().left)))";
    let lefts = browser.value(lefts).await?;
    assert_eq!(lefts.get(0), lefts.get(1), "{lefts}");

    browser.goto(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    browser.until(COLUMNS, json!(["Severity", "Time", "Message", "Actor", "Action"])).await?;
    choose(&browser, "column", "category").await?;
    browser.until(COLUMNS, json!(["Severity", "Time", "Message", "Actor", "Action", "Category"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_theme_overrides_that_of_the_system_from_the_first_moment() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    browser.until(GROUND, "rgb(245, 246, 248)").await?;
    choose(&browser, "theme", "dark").await?;
    browser.until(GROUND, "rgb(14, 17, 22)").await?;
    // The attribute is there before the scripts of the page run.
    browser.prepare(
        "addEventListener('DOMContentLoaded', () => { window.theme = document.documentElement.dataset.theme; })",
    )?;
    browser.goto(&server.url("/")).await?;
    browser.until("window.theme", "dark").await?;
    browser.until(GROUND, "rgb(14, 17, 22)").await?;
    choose(&browser, "theme", "system").await?;
    browser.until(GROUND, "rgb(245, 246, 248)").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn rows_can_be_roomy() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = Browser::open(&server.url("/")).await?;
    browser.until(ROWS, 4).await?;
    let height = "document.querySelector('.row').offsetHeight";
    browser.until(height, 26).await?;
    choose(&browser, "density", "roomy").await?;
    browser.until(height, 38).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn paper_shows_whole_messages_with_their_times_and_no_controls() -> TestResult {
    let server = Server::start()?;
    let message = "A message that is far too long for a line of the list ".repeat(9);
    let action = "device.configuration.imported.from.an.older.version";
    server.post(&[json!({"category": "device", "action": action, "actor": "b", "message": message.trim()})])?;
    let browser = Browser::open(&server.url("/?categories=device&actor=b")).await?;
    browser.until(ROWS, 1).await?;
    browser.resize(720, 1000)?;
    browser.print_media()?;
    browser.value("dispatchEvent(new Event('beforeprint'))").await?;
    browser
        .until("/^\\d+ \\w+, \\d\\d:\\d\\d:\\d\\d$/.test(document.querySelector('.row .when').textContent)", true)
        .await?;
    let cut = "[...document.querySelectorAll('.row > :is(.message, .action)')]
        .filter((cell) => cell.scrollWidth > cell.clientWidth || cell.scrollHeight > cell.clientHeight).length";
    browser.until(cut, 0).await?;
    let controls = "[...document.querySelectorAll('button:not(.row, .bar, .removable, [aria-pressed=true]), input')]
        .filter((control) => control.checkVisibility()).map((control) => control.outerHTML)";
    browser.until(controls, json!([])).await?;
    // What is printed says which entries it shows.
    let filters = "[...document.querySelectorAll('#filters button')]
        .filter((chip) => chip.checkVisibility()).map((chip) => chip.textContent.trim())";
    browser.until(filters, json!(["device", "Actor b"])).await?;
    browser.until("document.documentElement.scrollWidth <= 720", true).await
}
