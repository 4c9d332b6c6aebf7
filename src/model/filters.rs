use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::category::ActivityCategory;
use crate::model::encoding::storable_text;
use crate::model::entry::ActivityLogEntry;
use crate::model::severity::ActivitySeverity;
use crate::model::{instant, member, metadata};

/// Which entries to read, count, export or rewrite: those that match every filter that is set.
///
/// An empty list, an empty text or `None` restricts nothing, so the default value matches the whole log. A value that is
/// both listed and excluded matches nothing. All lists together may have 32,000 different values.
///
/// Text filters find the texts that this crate recorded. In rows written by other programs they do not find bytes that
/// are not UTF-8, binary values, or what follows a U+0000.
///
/// Deserializing refuses unknown fields, because a misspelled filter would match too much.
///
/// ```
/// use activity_log::{ActivityCategory, ActivityLogFilters, ActivitySeverity};
///
/// let failed_sign_ins = ActivityLogFilters {
///     categories: vec![ActivityCategory::Auth],
///     severities: vec![ActivitySeverity::Warning, ActivitySeverity::Error],
///     ..ActivityLogFilters::default()
/// };
/// // Everything but the system's heartbeat.
/// let without_noise = ActivityLogFilters {
///     exclude_actions: vec!["heartbeat.*".to_owned()],
///     ..ActivityLogFilters::default()
/// };
/// ```
///
/// # Cost
///
/// A page by one filter, or by two of `categories`, `severities`, `actor` or `actors`, `actions`, `entity_type` and a time
/// window, takes about as long in a log of any size, even if nothing matches. There are two exceptions:
/// `message_contains`, which [`enable_search`](crate::enable_search) makes fast, and `metadata`. They read the entries that
/// pass the other filters until the page is full.
///
/// For exclusions, and for two filters that each match many entries but few together, a summary of each segment of
/// 4,096 entries says which segments have a match, and only those are searched. Such a search takes longer where there
/// are thousands of different actions or actors, with lists of more than 256 values, and where times go back and forth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityLogFilters {
    /// Any of these categories.
    pub categories: Vec<ActivityCategory>,
    /// None of these categories.
    pub exclude_categories: Vec<ActivityCategory>,
    /// Any of these severities.
    pub severities: Vec<ActivitySeverity>,
    /// None of these severities: any of the others.
    pub exclude_severities: Vec<ActivitySeverity>,
    /// Any of these actions. One that ends in `.*` stands for every action that begins with what is before the `*`:
    /// `user.*` matches `user.created`, but not `user` or `users.created`. At most 200 actions may end in `.*`. A `*`
    /// anywhere else is an ordinary character.
    pub actions: Vec<String>,
    /// None of these actions, written like [`actions`](Self::actions).
    pub exclude_actions: Vec<String>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Any of these actors. If [`actor`](Self::actor) is set too, both must match.
    pub actors: Vec<String>,
    /// None of these actors.
    pub exclude_actors: Vec<String>,
    /// Exactly this type of entity.
    pub entity_type: Option<String>,
    /// None of these types of entities. An entry about no entity, or whose entity has no type, is not excluded.
    pub exclude_entity_types: Vec<String>,
    /// Exactly this id of an entity.
    pub entity_id: Option<String>,
    /// At or after this instant. It rounds up to a whole microsecond, so a finer bound is exact.
    pub since: Option<DateTime<Utc>>,
    /// At or before this instant. It rounds down to a whole microsecond, so a finer bound is exact.
    pub until: Option<DateTime<Utc>>,
    /// The message contains this text, of any length, taken literally: `%`, `_` and `\` match themselves. ASCII letters
    /// match in either case, all other characters exactly.
    pub message_contains: Option<String>,
    /// The metadata has each of these members, in its own object or in one within it, with exactly this value. At most 10
    /// members, none with a key that begins with `,`, `:`, `]` or `}`.
    ///
    /// Values are compared as the JSON that `serde_json` writes: `1` is not `1.0`, and members in another order make another
    /// object. In rows written by other programs, it finds JSON that is written like that, or by Python's `json.dumps` with
    /// its defaults and without exponents in numbers.
    #[serde(deserialize_with = "metadata::deserialize")]
    pub metadata: Map<String, Value>,
}

impl ActivityLogFilters {
    /// Whether an entry that was read from the log matches, as a query would decide.
    ///
    /// Use it for entries that are already in memory, for example when one query feeds several followers.
    ///
    /// ```
    /// use activity_log::{ActivityLogEntry, ActivityLogFilters};
    ///
    /// fn is_about_users(entry: &ActivityLogEntry) -> bool {
    ///     ActivityLogFilters { actions: vec!["user.*".to_owned()], ..Default::default() }.matches(entry)
    /// }
    /// ```
    #[must_use]
    pub fn matches(&self, entry: &ActivityLogEntry) -> bool {
        let category = entry.category.as_str();
        let mut categories = self.categories.iter().map(ActivityCategory::as_str);
        any(&mut categories, |one| is_text(one, category))
            && !self.exclude_categories.iter().any(|one| is_text(one.as_str(), category))
            && (self.severities.is_empty() || self.severities.contains(&entry.severity))
            && !self.exclude_severities.contains(&entry.severity)
            && any(&mut self.actions.iter().map(String::as_str), |one| is_action(one, &entry.action))
            && !self.exclude_actions.iter().any(|one| is_action(one, &entry.action))
            && is_or_unset(self.actor.as_deref(), Some(&entry.actor))
            && any(&mut self.actors.iter().map(String::as_str), |one| is_text(one, &entry.actor))
            && !self.exclude_actors.iter().any(|one| is_text(one, &entry.actor))
            && is_or_unset(self.entity_type.as_deref(), entry.entity_type.as_deref())
            && !entry
                .entity_type
                .as_deref()
                .is_some_and(|name| self.exclude_entity_types.iter().any(|one| is_text(one, name)))
            && is_or_unset(self.entity_id.as_deref(), entry.entity_id.as_deref())
            && self.since.is_none_or(|since| entry.ts >= instant::round_up(since))
            && self.until.is_none_or(|until| entry.ts <= instant::round_down(until))
            && self.message_contains.as_deref().is_none_or(|term| contains(&entry.message, term))
            && member::has_all(&entry.metadata, &self.metadata)
    }
}

/// The prefix for which an action that ends in `.*` stands, with its dot.
pub(crate) fn action_prefix(action: &str) -> Option<&str> {
    action.strip_suffix('*').filter(|prefix| prefix.ends_with('.'))
}

/// Whether the test passes for any of the values that are not empty, or whether there are no such values.
fn any(values: &mut dyn Iterator<Item = &str>, test: impl Fn(&str) -> bool) -> bool {
    let mut values = values.filter(|value| !value.is_empty()).peekable();
    values.peek().is_none() || values.any(test)
}

fn is_or_unset(filter: Option<&str>, value: Option<&str>) -> bool {
    filter.is_none_or(|filter| filter.is_empty() || value.is_some_and(|value| is_text(filter, value)))
}

fn is_text(filter: &str, value: &str) -> bool {
    !filter.is_empty() && storable_text(filter) == value
}

fn is_action(filter: &str, action: &str) -> bool {
    let filter = storable_text(filter);
    match action_prefix(&filter) {
        Some(prefix) => action.starts_with(prefix),
        None => !filter.is_empty() && filter == action,
    }
}

fn contains(message: &str, term: &str) -> bool {
    message.to_ascii_lowercase().contains(&storable_text(term).to_ascii_lowercase())
}
