use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::is_aggregate::No;
use diesel::expression::{AppearsOnTable, SqlLiteral, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use serde::{Deserialize, Serialize};

use crate::blocks::Window;
use crate::chapters::Meeting;
use crate::entity_types::EACH_TYPE;
use crate::planner::{Unindexed, common, rare};
use crate::row::text;
use crate::schema::activity_log::{self, BoxedQuery};
use crate::span::Span;
use crate::sqlite::{LIKE_PATTERN_MAX_BYTES, LIST_MAX_VALUES, instr, lower};
use crate::timestamp::{Bound, lower_bound, upper_bound};
use crate::{ActivityCategory, ActivitySeverity, Error, Result};

/// How many categories are looked for where they meet with something else; each of more would be, in each chapter.
const MOST_MEETING: usize = 256;

/// Which entries to read, count or export: those that pass every filter set.
///
/// An empty list or `None` restricts nothing, so the default value matches the whole log.
///
/// Texts find what the crate has recorded. In rows of other writers, bytes that are no UTF-8, blobs and what follows a
/// U+0000 are not found.
///
/// ```
/// use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity};
///
/// let failed_sign_ins = ActivityLogFilters {
///     categories: vec![ActivityCategory::Auth],
///     severities: vec![ActivitySeverity::Warning, ActivitySeverity::Error],
///     ..ActivityLogFilters::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityLogFilters {
    /// Any of these categories; at most 32,000 different ones.
    pub categories: Vec<ActivityCategory>,
    /// Any of these severities.
    pub severities: Vec<ActivitySeverity>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this type of entity.
    pub entity_type: Option<String>,
    /// Exactly this id of an entity.
    pub entity_id: Option<String>,
    /// At or after this instant; finer than a microsecond is exact, it rounds up.
    pub since: Option<DateTime<Utc>>,
    /// At or before this instant; finer than a microsecond is exact, it rounds down.
    pub until: Option<DateTime<Utc>>,
    /// A text that the message contains, of any length, taken literally (`%`, `_` and `\` match themselves). ASCII
    /// letters match in either case, all others exactly. (SQLite's deprecated `PRAGMA case_sensitive_like` changes that
    /// for the connection that sets it.)
    pub message_contains: Option<String>,
}

/// Of which rows those that match are wanted; by default of all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Among<'a> {
    pub(crate) span: Span,
    /// These alone.
    pub(crate) candidates: Option<&'a [i64]>,
    /// Where an id of an entity is asked for and no type: all the types that it has among them, of which there are some.
    pub(crate) types: Option<&'a [String]>,
}

impl ActivityLogFilters {
    /// The rows that match, to be read in the order of `seq`.
    pub(crate) fn to_query<'a>(&'a self, among: Among<'a>) -> Result<BoxedQuery<'a, Sqlite>> {
        self.restrict(among, false)
    }

