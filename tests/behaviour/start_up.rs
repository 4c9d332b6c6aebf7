//! Several processes start on one fresh database at once, and all of them connect, migrate and record.

use std::io::Write;

use activity_log::NewActivityLogEntry;

use crate::database::{ActivityLogRepository, SharedLog, connect, run_migrations};
use crate::support::{TestResult, everything, process_of};

const PROCESSES: usize = 8;
const ROUNDS: usize = 5;

#[test]
fn eight_processes_start_on_one_fresh_file_and_all_record() -> TestResult {
    for round in 0..ROUNDS {
        let log = SharedLog::without_table()?;
        let path = log.url();
        let start = |_| Ok(process_of(one_process_starts_and_records)?.spawn()?);
        let mut processes = (0..PROCESSES).map(start).collect::<TestResult<Vec<_>>>()?;
        let mut inputs = processes.iter_mut().filter_map(|process| process.stdin.take()).collect::<Vec<_>>();
        for input in &mut inputs {
            input.write_all(path.as_bytes())?;
        }
        // Each process reads its input to the end, so all of them start together when the inputs end.
        drop(inputs);
        for process in processes {
            let output = process.wait_with_output()?;
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && printed.contains("1 passed"), "round {round}: {printed}");
        }
        let count = ActivityLogRepository::new(&mut log.connect()?).count(&everything())?;
        assert_eq!(count, PROCESSES as u64, "round {round}");
    }
    Ok(())
}

#[test]
#[ignore = "the test above runs this test in separate processes and passes the file"]
fn one_process_starts_and_records() -> TestResult {
    let path = std::io::read_to_string(std::io::stdin())?;
    if path.is_empty() {
        return Err("no path on standard input".into());
    }
    let mut conn = connect(&path)?;
    run_migrations(&mut conn)?;
    ActivityLogRepository::new(&mut conn).record(&NewActivityLogEntry::new("system", "started", "test", "Started"))?;
    Ok(())
}
