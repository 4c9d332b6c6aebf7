//! Up to which `seq` the log can be followed.
//!
//! PostgreSQL gives numbers before it commits: beside several writers, an entry may become visible after others with
//! greater numbers. Whoever asks for what is newer than the last number they saw would miss it.
//!
//! Whoever writes to the table holds a lock of the mode `ROW EXCLUSIVE` on it until their transaction ends, also another
//! program's COPY and a transaction that is prepared. So this reads the last number that was given, and in the same
//! statement but after it, who holds that lock. Once these have ended, all numbers up to that one are decided: they are
//! committed and visible to a new statement, or will never be. Recorders do nothing for that.

use std::time::{Duration, Instant};

use diesel::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use crate::error::{Error, Result};
use crate::postgres::execute::Execute;
use crate::postgres::statement::{Bind, Sql};
use crate::postgres::transaction::is_still_in_transaction;

/// How long to wait for transactions that write to the log.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_micros(200);
const LAST_PAUSE: Duration = Duration::from_millis(10);

/// The last `seq` up to which all are decided. It waits up to a second for the transactions that write to the log; `None`
/// if they are still open.
///
/// # Errors
///
/// [`Error::CannotFollow`] where it cannot be known.
pub(crate) async fn settled_seq(conn: &mut impl Execute) -> Result<Option<i64>> {
    let state = Sql::new(STATE).returning::<(Bool, Text, Timestamptz, Nullable<BigInt>, Array<Text>)>();
    let (is_in_recovery, isolation, began, last_seq, mut writers) = conn.one::<State, _>(state).await?;
    if is_in_recovery {
        return Err(cannot_follow("a standby does not know which transactions are open on its primary; follow that"));
    }
    if isolation != "read committed" && is_still_in_transaction(conn, began).await? {
        return Err(cannot_follow(&format!(
            "a transaction with the isolation level {isolation} does not see what others commit; follow outside of it"
        )));
    }
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    while !writers.is_empty() {
        if started.elapsed() >= LONGEST_WAIT {
            return Ok(None);
        }
        conn.sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
        let open = Sql::new(OPEN).bind(Bind::Texts(writers.into_iter().map(Into::into).collect())).text(OPEN_END);
        writers = conn.one::<Vec<String>, _>(open.returning::<Array<Text>>()).await?;
    }
    Ok(Some(last_seq.unwrap_or(i64::MIN)))
}

fn cannot_follow(reason: &str) -> Error {
    Error::CannotFollow { reason: reason.to_owned() }
}

type State = (bool, String, PgTimestamp, Option<i64>, Vec<String>);

/// Who writes is looked at after the last number, because it refers to it.
const STATE: &str = "\
    WITH given AS MATERIALIZED ( \
        SELECT pg_sequence_last_value(pg_get_serial_sequence('activity_log', 'seq')::regclass) AS last_seq \
    ) \
    SELECT pg_is_in_recovery(), current_setting('transaction_isolation'), transaction_timestamp(), last_seq, ARRAY( \
        SELECT virtualtransaction FROM pg_locks \
        WHERE last_seq IS NOT NULL AND locktype = 'relation' AND relation = 'activity_log'::regclass \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid() \
    ) FROM given";

/// Those of the writers that are still open. While a prepared transaction is being committed, its number is 0.
const OPEN: &str = "\
    SELECT ARRAY( \
        SELECT writer FROM unnest(";
const OPEN_END: &str = "::text[]) AS writer \
        WHERE EXISTS (SELECT 1 FROM pg_locks \
            WHERE locktype = 'relation' AND relation = 'activity_log'::regclass \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                AND mode = 'RowExclusiveLock' AND granted \
                AND virtualtransaction IN (writer, split_part(writer, '/', 1) || '/0')) \
    )";