    /// The rows that match, in the order of time: for filters [of time alone](Self::are_of_time_alone), of which the index
    /// on `ts` has all that is asked for.
    pub(crate) fn to_query_by_time(&self) -> Result<BoxedQuery<'_, Sqlite>> {
        self.restrict(Among::default(), true)
    }

    /// Whether they restrict the time and nothing else, or nothing at all.
    pub(crate) fn are_of_time_alone(&self) -> bool {
        Self { since: None, until: None, ..self.clone() } == Self::default()
    }

    /// Whether they restrict categories and severities and nothing else, or nothing at all.
    pub(crate) fn are_of_kind_alone(&self) -> bool {
        Self { categories: Vec::new(), severities: Vec::new(), ..self.clone() } == Self::default()
    }

    /// What of them may each be common and yet seldom meet, and is in no index together.
    pub(crate) fn meeting(&self) -> Result<Option<Meeting>> {
        if !self.may_seldom_meet() {
            return Ok(None);
        }
        let [categories, severities] =
            self.lists()?.map(|list| list.into_iter().map(Cow::into_owned).collect::<Vec<_>>());
        let actor = self.actor.as_deref().map(|actor| text(actor).into_owned());
        Ok(Some(Meeting { actor, categories, severities }))
    }

    fn may_seldom_meet(&self) -> bool {
        // Of an entity there are fewer entries than of anything else; and very many categories take long to look up.
        if self.entity_id.is_some() || self.categories.len() > MOST_MEETING {
            return false;
        }
        let (categories, severities) = (!self.categories.is_empty(), !self.severities.is_empty());
        match self.actor {
            Some(_) => categories || severities,
            None => categories && severities && !self.are_without_information(),
        }
    }

    /// Whether one query finds what matches, with nothing to be looked up before.
    pub(crate) fn are_of_one_query(&self) -> bool {
        let alone = self.entity_id.is_some() && self.entity_type.is_none();
        let bounded = self.since.is_some() || self.until.is_some();
        !alone && !bounded && self.message_contains.is_none() && !self.may_seldom_meet()
    }

    /// Whether there are severities, and information is none of them.
    fn are_without_information(&self) -> bool {
        !self.severities.is_empty() && !self.severities.contains(&ActivitySeverity::Info)
    }

    /// The time window in stored form; `None` when no time is in it.
    pub(crate) fn window(&self) -> Option<Window> {
        let text = |bound| match bound {
            None | Some(Bound::All) => Some(None),
            Some(Bound::Nothing) => None,
            Some(Bound::Text(text)) => Some(Some(text)),
        };
        Some(Window { since: text(self.since.map(lower_bound))?, until: text(self.until.map(upper_bound))? })
    }

    /// Whether they can be run at all.
    pub(crate) fn check(&self) -> Result<()> {
        self.lists().map(drop)
    }

    /// The categories and the severities, as they are stored.
    pub(crate) fn lists(&self) -> Result<[Vec<Cow<'_, str>>; 2]> {
        let categories = distinct("categories", self.categories.iter().map(ActivityCategory::as_str))?;
        let severities = distinct("severities", self.severities.iter().map(|severity| severity.as_str()))?;
        Ok([categories, severities])
    }

    /// The one place where filters become SQL: query, page, count and export all build on what it returns.
    fn restrict<'a>(&'a self, among: Among<'a>, by_time: bool) -> Result<BoxedQuery<'a, Sqlite>> {
        let Among { span, candidates, types } = among;
        let mut query = activity_log::table.into_boxed();

        let [categories, severities] = self.lists()?;
        let actor = self.actor.iter().map(|actor| text(actor)).collect();
        // Of an entity there are fewer entries than of anything else, and of an actor than of a kind: no other index is to be
        // preferred to theirs.
        query = if self.entity_id.is_some() {
            let query = also_any_of(query, activity_log::category, categories);
            let query = also_any_of(query, activity_log::severity, severities);
            also_any_of(query, activity_log::actor, actor)
        } else if self.actor.is_some() {
            let query = also_any_of(query, activity_log::category, categories);
            let query = also_any_of(query, activity_log::severity, severities);
            any_of(query, activity_log::actor, actor)
        } else if categories.is_empty() {
            any_of(query, activity_log::severity, severities)
        } else if self.are_without_information() {
            let query = any_of(query, activity_log::category, categories);
            any_of(query, activity_log::severity, severities).filter(sql::<Bool>(WITHOUT_INFORMATION))
        } else {
            // Nearly all entries are information.
            let query = any_of(query, activity_log::category, categories);
            also_any_of(query, activity_log::severity, severities)
        };
        if let Some(entity_type) = &self.entity_type {
            query = query.filter(rare(activity_log::entity_type.eq(text(entity_type))));
        }
        if let Some(entity_id) = &self.entity_id {
            query = query.filter(rare(activity_log::entity_id.eq(text(entity_id))));
            query = match types {
                _ if self.entity_type.is_some() => query,
                Some(types) => {
                    any_of(query, activity_log::entity_type.assume_not_null(), types.iter().map(Cow::from).collect())
                }
                // Not in order: what is found has to be sorted.
                None => query.filter(of_any_type_or_none()),
            };
        }
        let Some(Window { since, until }) = self.window() else {
            return Ok(query.filter(false.into_sql::<Bool>()));
        };
        if let Some(since) = since {
            query = match by_time {
                true => query.filter(activity_log::ts.ge(since)),
                false => query.filter(Unindexed::new(activity_log::ts).ge(since)),
            };
        }
        if let Some(until) = until {
            query = match by_time {
                true => query.filter(activity_log::ts.le(until)),
                false => query.filter(Unindexed::new(activity_log::ts).le(until)),
            };
        }
        if let Some(term) = self.message_contains.as_deref().filter(|term| !term.is_empty()) {
            let term = text(term);
            query = match like_pattern(&term) {
                Some(pattern) => query.filter(activity_log::message.like(pattern).escape('\\')),
                None => query.filter(instr(lower(activity_log::message), term.to_ascii_lowercase()).gt(0)),
            };
        }
        if let Some(candidates) = candidates {
            query = query.filter(activity_log::seq.eq_any(candidates));
        }
        if let Some(after) = span.after {
            query = query.filter(common(activity_log::seq.gt(after)));
        }
        if let Some(before) = span.before {
            query = query.filter(common(activity_log::seq.lt(before)));
        }
        Ok(query)
    }
}

