//! On a full disk, the server says so, forgets what it could not record, and goes on once there is room.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::server::{Server, TestResult, entry, with};

/// A separate file system with little room, unless mounting one is not permitted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> TestResult<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Ok(Some(Self(folder)));
        }
        println!("skipped: mounting a file system for the test is not permitted");
        Ok(None)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.path().display());
    }
}

#[test]
fn a_full_disk_is_a_507_and_what_was_not_recorded_is_withdrawn() -> TestResult {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let database = disk.path().join("activity-log.db").display().to_string();
    let server = Server::start_with(&["--database", &database])?;
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler)?;
    while file.write_all(&[0; 4_096]).is_ok() {}

    let long = "x".repeat(200_000);
    let answer = server.post_json(&with(entry("Too much"), "metadata", json!({ "text": long })))?;
    assert_eq!(answer.status, 507, "{}", answer.body);
    assert_eq!(answer.error("message"), &json!("the disk is full; nothing was recorded"));
    let health = server.request("GET", "/healthz")?.body;
    assert_eq!((&health["status"], &health["queued"]), (&json!("not recording"), &json!(0)), "{health}");

    drop(file);
    fs::remove_file(&filler)?;
    assert_eq!(server.post_json(&entry("There is room"))?.status, 201);
    assert_eq!(server.get("actor=alice")?.messages()?, ["There is room"]);
    Ok(())
}
