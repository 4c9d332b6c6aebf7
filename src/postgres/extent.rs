//! How far the log reaches.

use std::sync::atomic::{AtomicBool, Ordering};

use diesel::prelude::QueryResult;
use diesel::sql_types::{BigInt, Nullable};

use crate::error::Result;
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;

/// How many rows are measured before the next look at `stop`.
const MEASURED_ROWS: i64 = 8_192;

/// The greatest visible `seq`.
pub(crate) async fn newest_seq(conn: &mut impl Execute) -> QueryResult<Option<i64>> {
    let newest = Sql::new("SELECT seq FROM activity_log ORDER BY seq DESC LIMIT 1");
    conn.first::<i64, _>(newest.returning::<BigInt>()).await
}

/// The greatest `seq` that was given. Where the sequence does not tell, it is the greatest visible one.
pub(crate) async fn last_given_seq(conn: &mut impl Execute) -> QueryResult<Option<i64>> {
    conn.one::<Option<i64>, _>(Sql::new(LAST_GIVEN).returning::<Nullable<BigInt>>()).await
}

/// An entry that was inserted with a chosen `seq` may be ahead of the sequence.
const LAST_GIVEN: &str = "\
    SELECT greatest( \
        CASE WHEN has_sequence_privilege(sequence, 'USAGE, SELECT') THEN pg_sequence_last_value(sequence) END, \
        (SELECT max(seq) FROM activity_log) \
    ) FROM (SELECT pg_get_serial_sequence('activity_log', 'seq')::regclass AS sequence) AS own";

/// The greatest `seq` up to `through` that is not among the newest `rows` up to there.
pub(crate) async fn newest_seq_beyond_rows(conn: &mut impl Execute, rows: u64, through: i64) -> Result<Option<i64>> {
    // No log holds more than i64::MAX rows.
    let Ok(rows) = i64::try_from(rows) else { return Ok(None) };
    let seq = Sql::new("SELECT seq FROM activity_log WHERE seq <= ").bind(through);
    let seq = seq.text(" ORDER BY seq DESC OFFSET ").bind(rows).text(" LIMIT 1");
    Ok(conn.first::<i64, _>(seq.returning::<BigInt>()).await?)
}

/// The greatest `seq` for which the stored texts from that row to `through` have more than `bytes`.
pub(crate) async fn newest_seq_beyond_bytes(
    conn: &mut impl Execute,
    bytes: u64,
    through: i64,
    stop: &AtomicBool,
) -> Result<Option<i64>> {
    let mut left = i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut last = through;
    while !stop.load(Ordering::Relaxed) {
        let rows = || {
            let rows = Sql::new(format!("SELECT seq, sum({STORED_BYTES}) OVER (ORDER BY seq DESC)::bigint AS total"));
            let rows = rows.text(" FROM activity_log WHERE seq <= ").bind(last);
            rows.text(format!(" ORDER BY seq DESC LIMIT {MEASURED_ROWS}"))
        };
        let beyond = Sql::new("SELECT count(*), min(seq), max(total), max(seq) FILTER (WHERE total > ").bind(left);
        let beyond = beyond.text(") FROM (").sql(rows()).text(") AS measured");
        let beyond = beyond.returning::<(BigInt, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>)>();
        let (measured, oldest, total, beyond) =
            conn.one::<(i64, Option<i64>, Option<i64>, Option<i64>), _>(beyond).await?;
        if beyond.is_some() {
            return Ok(beyond);
        }
        match oldest.and_then(|oldest| oldest.checked_sub(1)) {
            Some(next) if measured == MEASURED_ROWS => last = next,
            _ => break,
        }
        left -= total.unwrap_or_default();
    }
    Ok(None)
}

/// A time counts as eight bytes.
const STORED_BYTES: &str = "8 + coalesce(octet_length(id), 0) + coalesce(octet_length(category), 0) \
    + coalesce(octet_length(action), 0) + coalesce(octet_length(severity), 0) + coalesce(octet_length(actor), 0) \
    + coalesce(octet_length(entity_type), 0) + coalesce(octet_length(entity_id), 0) \
    + coalesce(octet_length(entity_name), 0) + coalesce(octet_length(message), 0) \
    + coalesce(octet_length(metadata), 0)";
