//! Serves connections within limits of time, and stops gracefully: running requests and writes finish first.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use tokio::sync::watch;

/// How long a client may take to send the head of a request, and how long a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long running requests may take to finish. Together with [`WRITE_GRACE`] and the checkpoint, this stays below the
/// 10 s after which Docker kills a container.
const REQUEST_GRACE: Duration = Duration::from_secs(5);

/// How long what is being recorded or cleared may take after that: it goes on even when its client has gone.
pub(crate) const WRITE_GRACE: Duration = Duration::from_secs(2);

/// Resolves when the server is asked to stop. Signals are caught from the call on, not only from the first poll.
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

/// Resolves when the server is asked to stop. Signals are caught from the call on, not only from the first poll.
#[cfg(windows)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

/// Serves until `stop` resolves. Then sets `stopping`, which ends the streams, and lets the running requests finish
/// within [`REQUEST_GRACE`].
pub(crate) async fn serve_until(
    stop: impl Future<Output = ()> + Send + 'static,
    listener: TcpListener,
    router: Router,
    stopping: watch::Sender<bool>,
) -> io::Result<()> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).http1_only();
    server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
    tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
        handle.graceful_shutdown(Some(REQUEST_GRACE));
    });
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await
}
