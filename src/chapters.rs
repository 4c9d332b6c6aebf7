//! The chapters: for each 4,096 consecutive `seq` how many rows there are of each category and severity, and which actors
//! meet with which of them. The former are counts to add up; the latter tell where to look, and only that.

use diesel::connection::SimpleConnection;
use diesel::dsl::{count_star, exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

use crate::closing::Summary;
use crate::filters::Among;
use crate::runs::Sought;
use crate::schema::{activity_log_chapter_actors, activity_log_chapter_counts, activity_log_chapters};
use crate::span::{Order, Span};
use crate::sqlite::{LIST_MAX_VALUES, SumOf, has, sum};
use crate::{ActivityLogFilters, Result};

/// It keeps the counts exact when rows are deleted.
pub(crate) const DELETE_TRIGGER: &str = "activity_log_chapters_delete";

/// Rows of an actor, or of any, that have any of these categories and any of these severities; an empty list is no
/// restriction.
#[derive(Debug, Clone)]
pub(crate) struct Meeting {
    pub(crate) actor: Option<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) severities: Vec<String>,
}

/// Of a filter that is none of the kind, nothing is told.
impl Sought for Option<Meeting> {
    /// Where they often meet, the first ones fill a page.
    const FIRST_PARTS: i64 = 4;

    fn closed(&self, conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
        // A reader may come upon a log that its writer has not yet migrated.
        if self.is_some() && has(conn, Chapters::PARTS)? { Chapters::last_closed(conn) } else { Ok(None) }
    }

    fn parts(&self, conn: &mut SqliteConnection, span: Span, order: Order, most: i64) -> QueryResult<Vec<(i64, i64)>> {
        use activity_log_chapters::first_seq;

        let Some(meeting) = self else { return Ok(Vec::new()) };
        let chapters = activity_log_chapters::table.select(first_seq);
        let mut chapters = match &meeting.actor {
            Some(actor) => chapters.filter(exists(meeting.of_actor(actor))).into_boxed(),
            None => chapters.filter(exists(meeting.of_anyone())).into_boxed(),
        };
        if let Some(after) = span.after {
            chapters = chapters.filter(first_seq.gt(after.saturating_sub(Chapters::ROWS)));
        }
        if let Some(before) = span.before {
            chapters = chapters.filter(first_seq.lt(before));
        }
        chapters = match order {
            Order::Ascending => chapters.order(first_seq.asc()),
            Order::Descending => chapters.order(first_seq.desc()),
        };
        let chapters = chapters.limit(most).load::<i64>(conn)?;
        Ok(chapters.into_iter().map(|first| (first, Chapters::last_of(first))).collect())
    }
}

// Diesel's boxed queries know no column of a query around them.
const HERE: &str = "activity_log_chapters.first_seq";

impl Meeting {
    /// What a chapter says of the actor.
    fn of_actor(&self, name: &str) -> activity_log_chapter_actors::BoxedQuery<'_, Sqlite> {
        use activity_log_chapter_actors::{actor, category, first_seq, severity, table};

        let mut met = table.filter(first_seq.eq(sql::<BigInt>(HERE))).filter(actor.eq(name.to_owned())).into_boxed();
        if !self.categories.is_empty() {
            met = met.filter(category.eq_any(&self.categories));
        }
        if !self.severities.is_empty() {
            met = met.filter(severity.eq_any(&self.severities));
        }
        met
    }

    /// What a chapter says of all actors.
    fn of_anyone(&self) -> activity_log_chapter_counts::BoxedQuery<'_, Sqlite> {
        use activity_log_chapter_counts::{category, first_seq, severity, table};

        let met = table.filter(first_seq.eq(sql::<BigInt>(HERE)));
        met.filter(category.eq_any(&self.categories)).filter(severity.eq_any(&self.severities)).into_boxed()
    }
}

