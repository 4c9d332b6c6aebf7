use crate::peer::{BenchResult, Peer};
use crate::through_activity_log::{Async, Blocking};
use crate::through_own_statements::ThroughOwnStatements;
use crate::through_sea_orm::ThroughSeaOrm;
use crate::through_sqlx::ThroughSqlx;
use crate::through_tokio_postgres::ThroughTokioPostgres;

type Open = fn(&str) -> BenchResult<Box<dyn Peer>>;

/// The first peer is the baseline. The second has the statements of the next two, which separates the cost of the crate from
/// what its statements gain.
pub(crate) const PEERS: [(&str, Open); 6] = [
    ("tokio-postgres", ThroughTokioPostgres::open),
    ("with our statements", ThroughOwnStatements::open),
    ("activity-log", Blocking::open),
    ("activity-log, async", Async::open),
    ("sqlx", ThroughSqlx::open),
    ("sea-orm", ThroughSeaOrm::open),
];
