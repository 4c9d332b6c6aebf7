//! A log in SQLite and one in PostgreSQL give the same answers to the same operations, and so does a plain list.

mod in_sqlite;

use activity_log::NewActivityLogEntry;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, SqliteConnection};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::behaviour::model::answer::{Answer, Numbers, Refusal};
use crate::behaviour::model::ask as in_postgresql;
use crate::behaviour::model::list::List;
use crate::behaviour::model::operation::{Operation, alteration, many, operation, question};
use crate::database::empty_log;
use crate::support::TestResult;

/// The three logs. Answers name entries by their position, because PostgreSQL does not give a number again that a
/// refused entry had.
struct Logs {
    list: List,
    sqlite: SqliteConnection,
    in_sqlite: Numbers,
    postgresql: PgConnection,
    in_postgresql: Numbers,
    has_refused_an_id: bool,
}

/// What happens to the three logs.
#[derive(Debug, Clone)]
enum Step {
    Operation(Box<Operation>),
    /// Another program inserts a row with this metadata, which reads as the second text.
    Foreign(DateTime<Utc>, (&'static str, &'static str)),
}

/// Metadata as other programs write it, and the same as this crate writes it.
const METADATA: [(&str, &str); 6] = [
    (r#"{"half":"\ud800","other":"\udc00x","pair":"\ud83d\ude00"}"#, r#"{"half":"�","other":"�x","pair":"😀"}"#),
    (r#"{"nul":"\u0000"}"#, r#"{"nul":"\u0000"}"#),
    (r#"{ "b" : 1e2,  "a" : -0.0 }"#, r#"{"a":-0.0,"b":100.0}"#),
    (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
    (r#"{"":{"İ":["ß","\u212a","\\"]}}"#, r#"{"":{"İ":["ß","\u212a","\\"]}}"#),
    ("{}\n", "{}"),
];

impl Logs {
    fn empty() -> TestResult<Self> {
        let mut sqlite = activity_log::connect(":memory:")?;
        activity_log::run_migrations(&mut sqlite)?;
        Ok(Self {
            list: List::default(),
            sqlite,
            in_sqlite: Numbers::default(),
            postgresql: empty_log()?,
            in_postgresql: Numbers::default(),
            has_refused_an_id: false,
        })
    }

    /// Fails where the answers differ.
    fn agree(&mut self, step: &Step) -> TestResult {
        match step {
            Step::Operation(operation) => self.answer(operation)?,
            Step::Foreign(ts, metadata) => self.insert_as_others_do(*ts, metadata)?,
        }
        // Only a refused id costs a number.
        assert!(self.has_refused_an_id || self.in_sqlite.0 == self.in_postgresql.0);
        let count = self.in_sqlite.0.len() as i64;
        assert!(self.in_sqlite.0.iter().copied().eq(1..=count));
        Ok(())
    }

    fn answer(&mut self, operation: &Operation) -> TestResult {
        let expected = self.list.answer(operation)?;
        let sqlite = in_sqlite::ask(&mut self.sqlite, &mut self.in_sqlite, operation)?;
        let postgresql = in_postgresql::ask(&mut self.postgresql, &mut self.in_postgresql, operation)?;
        assert!(sqlite == postgresql, "{operation:?}\nSQLite: {sqlite:?}\nPostgreSQL: {postgresql:?}");
        assert!(sqlite == expected, "{operation:?}\nboth: {sqlite:?}\nthe list: {expected:?}");
        self.has_refused_an_id |= matches!(sqlite, Answer::Refused(Refusal::DuplicateId { .. }));
        Ok(())
    }

    fn insert_as_others_do(&mut self, ts: DateTime<Utc>, (written, read): &(&str, &str)) -> TestResult {
        let entry = NewActivityLogEntry {
            ts,
            metadata: serde_json::from_str(read)?,
            ..NewActivityLogEntry::new("foreign", "job.run", "a", "Ran %")
        };
        let insert = format!(
            "INSERT INTO activity_log (id, ts, category, action, severity, actor, message, metadata) \
             VALUES ('{}', '{}', 'foreign', 'job.run', 'info', 'a', 'Ran %', '{written}')",
            entry.id,
            ts.to_rfc3339()
        );
        self.sqlite.batch_execute(&insert)?;
        self.postgresql.batch_execute(&insert)?;
        in_sqlite::catch_up(&mut self.sqlite, &mut self.in_sqlite)?;
        in_postgresql::catch_up(&mut self.postgresql, &mut self.in_postgresql)?;
        self.list.push(entry);
        Ok(())
    }
}

fn agree(steps: &[Step]) -> Result<(), TestCaseError> {
    let run = || -> TestResult {
        let mut logs = Logs::empty()?;
        steps.iter().try_for_each(|step| logs.agree(step))
    };
    run().map_err(|error| TestCaseError::fail(error.to_string()))
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = (0_i64..4).prop_map(|seconds| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds));
    prop_oneof![
        30 => operation().prop_map(|operation| Step::Operation(Box::new(operation))),
        1 => (seconds, select(METADATA.to_vec())).prop_map(|(ts, metadata)| Step::Foreign(ts, metadata)),
    ]
}

/// Questions about a log, and changes of it that leave most of it there.
fn on_a_large_log() -> impl Strategy<Value = Vec<Step>> {
    let rest = prop_oneof![9 => question(), 2 => alteration(), 1 => many(1..3_000)];
    (many(36_000..44_000), vec(rest, 10..30)).prop_map(|(first, rest)| {
        std::iter::once(first).chain(rest).map(|operation| Step::Operation(Box::new(operation))).collect()
    })
}

fn config(cases: u32) -> ProptestConfig {
    // Each attempt to shrink a failure makes two logs.
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn sqlite_and_postgresql_answer_as_a_plain_list_would(steps in vec(step(), 1..40)) {
        agree(&steps)?;
    }
}

proptest! {
    #![proptest_config(config(2))]

    /// Logs of several of SQLite's segments and of PostgreSQL's blocks.
    #[test]
    fn sqlite_and_postgresql_answer_alike_in_a_log_of_several_blocks_and_segments(steps in on_a_large_log()) {
        agree(&steps)?;
    }
}