/// Whether [`count`] is quicker than counting: not where most rows are open, as in a log that only other programs write,
/// nor where the chapters have too many kinds of rows and all are to be added up.
pub(crate) fn are_worthwhile(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> Result<bool> {
    let [categories, severities] = filters.lists()?;
    // Each is bound twice. And a reader may come upon a log that its writer has not yet migrated.
    if categories.len() + severities.len() > LIST_MAX_VALUES / 2 || !has(conn, Chapters::PARTS)? {
        return Ok(false);
    }
    let few_are_open = sql::<Bool>(FEW_ARE_OPEN);
    if categories.is_empty() {
        return Ok(diesel::select(few_are_open.and(sql::<Bool>(FEW_KINDS))).get_result(conn)?);
    }
    Ok(diesel::select(few_are_open).get_result(conn)?)
}

const FEW_ARE_OPEN: &str = "coalesce(\
    (SELECT max(seq) FROM activity_log) - (SELECT max(first_seq) FROM activity_log_chapters) < 16384, FALSE)";
const FEW_KINDS: &str = "(SELECT count(*) FROM activity_log_chapter_counts \
    WHERE first_seq = (SELECT max(first_seq) FROM activity_log_chapters)) < 256";

/// How many rows match filters [of kind alone](ActivityLogFilters::are_of_kind_alone): those of the chapters added up, and
/// those after them counted, in one statement, as others may add a chapter or delete rows meanwhile.
pub(crate) fn count(conn: &mut SqliteConnection, filters: &ActivityLogFilters) -> Result<u64> {
    let [categories, severities] = filters.lists()?;
    let mut counts = activity_log_chapter_counts::table.select(sum(activity_log_chapter_counts::entries)).into_boxed();
    if !categories.is_empty() {
        counts = counts.filter(activity_log_chapter_counts::category.eq_any(categories));
    }
    if !severities.is_empty() {
        counts = counts.filter(activity_log_chapter_counts::severity.eq_any(severities));
    }
    let open = filters.to_query(Among::default())?.filter(sql::<Bool>(OPEN)).select(count_star());
    let count = SumOf(counts, open).get_result::<i64>(conn)?;
    Ok(count.max(0).unsigned_abs())
}

/// The rows after the last chapter.
const OPEN: &str = "activity_log.seq >= \
    coalesce((SELECT max(first_seq) + 4096 FROM activity_log_chapters), -9223372036854775808)";

/// The summary of the categories, severities and actors.
pub(crate) struct Chapters;

impl Summary for Chapters {
    const PARTS: &'static str = "activity_log_chapters";
    /// As in the migration that adds the chapters.
    const ROWS: i64 = 4_096;

    fn last_closed(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
        let last = activity_log_chapters::table.select(max(activity_log_chapters::first_seq));
        Ok(last.get_result::<Option<i64>>(conn)?.map(Self::last_of))
    }

    fn add(conn: &mut SqliteConnection, first_seq: i64, last_seq: i64) -> QueryResult<()> {
        use activity_log_chapter_actors::{category, severity};

        let run = |conn: &mut SqliteConnection, statement: &str| {
            diesel::sql_query(statement).bind::<BigInt, _>(first_seq).bind::<BigInt, _>(last_seq).execute(conn)
        };
        run(conn, ADD_ACTORS)?;
        let of_chapter =
            activity_log_chapter_actors::table.filter(activity_log_chapter_actors::first_seq.eq(first_seq));
        let nothing = category.eq(sql::<Text>("x''")).or(severity.eq(sql::<Text>("x''")));
        if diesel::select(exists(of_chapter.filter(nothing))).get_result(conn)? {
            run(conn, ADD_COUNTS_ROW_BY_ROW)?;
        } else {
            run(conn, ADD_COUNTS)?;
            run(conn, ADD_COUNTS_OF_INFORMATION)?;
        }
        let chapter = activity_log_chapters::first_seq.eq(first_seq);
        diesel::insert_or_ignore_into(activity_log_chapters::table).values(chapter).execute(conn).map(drop)
    }

    fn drop_gone(conn: &mut SqliteConnection) -> QueryResult<()> {
        // Their triggers have done so, unless an `INSERT OR REPLACE` deleted rows, which fires none.
        conn.batch_execute(DROP_GONE)
    }

    fn clear(conn: &mut SqliteConnection) -> QueryResult<()> {
        conn.batch_execute(CLEAR)
    }
}

/// As in the migration, an empty blob stands for NULL.
const ADD_ACTORS: &str = "INSERT OR IGNORE INTO activity_log_chapter_actors (first_seq, actor, category, severity) \
    SELECT ?1, coalesce(actor, x''), coalesce(category, x''), coalesce(severity, x'') \
    FROM (SELECT DISTINCT actor, category, severity FROM activity_log WHERE seq BETWEEN ?1 AND ?2)";

const ADD_COUNTS_ROW_BY_ROW: &str = "\
    INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries) \
    SELECT ?1, coalesce(category, x''), coalesce(severity, x''), count(*) FROM activity_log \
    WHERE seq BETWEEN ?1 AND ?2 GROUP BY 2, 3";

/// The same, where no row has NULL or an empty blob: what the actors meet with is counted in the indexes alone, in a
/// quarter of the time that it takes to group the rows.
const ADD_COUNTS: &str = "INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries) \
    SELECT ?1, category, severity, ( \
        SELECT count(*) FROM activity_log \
        WHERE category = kind.category AND severity = kind.severity AND severity IS NOT 'info' AND seq BETWEEN ?1 AND ?2 \
    ) \
    FROM (SELECT DISTINCT category, severity FROM activity_log_chapter_actors \
        WHERE first_seq = ?1 AND severity <> 'info') AS kind";

/// Of a category, what is nothing else is information.
const ADD_COUNTS_OF_INFORMATION: &str = "\
    INSERT OR REPLACE INTO activity_log_chapter_counts (first_seq, category, severity, entries) \
    SELECT ?1, category, 'info', ( \
        SELECT count(*) FROM activity_log WHERE category = kind.category AND seq BETWEEN ?1 AND ?2 \
    ) - coalesce(( \
        SELECT sum(entries) FROM activity_log_chapter_counts AS other \
        WHERE first_seq = ?1 AND category = kind.category AND severity <> 'info' \
    ), 0) \
    FROM (SELECT DISTINCT category FROM activity_log_chapter_actors \
        WHERE first_seq = ?1 AND severity = 'info') AS kind";

const DROP_GONE: &str = "\
    DELETE FROM activity_log_chapter_actors WHERE first_seq < (SELECT min(seq) FROM activity_log) - 4095; \
    DELETE FROM activity_log_chapter_counts WHERE first_seq < (SELECT min(seq) FROM activity_log) - 4095; \
    DELETE FROM activity_log_chapters WHERE first_seq < (SELECT min(seq) FROM activity_log) - 4095;";
const CLEAR: &str = "\
    DELETE FROM activity_log_chapter_actors; \
    DELETE FROM activity_log_chapter_counts; \
    DELETE FROM activity_log_chapters;";