/// The rows of which `column` is any of `values`; all of them when there are none.
fn any_of<'a, C>(query: BoxedQuery<'a, Sqlite>, column: C, values: Vec<Cow<'a, str>>) -> BoxedQuery<'a, Sqlite>
where
    C: Expression<SqlType = Text> + AppearsOnTable<activity_log::table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Send + 'a,
{
    // One value is compared with `=`: Diesel keeps that statement prepared, but never one with a list.
    match <[_; 1]>::try_from(values) {
        Ok([one]) => query.filter(rare(column.eq(one))),
        Err(none) if none.is_empty() => query,
        Err(any) => query.filter(rare(column.eq_any(any))),
    }
}

/// The same, without an index: of the rows that another one finds, it says which.
fn also_any_of<'a, C>(query: BoxedQuery<'a, Sqlite>, column: C, values: Vec<Cow<'a, str>>) -> BoxedQuery<'a, Sqlite>
where
    C: Expression<SqlType = Text> + AppearsOnTable<activity_log::table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Send + 'a,
{
    let column = Unindexed::new(column);
    match <[_; 1]>::try_from(values) {
        Ok([one]) => query.filter(column.eq(one)),
        Err(none) if none.is_empty() => query,
        Err(any) => query.filter(column.eq_any(any)),
    }
}

/// Implied by a list of severities, it lets the index be used that has no others.
const WITHOUT_INFORMATION: &str = "activity_log.severity IS NOT 'info'";

/// True of every row, it lets the index on `(entity_type, entity_id)` find an id of whatever type: an index on the id
/// would cost more than all others.
fn of_any_type_or_none() -> SqlLiteral<Bool> {
    sql(&format!(
        "(activity_log.entity_type IS NULL OR activity_log.entity_type IN \
        ({EACH_TYPE} SELECT name FROM type WHERE name IS NOT NULL))"
    ))
}

/// The values of a list as they are stored, each once; a list that SQLite cannot take is refused.
fn distinct<'a>(field: &'static str, values: impl Iterator<Item = &'a str>) -> Result<Vec<Cow<'a, str>>> {
    let values = values.map(text).collect::<BTreeSet<_>>();
    if values.len() > LIST_MAX_VALUES {
        let reason = format!("lists {} different values, and at most {LIST_MAX_VALUES} are possible", values.len());
        return Err(Error::InvalidFilter { field, reason });
    }
    Ok(values.into_iter().collect())
}

/// The pattern for a message that contains `term`; `None` where LIKE would refuse the pattern or not take it literally:
/// it reads U+FFFE and U+FFFF as U+FFFD.
pub(crate) fn like_pattern(term: &str) -> Option<String> {
    if term.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']) {
        return None;
    }
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    (pattern.len() <= LIKE_PATTERN_MAX_BYTES).then_some(pattern)
}
