//! The log through pgbouncer in transaction mode, where each transaction may run on another of the server's connections.
//!
//! A statement that Diesel keeps prepared is known to one of them only. So a host behind pgbouncer keeps none:
//! `conn.set_prepared_statement_cache_size(CacheSize::Disabled)`. pgbouncer 1.21 and later can keep them itself
//! (`max_prepared_statements`).

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use activity_log::{Error, NewActivityLogEntry};
use diesel::Connection as _;
use diesel::connection::CacheSize;

use crate::cluster::{Cluster, as_postgres, output};
use crate::database::{ActivityLogRepository, Connection, connect, run_migrations};
use crate::support::{TestResult, everything, numbered, printed};

/// Fewer than there are clients.
const SERVER_CONNECTIONS: usize = 2;
const CLIENTS: i64 = 8;
const ENTRIES: i64 = 60;

/// A pooler in front of a server.
struct Pooler {
    cluster: Cluster,
    port: u16,
}

impl Pooler {
    /// `None` where a program is missing, which it says.
    fn start() -> TestResult<Option<Self>> {
        if as_postgres("pgbouncer").arg("--version").output().map_or(true, |output| !output.status.success()) {
            writeln!(std::io::stderr(), "\nskipped: a test with pgbouncer, which is missing.")?;
            return Ok(None);
        }
        let Some(cluster) = Cluster::start(&["fsync = off"])? else { return Ok(None) };
        run_migrations(&mut cluster.connect()?)?;
        let port = Cluster::free_port()?;
        let (folder, server_port) = (cluster.folder().display(), cluster.port());
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={server_port} dbname=postgres user=postgres\n\
            [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
            pool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n\
            logfile = {folder}/pooler.log\npidfile = {folder}/pooler.pid\n"
        );
        let file = cluster.folder().join("pooler.ini");
        std::fs::write(&file, settings)?;
        output(as_postgres("pgbouncer").arg("-d").arg(&file).current_dir(cluster.folder()))?;
        let pooler = Self { cluster, port };
        let started = Instant::now();
        // It listens a moment after its start has returned.
        while pooler.connect().is_err() && started.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(pooler))
    }

    fn connect(&self) -> TestResult<Connection> {
        connect(&format!("postgres://postgres@127.0.0.1:{}/postgres", self.port))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(Path::new(self.cluster.folder()).join("pooler.pid")) {
            output(as_postgres("kill").arg(pid.trim())).ok();
        }
    }
}

fn entries(client: i64) -> Vec<NewActivityLogEntry> {
    (0..ENTRIES).map(|number| numbered(client * 1_000 + number)).collect()
}

/// Makes a call in a transaction of its own, or without one.
fn call<T>(
    conn: &mut Connection,
    in_transaction: bool,
    call: impl FnOnce(&mut ActivityLogRepository<'_>) -> activity_log::Result<T>,
) -> activity_log::Result<T> {
    let call = |conn: &mut Connection| call(&mut ActivityLogRepository::new(conn));
    if in_transaction { conn.transaction(call) } else { call(conn) }
}

/// Records, reads and follows. Returns the ids that it followed.
fn use_log(conn: &mut Connection, client: i64, in_transaction: bool) -> activity_log::Result<Vec<String>> {
    let mut followed = Vec::new();
    let mut last_seq = 0;
    for group in entries(client).chunks(6) {
        let (ones, rest) = group.split_at(3);
        for entry in ones {
            call(conn, in_transaction, |log| log.record(entry))?;
        }
        call(conn, in_transaction, |log| log.record_all(rest))?;
        let taken = call(conn, in_transaction, |log| log.record_all(group));
        assert!(matches!(taken, Err(Error::DuplicateId { index: 0 })), "{taken:?}");
        let page = call(conn, in_transaction, |log| log.page(&everything(), None, 5))?;
        assert_eq!(page.entries.len(), 5);
        let count = call(conn, in_transaction, |log| log.count(&everything()))?;
        assert!(count >= 6, "{count}");
        let newer = call(conn, in_transaction, |log| log.query_after(&everything(), last_seq, u32::MAX))?;
        last_seq = newer.last().map_or(last_seq, |entry| entry.seq);
        followed.extend(newer.into_iter().map(|entry| entry.id));
    }
    Ok(followed)
}

#[test]
fn without_prepared_statements_the_log_works_through_a_pooler_in_and_outside_of_transactions() -> TestResult {
    for in_transaction in [true, false] {
        let Some(pooler) = Pooler::start()? else { return Ok(()) };
        let clients = (0..CLIENTS).map(|client| {
            let mut conn = pooler.connect()?;
            conn.set_prepared_statement_cache_size(CacheSize::Disabled);
            Ok(thread::spawn(move || use_log(&mut conn, client, in_transaction)))
        });
        let mut followed = Vec::new();
        for client in clients.collect::<TestResult<Vec<_>>>()? {
            followed.push(client.join().map_err(|_| "a client panicked")??);
        }
        let mut conn = pooler.cluster.connect()?;
        let stored = ActivityLogRepository::new(&mut conn).query_after(&everything(), 0, u32::MAX)?;
        let stored = stored.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(stored.len() as i64, CLIENTS * ENTRIES);
        for ids in followed {
            assert!(stored.starts_with(&ids), "a follower missed entries: {ids:?}");
        }
    }
    Ok(())
}

#[test]
fn with_prepared_statements_a_pooler_may_refuse_clients_and_loses_nothing_that_it_accepted() -> TestResult {
    let Some(pooler) = Pooler::start()? else { return Ok(()) };
    let clients = (0..CLIENTS).map(|client| {
        let mut conn = pooler.connect()?;
        Ok(thread::spawn(move || {
            let recorded = entries(client).into_iter().map(|entry| call(&mut conn, false, |log| log.record(&entry)));
            recorded.collect::<Vec<_>>()
        }))
    });
    let mut recorded = Vec::new();
    for client in clients.collect::<TestResult<Vec<_>>>()? {
        recorded.extend(client.join().map_err(|_| "a client panicked")?);
    }
    let errors = recorded.iter().filter_map(|outcome| outcome.as_ref().err()).map(printed).collect::<Vec<_>>();
    assert!(errors.iter().all(|error| error.contains("prepared statement")), "{errors:?}");
    // A pooler that keeps them refuses none.
    let stored = ActivityLogRepository::new(&mut pooler.cluster.connect()?).count(&everything())?;
    assert_eq!(stored, (recorded.len() - errors.len()) as u64);
    Ok(())
}
