use crate::browser::{Browser, ROWS};
use crate::server::{Server, TestResult};

const TOKEN: &str = "a-token-that-is-long-enough-for-anyone";

#[tokio::test]
#[ignore = "needs chromium and chromedriver: apt-get install chromium chromium-driver"]
async fn signing_in_lasts_until_signing_out() -> TestResult {
    let server = Server::start_with(&["--token", TOKEN])?;
    let browser = Browser::open(&server.url("/?categories=system")).await?;
    let title = "document.querySelector('.sign-in h1')?.textContent";
    browser.until(title, "Sign in").await?;
    browser.type_into("#password", "wrong\u{E007}").await?;
    browser.until("document.querySelector('.problem').textContent", "That is not the token.").await?;

    browser.type_into("#password", &format!("{TOKEN}\u{E007}")).await?;
    browser.until(ROWS, 1).await?;
    browser.until("location.search", "?categories=system").await?;
    // Only the cookie can authenticate the stream.
    browser.until("document.getElementById('live').textContent", "Live").await?;
    assert_eq!(browser.value("document.cookie").await?, "");

    browser.until("document.querySelector('a#home:not([hidden])').href", server.url("/devices")).await?;
    browser.press("Sign out").await?;
    browser.until("document.querySelector('#sign-in:not([hidden]) h2')?.textContent", "You are signed out").await?;
    browser.until("document.getElementById('sign-out').hidden", true).await?;
    browser.until(ROWS, 0).await?;
    browser.goto(&server.url("/")).await?;
    browser.until(title, "Sign in").await
}
