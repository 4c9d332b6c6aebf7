//! What belongs to the log: whatever its migrations create.

use diesel::sql_types::Bool;

use crate::error::Result;
use crate::postgres::catalog::object::{Object, objects};
use crate::postgres::catalog::place::Table;
use crate::postgres::execute::Execute;
use crate::postgres::statement::Sql;
use crate::postgres::transaction::Transaction;

/// The texts of the migrations, in their order.
pub(crate) const MIGRATIONS: [&str; 2] = [
    include_str!("../../../postgres/migrations/0000-activity-log-0001_create_activity_log/up.sql"),
    include_str!("../../../postgres/migrations/0000-activity-log-0002_serve_every_filter/up.sql"),
];

/// The table of an empty log, as this version of the crate creates it.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) objects: Vec<Object>,
}

impl Expected {
    /// What the migrations created when the snapshot was taken, in PostgreSQL 15. A log that looks like it is whole, and no
    /// statement is needed to know. Another version of the server may describe the same log in other words.
    pub(crate) fn snapshot() -> Self {
        let objects = SNAPSHOT.lines().filter_map(|line| {
            let (kind, rest) = line.split_once('\t')?;
            let (name, definition) = rest.split_once('\t')?;
            let [kind, name, definition] = [kind, name, definition].map(ToOwned::to_owned);
            Some(Object { kind, name, definition, is_valid: true })
        });
        Self { objects: objects.collect() }
    }

    /// What the migrations create, as this server describes it: runs them under other names and rolls back. `None` where the
    /// role may create neither temporary tables nor others.
    pub(crate) async fn derive(conn: &mut impl Execute) -> Result<Option<Self>> {
        let may = Sql::new(MAY_CREATE).returning::<(Bool, Bool)>();
        let (may_create_temporary, may_create) = conn.one::<(bool, bool), _>(may).await?;
        if !may_create_temporary && !may_create {
            return Ok(None);
        }
        let trial = Transaction::begin(conn).await?;
        let derived = derive_in_trial(conn, may_create_temporary).await;
        trial.roll_back(conn).await?;
        derived.map(Some)
    }

    /// Why a table cannot hold the log; `None` if it can.
    pub(crate) fn misfit(&self, table: &Table) -> Option<String> {
        if let Some(kind) = &table.other_kind {
            return Some(format!("it is a {kind}"));
        }
        let columns = || self.objects.iter().filter(|object| object.kind == "column");
        let found = |wanted: &Object| table.objects.iter().find(|object| object.is_named_like(wanted));
        let missing = columns().filter(|wanted| found(wanted).is_none());
        let missing = missing.map(|wanted| format!("`{}`", wanted.name)).collect::<Vec<_>>();
        if !missing.is_empty() {
            return Some(format!("it lacks {}", missing.join(", ")));
        }
        columns().find_map(|wanted| {
            let (name, needed) = (&wanted.name, wanted.column_type());
            let of = found(wanted)?.column_type();
            (of != needed).then(|| format!("its `{name}` has the type {of} and not {needed}"))
        })
    }

    /// The names that the log needs in its schema, besides that of its table.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let is_relation = |object: &&Object| object.kind == "index" || object.definition.starts_with("PRIMARY KEY");
        self.objects.iter().filter(is_relation).map(|object| object.name.as_str())
    }
}

async fn derive_in_trial(conn: &mut impl Execute, is_temporary: bool) -> Result<Expected> {
    if is_temporary {
        conn.batch("SET LOCAL search_path = pg_temp").await?;
    }
    for migration in MIGRATIONS {
        conn.batch(&migration.replace(NAME, TRIAL_NAME)).await?;
    }
    let mut objects = objects(conn, TRIAL_NAME).await?;
    for object in &mut objects {
        object.name = object.name.replace(TRIAL_NAME, NAME);
    }
    Ok(Expected { objects })
}

/// With what all names of the log begin, and theirs while the migrations are tried out.
const NAME: &str = "activity_log";
const TRIAL_NAME: &str = "activity_log_trial";

const MAY_CREATE: &str = "\
    SELECT has_database_privilege(current_database(), 'TEMPORARY'), \
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), FALSE) \
    WHERE current_setting('transaction_read_only') = 'off' \
    UNION ALL SELECT FALSE, FALSE LIMIT 1";

/// A test compares it with what the migrations create.
const SNAPSHOT: &str = include_str!("snapshot.tsv");
