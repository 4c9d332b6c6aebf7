//! Tests that run in their own process.

use std::any::type_name;
use std::process::{Command, Stdio};

use super::TestResult;

/// A command that runs a single ignored test of this program in a new process. The caller writes the input and reads
/// the output.
pub(crate) fn process_of<T: Fn() -> TestResult>(_: T) -> TestResult<Command> {
    // The test harness names a test by its path without the crate's name.
    let (_, name) = type_name::<T>().split_once("::").ok_or("the test has no path")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", name, "--ignored"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

/// The number and the URL on the first line of the input, written as `number url`.
pub(crate) fn parameters() -> TestResult<(String, i64)> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let (number, url) = line.trim_end().split_once(' ').ok_or("no number and URL on standard input")?;
    Ok((url.to_owned(), number.parse()?))
}
