//! The statements that a host would write, for tokio-postgres and sqlx.

use crate::peer::Matching;

pub(crate) const INSERT: &str = "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, \
    entity_id, entity_name, message, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING seq";

pub(crate) const EXPORT: &str = "SELECT * FROM activity_log ORDER BY seq LIMIT $1";

pub(crate) const COUNT_UP_TO: &str =
    "SELECT count(*) FROM (SELECT 1 FROM activity_log WHERE category = $1 LIMIT $2) AS counted";

/// The last value is the limit; those before it are the values of the filter.
pub(crate) fn page(matching: &Matching) -> &'static str {
    match matching {
        Matching::Everything => "SELECT * FROM activity_log ORDER BY seq DESC LIMIT $1",
        Matching::OlderThan { .. } => "SELECT * FROM activity_log WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
        Matching::Actor(_) => "SELECT * FROM activity_log WHERE actor = $1 ORDER BY seq DESC LIMIT $2",
        Matching::CategoryAndSeverity(..) => {
            "SELECT * FROM activity_log WHERE category = $1 AND severity = $2 ORDER BY seq DESC LIMIT $3"
        }
        Matching::ActionBeginning(_) => "SELECT * FROM activity_log WHERE action LIKE $1 ORDER BY seq DESC LIMIT $2",
        Matching::Between { .. } => "SELECT * FROM activity_log WHERE ts BETWEEN $1 AND $2 ORDER BY seq DESC LIMIT $3",
    }
}
