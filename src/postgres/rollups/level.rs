//! Which rows of the rollups answer a question.

use crate::model::facet::Facet;
use crate::model::normalized_filters::NormalizedFilters;

/// By which columns a level groups the entries of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Level {
    /// By none: the block itself has the number of its entries.
    Block,
    /// Category and severity.
    Kinds,
    /// Action, category, severity and entity type.
    Actions,
    /// Actor.
    Actors,
    /// All of them.
    All,
}

impl Level {
    /// The level with the fewest rows that has all columns that the filters restrict; `None` if no level has,
    /// or if no row can match.
    pub(crate) fn of(filters: &NormalizedFilters) -> Option<Self> {
        Self::with_columns(filters, false, false, false)
    }

    /// A level that also has the column of a facet.
    pub(crate) fn with_facet(filters: &NormalizedFilters, facet: Facet) -> Option<Self> {
        match facet {
            Facet::Category | Facet::Severity => Self::with_columns(filters, true, false, false),
            Facet::Action | Facet::EntityType => Self::with_columns(filters, false, true, false),
            Facet::Actor => Self::with_columns(filters, false, false, true),
        }
    }

    /// A level that also has the severity.
    pub(crate) fn with_severity(filters: &NormalizedFilters) -> Option<Self> {
        Self::with_columns(filters, true, false, false)
    }

    fn with_columns(filters: &NormalizedFilters, kind: bool, action: bool, actor: bool) -> Option<Self> {
        let NormalizedFilters {
            categories,
            excluded_categories,
            severities,
            actions,
            excluded_actions,
            actors,
            excluded_actors,
            excluded_severities,
            entity_type,
            excluded_entity_types,
            entity_id,
            since: _,
            until: _,
            message_contains: _,
            metadata_contains: _,
            match_nothing,
        } = filters;
        if *match_nothing || entity_id.is_some() || filters.restrict_contents() {
            return None;
        }
        let kind = kind
            || !categories.is_empty()
            || !excluded_categories.is_empty()
            || !severities.is_empty()
            || !excluded_severities.is_empty();
        let action = action
            || !actions.is_empty()
            || !excluded_actions.is_empty()
            || entity_type.is_some()
            || !excluded_entity_types.is_empty();
        let actor = actor || !actors.is_empty() || !excluded_actors.is_empty();
        Some(match (actor, action, kind) {
            (false, false, false) => Self::Block,
            (false, false, true) => Self::Kinds,
            (false, true, _) => Self::Actions,
            (true, false, false) => Self::Actors,
            (true, ..) => Self::All,
        })
    }

    /// The number that the rows of the level have.
    pub(crate) fn number(self) -> i16 {
        match self {
            Self::Block | Self::Kinds => 0,
            Self::Actions => 1,
            Self::Actors => 2,
            Self::All => 3,
        }
    }
}
