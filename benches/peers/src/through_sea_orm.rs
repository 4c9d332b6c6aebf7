//! sea-orm with a pool of one connection, because sea-orm requires a pool.

use std::path::Path;

use activity_log::{ActivityLogEntry, ActivityLogPage, NewActivityLogEntry};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, QueryOrder, QuerySelect, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::peer::{BATCH_ROWS, BenchResult, Matching, Peer, page_of};
use crate::through_sqlx::options;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "activity_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    seq: i64,
    #[sea_orm(unique)]
    id: String,
    ts: DateTimeUtc,
    category: String,
    action: String,
    severity: String,
    actor: String,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    message: String,
    metadata: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for ActivityLogEntry {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(model: Model) -> Result<Self, Self::Error> {
        let Value::Object(metadata) = model.metadata else {
            return Err("the metadata is not an object".into());
        };
        Ok(Self {
            seq: model.seq,
            id: model.id,
            ts: model.ts,
            category: model.category.into(),
            action: model.action,
            severity: model.severity.parse()?,
            actor: model.actor,
            entity_type: model.entity_type,
            entity_id: model.entity_id,
            entity_name: model.entity_name,
            message: model.message,
            metadata,
        })
    }
}

fn active_model(entry: &NewActivityLogEntry) -> ActiveModel {
    ActiveModel {
        seq: NotSet,
        id: Set(entry.id.clone()),
        ts: Set(entry.ts),
        category: Set(entry.category.as_str().to_owned()),
        action: Set(entry.action.clone()),
        severity: Set(entry.severity.as_str().to_owned()),
        actor: Set(entry.actor.clone()),
        entity_type: Set(entry.entity_type.clone()),
        entity_id: Set(entry.entity_id.clone()),
        entity_name: Set(entry.entity_name.clone()),
        message: Set(entry.message.clone()),
        metadata: Set(Value::Object(entry.metadata.clone())),
    }
}

pub(crate) struct ThroughSeaOrm {
    runtime: Runtime,
    conn: DatabaseConnection,
}

impl ThroughSeaOrm {
    pub(crate) fn open(path: &Path) -> BenchResult<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut connect = ConnectOptions::new(format!("sqlite://{}", path.display()));
        let path = path.to_owned();
        connect.max_connections(1).map_sqlx_sqlite_opts(move |_| options().filename(&path));
        let conn = runtime.block_on(Database::connect(connect))?;
        Ok(Self { runtime, conn })
    }
}

impl Peer for ThroughSeaOrm {
    fn text(&mut self, statement: &'static str) -> BenchResult<String> {
        let backend = self.conn.get_database_backend();
        let row = self.runtime.block_on(self.conn.query_one_raw(Statement::from_string(backend, statement)))?;
        Ok(row.ok_or("the statement returned no row")?.try_get_by_index(0)?)
    }

    fn record(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult<i64> {
        self.runtime.block_on(async {
            let transaction = self.conn.begin_with_options(immediate()).await?;
            let mut seq = 0;
            for entry in entries {
                seq = active_model(entry).insert(&transaction).await?.seq;
            }
            transaction.commit().await?;
            Ok(seq)
        })
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        self.runtime.block_on(async {
            let transaction = self.conn.begin_with_options(immediate()).await?;
            for batch in entries.chunks(BATCH_ROWS) {
                Entity::insert_many(batch.iter().map(active_model)).exec(&transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn page(&mut self, matching: &Matching, limit: u32) -> BenchResult<ActivityLogPage> {
        let find = match *matching {
            Matching::Everything => Entity::find(),
            Matching::OlderThan { seq } => Entity::find().filter(Column::Seq.lt(seq)),
            Matching::CategoryAndSeverity { category, severity } => {
                Entity::find().filter(Column::Category.eq(category)).filter(Column::Severity.eq(severity.as_str()))
            }
            Matching::Between { since, until } => {
                Entity::find().filter(Column::Ts.gte(since)).filter(Column::Ts.lte(until))
            }
            Matching::MessageContains { term } => Entity::find().filter(Column::Message.contains(term)),
        };
        let find = find.order_by_desc(Column::Seq).limit(u64::from(limit) + 1);
        let models = self.runtime.block_on(find.all(&self.conn))?;
        let entries = models.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(page_of(entries, limit))
    }

    fn count(&mut self, categories: [&'static str; 2]) -> BenchResult<u64> {
        let count = Entity::find().filter(Column::Category.is_in(categories)).count(&self.conn);
        Ok(self.runtime.block_on(count)?)
    }

    fn count_up_to(&mut self, categories: [&'static str; 2], most: u64) -> BenchResult<u64> {
        let count = Entity::find().filter(Column::Category.is_in(categories)).limit(most).count(&self.conn);
        Ok(self.runtime.block_on(count)?)
    }

    fn prune(&mut self, before_ts: DateTime<Utc>, _at_once: bool) -> BenchResult<u64> {
        let delete = Entity::delete_many().filter(Column::Ts.lt(before_ts)).exec(&self.conn);
        Ok(self.runtime.block_on(delete)?.rows_affected)
    }

    fn export(&mut self, mut rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let mut after_seq = 0;
        while rows > 0 {
            let batch = rows.min(BATCH_ROWS);
            let mut cursor = Entity::find().cursor_by(Column::Seq);
            let models = self.runtime.block_on(cursor.after(after_seq).first(batch as u64).all(&self.conn))?;
            after_seq = models.last().map_or(after_seq, |model| model.seq);
            rows = if models.len() < batch { 0 } else { rows - batch };
            for model in models {
                take(model.try_into()?);
            }
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> BenchResult {
        Ok(self.runtime.block_on(self.conn.close())?)
    }
}

fn immediate() -> TransactionOptions {
    TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() }
}
