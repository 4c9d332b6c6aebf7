//! The rows nearest to where a page begins, or the only ones there are.
//!
//! Where filters leave open how their rows are found, looking that up takes longer than the page. But what one actor did not
//! do is most of the log, and a beginning of actions, such as `user.*`, has either few rows or many. One statement tells
//! which, and finds the page.

use diesel::prelude::QueryResult;
use diesel::sql_types::{Bool, Nullable};

use crate::model::normalized_filters::NormalizedFilters;
use crate::model::pattern::end_of;
use crate::postgres::conditions::rest_of_all;
use crate::postgres::execute::Execute;
use crate::postgres::query::{ALL_COLUMNS, SEQ_SERIES, after_seq, direction, rounded};
use crate::postgres::row::ActivityLogRow;
use crate::postgres::schema::activity_log;
use crate::postgres::searches::Searches;
use crate::postgres::statement::Sql;
use crate::store::range::{Order, SeqRange};

/// How many numbers are looked through. A lookup takes about as long.
const NEAREST: i64 = 2_048;
/// A beginning that more rows have has many.
const MANY: i64 = 64;

/// The first rows of a range.
#[derive(Debug)]
pub(crate) struct Nearest {
    pub(crate) rows: Vec<ActivityLogRow>,
    /// Whether any row beyond the range matches.
    pub(crate) has_beyond: bool,
}

/// Where the rows of a page are.
pub(crate) struct Place {
    pub(crate) range: SeqRange,
    pub(crate) order: Order,
    /// How many rows are enough.
    pub(crate) rows: i64,
    /// What is on the other side of the beginning, if that is of interest.
    pub(crate) beyond: Option<SeqRange>,
}

/// The first matching rows, if there are enough of them among the nearest, or few in all. `None` otherwise, and where filters
/// are of a kind that is found without a lookup or has few rows.
pub(crate) async fn nearest(
    conn: &mut impl Execute,
    filters: &NormalizedFilters,
    place: &Place,
) -> QueryResult<Option<Nearest>> {
    let prefix = match filters.actions.prefixes.as_slice() {
        [] => None,
        [prefix] => Some(prefix.as_str()),
        _ => return Ok(None),
    };
    if !leave_open(filters) {
        return Ok(None);
    }
    let statement = statement(filters, place, prefix).returning::<(activity_log::SqlType, Bool, Nullable<Bool>)>();
    let found = conn.load::<(ActivityLogRow, bool, Option<bool>), _>(statement).await?;
    let Some(&(_, is_all, has_beyond)) = found.first() else { return Ok(None) };
    let has_beyond = has_beyond.is_some();
    let is_known = is_all || found.len() as i64 >= place.rows && (has_beyond || place.beyond.is_none());
    let rows = found.into_iter().map(|(row, ..)| row);
    Ok(is_known.then(|| Nearest { rows: rows.collect(), has_beyond }))
}

/// Whether filters take a lookup, and only exclude, or name a beginning.
fn leave_open(filters: &NormalizedFilters) -> bool {
    let is_bounded = filters.since.is_some() || filters.until.is_some() || filters.restrict_contents();
    let names = !filters.actors.is_empty()
        || !filters.actions.names.is_empty()
        || !filters.categories.is_empty()
        || filters.entity_type.is_some()
        || filters.entity_id.is_some();
    !is_bounded && !names && Searches::without_lookup(filters).is_none()
}

/// The rows, each with whether there are no others, and with TRUE if there is any beyond the range.
fn statement<'a>(filters: &'a NormalizedFilters, place: &Place, prefix: Option<&'a str>) -> Sql<'a> {
    let Place { range, order, rows, beyond } = *place;
    let rows = rounded(rows);
    let gate = if prefix.is_some() { " AND (SELECT has_many FROM beginning)" } else { "" };
    let near = |columns, range, order, rows| {
        Sql::new("SELECT ")
            .sql(columns)
            .text(format!(" FROM activity_log WHERE TRUE{gate}"))
            .sql(among_nearest(range, order))
            .sql(rest_of_all(filters))
            .text(format!(" ORDER BY activity_log.seq {} LIMIT {rows}", direction(order)))
    };
    let near_beyond = beyond.map(|beyond| near(Sql::new(SEQ_SERIES), beyond, order.opposite(), 1));
    let near = near(columns(SEQ_SERIES, false, near_beyond), range, order, rows);
    let Some(prefix) = prefix else { return near };

    let few = |range| {
        let others = after_seq(ALL_COLUMNS);
        let few = Sql::new(format!("(SELECT {SEQ_SERIES}{others} FROM activity_log WHERE ")).sql(begins_with(prefix));
        let few =
            few.text(format!(" AND NOT (SELECT has_many FROM beginning) ORDER BY action, (seq + 5) LIMIT {MANY}"));
        few.text(") AS few WHERE TRUE").within(range, "seq", 0).sql(rest_of_all(filters))
    };
    let few_beyond = beyond.map(|beyond| Sql::new("SELECT FROM ").sql(few(beyond)).text(" LIMIT 1"));
    let direction = direction(order);
    Sql::new("WITH beginning AS MATERIALIZED (SELECT (SELECT generate_series(length(action), length(action)) FROM activity_log WHERE ")
        .sql(begins_with(prefix))
        .text(format!(" ORDER BY action OFFSET {MANY} LIMIT 1) IS NOT NULL AS has_many) ("))
        .sql(near)
        .text(") UNION ALL (SELECT ")
        .sql(columns("seq", true, few_beyond))
        .text(" FROM ")
        .sql(few(range))
        .text(format!(" ORDER BY seq {direction} LIMIT {rows}) ORDER BY seq {direction}"))
}

fn columns<'a>(seq: &str, is_all: bool, beyond: Option<Sql<'a>>) -> Sql<'a> {
    let columns = Sql::new(format!("{seq}{}, {is_all} AS is_all, ", after_seq(ALL_COLUMNS)));
    match beyond {
        Some(beyond) => columns.text("(SELECT TRUE FROM (").sql(beyond).text(") AS beyond) AS has_beyond"),
        None => columns.text("NULL::boolean AS has_beyond"),
    }
}

/// A condition for the first numbers of a range, from the first row that it has.
fn among_nearest<'a>(range: SeqRange, order: Order) -> Sql<'a> {
    // No number beyond those of a bigint is asked for.
    let (bound, clamped, most, last) = match order {
        Order::Ascending => ("<", "least", i64::MAX - NEAREST, "+"),
        Order::Descending => (">", "greatest", i64::MIN + NEAREST, "-"),
    };
    let first = Sql::new("SELECT seq FROM activity_log WHERE TRUE").within(range, "seq", 0);
    Sql::default()
        .within(range, "activity_log.seq", 0)
        .text(format!(" AND activity_log.seq {bound} {clamped}(("))
        .sql(first)
        .text(format!(" ORDER BY seq {} LIMIT 1), {most}) {last} {NEAREST}", direction(order)))
}

/// The condition for a beginning. The planner knows no value of a subquery, so all beginnings are alike to it, and it need not
/// plan each page anew.
fn begins_with(prefix: &str) -> Sql<'_> {
    let from = Sql::new("action >= (SELECT ").bind(prefix).text("::text) AND action < (SELECT ");
    from.bind(end_of(prefix)).text("::text)")
}
