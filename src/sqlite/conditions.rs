//! Tests of a column against values, in the log and in its rollups.

use diesel::expression::is_aggregate::No;
use diesel::expression::{SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;

use crate::model::normalized_filters::Actions;
use crate::sqlite::fragments::{IsNotTrue, Unprepared, instr, substr};
use crate::sqlite::hints::{NoIndex, selective};

/// A test of the rows of a table.
pub(crate) type Condition<'a, Table> = Box<dyn BoxableExpression<Table, Sqlite, SqlType = Bool> + 'a>;

/// The rows whose `column` is any of `values`, found by the column's index or tested on the rows that another index
/// finds.
pub(crate) fn any_of<'a, Table, C>(column: C, values: Vec<&'a str>, by_index: bool) -> Condition<'a, Table>
where
    C: Expression<SqlType = Text> + SelectableExpression<Table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Send + 'a,
    Table: 'a,
{
    // Diesel keeps a statement with `=` prepared, but never one with a list.
    match (values.as_slice(), by_index) {
        ([one], true) => Box::new(selective(column.eq(*one))),
        ([one], false) => Box::new(NoIndex::new(column).eq(*one)),
        (_, true) => Box::new(selective(column.eq_any(values))),
        (_, false) => Box::new(NoIndex::new(column).eq_any(values)),
    }
}

/// The rows whose `column` is none of `values`, which no index finds.
pub(crate) fn none_of<'a, Table, C>(column: C, values: Vec<&'a str>) -> Condition<'a, Table>
where
    C: Expression<SqlType = Text> + SelectableExpression<Table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Send + 'a,
    Table: 'a,
{
    Box::new(IsNotTrue(column.eq_any(values)))
}

/// The rows with any of these actions. An index serves names. With prefixes, the test applies to the rows that another
/// index finds.
pub(crate) fn any_action<'a, Table, C>(column: C, actions: &'a Actions, by_index: bool) -> Condition<'a, Table>
where
    C: Expression<SqlType = Text> + SelectableExpression<Table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Copy + Send + 'a,
    Table: 'a,
{
    let mut tests = vec![any_of(column, texts(&actions.names), by_index && actions.prefixes.is_empty())];
    for prefix in &actions.prefixes {
        // A range of texts would be wrong in UTF-16, where SQLite compares bytes.
        tests.push(Box::new(substr(column, 1, prefix.chars().count() as i64).eq(prefix)));
    }
    any_test(tests)
}

/// The rows whose text has any of these within it.
pub(crate) fn contains_any<'a, Table, C>(column: C, parts: &'a [String]) -> Condition<'a, Table>
where
    C: Expression<SqlType = Text> + SelectableExpression<Table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Copy + Send + 'a,
    Table: 'a,
{
    let tests = parts.iter().map(|part| -> Condition<'a, Table> { Box::new(instr(column, part).gt(0)) });
    Box::new(Unprepared(any_test(tests.collect())))
}

/// The rows that pass any of the tests.
fn any_test<'a, Table: 'a>(mut tests: Vec<Condition<'a, Table>>) -> Condition<'a, Table> {
    // In pairs, because SQLite refuses an expression that is nested once for each of them.
    while tests.len() > 1 {
        let mut rest = tests.into_iter();
        tests = Vec::new();
        while let Some(test) = rest.next() {
            tests.push(match rest.next() {
                Some(other) => Box::new(test.or(other)),
                None => test,
            });
        }
    }
    tests.pop().unwrap_or_else(|| Box::new(false.into_sql::<Bool>()))
}

/// The rows with none of these actions, which no index finds.
pub(crate) fn no_action<'a, Table, C>(column: C, actions: &'a Actions) -> Condition<'a, Table>
where
    C: Expression<SqlType = Text> + SelectableExpression<Table> + ValidGrouping<(), IsAggregate = No>,
    C: QueryFragment<Sqlite> + Copy + Send + 'a,
    Table: 'a,
{
    Box::new(IsNotTrue(any_action(column, actions, false)))
}

/// A list of values for a test.
pub(crate) fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
