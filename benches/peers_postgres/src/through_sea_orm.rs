//! sea-orm's entities and query builder, with a pool of one connection, because sea-orm requires a pool.

use activity_log::{ActivityLogEntry, NewActivityLogEntry};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, PaginatorTrait, QueryOrder, QuerySelect};
use tokio::runtime::Runtime;

use crate::connection::runtime;
use crate::peer::{BATCH_ROWS, BenchResult, MOST, Matching, PAGE, Page, Peer};

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
    metadata: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for ActivityLogEntry {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(model: Model) -> BenchResult<Self> {
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
            metadata: serde_json::from_str(&model.metadata)?,
        })
    }
}

fn active_model(entry: &NewActivityLogEntry) -> BenchResult<ActiveModel> {
    Ok(ActiveModel {
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
        metadata: Set(serde_json::to_string(&entry.metadata)?),
    })
}

pub(crate) struct ThroughSeaOrm {
    runtime: Runtime,
    pool: DatabaseConnection,
}

impl ThroughSeaOrm {
    pub(crate) fn open(url: &str) -> BenchResult<Box<dyn Peer>> {
        let runtime = runtime()?;
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let pool = runtime.block_on(Database::connect(options))?;
        Ok(Box::new(Self { runtime, pool }))
    }
}

impl Peer for ThroughSeaOrm {
    fn record(&mut self, entry: &NewActivityLogEntry) -> BenchResult {
        self.runtime.block_on(active_model(entry)?.insert(&self.pool))?;
        Ok(())
    }

    fn record_all(&mut self, entries: &[NewActivityLogEntry]) -> BenchResult {
        let models = entries.iter().map(active_model).collect::<BenchResult<Vec<_>>>()?;
        self.runtime.block_on(Entity::insert_many(models).exec(&self.pool))?;
        Ok(())
    }

    fn page(&mut self, matching: &Matching) -> BenchResult<Page> {
        let found = match *matching {
            Matching::Everything => Entity::find(),
            Matching::OlderThan { seq } => Entity::find().filter(Column::Seq.lt(seq)),
            Matching::Actor(actor) => Entity::find().filter(Column::Actor.eq(actor)),
            Matching::CategoryAndSeverity(category, severity) => {
                Entity::find().filter(Column::Category.eq(category)).filter(Column::Severity.eq(severity.as_str()))
            }
            Matching::ActionBeginning(beginning) => Entity::find().filter(Column::Action.starts_with(beginning)),
            Matching::Between { since, until } => Entity::find().filter(Column::Ts.between(since, until)),
        };
        let rows = found.order_by_desc(Column::Seq).limit(u64::from(PAGE) + 1).all(&self.pool);
        let entries = self.runtime.block_on(rows)?.into_iter().map(TryInto::try_into).collect::<BenchResult<_>>()?;
        Ok(Page::new(entries))
    }

    fn count_up_to(&mut self, category: &'static str) -> BenchResult<i64> {
        let counted = Entity::find().filter(Column::Category.eq(category)).limit(MOST.unsigned_abs());
        Ok(i64::try_from(self.runtime.block_on(counted.count(&self.pool))?)?)
    }

    fn export(&mut self, mut rows: usize, take: &mut dyn FnMut(ActivityLogEntry)) -> BenchResult {
        let mut after_seq = 0;
        while rows > 0 {
            let batch = rows.min(BATCH_ROWS);
            let mut cursor = Entity::find().cursor_by(Column::Seq);
            let models = self.runtime.block_on(cursor.after(after_seq).first(batch as u64).all(&self.pool))?;
            after_seq = models.last().map_or(after_seq, |model| model.seq);
            rows = if models.len() < batch { 0 } else { rows - batch };
            for model in models {
                take(model.try_into()?);
            }
        }
        Ok(())
    }
}
