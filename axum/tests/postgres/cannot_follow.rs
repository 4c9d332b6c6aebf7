//! A log that can be read and not followed, as that of a standby.

use activity_log_axum::Viewer;
use axum::http::StatusCode;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error, Pool};

use crate::viewer::TestResult;
use crate::viewer::host::{Host, LOG, get, messages};

/// Leaves each connection in a transaction that sees one state of the log.
#[derive(Debug)]
struct OneState;

impl CustomizeConnection<PgConnection, Error> for OneState {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), Error> {
        conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM activity_log LIMIT 1")
            .map_err(Error::QueryError)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_followed_has_pages_and_a_histogram_and_no_stream() -> TestResult {
    let host = Host::new(|viewer| viewer)?;
    host.record(&["First", "Second", "Third"])?;
    let pool = Pool::builder().max_size(2).connection_customizer(Box::new(OneState));
    let viewer = Viewer::new(pool.build(ConnectionManager::new(host.log.url()))?).into_router();

    let page = get(&viewer, &format!("{LOG}?limit=2")).await?.json;
    assert_eq!(messages(&page), ["Third", "Second"]);
    let histogram = get(&viewer, &format!("{LOG}/histogram?buckets=1")).await?;
    assert_eq!(histogram.json["buckets"][0]["info"], 3, "{}", histogram.text);
    for path in ["/stream", "?after_seq=1"] {
        assert_eq!(get(&viewer, &format!("{LOG}{path}")).await?.status, StatusCode::NOT_IMPLEMENTED, "{path}");
    }
    Ok(())
}
