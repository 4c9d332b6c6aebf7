//! Stops the server gracefully: running requests and writes finish first.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

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
    let mut stopped = stopping.subscribe();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        stopping.send_replace(true);
    });
    // A client that never completes its request must not keep the server from stopping.
    let out_of_patience = async {
        _ = stopped.wait_for(|stopping| *stopping).await;
        sleep(REQUEST_GRACE).await;
    };
    tokio::select! {
        served = server.into_future() => served,
        () = out_of_patience => {
            tracing::warn!("stopping with unfinished requests after {} s", REQUEST_GRACE.as_secs());
            Ok(())
        }
    }
}
