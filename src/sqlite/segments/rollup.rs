//! Which rows of the rollups match filters.

use diesel::prelude::*;

use crate::model::facet::Facet;
use crate::model::normalized_filters::NormalizedFilters;
use crate::sqlite::conditions::{Condition, any_action, any_of, no_action, none_of, texts};
use crate::sqlite::segments::schema::activity_log_segment_rollups as rollups;

/// The longest list that is checked against the rollups; the check repeats for each segment.
const MAX_VALUES: usize = 256;

/// The level that groups rows by category and severity.
const KINDS: i32 = 0;
/// Groups also by action and entity type.
const ACTIONS: i32 = 1;
/// Groups by actor alone.
const ACTORS: i32 = 2;
/// Groups by all five columns.
const ALL: i32 = 3;

/// A test on the rollups, at the level with the fewest rows that has all columns that the filters restrict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rollup<'a> {
    filters: &'a NormalizedFilters,
    level: i32,
}

impl<'a> Rollup<'a> {
    pub(crate) fn new(filters: &'a NormalizedFilters) -> Self {
        Self::with_columns(filters, false, false, false)
    }

    /// At a level that also has the column of a facet.
    pub(crate) fn with_facet(filters: &'a NormalizedFilters, facet: Facet) -> Self {
        match facet {
            Facet::Category | Facet::Severity => Self::with_columns(filters, true, false, false),
            Facet::Action | Facet::EntityType => Self::with_columns(filters, false, true, false),
            Facet::Actor => Self::with_columns(filters, false, false, true),
        }
    }

    /// At a level that also has the severity.
    pub(crate) fn with_severity(filters: &'a NormalizedFilters) -> Self {
        Self::with_columns(filters, true, false, false)
    }

    fn with_columns(filters: &'a NormalizedFilters, kind: bool, action: bool, actor: bool) -> Self {
        let kind = kind
            || !filters.categories.is_empty()
            || !filters.excluded_categories.is_empty()
            || !filters.excluded_severities.is_empty()
            || !filters.severities.is_empty();
        let action = action
            || !filters.actions.is_empty()
            || !filters.excluded_actions.is_empty()
            || filters.entity_type.is_some()
            || !filters.excluded_entity_types.is_empty();
        let actor = actor || !filters.actors.is_empty() || !filters.excluded_actors.is_empty();
        let level = match (actor, action, kind) {
            (false, false, _) => KINDS,
            (false, true, _) => ACTIONS,
            (true, false, false) => ACTORS,
            (true, ..) => ALL,
        };
        Self { filters, level }
    }

    /// The rollups that narrow the search; `None` if an index serves the filters just as well. Filters that each match
    /// many rows but few together need the rollups. So do filters that exclude what many rows have. `lists_actions` is
    /// whether all actions to look for are known by name.
    pub(crate) fn narrowing(filters: &'a NormalizedFilters, lists_actions: bool) -> Option<Self> {
        let rollup = Self::new(filters);
        let restricted = [
            !filters.actors.is_empty(),
            !filters.actions.is_empty(),
            filters.entity_type.is_some(),
            !filters.categories.is_empty(),
            !filters.severities.is_empty(),
        ];
        let restricted = restricted.into_iter().filter(|is_restricted| *is_restricted).count();
        let severities = &filters.severities;
        let has_index = match restricted {
            0 => true,
            1 => severities.is_empty() || filters.leave_out_info(),
            _ => false,
        };
        let has_unlisted = !filters.actions.prefixes.is_empty() && !lists_actions;
        let narrows = rollup.excludes() || !has_index || has_unlisted;
        // An entity has few entries.
        let serves = narrows && filters.entity_id.is_none() && longest_list(filters) <= MAX_VALUES;
        serves.then_some(rollup)
    }

    fn excludes(self) -> bool {
        let filters = self.filters;
        !filters.excluded_actors.is_empty()
            || !filters.excluded_actions.is_empty()
            || !filters.excluded_categories.is_empty()
            || !filters.excluded_severities.is_empty()
            || !filters.excluded_entity_types.is_empty()
    }

    /// How many lookups each segment takes to add up the rollups for these filters.
    pub(crate) fn lookups(self) -> usize {
        longest_list(self.filters).max(1)
    }

    /// Whether the filters choose few rollup rows of each segment, or no index would serve them.
    pub(crate) fn is_selective(self) -> bool {
        let NormalizedFilters { actors, actions, categories, .. } = self.filters;
        match self.level {
            _ if self.excludes() => true,
            KINDS => !categories.is_empty() || self.filters.severities.is_empty(),
            ACTIONS => !actions.names.is_empty() && actions.prefixes.is_empty(),
            _ => !actors.is_empty(),
        }
    }

    /// How many rows a segment has at this level.
    pub(crate) fn rows_in(self, conn: &mut SqliteConnection, segment: i64) -> QueryResult<i64> {
        let rows = rollups::table.filter(rollups::first_seq.eq(segment)).filter(rollups::level.eq(self.level));
        rows.count().get_result(conn)
    }

    /// The rows that match.
    pub(crate) fn condition(self) -> Condition<'a, rollups::table> {
        use rollups::{action, actor, category, entity_type, level, severity};

        let filters = self.filters;
        let mut all: Condition<'a, rollups::table> = Box::new(level.eq(self.level));
        // The columns that the level does not group by are still part of the key.
        if self.level < ACTORS {
            all = Box::new(all.and(actor.eq("")));
        }
        if [KINDS, ACTORS].contains(&self.level) {
            all = Box::new(all.and(action.eq("")));
        }
        if !filters.actors.is_empty() {
            all = Box::new(all.and(any_of(actor, texts(&filters.actors), true)));
        }
        if !filters.excluded_actors.is_empty() {
            all = Box::new(all.and(none_of(actor, texts(&filters.excluded_actors))));
        }
        if !filters.actions.is_empty() {
            all = Box::new(all.and(any_action(action, &filters.actions, true)));
        }
        if !filters.excluded_actions.is_empty() {
            all = Box::new(all.and(no_action(action, &filters.excluded_actions)));
        }
        if !filters.categories.is_empty() {
            all = Box::new(all.and(any_of(category, texts(&filters.categories), true)));
        }
        if !filters.excluded_categories.is_empty() {
            all = Box::new(all.and(none_of(category, texts(&filters.excluded_categories))));
        }
        if !filters.excluded_severities.is_empty() {
            all = Box::new(all.and(none_of(severity, filters.excluded_severity_texts())));
        }
        if !filters.severities.is_empty() {
            all = Box::new(all.and(any_of(severity, filters.severity_texts(), true)));
        }
        if let Some(name) = &filters.entity_type {
            all = Box::new(all.and(any_of(entity_type, vec![name], true)));
        }
        if !filters.excluded_entity_types.is_empty() {
            all = Box::new(all.and(none_of(entity_type, texts(&filters.excluded_entity_types))));
        }
        all
    }
}

fn longest_list(filters: &NormalizedFilters) -> usize {
    let NormalizedFilters { categories, actors, actions, .. } = filters;
    [categories.len(), actors.len(), actions.names.len(), actions.prefixes.len()].into_iter().max().unwrap_or(0)
}
