//! Processes of this program that are killed while they work.

#![cfg(unix)] // Only Unix reports the signal that tells a kill from an ordinary exit.

use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout};

use crate::support::{TestResult, process_of};

/// The prefix of our own lines, which tells them from the lines of the test harness.
const SAID: &str = "said: ";
const SIGKILL: i32 = 9;

/// A process of this program that runs one of its ignored tests, to be killed.
pub(crate) struct Worker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts the test with a path and a number. Keeps the input open, because the process exits when its input ends.
    pub(crate) fn start(test: impl Fn() -> TestResult, path: &str, number: i64) -> TestResult<Self> {
        let mut process = process_of(test)?.arg("--nocapture").spawn()?;
        let output = process.stdout.take().ok_or("the worker has no captured output")?;
        let mut worker = Self { process, lines: BufReader::new(output).lines() };
        let input = worker.process.stdin.as_mut().ok_or("the worker has no piped input")?;
        input.write_all(format!("{number} {path}\n").as_bytes())?;
        Ok(worker)
    }

    /// The next message of the process, or `None` once the process has ended.
    fn next(&mut self) -> TestResult<Option<String>> {
        for line in &mut self.lines {
            if let Some(said) = line?.strip_prefix(SAID) {
                return Ok(Some(said.to_owned()));
            }
        }
        Ok(None)
    }

    /// The next message of the process, which must still be running.
    pub(crate) fn hear(&mut self) -> TestResult<String> {
        Ok(self.next()?.ok_or("the worker ended by itself")?)
    }

    /// Kills the process, which must still be running, and returns the messages that were not read yet.
    pub(crate) fn kill(mut self) -> TestResult<Vec<String>> {
        self.process.kill()?;
        let status = self.process.wait()?;
        assert_eq!(status.signal(), Some(SIGKILL), "the worker ended by itself: {status}");
        let mut said = Vec::new();
        while let Some(line) = self.next()? {
            said.push(line);
        }
        Ok(said)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Sends a message to the parent in one write, which arrives whole or not at all.
pub(crate) fn say(what: impl std::fmt::Display) -> TestResult {
    let mut output = std::io::stdout().lock();
    // The test harness may have left its line without an end.
    output.write_all(format!("\n{SAID}{what}\n").as_bytes())?;
    Ok(output.flush()?)
}
