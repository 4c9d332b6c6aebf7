//! Chromium instances and the programs that drive them. Tests share them, because a start takes longer than most tests.

use std::io::{BufRead, BufReader, Lines};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::{io, thread};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::server::TestResult;

/// Starts chromedriver and kills it once the standard input ends, even when the tests are killed. Chromium exits as
/// soon as its pipe to the driver breaks.
const SUPERVISE: &str = "chromedriver --port=0 & read -r _; kill -9 $!; sleep 1; rm -rf \"$TMPDIR\"";

/// The browsers that no test uses at present.
static IDLE: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// Runs the connections to the drivers, which outlive the runtime of a single test.
static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build());

/// The program that drives a browser. Dropping it ends both, even after a failure.
pub(crate) struct Driver {
    /// Its end ends the supervisor, for which nobody waits: it deletes files for a second.
    _stdin: ChildStdin,
    /// Kept open, because the driver exits when it cannot print.
    _stdout: Lines<BufReader<ChildStdout>>,
    url: String,
    session: String,
}

impl Driver {
    fn start() -> TestResult<Self> {
        // The port that the system picks may be in use under the other version of IP.
        Self::try_start().or_else(|_| Self::try_start()).or_else(|_| Self::try_start())
    }

    fn try_start() -> TestResult<Self> {
        // The supervisor deletes the folder: nothing in this process runs after the last test.
        let folder = TempDir::new()?.keep();
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISE])
            .env("TMPDIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = supervisor.stdin.take().ok_or("the supervisor has no input")?;
        let mut stdout = BufReader::new(supervisor.stdout.take().ok_or("chromedriver has no output")?).lines();
        while let Some(line) = stdout.next().transpose()? {
            if let Some((_, port)) = line.trim_end_matches('.').rsplit_once("successfully on port ") {
                let url = format!("http://127.0.0.1:{port}");
                return Ok(Self { _stdin: stdin, _stdout: stdout, url, session: String::new() });
            }
        }
        drop(stdin);
        supervisor.wait()?;
        Err("chromedriver exited before it listened (Debian: chromium-driver)".into())
    }

    fn address(&self, path: &str) -> String {
        format!("{}/session/{}{path}", self.url, self.session)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> TestResult<Value> {
        Ok(ureq::post(self.address(path)).send_json(body)?.body_mut().read_json()?)
    }

    /// Executes a command of the Chrome `DevTools` Protocol.
    pub(crate) fn cdp(&self, command: &str, parameters: Value) -> TestResult<Value> {
        let answer = self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))?;
        Ok(answer.get("value").cloned().unwrap_or_default())
    }

    /// Leaves one window with an empty page, and nothing that a test has set or stored.
    fn reset(&self) -> TestResult {
        let handles: Value = ureq::get(self.address("/window/handles")).call()?.body_mut().read_json()?;
        let handles = handles.get("value").and_then(Value::as_array).ok_or("no windows")?;
        let (first, others) = handles.split_first().ok_or("no window")?;
        for other in others {
            self.post("/window", &json!({"handle": other}))?;
            ureq::delete(self.address("/window")).call()?;
        }
        self.post("/window", &json!({"handle": first}))?;
        // Another server may listen on the same port later.
        let forget = "if (location.protocol === 'http:') { localStorage.clear(); sessionStorage.clear(); }";
        self.post("/execute/sync", &json!({"script": forget, "args": []}))?;
        self.post("/url", &json!({"url": "about:blank"}))?;
        self.cdp("Emulation.setEmulatedMedia", json!({"media": "", "features": []}))?;
        self.cdp("Emulation.setTimezoneOverride", json!({"timezoneId": ""}))?;
        self.cdp("Emulation.clearDeviceMetricsOverride", json!({}))?;
        self.cdp("Network.clearBrowserCookies", json!({}))?;
        self.cdp("Network.clearBrowserCache", json!({}))?;
        self.post("/se/log", &json!({"type": "browser"}))?;
        Ok(())
    }
}

/// A running browser.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) driver: Arc<Driver>,
}

impl Session {
    /// One that no other test uses, with an empty page.
    pub(crate) async fn get() -> TestResult<Self> {
        let idle = IDLE.lock().map_err(|error| error.to_string())?.pop();
        if let Some(idle) = idle { Ok(idle) } else { Self::start(json!({})).await }
    }

    /// A new one, with these options of Chromium.
    pub(crate) async fn start(options: Value) -> TestResult<Self> {
        let mut driver = Driver::start()?;
        // Chromium refuses to run as root with its sandbox, as in a container. It opens nothing but our own page.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            "--remote-debugging-pipe",
        ];
        let mut chrome = Map::from_iter([("args".to_owned(), json!(arguments))]);
        chrome.extend(options.as_object().cloned().unwrap_or_default());
        let capabilities = Map::from_iter([
            ("goog:chromeOptions".to_owned(), Value::Object(chrome)),
            ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
        ]);
        let url = driver.url.clone();
        let connecting = RUNTIME.as_ref()?.spawn(async move {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&url).await
        });
        let client = connecting.await??;
        driver.session = client.session_id().await?.ok_or("no session")?;
        Ok(Self { client, driver: Arc::new(driver) })
    }

    /// Gives it to the next test.
    pub(crate) fn give_back(self) {
        // What a failed test leaves behind may be broken.
        if thread::panicking() || self.driver.reset().is_err() {
            return;
        }
        if let Ok(mut idle) = IDLE.lock() {
            idle.push(self);
        }
    }
}
