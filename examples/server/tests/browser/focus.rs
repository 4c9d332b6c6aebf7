use std::collections::HashSet;

use serde_json::json;

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const FOCUSED_ROW: &str = "document.activeElement.closest('.row')?.querySelector('.message').textContent ?? null";

fn server_with_three_actors() -> TestResult<Server> {
    let server = Server::start()?;
    let of = |actor| json!({"category": "device", "action": "a", "actor": actor, "message": format!("By {actor}")});
    server.post(&[of("alice"), of("bob"), of("cron")])?;
    Ok(server)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_focus_stays_at_the_entry_whose_button_narrows_the_list() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 3).await?;
    browser.value("document.querySelectorAll('.row')[1].click()").await?;
    browser.press("Only bob").await?;
    browser.until_messages(&["By bob"]).await?;
    browser.until(FOCUSED_ROW, "By bob").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_focus_goes_to_the_first_row_when_the_entry_is_hidden() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.click(".row .when").await?;
    browser.press("Hide cron").await?;
    browser.until_messages(&["By bob", "By alice"]).await?;
    browser.until(FOCUSED_ROW, "By bob").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_focus_goes_to_the_list_when_a_button_of_the_empty_state_fills_it() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?actor=nobody")).await?;
    browser.value("document.activeElement.blur()").await?;
    browser.until("document.querySelectorAll('#state button').length", 1).await?;
    browser.click("#state button").await?;
    browser.until(ROWS, 4).await?;
    browser.until(FOCUSED_ROW, "By cron").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_accessible_name_of_a_chip_contains_what_it_shows() -> TestResult {
    let server = server_with_three_actors()?;
    let browser = Browser::open(&server.url("/?actor=bob&message_contains=by")).await?;
    browser.until(ROWS, 1).await?;
    let names = "[...document.querySelectorAll('#active .removable')].map((chip) => chip.getAttribute('aria-label'))";
    browser.until(names, json!(["Text by: remove this filter", "Actor bob: remove this filter"])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn bars_and_pressed_chips_are_seen_in_forced_colours() -> TestResult {
    let server = Server::start()?;
    let of =
        |severity| json!({"category": "device", "action": "a", "actor": "b", "message": "m", "severity": severity});
    server.post(&[of("info"), of("warning"), of("error")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.force_colours()?;
    browser.until("document.querySelectorAll('.bar .part').length", 3).await?;
    let looks = "['.part.info', '.part.warning', '.part.error']
        .map((css) => getComputedStyle(document.querySelector(css)))
        .map((style) => style.backgroundColor + style.backgroundImage)";
    let looks: Vec<String> = serde_json::from_value(browser.value(looks).await?)?;
    assert_eq!(looks.iter().collect::<HashSet<_>>().len(), 3, "{looks:?}");
    let border = "getComputedStyle(document.querySelector('.part.info')).borderTopWidth";
    assert_eq!(browser.value(border).await?, "1px");
    let chip = |pressed| {
        let chip = format!("document.querySelector('#categories .chip[aria-pressed={pressed}]')");
        format!("getComputedStyle({chip}).backgroundColor")
    };
    assert_ne!(browser.value(&chip(true)).await?, browser.value(&chip(false)).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_focus_stays_on_the_page_when_what_had_it_goes_away() -> TestResult {
    let server = Server::with_entries(3)?;
    let old =
        json!({"category": "device", "action": "a", "actor": "b", "message": "Old", "ts": "1970-01-01T00:00:00Z"});
    server.post(&[old])?;
    let browser = Browser::open(&server.url("/#entry-2")).await?;
    browser.until("document.querySelectorAll('#linked .row').length", 1).await?;
    browser
        .run("[...document.querySelectorAll('#linked button')].find((one) => one.textContent === 'Close').focus()")
        .await?;
    browser.keys("\u{E007}").await?;
    browser.until("document.activeElement.id", "entries").await?;

    browser.until("document.querySelectorAll('#histogram .outside button').length", 1).await?;
    browser.run("document.querySelector('#histogram .outside button').focus()").await?;
    browser.keys("\u{E007}").await?;
    browser.until("document.activeElement.className", "bar").await?;
    // And back.
    browser.press("Show recent times only").await?;
    browser
        .until(
            "document.querySelector('#histogram .outside').textContent",
            "1 entry is outside the last 24 h. Show it too",
        )
        .await
}
