use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const FORM_HIDDEN: &str = "document.querySelector('#sign-in').hidden";
const TOKEN: &str = "a-token-that-is-long-enough-for-anyone";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn signing_in_lasts_until_signing_out() -> TestResult {
    let server = Server::start_with(&["--token", TOKEN])?;
    let browser = Browser::open(&server.url("/?categories=system")).await?;
    browser.until(FORM_HIDDEN, false).await?;
    browser.type_into("#token", "wrong\u{E007}").await?;
    browser.until("document.getElementById('sign-in-error').textContent", "That is not the token. Try again.").await?;

    browser.type_into("#token", &format!("{TOKEN}\u{E007}")).await?;
    browser.until(ROWS, 1).await?;
    browser.until(FORM_HIDDEN, true).await?;
    // Only the cookie can authenticate the stream.
    browser.until("document.getElementById('live').textContent", "Live").await?;
    assert_eq!(browser.value("document.cookie").await?, "");

    browser.goto(&server.url("/")).await?;
    browser.until(ROWS, 1).await?;
    browser.press("Sign out").await?;
    browser.until(FORM_HIDDEN, false).await?;
    browser.until(ROWS, 0).await
}
