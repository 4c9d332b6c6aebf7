//! Who may read the database file.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::server::{Server, TestResult};

fn mode(path: &Path) -> TestResult<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

#[test]
fn only_the_owner_may_read_a_file_that_the_server_creates() -> TestResult {
    let server = Server::start()?;
    let file = server.database_file();
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", file.display());
        assert_eq!(mode(Path::new(&path))?, 0o600, "{path}");
    }
    Ok(())
}

#[test]
fn the_mode_of_a_file_that_is_there_is_kept() -> TestResult {
    let mut server = Server::start()?;
    server.stop()?;
    fs::set_permissions(server.database_file(), Permissions::from_mode(0o640))?;
    server.restart_after_exit()?;
    assert_eq!(mode(&server.database_file())?, 0o640);
    Ok(())
}
