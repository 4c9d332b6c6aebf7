//! The program under load.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::BenchResult;

/// The program, running in its own folder on a log that is not empty. Dropping it kills the program and deletes the
/// folder.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start(program: &str) -> BenchResult<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--demo", "10000"]).env_remove("ACTIVITY_LOG_TOKEN");
        let mut child = command.current_dir(&folder).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let mut server = Self { child, address: String::new(), _folder: folder };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim_end().strip_prefix("listening on http://");
        server.address = address.ok_or_else(|| format!("{program} printed {line:?}"))?.to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have exited by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
