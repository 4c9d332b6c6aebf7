use serde_json::{Value, json};

use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

/// The marks for hidden characters in an element, as the reader sees them.
fn marks(css: &str) -> String {
    format!("[...document.querySelectorAll({:?})].map((mark) => mark.textContent)", format!("{css} .hidden-mark"))
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_character_that_cannot_be_seen_is_shown_in_rows_open_rows_and_chips() -> TestResult {
    let server = Server::start()?;
    // The first displays as "exe.alice" reversed, the others as the plain words.
    let (actor, name, message) = ("al\u{202E}eci", "Hall\u{200B} lamp", "Paid\u{2066}\u{2066} twice");
    server.post(&[json!({"category": "device", "action": "a", "actor": actor, "message": message,
        "entity_type": "device", "entity_id": "7\u{FEFF}", "entity_name": name,
        "metadata": {"note": "\u{202E}gnp"}})])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 1).await?;
    browser.until(&marks(".row .actor"), json!(["U+202E"])).await?;
    browser.until(&marks(".row .entity-name"), json!(["U+200B"])).await?;
    browser.until(&marks(".row .message"), json!(["U+2066 × 2"])).await?;
    let title = browser.value("document.querySelector('.row .actor .hidden-mark').title").await?;
    assert!(title.as_str().is_some_and(|title| title.starts_with("U+202E right-to-left override")), "{title}");
    assert_eq!(browser.value("document.querySelector('.row .actor').title").await?, "al[U+202E]eci");

    browser.click(".row .when").await?;
    browser.until(&marks(".details dl"), json!(["U+2066 × 2", "U+202E", "U+FEFF", "U+200B"])).await?;
    browser.until(&marks(".metadata .tree"), json!(["U+202E"])).await?;
    browser.press("As JSON").await?;
    browser.until(&marks(".metadata pre"), json!(["U+202E"])).await?;
    browser.press("Only alU+202Eeci").await?;
    browser.until(&marks("#active"), json!(["U+202E"])).await?;
    browser.until(ROWS, 1).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn blank_texts_and_spaces_at_an_end_are_shown_as_such() -> TestResult {
    let server = Server::start()?;
    let of = |actor, message| json!({"category": "device", "action": "a", "actor": actor, "message": message});
    server.post(&[of("", "Empty"), of("  ", "Spaces"), of("alice ", "Trailing"), of("alice", "")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until(ROWS, 4).await?;
    let actors = "[...document.querySelectorAll('.row .actor')].map((cell) => cell.textContent)";
    browser.until(actors, json!(["alice", "aliceU+0020", "U+0020 × 2", "empty"])).await?;
    browser.until("document.querySelector('.row .message').textContent", "empty").await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn emoji_and_texts_from_right_to_left_are_shown_as_they_are() -> TestResult {
    let server = Server::start()?;
    let texts = [
        "👩\u{200D}💻 ❤\u{FE0F} 1\u{FE0F}\u{20E3} 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "שלום عليكم",
        "日本語 ﷺ",
    ];
    let of = |message: &&str| json!({"category": "device", "action": "a", "actor": "b", "message": message});
    server.post(&texts.iter().map(of).collect::<Vec<Value>>())?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until_messages(&[texts[2], texts[1], texts[0]]).await?;
    browser.until("document.querySelectorAll('.hidden-mark').length", 0).await
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn a_text_with_a_space_at_its_beginning_is_filtered_by_as_it_is() -> TestResult {
    let server = Server::start()?;
    let of =
        |actor: &str| json!({"category": "device", "action": "a", "actor": actor, "message": format!("Of <{actor}>")});
    server.post(&[of("alice"), of(" alice"), of(" ")])?;
    let browser = Browser::open(&server.url("/?categories=device")).await?;
    browser.until_messages(&["Of < >", "Of < alice>", "Of <alice>"]).await?;
    browser.click("#rows .entry:nth-child(2) .row .when").await?;
    browser.press("Hide U+0020alice").await?;
    browser.until_messages(&["Of < >", "Of <alice>"]).await?;
    browser.goto(&server.url("/?categories=device&actors=+alice&actors=+")).await?;
    browser.until_messages(&["Of < >", "Of < alice>"]).await
}
