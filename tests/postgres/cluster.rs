//! A throw-away server of a test's own, which the test may kill.

use std::ffi::OsStr;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::database::{Connection, connect};
use crate::support::TestResult;

pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// Starts a server on an empty folder. `None` where the server's programs are not installed, which it says.
    pub(crate) fn start(settings: &[&str]) -> TestResult<Option<Self>> {
        let Some(cluster) = Self::in_empty_folder()? else { return Ok(None) };
        let folder = cluster.data();
        cluster.run("initdb", &["-D", &folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"])?;
        let defaults = ["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''"];
        cluster.configure(&[&defaults, settings].concat())?;
        cluster.start_again()?;
        Ok(Some(cluster))
    }

    /// A cluster whose data is still to be made.
    pub(crate) fn in_empty_folder() -> TestResult<Option<Self>> {
        let Some(programs) = programs() else {
            // Not captured, as what a test prints is.
            writeln!(std::io::stderr(), "\nskipped: a test with a server of its own. PostgreSQL's server is missing.")?;
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        if is_root() {
            // The server refuses to run as root.
            output(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        Ok(Some(Self { folder, programs, port: Self::free_port()? }))
    }

    pub(crate) fn free_port() -> TestResult<u16> {
        Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
    }

    /// Where a test may keep more files. The server's user owns it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn connect(&self) -> TestResult<Connection> {
        connect(&self.url())
    }

    pub(crate) fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Adds settings, which a start applies.
    pub(crate) fn configure(&self, settings: &[&str]) -> TestResult {
        let mut file = std::fs::File::options().append(true).open(Path::new(&self.data()).join("postgresql.conf"))?;
        Ok(writeln!(file, "{}", settings.join("\n"))?)
    }

    /// Starts the server, and waits until it has recovered.
    pub(crate) fn start_again(&self) -> TestResult {
        let log = self.folder.path().join("log").display().to_string();
        let port = format!("-p {}", self.port);
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &port, "-w", "start"])
    }

    /// Stops the server as a crash would: nothing is written, and connections just end.
    pub(crate) fn kill(&self) -> TestResult {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"])
    }

    /// Runs one of the server's programs.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> TestResult {
        let program = self.programs.join(program);
        output(as_postgres(&program).args(arguments).current_dir(self.folder.path()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill().ok();
    }
}

/// A command that runs as a user that may run the server.
pub(crate) fn as_postgres(program: impl AsRef<OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Where the server's programs are: what `pg_config` says, or else where Debian has the newest.
fn programs() -> Option<PathBuf> {
    let has_server = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.and_then(|output| String::from_utf8(output.stdout).ok());
    if let Some(folder) = configured.map(|folder| PathBuf::from(folder.trim())).filter(has_server) {
        return Some(folder);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|version| version.path().join("bin"));
    versions.filter(has_server).max()
}

/// Runs a command, which must succeed. It does not wait for what the command leaves running.
pub(crate) fn output(command: &mut Command) -> TestResult {
    let said = tempfile::tempfile()?;
    let status = command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said.try_clone()?).status()?;
    if status.success() {
        return Ok(());
    }
    let mut said = said;
    std::io::Seek::rewind(&mut said)?;
    Err(format!("{command:?}: {status}: {}", std::io::read_to_string(said)?).into())
}
