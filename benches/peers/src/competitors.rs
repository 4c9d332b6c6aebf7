use std::path::Path;

use crate::databases::Schema;
use crate::hand_written::HandWritten;
use crate::peer::{BenchResult, Peer};
use crate::through_activity_log::ThroughActivityLog;
use crate::through_sea_orm::ThroughSeaOrm;
use crate::through_sqlx::ThroughSqlx;

pub(crate) struct Competitor {
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    pub(crate) open: fn(&Path) -> BenchResult<Box<dyn Peer>>,
}

/// The first competitor is the baseline. The second uses the schema of the third, which separates the cost of the
/// abstraction from the cost of the indexes.
pub(crate) const COMPETITORS: [Competitor; 5] = [
    Competitor {
        name: "hand-written rusqlite",
        schema: Schema::FirstMigration,
        open: |path| Ok(Box::new(HandWritten::open(path)?)),
    },
    Competitor {
        name: "with our indexes",
        schema: Schema::AllMigrations,
        open: |path| Ok(Box::new(HandWritten::open(path)?)),
    },
    Competitor {
        name: "activity-log",
        schema: Schema::AllMigrations,
        open: |path| Ok(Box::new(ThroughActivityLog::open(path)?)),
    },
    Competitor { name: "sqlx", schema: Schema::FirstMigration, open: |path| Ok(Box::new(ThroughSqlx::open(path)?)) },
    Competitor {
        name: "sea-orm",
        schema: Schema::FirstMigration,
        open: |path| Ok(Box::new(ThroughSeaOrm::open(path)?)),
    },
];
