//! Statements as text with binds. They are made in one place, and a connection of any kind executes them.
//!
//! Diesel's query builder has no words for what keeps PostgreSQL's plans stable, such as a union of searches with a limit
//! each. Unlike `diesel::sql_query`, these statements stay prepared.

use std::borrow::Cow;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::pg::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use crate::postgres::timestamp;
use crate::store::range::SeqRange;

/// A statement that returns rows of the type `ST`.
#[derive(Debug)]
pub(crate) struct Statement<'a, ST = ()> {
    sql: Sql<'a>,
    row: PhantomData<fn() -> ST>,
}

/// A part of a statement.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sql<'a>(Vec<Part<'a>>);

#[derive(Debug, Clone)]
enum Part<'a> {
    Text(Cow<'static, str>),
    Bind(Bind<'a>),
}

/// A value. Those of a statement that is executed again should differ in their values only: a longer list is the same
/// statement.
#[derive(Debug, Clone)]
pub(crate) enum Bind<'a> {
    Number(i64),
    Numbers(Cow<'a, [i64]>),
    Text(Cow<'a, str>),
    OptionalText(Option<Cow<'a, str>>),
    Texts(Vec<Cow<'a, str>>),
    OptionalTexts(Vec<Option<Cow<'a, str>>>),
    Time(PgTimestamp),
    Times(Vec<PgTimestamp>),
}

impl<'a> Sql<'a> {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self::default().text(text)
    }

    #[must_use]
    pub(crate) fn text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    #[must_use]
    pub(crate) fn bind(mut self, bind: impl Into<Bind<'a>>) -> Self {
        self.0.push(Part::Bind(bind.into()));
        self
    }

    #[must_use]
    pub(crate) fn sql(mut self, mut sql: Self) -> Self {
        self.0.append(&mut sql.0);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the bounds of a range to a condition, for an expression that is `offset` greater than `seq`.
    #[must_use]
    pub(crate) fn within(mut self, range: SeqRange, key: &str, offset: i64) -> Self {
        if let Some(after) = range.after {
            self = self.text(format!(" AND {key} > ")).bind(after.saturating_add(offset));
        }
        if let Some(before) = range.before {
            self = self.text(format!(" AND {key} < ")).bind(before.saturating_add(offset));
        }
        self
    }

    /// As a statement that returns rows of this type.
    pub(crate) fn returning<ST>(self) -> Statement<'a, ST> {
        Statement { sql: self, row: PhantomData }
    }
}

impl From<i64> for Bind<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a [i64]> for Bind<'a> {
    fn from(numbers: &'a [i64]) -> Self {
        Self::Numbers(Cow::Borrowed(numbers))
    }
}

impl<'a> From<&'a str> for Bind<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Bind<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Bind<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<Cow<'a, str>>> for Bind<'a> {
    fn from(text: Option<Cow<'a, str>>) -> Self {
        Self::OptionalText(text)
    }
}

impl<'a> From<&'a [String]> for Bind<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self::Texts(texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect())
    }
}

impl From<Vec<&'static str>> for Bind<'_> {
    fn from(texts: Vec<&'static str>) -> Self {
        Self::Texts(texts.into_iter().map(Cow::Borrowed).collect())
    }
}

impl From<DateTime<Utc>> for Bind<'_> {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(timestamp::encode(time))
    }
}

impl QueryFragment<Pg> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => {
                out.push_sql(text);
                Ok(())
            }
            Part::Bind(Bind::Number(number)) => out.push_bind_param::<BigInt, _>(number),
            Part::Bind(Bind::Numbers(numbers)) => out.push_bind_param::<Array<BigInt>, [i64]>(numbers),
            Part::Bind(Bind::Text(text)) => out.push_bind_param::<Text, str>(text),
            Part::Bind(Bind::OptionalText(text)) => out.push_bind_param::<Nullable<Text>, _>(text),
            Part::Bind(Bind::Texts(texts)) => out.push_bind_param::<Array<Text>, _>(texts),
            Part::Bind(Bind::OptionalTexts(texts)) => out.push_bind_param::<Array<Nullable<Text>>, _>(texts),
            Part::Bind(Bind::Time(time)) => out.push_bind_param::<Timestamptz, _>(time),
            Part::Bind(Bind::Times(times)) => out.push_bind_param::<Array<Timestamptz>, _>(times),
        })
    }
}

impl<ST> QueryFragment<Pg> for Statement<'_, ST> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.sql.walk_ast(out)
    }
}

impl<ST> QueryId for Statement<'_, ST> {
    type QueryId = ();
    // Diesel keeps the statement prepared by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Statement<'_, ST> {
    type SqlType = ST;
}

impl<ST, Conn> RunQueryDsl<Conn> for Statement<'_, ST> {}
