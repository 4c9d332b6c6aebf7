//! A running server and its responses.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use activity_log::ActivityLogEntry;
use diesel::SqliteConnection;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::{HeaderMap, Request};

pub(crate) type TestResult<T = ()> = Result<T, Box<dyn Error>>;

pub(crate) const PATH: &str = "/api/v1/activity-log";

/// The program, running in its own folder. Dropping it kills the program and deletes the folder.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    agent: ureq::Agent,
    folder: TempDir,
    arguments: Vec<String>,
    said: JoinHandle<String>,
}

impl Server {
    pub(crate) fn start() -> TestResult<Self> {
        Self::start_with(&[])
    }

    /// Starts the program with arguments in addition to the address.
    pub(crate) fn start_with(arguments: &[&str]) -> TestResult<Self> {
        Self::start_in(tempfile::tempdir()?, arguments.iter().map(|argument| (*argument).to_owned()).collect())
    }

    fn start_in(folder: TempDir, arguments: Vec<String>) -> TestResult<Self> {
        let mut command = program();
        if !arguments.iter().any(|argument| argument == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(&arguments).current_dir(&folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stderr = child.stderr.take();
        let said = spawn(move || {
            let lines = stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines().map_while(Result::ok));
            lines.inspect(|line| eprintln!("{line}")).map(|line| line + "\n").collect()
        });
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build();
        // Created before the line is checked, so that an unexpected line also kills the child.
        let mut server = Self { child, address: String::new(), agent: config.into(), folder, arguments, said };
        let address = line.trim_end().strip_prefix("listening on http://");
        server.address = address.ok_or_else(|| format!("the server printed {line:?}"))?.to_owned();
        Ok(server)
    }

    /// Adds a user or changes a password, as an operator does beside the running server.
    pub(crate) fn add_user(&self, name: &str, password: &str) -> TestResult<Output> {
        add_user(&self.database_file(), name, password)
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.path().join("activity-log.db")
    }

    /// Connects to the database directly, for what no request can do.
    pub(crate) fn connect(&self) -> TestResult<SqliteConnection> {
        Ok(activity_log::connect(&self.database_file().display().to_string())?)
    }

    pub(crate) fn get(&self, query: &str) -> TestResult<Answer> {
        self.request("GET", &format!("{PATH}?{query}"))
    }

    pub(crate) fn delete(&self, query: &str) -> TestResult<Answer> {
        self.request("DELETE", &format!("{PATH}?{query}"))
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> TestResult<Answer> {
        self.request_with(method, path, &[])
    }

    /// Sends a request with headers and without a body.
    pub(crate) fn request_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TestResult<Answer> {
        let url = format!("http://{}{path}", self.address);
        let request = Request::builder().method(method).uri(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::read(self.agent.run(request.body(())?)?)
    }

    /// Opens a raw connection with a timeout for reading.
    pub(crate) fn dial(&self) -> TestResult<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    }

    /// Sends bytes as they are and returns the answer to them, up to the end of the connection.
    pub(crate) fn send_raw(&self, request: impl AsRef<[u8]>) -> TestResult<Vec<u8>> {
        let mut stream = self.dial()?;
        stream.write_all(request.as_ref())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// The resident memory of the server, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> TestResult<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no VmRSS")?.trim().parse::<u64>()? << 10)
    }

    pub(crate) fn post(&self, content_type: &str, body: impl AsRef<[u8]>) -> TestResult<Answer> {
        self.post_to(PATH, content_type, body)
    }

    pub(crate) fn post_to(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> TestResult<Answer> {
        let url = format!("http://{}{path}", self.address);
        Answer::read(self.agent.post(url).header("content-type", content_type).send(body.as_ref())?)
    }

    /// Sends a form as a browser does.
    pub(crate) fn send_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> TestResult<Answer> {
        let request = self.agent.post(format!("http://{}{path}", self.address)).header("accept", "text/html");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::read(request.send_form(fields.iter().copied())?)
    }

    pub(crate) fn put_json(&self, path: &str, body: &Value) -> TestResult<Answer> {
        let request = self.agent.put(format!("http://{}{path}", self.address));
        Answer::read(request.header("content-type", "application/json").send(body.to_string())?)
    }

    /// Posts to the log with one more header.
    pub(crate) fn post_with(
        &self,
        (name, value): (&str, &str),
        content_type: &str,
        body: impl AsRef<[u8]>,
    ) -> TestResult<Answer> {
        let request = self.agent.post(format!("http://{}{PATH}", self.address)).header("content-type", content_type);
        Answer::read(request.header(name, value).send(body.as_ref())?)
    }

    pub(crate) fn post_json(&self, entry: &Value) -> TestResult<Answer> {
        self.post("application/json", entry.to_string())
    }

    pub(crate) fn post_ndjson(&self, entries: &[Value]) -> TestResult<Answer> {
        self.post("application/x-ndjson", entries.iter().map(|entry| format!("{entry}\n")).collect::<String>())
    }

    /// Sends the server a signal, as an operator or a terminal does.
    pub(crate) fn signal(&self, signal: &str) -> TestResult {
        let status = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(format!("kill: {status}").into()) }
    }

    /// Waits until the server exits by itself.
    pub(crate) fn wait(&mut self, patience: Duration) -> TestResult<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(5));
        }
        Err(format!("the server is still running after {patience:?}").into())
    }

    /// Stops the server gracefully.
    pub(crate) fn stop(&mut self) -> TestResult<ExitStatus> {
        self.signal("TERM")?;
        self.wait(Duration::from_secs(20))
    }

    /// What the server has said on standard error, once it has exited. It is said no second time.
    pub(crate) fn said(&mut self) -> TestResult<String> {
        let said = std::mem::replace(&mut self.said, spawn(String::new));
        Ok(said.join().map_err(|_| "the reader of standard error panicked")?)
    }

    /// Stops the server gracefully, and starts another one on the same file.
    pub(crate) fn restart(&mut self) -> TestResult {
        self.stop()?;
        self.restart_after_exit()
    }

    /// Starts another server on the file of this one, which has exited.
    pub(crate) fn restart_after_exit(&mut self) -> TestResult {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir()?);
        *self = Self::start_in(folder, std::mem::take(&mut self.arguments))?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have exited by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs the program to add a user or to change a password in a database file.
