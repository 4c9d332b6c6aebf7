//! A running server for the browser to connect to.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// The program, running in its own folder. Dropping it kills the program and deletes the folder.
pub(crate) struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> TestResult<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> TestResult<Self> {
        let folder = tempfile::tempdir()?;
        let child = spawn(&folder, "127.0.0.1:0", arguments)?;
        let mut server = Self { child, address: String::new(), folder };
        server.address = server.listening_on()?;
        Ok(server)
    }

    /// A server with `count` entries about a device, "Entry 1" to "Entry `count`", besides the server's own.
    pub(crate) fn with_entries(count: usize) -> TestResult<Self> {
        let server = Self::start()?;
        server.post(&(1..=count).map(|number| entry(&format!("Entry {number}"))).collect::<Vec<_>>())?;
        Ok(server)
    }

    /// The path of the database file, for what no request can do.
    pub(crate) fn database(&self) -> String {
        self.folder.path().join("activity-log.db").display().to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn post(&self, entries: &[Value]) -> TestResult {
        let lines = entries.iter().map(|entry| format!("{entry}\n")).collect::<String>();
        ureq::post(self.url("/api/v1/activity-log")).header("content-type", "application/x-ndjson").send(&lines)?;
        Ok(())
    }

    /// Clears the log, which records that.
    pub(crate) fn clear(&self) -> TestResult {
        ureq::delete(self.url("/api/v1/activity-log?actor=admin")).call()?;
        Ok(())
    }

    /// Kills the server, as a crash would.
    pub(crate) fn kill(&mut self) -> TestResult {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts the server again after it has exited, at the same address.
    pub(crate) fn start_again(&mut self) -> TestResult {
        self.child = spawn(&self.folder, &self.address, &[])?;
        self.listening_on()?;
        Ok(())
    }

    fn listening_on(&mut self) -> TestResult<String> {
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim_end().strip_prefix("listening on http://");
        Ok(address.ok_or_else(|| format!("the server printed {line:?}"))?.to_owned())
    }
}

fn spawn(folder: &TempDir, address: &str, arguments: &[&str]) -> TestResult<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-server"));
    command
        .env_remove("ACTIVITY_LOG_TOKEN")
        .args(["--listen", address])
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped());
    Ok(command.spawn()?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have exited by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// An entry to post, with only the required fields.
pub(crate) fn entry(message: &str) -> Value {
    json!({"category": "device", "action": "device.updated", "actor": "alice", "message": message})
}
