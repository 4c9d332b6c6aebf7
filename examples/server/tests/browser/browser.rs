//! What a reader does in headless Chromium, and what the page then shows.

use std::cell::Cell;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::elements::Element;
use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::driver::Session;
use crate::server::TestResult;

/// How long to wait for the page: far longer than it takes, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser window with the page.
pub(crate) struct Browser {
    session: Session,
    /// Whether the next test can use the same browser.
    is_reusable: Cell<bool>,
}

impl Browser {
    /// Opens `url` on a desktop screen.
    pub(crate) async fn open(url: &str) -> TestResult<Self> {
        let browser = Self { session: Session::get().await?, is_reusable: Cell::new(true) };
        browser.goto(url).await?;
        Ok(browser)
    }

    /// Opens `url` on a phone screen.
    pub(crate) async fn open_narrow(url: &str) -> TestResult<Self> {
        let metrics = json!({"width": 360, "height": 740, "pixelRatio": 1, "touch": true});
        let session = Session::start(json!({"mobileEmulation": {"deviceMetrics": metrics}})).await?;
        let browser = Self { session, is_reusable: Cell::new(false) };
        browser.goto(url).await?;
        Ok(browser)
    }

    fn cdp(&self, command: &str, parameters: Value) -> TestResult {
        self.session.driver.cdp(command, parameters)?;
        Ok(())
    }

    pub(crate) async fn goto(&self, url: &str) -> TestResult {
        Ok(self.session.client.goto(url).await?)
    }

    pub(crate) async fn back(&self) -> TestResult {
        Ok(self.session.client.back().await?)
    }

    /// Opens `url` in another window. Both can be seen. Returns the handle of the new page.
    pub(crate) async fn open_another(&self, url: &str) -> TestResult<WindowHandle> {
        let handle = self.session.client.new_window(false).await?.handle;
        self.switch_to(&handle).await?;
        // The browser would wait for minutes for a free connection.
        timeout(PATIENCE, self.session.client.goto(url)).await.map_err(|_| format!("{url} does not load"))??;
        Ok(handle)
    }

    /// The handle of the present page.
    pub(crate) async fn page(&self) -> TestResult<WindowHandle> {
        Ok(self.session.client.window().await?)
    }

    /// Continues with another page.
    pub(crate) async fn switch_to(&self, page: &WindowHandle) -> TestResult {
        Ok(self.session.client.switch_to_window(page.clone()).await?)
    }

    /// Crashes the page, whose process may also run what it shares with other pages.
    pub(crate) fn crash(&self) -> TestResult {
        self.is_reusable.set(false);
        let crashed = self.cdp("Page.navigate", json!({"url": "chrome://crash"}));
        if crashed.is_ok() { Err("the page has not crashed".into()) } else { Ok(()) }
    }

    /// Minimizes the window, which hides the page.
    pub(crate) async fn hide(&self) -> TestResult {
        self.is_reusable.set(false);
        self.session.client.minimize_window().await?;
        self.until("document.visibilityState", "hidden").await
    }

    /// Restores the window.
    pub(crate) async fn show(&self) -> TestResult {
        self.session.client.set_window_size(1280, 900).await?;
        self.until("document.visibilityState", "visible").await
    }

    pub(crate) async fn close_page(&self) -> TestResult {
        Ok(self.session.client.close_window().await?)
    }

    /// Displays the page as for a reader who forces the colours of the system.
    pub(crate) fn force_colours(&self) -> TestResult {
        self.emulate(&json!([{"name": "forced-colors", "value": "active"}]))
    }

