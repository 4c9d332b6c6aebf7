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
use diesel::prelude::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use crate::error::{Error, Result};
use crate::postgres::execute::Execute;
use crate::postgres::statement::{Bind, Sql};
use crate::postgres::transaction::is_still_in_transaction;
use crate::store::Settled;

/// How long to wait for transactions that write to the log.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_micros(200);
const LAST_PAUSE: Duration = Duration::from_millis(10);

/// The highest `seq` up to which every entry is visible or rolled back. It waits up to a second for the transactions that
/// write to the log. If they are still open, it returns what an earlier call on the connection waited for in vain, if that
/// has ended since. A follower therefore gets on although at each moment some transaction stays open for longer than a second.
///
/// # Errors
///
/// [`Error::CannotFollow`] where it cannot be known.
pub(crate) async fn settled_seq(conn: &mut impl Execute) -> Result<Settled> {
    let state = Sql::new(STATE).returning::<StateRow>();
    let (is_in_recovery, isolation, began, table, last_seq, mut writers) = conn.one::<State, _>(state).await?;
    if is_in_recovery {
        return Err(cannot_follow("a standby does not know which transactions are open on its primary; follow that"));
    }
    if !matches!(isolation.as_str(), "read committed" | "read uncommitted")
        && is_still_in_transaction(conn, began).await?
    {
        return Err(cannot_follow(&format!(
            "a transaction with the isolation level {isolation} does not see what others commit; follow outside of it"
        )));
    }
    // Nobody has taken a number yet.
    let Some(last_seq) = last_seq else { return Ok(Settled::Now(i64::MIN)) };
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    while !writers.is_empty() && started.elapsed() < LONGEST_WAIT {
        conn.sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
        writers = still_open(conn, writers).await?;
    }
    if writers.is_empty() {
        return Ok(Settled::Now(last_seq));
    }
    let noted = Sql::new(NOTE).bind(Note::name(table)).text(", TRUE)").returning::<Nullable<Text>>();
    let noted = conn.one::<Option<String>, _>(noted).await?.and_then(|noted| Note::read(&noted));
    // Otherwise the numbers have begun again.
    let noted = noted.filter(|note| note.last_seq <= last_seq);
    if let Some(note) = &noted
        && !still_open(conn, note.writers.clone()).await?.is_empty()
    {
        return Ok(Settled::Before(None));
    }
    Note { last_seq, writers }.keep(conn, table).await?;
    Ok(Settled::Before(noted.map(|note| note.last_seq)))
}

/// Those of the writers that are still open.
async fn still_open(conn: &mut impl Execute, writers: Vec<String>) -> QueryResult<Vec<String>> {
    let open = Sql::new(OPEN).bind(Bind::Texts(writers.into_iter().map(Into::into).collect())).text(OPEN_END);
    conn.one::<Vec<String>, _>(open.returning::<Array<Text>>()).await
}

/// What a call waited for in vain: all numbers up to this one are decided once these writers have ended. It is kept in the
/// session, for the next call, and stays true however long that takes.
struct Note {
    last_seq: i64,
    writers: Vec<String>,
}

impl Note {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let last_seq = parts.next()?.parse().ok()?;
        Some(Self { last_seq, writers: parts.map(ToOwned::to_owned).collect() })
    }

    /// The setting that has the note about a table.
    fn name(table: i64) -> String {
        format!("activity_log.waited_for_{table}")
    }

    async fn keep(&self, conn: &mut impl Execute, table: i64) -> QueryResult<()> {
        let note = format!("{} {}", self.last_seq, self.writers.join(" "));
        let keep = Sql::new("SELECT set_config(").bind(Self::name(table)).text(", ").bind(note).text(", FALSE)");
        conn.one::<String, _>(keep.returning::<Text>()).await.map(drop)
    }
}

fn cannot_follow(reason: &str) -> Error {
    Error::CannotFollow { reason: reason.to_owned() }
}

type State = (bool, String, PgTimestamp, i64, Option<i64>, Vec<String>);
type StateRow = (Bool, Text, Timestamptz, BigInt, Nullable<BigInt>, Array<Text>);

/// Who writes is looked at after the last number, because it refers to it. Where the sequence does not tell the last number,
/// the newest visible one serves as well: those that are given later are greater.
const STATE: &str = "\
    WITH given AS MATERIALIZED ( \
        SELECT coalesce( \
            CASE WHEN has_sequence_privilege(sequence, 'USAGE, SELECT') THEN pg_sequence_last_value(sequence) END, \
            (SELECT max(seq) FROM activity_log) \
        ) AS last_seq \
        FROM (SELECT pg_get_serial_sequence('activity_log', 'seq')::regclass AS sequence) AS own \
    ) \
    SELECT pg_is_in_recovery(), current_setting('transaction_isolation'), transaction_timestamp(), \
        'activity_log'::regclass::oid::bigint, last_seq, ARRAY( \
        SELECT virtualtransaction FROM pg_locks \
        WHERE last_seq IS NOT NULL AND locktype = 'relation' AND relation = 'activity_log'::regclass \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid() \
    ) FROM given";

const NOTE: &str = "SELECT current_setting(";

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
