//! Stopping so that what runs is finished first.

use std::io;
use std::time::Duration;

use axum::Router;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long requests may take to finish. With [`WRITES`] and what follows it is below the 10 s after which Docker kills.
const GRACE: Duration = Duration::from_secs(5);

/// How long writes may take after that whose requests have gone away.
pub(crate) const WRITES: Duration = Duration::from_secs(2);

/// Resolves when the server is asked to stop; it listens from the call on, not only once it is awaited.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves when the server is asked to stop; it listens from the call on, not only once it is awaited.
#[cfg(windows)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

/// Serves until `stop`, then says that it is `stopping` to what would go on for ever, and lets the running requests
/// finish, within [`GRACE`].
pub(crate) async fn serve_until(
    stop: impl Future<Output = ()> + Send + 'static,
    listener: TcpListener,
    router: Router,
    stopping: watch::Sender<bool>,
) -> io::Result<()> {
    let mut stopped = stopping.subscribe();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        stopping.send_replace(true);
    });
    // A client that never ends its request must not keep the server from stopping.
    let out_of_patience = async {
        _ = stopped.wait_for(|stopping| *stopping).await;
        sleep(GRACE).await;
    };
    tokio::select! {
        served = server.into_future() => served,
        () = out_of_patience => {
            eprintln!("example-server: stopped with requests unfinished after {} s", GRACE.as_secs());
            Ok(())
        }
    }
}

/// Moves what is in the write-ahead log into the database file, so that this alone is the whole log: to be copied, say.
/// Whether it could: it waits a little for others who use the file.
pub(crate) fn empty_log(conn: &mut SqliteConnection) -> activity_log::Result<bool> {
    #[derive(QueryableByName)]
    struct Checkpoint {
        #[diesel(sql_type = BigInt)]
        busy: i64,
    }

    conn.batch_execute("PRAGMA busy_timeout = 1000")?;
    let checkpoint: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
    Ok(checkpoint.busy == 0)
}