    /// Displays the page as for a reader whose system has these features of media queries.
    pub(crate) fn emulate(&self, features: &Value) -> TestResult {
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features}))
    }

    /// Displays the page as on paper.
    pub(crate) fn print_media(&self) -> TestResult {
        self.cdp("Emulation.setEmulatedMedia", json!({"media": "print"}))
    }

    /// Moves the browser to another time zone, such as `Asia/Kolkata`.
    pub(crate) fn move_to(&self, zone: &str) -> TestResult {
        self.cdp("Emulation.setTimezoneOverride", json!({"timezoneId": zone}))
    }

    /// Drags the pointer from the middle of one element to the middle of another.
    pub(crate) async fn drag(&self, from: &str, to: &str) -> TestResult {
        let middle = |css: &str| {
            format!(
                "(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])(document.querySelector({css:?}).getBoundingClientRect())"
            )
        };
        let (from, to) = (self.value(&middle(from)).await?, self.value(&middle(to)).await?);
        for (kind, place) in [("mousePressed", &from), ("mouseMoved", &to), ("mouseReleased", &to)] {
            let (x, y) = (place.get(0), place.get(1));
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
            self.cdp("Input.dispatchMouseEvent", event)?;
        }
        Ok(())
    }

    /// Gives the page a size in pixels, without the frame of the window.
    pub(crate) fn resize(&self, width: u32, height: u32) -> TestResult {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
    }

    /// The size of what the scripts of the page hold, in bytes.
    pub(crate) fn heap_bytes(&self) -> TestResult<f64> {
        self.cdp("HeapProfiler.collectGarbage", json!({}))?;
        let usage = self.session.driver.cdp("Runtime.getHeapUsage", json!({}))?;
        Ok(usage.get("usedSize").and_then(Value::as_f64).ok_or("no size")?)
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn value(&self, expression: &str) -> TestResult<Value> {
        let answer = self.session.client.execute(&format!("return ({expression});"), vec![]).await;
        Ok(answer.map_err(|error| format!("{expression}: {error}"))?)
    }

    /// Runs a script whose value does not matter.
    pub(crate) async fn run(&self, script: &str) -> TestResult {
        self.session.client.execute(script, vec![]).await?;
        Ok(())
    }

    /// Waits until a JavaScript expression has the expected value.
    pub(crate) async fn until(&self, expression: &str, expected: impl Into<Value>) -> TestResult {
        let expected = expected.into();
        let started = Instant::now();
        loop {
            let found = self.value(expression).await?;
            if found == expected {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                let page = self.value("document.body.innerText.slice(0, 1500)").await?;
                return Err(format!("{expression}\nis {found}\nnot {expected}\nin: {page}").into());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the list shows these messages, from top to bottom.
    pub(crate) async fn until_messages(&self, messages: &[&str]) -> TestResult {
        self.until(MESSAGES, messages).await
    }

    /// Clicks the element as a mouse would.
    pub(crate) async fn click(&self, css: &str) -> TestResult {
        Ok(self.find(css).await?.click().await?)
    }

    /// Clicks the button with this label.
    pub(crate) async fn press(&self, label: &str) -> TestResult {
        let path = format!("//button[normalize-space()='{label}' and not(ancestor-or-self::*[@hidden])]");
        let button = self.session.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        Ok(button.map_err(|error| format!("the button {label}: {error}"))?.click().await?)
    }

    /// Types into the element.
    pub(crate) async fn type_into(&self, css: &str, keys: &str) -> TestResult {
        Ok(self.find(css).await?.send_keys(keys).await?)
    }

    /// Sends keys to the focused element.
    pub(crate) async fn keys(&self, keys: &str) -> TestResult {
        Ok(self.session.client.active_element().await?.send_keys(keys).await?)
    }

    /// Runs a script at the start of each page opened from now on.
    pub(crate) fn prepare(&self, source: &str) -> TestResult {
        self.is_reusable.set(false);
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({"source": source}))
    }

    async fn find(&self, css: &str) -> TestResult<Element> {
        let found = self.session.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        Ok(found.map_err(|error| format!("{css}: {error}"))?)
    }

    /// The warnings and errors that the browser has logged since the last call: failed scripts and requests, blocked
    /// content.
    pub(crate) fn complaints(&self) -> TestResult<Vec<String>> {
        let answer = self.session.driver.post("/se/log", &json!({"type": "browser"}))?;
        let entries = answer.get("value").and_then(Value::as_array).ok_or("no log")?;
        let severe = entries.iter().filter(|entry| entry.get("level").is_some_and(|level| level != "DEBUG"));
        Ok(severe.map(|entry| entry.get("message").unwrap_or(entry).to_string()).collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if self.is_reusable.get() {
            self.session.clone().give_back();
        }
    }
}

/// The messages in the list, from top to bottom.
pub(crate) const MESSAGES: &str = "[...document.querySelectorAll('.row .message')].map((cell) => cell.textContent)";

/// The number of rows in the list.
pub(crate) const ROWS: &str = "document.querySelectorAll('.row').length";

/// The title of the message that the page shows in place of the entries.
pub(crate) const STATE: &str = "document.querySelector('#state:not([hidden]) h2')?.textContent ?? null";