pub(crate) fn add_user(database: &Path, name: &str, password: &str) -> TestResult<Output> {
    let mut command = program();
    command.args(["--add-user", name, "--database"]).arg(database);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses the name does not read the password.
        _ = writeln!(stdin, "{password}");
    }
    Ok(child.wait_with_output()?)
}

/// The program, without a token from the environment of the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-server"));
    command.env_remove("ACTIVITY_LOG_TOKEN").env_remove("RUST_LOG");
    command
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as received.
    pub(crate) text: String,
    /// The parsed body; `null` when the body is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    fn read(response: ureq::http::Response<ureq::Body>) -> TestResult<Self> {
        let (head, mut body) = response.into_parts();
        let text = body.read_to_string()?;
        let is_json = head.headers.get("content-type").is_some_and(|value| value == "application/json");
        let body = if is_json { serde_json::from_str(&text) } else { Ok(Value::Null) };
        let body = body.map_err(|error| format!("{}: {text:?}: {error}", head.status))?;
        Ok(Self { status: head.status.as_u16(), headers: head.headers, text, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of `key` in the body of an error.
    pub(crate) fn error(&self, key: &str) -> &Value {
        &self.body["error"][key]
    }

    /// The entries of a page.
    pub(crate) fn entries(&self) -> TestResult<Vec<ActivityLogEntry>> {
        Ok(serde_json::from_value(self.body["entries"].clone()).map_err(|error| format!("{}: {error}", self.body))?)
    }

    /// The messages of a page, in order.
    pub(crate) fn messages(&self) -> TestResult<Vec<String>> {
        Ok(self.entries()?.into_iter().map(|entry| entry.message).collect())
    }
}

/// An entry to post, with only the required fields.
pub(crate) fn entry(message: &str) -> Value {
    json!({"category": "device", "action": "device.updated", "actor": "alice", "message": message})
}

/// The entry with one field set.
pub(crate) fn with(mut entry: Value, field: &str, value: impl Into<Value>) -> Value {
    entry[field] = value.into();
    entry
}
