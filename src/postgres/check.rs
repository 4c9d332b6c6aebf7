//! Looking for what is wrong with a log.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::prelude::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable};

use crate::error::{Error, Result};
use crate::model::problem::Problem;
use crate::postgres::catalog::difference::{
    Difference, DifferenceKind, differences, overlook_other_tables, refuse_foreign_objects,
};
use crate::postgres::catalog::expected::Expected;
use crate::postgres::catalog::object::Object;
use crate::postgres::catalog::place::Place;
use crate::postgres::execute::Execute;
use crate::postgres::rollups::condition::Condition;
use crate::postgres::search::enable::SEARCH_INDEX;
use crate::postgres::start_up::Versions;
use crate::postgres::statement::Sql;
#[cfg(feature = "postgres")]
use crate::store::blocking::run;

/// Reports what is wrong with the log, without changing anything: what is missing of it or different, indexes that were not
/// built to the end, rollups that are damaged, and a sequence whose numbers make followers miss entries. It returns nothing if
/// the log is whole.
///
/// It takes some milliseconds, however many entries there are. It is meant for an operator's page or command.
/// [`run_migrations`](crate::postgres::run_migrations) puts right what it can at every start-up.
///
/// # Errors
///
/// [`Error::ForeignTable`] and [`Error::NameTaken`] if the log has no place in the database, [`Error::Database`] if the
/// database fails.
#[cfg(feature = "postgres")]
pub fn check(conn: &mut PgConnection) -> Result<Vec<Problem>> {
    run(find_problems(conn))
}

pub(crate) async fn find_problems(conn: &mut impl Execute) -> Result<Vec<Problem>> {
    let mut place = Place::find(conn).await?;
    let versions = Versions::find(conn, &place).await?;
    let mut expected = Expected::snapshot();
    if versions.are_all_pending {
        overlook_other_tables(&mut place, &expected);
    }
    refuse_foreign_objects(conn, &place, &expected).await?;
    let mut problems = Vec::new();
    if versions.is_newer {
        problems.push(Problem::NewerDatabase);
    }
    let are_pending = !versions.pending.is_empty();
    problems.extend(versions.pending.into_iter().map(|(version, _)| Problem::PendingMigration { version }));
    let Some(table) = place.table else {
        if !are_pending {
            problems.push(Problem::Missing { kind: "table".to_owned(), name: "activity_log".to_owned() });
        }
        return Ok(problems);
    };
    if !are_pending && !differences(&expected, &table.objects).is_empty() {
        // Another version of the server describes the same in other words.
        if let Some(derived) = Expected::derive(conn).await? {
            expected = derived;
        }
        problems.extend(differences(&expected, &table.objects).into_iter().map(Problem::from));
    }
    let is_broken = |object: &&Object| object.name == SEARCH_INDEX && !object.is_valid;
    let broken = table.objects.iter().filter(is_broken);
    problems.extend(broken.map(|index| Problem::InvalidIndex { name: index.name.clone() }));
    problems.extend(sequence_problems(conn).await?);
    match Condition::find(conn, &table.schema).await {
        Ok(rollups) if rollups.is_absent() => {}
        Ok(rollups) => problems.extend(rollups.problems()),
        // The rollups cannot be enabled beside that table, and the log needs none.
        Err(Error::NameTaken { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(problems)
}

impl From<Difference> for Problem {
    fn from(Difference { expected, kind: difference }: Difference) -> Self {
        let (kind, name) = (expected.kind, expected.name);
        match difference {
            DifferenceKind::Missing => Self::Missing { kind, name },
            DifferenceKind::Invalid if kind == "index" => Self::InvalidIndex { name },
            DifferenceKind::Different | DifferenceKind::Invalid => Self::Different { kind, name },
        }
    }
}

async fn sequence_problems(conn: &mut impl Execute) -> QueryResult<Vec<Problem>> {
    let sequence = Sql::new(SEQUENCE).returning::<(BigInt, Bool, Nullable<BigInt>, Nullable<BigInt>, Bool)>();
    let sequence = conn.first::<(i64, bool, Option<i64>, Option<i64>, bool), _>(sequence).await?;
    let (kind, name) = ("sequence".to_owned(), "activity_log_seq_seq".to_owned());
    let Some((cache, grows, newest_seq, last_seq, may_see_last)) = sequence else {
        return Ok(vec![Problem::Missing { kind, name }]);
    };
    let mut problems = Vec::new();
    if !grows {
        problems.push(Problem::Different { kind, name });
    }
    if cache != 1 {
        problems.push(Problem::SequenceCache { cache });
    }
    if let Some(newest_seq) = newest_seq.filter(|newest| may_see_last && last_seq.is_none_or(|last| last < *newest)) {
        problems.push(Problem::SequenceBehind { last_seq, newest_seq });
    }
    Ok(problems)
}

/// The last number is read after the snapshot of the rows was taken: recorders do not make the sequence look late.
const SEQUENCE: &str = "\
    SELECT seqcache, seqincrement > 0 AND NOT seqcycle, (SELECT seq FROM activity_log ORDER BY seq DESC LIMIT 1), \
        CASE WHEN may_see_last THEN pg_sequence_last_value(seqrelid) END, may_see_last \
    FROM pg_sequence, LATERAL (SELECT has_sequence_privilege(seqrelid, 'USAGE, SELECT') AS may_see_last) AS privilege \
    WHERE seqrelid = pg_get_serial_sequence('activity_log', 'seq')::regclass";
