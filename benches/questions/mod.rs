//! What is asked of the log, and how long the answers take, in any database.

pub(crate) mod measure;

use activity_log::ActivitySeverity::{Error, Info, Warning};
use activity_log::histogram::equal_edges;
use activity_log::{ActivityLogFilters, Facet, Repository};

use super::log::{BenchResult, time};
use super::{Connection, run_migrations};

const PAGE: u32 = 50;

/// What an administrator, a follower or a server asks of the log.
pub(crate) enum Question {
    Page(ActivityLogFilters),
    PageBefore(u64, ActivityLogFilters),
    /// The page of the entries after this `seq`, oldest first.
    Follow(u64, ActivityLogFilters),
    Count(ActivityLogFilters),
    Facets(Facet, ActivityLogFilters),
    /// Buckets over the whole time of the log.
    Histogram(usize, u64, ActivityLogFilters),
    CountUpTo(u64, ActivityLogFilters),
    /// The first batch of an export.
    ExportStart(ActivityLogFilters),
    /// What a server does to a log that is whole before it begins to serve.
    StartUp,
}
use Question::{Count, CountUpTo, ExportStart, Facets, Follow, Histogram, Page, PageBefore, StartUp};

/// A name, and the question for a log of `rows` rows.
pub(crate) type Shape = (&'static str, fn(u64) -> Question);

pub(crate) const SHAPES: &[Shape] = &[
    ("no filter", |_| Page(all())),
    ("no filter, later page", |rows| PageBefore(rows / 2, all())),
    ("one category", |_| Page(categories(["capture"]))),
    ("one category, later page", |rows| PageBefore(rows / 2, categories(["capture"]))),
    ("one category, rare", |_| Page(categories(["billing"]))),
    ("two categories", |_| Page(categories(["device", "auth"]))),
    ("two categories, later page", |rows| PageBefore(rows / 2, categories(["device", "auth"]))),
    ("two categories, one of them rare", |_| Page(categories(["device", "billing"]))),
    ("one severity", |_| Page(errors(all()))),
    ("one severity, information", |_| Page(ActivityLogFilters { severities: vec![Info], ..all() })),
    ("one action", |_| Page(actions(["capture.changed"], all()))),
    ("one action, later page", |rows| PageBefore(rows / 2, actions(["capture.changed"], all()))),
    ("one action, rare", |_| Page(actions(["device.audited"], all()))),
    ("two actions, one of them rare", |_| Page(actions(["device.audited", "auth.opened"], all()))),
    ("beginning of actions", |_| Page(actions(["capture.*"], all()))),
    ("beginning of actions, later page", |rows| PageBefore(rows / 2, actions(["capture.*"], all()))),
    ("beginning of actions, none", |_| Page(actions(["network.*"], all()))),
    ("action and category, no match", |_| Page(actions(["device.changed"], categories(["capture"])))),
    ("action and severity, no match", |_| Page(actions(["capture.changed"], errors(all())))),
    ("action and actor, no match", |_| Page(actions(["auth.changed"], actor("user_01")))),
    ("beginning and actor, no match", |_| Page(actions(["auth.*"], actor("user_01")))),
    ("action and entity_type, no match", |_| Page(actions(["auth.audited"], entity_type("device")))),
    ("window of 4.3 % and an action", |rows| {
        Page(ActivityLogFilters {
            since: window(rows).since,
            until: window(rows).until,
            ..actions(["auth.opened"], all())
        })
    }),
    ("three actors", |_| Page(actors(["user_00", "user_20", "user_49"]))),
    ("excluding the busiest actor", |_| Page(excluding([], ["user_00"]))),
    ("excluding all actions but rare ones", |_| Page(excluding(ORDINARY, []))),
    ("actor and entity_type", |_| Page(ActivityLogFilters { actor: some("user_49"), ..entity_type("device") })),
    ("rare actor and common type, no match", |_| {
        Page(ActivityLogFilters { actor: some("nobody"), ..entity_type("device") })
    }),
    ("one actor", |_| Page(actor("user_00"))),
    ("one actor, later page", |rows| PageBefore(rows / 2, actor("user_00"))),
    ("one actor, few entries", |_| Page(actor("user_49"))),
    ("type and id", |_| Page(ActivityLogFilters { entity_id: some("0007"), ..entity_type("device") })),
    ("until, far in the past", |rows| Page(until(rows / 50, rows))),
    ("until, far in the past, later page", |rows| PageBefore(rows / 100, until(rows / 50, rows))),
    ("window of 4.3 %", |rows| Page(window(rows))),
    ("window of 4.3 %, later page", |rows| PageBefore(rows * 32 / 100, window(rows))),
    ("window of 4.3 % and a category", |rows| {
        Page(ActivityLogFilters { since: window(rows).since, until: window(rows).until, ..categories(["system"]) })
    }),
    ("window of 4.3 % and an actor", |rows| {
        Page(ActivityLogFilters { since: window(rows).since, until: window(rows).until, ..actor("user_49") })
    }),
    ("since, fewer than 50 rows", |rows| Page(since(rows.saturating_sub(30), rows))),
    ("since, half of the log", |rows| Page(since(rows / 2, rows))),
    ("since, half of the log, later page", |rows| PageBefore(rows * 3 / 4, since(rows / 2, rows))),
    ("category and severity", |_| Page(errors(categories(["system"])))),
    ("category and severity, no match", |_| Page(errors(categories(["capture"])))),
    ("two categories and two severities", |_| Page(two_and_two())),
    ("two categories and two severities, later page", |rows| PageBefore(rows / 2, two_and_two())),
    ("rare category and information", |_| {
        Page(ActivityLogFilters { severities: vec![Info], ..categories(["billing"]) })
    }),
    ("actor and severity", |_| Page(errors(actor("user_49")))),
    ("actor and categories", |_| {
        Page(ActivityLogFilters { actor: some("user_01"), ..categories(["capture", "entity"]) })
    }),
    ("actor and categories, no match", |_| {
        Page(ActivityLogFilters { actor: some("user_01"), ..categories(["auth", "system"]) })
    }),
    ("actor and category", |_| Page(of_actor("user_00", categories(["capture"])))),
    ("actor and category, later page", |rows| PageBefore(rows / 2, of_actor("user_00", categories(["capture"])))),
    ("actor and category, no match", |_| Page(of_actor("user_01", categories(["auth"])))),
    ("actor and action", |_| Page(actions(["device.changed"], actor("user_00")))),
    ("actor and entity_type, no match", |_| Page(of_actor("user_02", entity_type("scene")))),
    ("actor and information", |_| Page(ActivityLogFilters { severities: vec![Info], ..actor("user_00") })),
    ("actor, excluding all but rare actions", |_| {
        Page(ActivityLogFilters { exclude_actions: ORDINARY.map(ToOwned::to_owned).to_vec(), ..actor("user_00") })
    }),
    ("actor, action and severity, no match", |_| Page(actions(["capture.changed"], errors(actor("user_00"))))),
    ("actor, category and entity_type, no match", |_| {
        Page(ActivityLogFilters { entity_type: some("scene"), ..of_actor("user_02", categories(["device"])) })
    }),
    ("two actors and categories, no match", |_| {
        let actors = ["user_01", "user_02"].map(ToOwned::to_owned).to_vec();
        Page(ActivityLogFilters { actors, entity_type: some("schedule"), ..categories(["auth"]) })
    }),
    ("category and entity_type", |_| {
        Page(ActivityLogFilters { entity_type: some("scene"), ..categories(["capture"]) })
    }),
    ("category and entity_type, no match", |_| {
        Page(ActivityLogFilters { entity_type: some("device"), ..categories(["auth"]) })
    }),
    ("category, excluding its actions", |_| {
        let exclude_actions = ["capture.opened", "capture.changed"].map(ToOwned::to_owned).to_vec();
        Page(ActivityLogFilters { exclude_actions, ..categories(["capture"]) })
    }),
    ("action and entity_type", |_| Page(actions(["device.changed"], entity_type("device")))),
    ("common action and entity_type, no match", |_| Page(actions(["auth.changed"], entity_type("device")))),
    ("beginning and entity_type, no match", |_| Page(actions(["auth.*"], entity_type("device")))),
    ("entity_type and severity", |_| Page(errors(entity_type("scene")))),
    ("window of 4.3 %, actor and category, no match", |rows| {
        let window = window(rows);
        Page(ActivityLogFilters {
            since: window.since,
            until: window.until,
            ..of_actor("user_01", categories(["auth"]))
        })
    }),
    ("text, none, actor and category, no match", |_| {
        let filters = of_actor("user_01", categories(["auth"]));
        Page(ActivityLogFilters { message_contains: some("evaporated"), ..filters })
    }),
    ("entity_type alone", |_| Page(entity_type("device"))),
    ("entity_type alone, later page", |rows| PageBefore(rows / 2, entity_type("device"))),
    ("entity_type alone, rare", |_| Page(entity_type("licence"))),
    ("entity_type alone, none", |_| Page(entity_type("vehicle"))),
    ("entity_id alone", |_| Page(entity_id("0007"))),
    ("entity_id alone, rare", |_| Page(entity_id("lic_1"))),
    ("entity_id alone, none", |_| Page(entity_id("9999"))),
    ("text, common", |_| Page(message("settings"))),
    ("text, one match, rare word", |_| Page(message("quarantined"))),
    ("text, one match, common words", |rows| Page(message(&format!("revision {:08}", rows / 2)))),
    ("text, none", |_| Page(message("evaporated"))),
    ("text, none, and a category", |_| {
        Page(ActivityLogFilters { message_contains: some("evaporated"), ..categories(["system"]) })
    }),
    ("metadata, common", |_| Page(metadata("address", "192.0.2.7"))),
    ("metadata, one match", |rows| Page(metadata("revision", rows / 2))),
    ("metadata, none", |_| Page(metadata("evaporated", "completely"))),
    ("metadata, none, and an actor", |_| {
        Page(ActivityLogFilters { actor: some("user_49"), ..metadata("evaporated", "completely") })
    }),
    ("count, no filter", |_| Count(all())),
    ("count, two categories", |_| Count(categories(["device", "auth"]))),
    ("count, two categories with a severity", |_| Count(errors(categories(["device", "auth"])))),
    ("count, window of 4.3 %", |rows| Count(window(rows))),
    ("count, one action", |_| Count(actions(["capture.changed"], all()))),
    ("count, beginning of actions", |_| Count(actions(["capture.*"], all()))),
    ("count, one actor", |_| Count(actor("user_00"))),
    ("count, excluding an actor", |_| Count(excluding([], ["user_00"]))),
    ("count, window of 4.3 % and a category", |rows| {
        Count(ActivityLogFilters { since: window(rows).since, until: window(rows).until, ..categories(["system"]) })
    }),
    ("facets, categories", |_| Facets(Facet::Category, all())),
    ("facets, severities of two categories", |_| Facets(Facet::Severity, categories(["device", "auth"]))),
    ("facets, actions", |_| Facets(Facet::Action, all())),
    ("facets, entity types", |_| Facets(Facet::EntityType, all())),
    ("facets, actors", |_| Facets(Facet::Actor, all())),
    ("facets, actors in a window of 4.3 %", |rows| Facets(Facet::Actor, window(rows))),
    ("facets, actions of an actor", |_| Facets(Facet::Action, actor("user_49"))),
    ("histogram, 60 buckets", |rows| Histogram(60, rows, all())),
    ("histogram, 60 buckets, two categories", |rows| Histogram(60, rows, categories(["device", "auth"]))),
    ("histogram, 60 buckets, one actor", |rows| Histogram(60, rows, actor("user_49"))),
    ("histogram, 1,000 buckets", |rows| Histogram(1_000, rows, all())),
    ("count up to 1,001, no filter", |_| CountUpTo(1_001, all())),
    ("count up to 1,001, two categories", |_| CountUpTo(1_001, categories(["device", "auth"]))),
    ("count up to 1,001, actor and category", |_| CountUpTo(1_001, of_actor("user_00", categories(["capture"])))),
    ("count up to 1,001, actor and category, none", |_| CountUpTo(1_001, of_actor("user_01", categories(["auth"])))),
    ("count up to 1,001, window of 4.3 %", |rows| CountUpTo(1_001, window(rows))),
    ("follow, no filter", |rows| Follow(rows.saturating_sub(10), all())),
    ("follow, nothing new", |rows| Follow(rows, all())),
    ("follow, two categories", |rows| Follow(rows.saturating_sub(10), categories(["device", "auth"]))),
    ("follow, entity_type alone", |rows| Follow(rows.saturating_sub(10), entity_type("device"))),
    ("start-up", |_| StartUp),
    ("export, first rows", |_| ExportStart(all())),
    ("export, first rows, entity_type alone", |_| ExportStart(entity_type("device"))),
    ("export, first rows, since half of the log", |rows| ExportStart(since(rows / 2, rows))),
];

fn all() -> ActivityLogFilters {
    ActivityLogFilters::default()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn categories<const N: usize>(names: [&str; N]) -> ActivityLogFilters {
    ActivityLogFilters { categories: names.map(Into::into).to_vec(), ..all() }
}

fn actions<const N: usize>(names: [&str; N], filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { actions: names.map(ToOwned::to_owned).to_vec(), ..filters }
}

fn actors<const N: usize>(names: [&str; N]) -> ActivityLogFilters {
    ActivityLogFilters { actors: names.map(ToOwned::to_owned).to_vec(), ..all() }
}

/// What all entries but a few do.
const ORDINARY: [&str; 12] = [
    "auth.changed",
    "auth.opened",
    "billing.changed",
    "billing.opened",
    "capture.changed",
    "capture.opened",
    "device.changed",
    "device.opened",
    "entity.changed",
    "entity.opened",
    "system.changed",
    "system.opened",
];

fn excluding<const N: usize, const M: usize>(actions: [&str; N], actors: [&str; M]) -> ActivityLogFilters {
    ActivityLogFilters {
        exclude_actions: actions.map(ToOwned::to_owned).to_vec(),
        exclude_actors: actors.map(ToOwned::to_owned).to_vec(),
        ..all()
    }
}

fn errors(filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { severities: vec![Error], ..filters }
}

fn two_and_two() -> ActivityLogFilters {
    ActivityLogFilters { severities: vec![Warning, Error], ..categories(["entity", "system"]) }
}

fn actor(name: &str) -> ActivityLogFilters {
    ActivityLogFilters { actor: some(name), ..all() }
}

fn of_actor(name: &str, filters: ActivityLogFilters) -> ActivityLogFilters {
    ActivityLogFilters { actor: some(name), ..filters }
}

fn entity_type(name: &str) -> ActivityLogFilters {
    ActivityLogFilters { entity_type: some(name), ..all() }
}

fn entity_id(id: &str) -> ActivityLogFilters {
    ActivityLogFilters { entity_id: some(id), ..all() }
}

fn message(term: &str) -> ActivityLogFilters {
    ActivityLogFilters { message_contains: some(term), ..all() }
}

fn metadata(key: &str, value: impl Into<serde_json::Value>) -> ActivityLogFilters {
    ActivityLogFilters { metadata: [(key.to_owned(), value.into())].into_iter().collect(), ..all() }
}

fn since(number: u64, rows: u64) -> ActivityLogFilters {
    ActivityLogFilters { since: Some(time(number, rows)), ..all() }
}

fn until(number: u64, rows: u64) -> ActivityLogFilters {
    ActivityLogFilters { until: Some(time(number, rows)), ..all() }
}

fn window(rows: u64) -> ActivityLogFilters {
    ActivityLogFilters { since: since(rows * 300 / 1_000, rows).since, ..until(rows * 343 / 1_000, rows) }
}

impl Question {
    /// The number of rows in the answer, or the count itself.
    pub(crate) fn ask(&self, conn: &mut Connection) -> BenchResult<u64> {
        let mut log = Repository::new(conn);
        let rows = match self {
            Page(filters) => log.page(filters, None, PAGE)?.entries.len(),
            PageBefore(seq, filters) => log.page(filters, Some(i64::try_from(*seq)?), PAGE)?.entries.len(),
            Follow(seq, filters) => log.query_after(filters, i64::try_from(*seq)?, PAGE)?.len(),
            Count(filters) => return Ok(log.count(filters)?),
            Facets(facet, filters) => log.facets(filters, *facet, 20)?.values.len(),
            Histogram(buckets, rows, filters) => {
                let counts = log.histogram(filters, &equal_edges(time(0, *rows), time(*rows, *rows), *buckets)?)?;
                return Ok(counts.iter().map(|counts| counts.total()).sum());
            }
            CountUpTo(most, filters) => return Ok(log.count_up_to(filters, *most)?),
            StartUp => run_migrations(conn).map(|()| 0)?,
            ExportStart(filters) => {
                log.iter_export(filters)?.take(512).try_fold(0, |rows, entry| entry.map(|_| rows + 1))?
            }
        };
        Ok(rows as u64)
    }
}
