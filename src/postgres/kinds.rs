//! What entries have in common: the category, action, entity type and severity, and the actor.
//!
//! A log has few kinds, so two filters that seldom or never match together are looked up among these, and each kind that
//! passes is searched for.

use diesel::sql_types::Text;

use crate::model::normalized_filters::NormalizedFilters;
use crate::postgres::statement::{Bind, Sql};

/// The longest list of which each value is sought.
const MAX_SOUGHT: usize = 256;

/// A kind, with values for its [columns](Dimensions::columns).
pub(crate) type Kind = (String, String, String, String, String);
/// A kind as the lookup returns it.
pub(crate) type KindColumns = (Text, Text, Text, Text, Text);

/// The index that has the kinds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dimensions {
    /// With the actor.
    OfActors,
    OfAll,
}

impl Dimensions {
    /// The index that tells which kinds pass the filters, unless another index serves all filters or none does.
    pub(crate) fn for_filters(filters: &NormalizedFilters) -> Option<Self> {
        let NormalizedFilters { categories, actions, actors, entity_type, entity_id, .. } = filters;
        if entity_id.is_some() || categories.len() + actions.names.len() + actions.prefixes.len() > MAX_SOUGHT {
            return None;
        }
        let excludes = !filters.excluded_categories.is_empty()
            || !filters.excluded_actions.is_empty()
            || !filters.excluded_severities.is_empty()
            || !filters.excluded_entity_types.is_empty();
        let names_information = !filters.severities.is_empty() && !filters.leave_out_info();
        let named = [!categories.is_empty(), !actions.is_empty(), entity_type.is_some()];
        let named = named.into_iter().filter(|is_named| *is_named).count();
        if !actors.is_empty() {
            let is_pair = named > 0 || excludes || names_information;
            return (is_pair && actors.len() <= MAX_SOUGHT).then_some(Self::OfActors);
        }
        // The other indexes know an action's warnings, and a category's severities.
        let is_pair = named > 1
            || excludes && (named > 0 || !filters.severities.is_empty())
            || names_information && !actions.is_empty()
            || !filters.severities.is_empty() && entity_type.is_some();
        is_pair.then_some(Self::OfAll)
    }

    /// The expressions of the index, up to its order. An entity type that is NULL is an empty text there.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        let columns = &["actor", "category", "action", "coalesce(entity_type, '')", "severity"];
        match self {
            Self::OfActors => columns,
            Self::OfAll => columns.split_first().map_or(&[], |(_, columns)| columns),
        }
    }

    /// The expression in whose order the index has the rows of a kind, and by how much it is greater than `seq`.
    pub(crate) fn key(self) -> (&'static str, i64) {
        match self {
            Self::OfActors => ("(seq + 6)", 6),
            Self::OfAll => ("(seq + 7)", 7),
        }
    }

    /// The values of a kind, in the order of the columns.
    fn values(self, kind: &Kind) -> impl Iterator<Item = &str> {
        let (actor, category, action, entity_type, severity) = kind;
        let has_actor = self == Self::OfActors;
        has_actor.then_some(actor).into_iter().chain([category, action, entity_type, severity]).map(String::as_str)
    }

    /// The condition for the rows of a kind.
    pub(crate) fn condition(self, kind: &Kind) -> Sql<'static> {
        let mut sql = Sql::default();
        for (position, (column, value)) in self.columns().iter().zip(self.values(kind)).enumerate() {
            sql = sql.text(if position == 0 { "" } else { " AND " });
            sql = sql.text(format!("{column} = ")).bind(value.to_owned());
        }
        sql
    }

    /// The kinds as a table with a row each, and the condition for the rows of a kind there.
    pub(crate) fn listed(self, kinds: &[Kind]) -> (Sql<'static>, Sql<'static>) {
        let (mut table, mut names, mut condition) = (Sql::new("unnest("), String::new(), Sql::default());
        for (position, column) in self.columns().iter().enumerate() {
            let (separator, and) = if position == 0 { ("", "") } else { (", ", " AND ") };
            let values = kinds.iter().filter_map(|kind| self.values(kind).nth(position));
            table = table.text(separator).bind(Bind::Texts(values.map(|value| value.to_owned().into()).collect()));
            names += &format!("{separator}value_{position}");
            condition = condition.text(format!("{and}{column} = listed.value_{position}"));
        }
        (table.text(format!(") AS listed ({names})")), condition)
    }
}
