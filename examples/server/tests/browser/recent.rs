use serde_json::json;

use crate::browser::Browser;
use crate::server::{Server, TestResult, entry};

const MESSAGES: &str = "[...document.querySelector('activity-log-recent').shadowRoot.querySelectorAll('li a')]
    .map((link) => link.textContent)";

/// A page of the host's with nothing but the element, as the markup gives it.
async fn embed(server: &Server, markup: &str) -> TestResult<Browser> {
    // Any document of the same origin, under the content security policy of the page, whose own body goes.
    let browser = Browser::open(&server.url("/")).await?;
    browser.until("document.getElementById('live').textContent", "Live").await?;
    let script = format!(
        "(document.body.innerHTML = {markup:?},
            document.head.append(Object.assign(document.createElement('script'),
                {{ type: 'module', src: '/recent.js' }})))"
    );
    browser.value(&format!("({script}, true)")).await?;
    browser.until("document.querySelector('activity-log-recent').shadowRoot !== null", true).await?;
    Ok(browser)
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn the_latest_five_entries_are_shown_and_follow_the_log() -> TestResult {
    let server = Server::with_entries(7)?;
    let browser = embed(&server, "<activity-log-recent></activity-log-recent>").await?;
    browser.until(MESSAGES, json!(["Entry 7", "Entry 6", "Entry 5", "Entry 4", "Entry 3"])).await?;
    server.post(&[entry("Entry 8"), entry("<b>Entry 9</b>")])?;
    browser.until(MESSAGES, json!(["<b>Entry 9</b>", "Entry 8", "Entry 7", "Entry 6", "Entry 5"])).await?;
    // The style is in force, and nothing is blocked.
    let display =
        "getComputedStyle(document.querySelector('activity-log-recent').shadowRoot.querySelector('li')).display";
    browser.until(display, "flex").await?;
    let complaints = browser.complaints()?.join("\n");
    assert!(!complaints.contains("Content Security Policy") && !complaints.contains("recent"), "{complaints}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn entries_that_were_cleared_leave_it() -> TestResult {
    let server = Server::with_entries(3)?;
    let browser = embed(&server, "<activity-log-recent></activity-log-recent>").await?;
    browser.until(&format!("{MESSAGES}.length"), 4).await?;
    server.clear()?;
    browser.until(&format!("{MESSAGES}.length"), 1).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn its_attributes_say_how_many_which_and_under_what_heading() -> TestResult {
    let server = Server::with_entries(2)?;
    let of = |message| json!({"category": "auth", "action": "user.locked_out", "actor": "eve", "message": message, "severity": "error"});
    server.post(&[of("First"), of("Second"), of("Third"), entry("Another")])?;
    let markup = "<activity-log-recent entries=2 query='severities=error' label='Trouble'></activity-log-recent>";
    let browser = embed(&server, markup).await?;
    browser.until(MESSAGES, json!(["Third", "Second"])).await?;
    let shown = "((root) => [root.querySelector('h2').textContent, root.querySelector('header a').href,
        root.querySelector('li').textContent.startsWith('ErrorThirdeve')])(
        document.querySelector('activity-log-recent').shadowRoot)";
    browser.until(shown, json!(["Trouble", server.url("/?severities=error"), true])).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn each_of_them_leads_to_its_entry_on_the_page() -> TestResult {
    let server = Server::with_entries(2)?;
    let browser = embed(&server, "<activity-log-recent></activity-log-recent>").await?;
    browser.until(&format!("{MESSAGES}.length"), 3).await?;
    browser
        .value("(document.querySelector('activity-log-recent').shadowRoot.querySelectorAll('li a')[1].click(), true)")
        .await?;
    browser.until("location.hash.startsWith('#entry-al_')", true).await?;
    let link = browser.value("location.href").await?;
    browser.goto("about:blank").await?;
    browser.goto(link.as_str().unwrap_or_default()).await?;
    browser.until("document.querySelector('#linked .full-message')?.textContent ?? null", "Entry 1").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn it_tries_again_when_the_server_is_back() -> TestResult {
    let mut server = Server::with_entries(1)?;
    let browser = embed(&server, "<activity-log-recent></activity-log-recent>").await?;
    browser.until(&format!("{MESSAGES}[0]"), "Entry 1").await?;
    server.kill()?;
    browser.value("(document.body.innerHTML = '<activity-log-recent></activity-log-recent>', true)").await?;
    let state = "document.querySelector('activity-log-recent').shadowRoot.querySelector('[part=state]').textContent";
    browser.until(&format!("{state}.startsWith('The activity could not be loaded.')"), true).await?;
    server.start_again()?;
    browser.until(&format!("{MESSAGES}.includes('Entry 1')"), true).await?;
    browser.until(state, "").await
}
