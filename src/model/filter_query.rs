//! Filters in the query string of a URL.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::category::ActivityCategory;
use crate::model::filters::ActivityLogFilters;
use crate::model::metadata::from_json;
use crate::model::normalized_filters::NormalizedFilters;
use crate::model::severity::ActivitySeverity;

const PARAMETERS: [&str; 16] = [
    "categories",
    "severities",
    "exclude_categories",
    "exclude_severities",
    "actions",
    "exclude_actions",
    "actor",
    "actors",
    "exclude_actors",
    "entity_type",
    "exclude_entity_types",
    "entity_id",
    "since",
    "until",
    "message_contains",
    "metadata",
];

impl ActivityLogFilters {
    /// Reads filters from the percent-encoded query string of a URL. The parameters are named like the fields.
    ///
    /// Use this function instead of serde, which reads no lists from a query string. White space beside commas is ignored.
    ///
    /// The items of a list are separated by commas, or given as several parameters of the same name; `\,` stands for a
    /// comma within a value. Times are in RFC 3339, `metadata` is a JSON object. A parameter with an empty value
    /// restricts nothing, because forms send every field.
    ///
    /// ```
    /// use activity_log::{ActivityCategory, ActivityLogFilters};
    ///
    /// let filters = ActivityLogFilters::from_query("categories=auth,device&since=2026-01-31T00:00:00Z&actor=")?;
    /// assert_eq!(filters.categories, [ActivityCategory::Auth, ActivityCategory::Device]);
    /// assert_eq!(filters.actor, None);
    ///
    /// let misspelled = ActivityLogFilters::from_query("category=auth").map_err(|error| error.to_string());
    /// assert!(misspelled.is_err_and(|error| error.contains("`category` is not a known parameter")));
    /// # Ok::<_, activity_log::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`] with the parameter's name, if the parameter is unknown, is not UTF-8, has a value that
    /// cannot be read or that no query takes, or is given more than once and is not a list. Unknown parameters are
    /// refused because a misspelled filter would match too much.
    pub fn from_query(query: &str) -> Result<Self> {
        Self::from_query_with(query, &[])
    }

    /// Like [`from_query`](Self::from_query), but skips the parameters named in `others`, which the caller reads: a
    /// cursor and a limit, for example.
    ///
    /// ```
    /// use activity_log::ActivityLogFilters;
    ///
    /// let filters = ActivityLogFilters::from_query_with("actor=alice&limit=20", &["before_seq", "limit"])?;
    /// assert_eq!(filters.actor.as_deref(), Some("alice"));
    /// # Ok::<_, activity_log::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_query`](Self::from_query).
    pub fn from_query_with(query: &str, others: &[&str]) -> Result<Self> {
        let mut filters = Self::default();
        let query = query.strip_prefix('?').unwrap_or(query);
        let mut given = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| invalid(name, "is not UTF-8"))?;
            if others.contains(&name.as_str()) {
                continue;
            }
            let value = decode(value).ok_or_else(|| invalid(&name, "is not UTF-8"))?;
            let is_repeated = given.contains(&name);
            filters.set(&name, &value, is_repeated)?;
            if !is_repeated {
                given.push(name);
            }
        }
        match NormalizedFilters::new(&filters) {
            Err(Error::InvalidFilter { field, reason }) => Err(invalid(field, &reason)),
            Err(other) => Err(other),
            Ok(_) => Ok(filters),
        }
    }

    fn set(&mut self, name: &str, value: &str, is_repeated: bool) -> Result<()> {
        match name {
            "categories" => self.categories.extend(items(value).into_iter().map(ActivityCategory::from)),
            "exclude_categories" => {
                self.exclude_categories.extend(items(value).into_iter().map(ActivityCategory::from));
            }
            "severities" => self.severities.extend(severities(name, value)?),
            "exclude_severities" => self.exclude_severities.extend(severities(name, value)?),
            "actions" => self.actions.extend(items(value)),
            "exclude_actions" => self.exclude_actions.extend(items(value)),
            "actors" => self.actors.extend(items(value)),
            "exclude_actors" => self.exclude_actors.extend(items(value)),
            "exclude_entity_types" => self.exclude_entity_types.extend(items(value)),
            _ if !PARAMETERS.contains(&name) => {
                let known = PARAMETERS.join(", ");
                // The name may be part of a value that contains an ampersand.
                let name = &name.chars().take(40).collect::<String>();
                return Err(invalid(name, &format!("is not a known parameter; the filters are {known}")));
            }
            _ if is_repeated => return Err(invalid(name, "is given more than once")),
            _ if value.is_empty() => {}
            "actor" => self.actor = Some(value.to_owned()),
            "entity_type" => self.entity_type = Some(value.to_owned()),
            "entity_id" => self.entity_id = Some(value.to_owned()),
            "since" => self.since = Some(time(name, value)?),
            "until" => self.until = Some(time(name, value)?),
            "message_contains" => self.message_contains = Some(value.to_owned()),
            _ => self.metadata = metadata(name, value)?,
        }
        Ok(())
    }
}

/// The items of a list that are not empty, without white space around those between commas.
fn items(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, items.last_mut()) {
            (',', _) => items.push(String::new()),
            ('\\', Some(item)) if characters.peek() == Some(&',') => item.extend(characters.next()),
            (other, Some(item)) => item.push(other),
            (_, None) => {}
        }
    }
    // A single item is a value as it is. White space is part of the list only where there is one.
    if items.len() > 1 {
        items = items.into_iter().map(|item| item.trim().to_owned()).collect();
    }
    items.into_iter().filter(|item| !item.is_empty()).collect()
}

fn severities(name: &str, list: &str) -> Result<Vec<ActivitySeverity>> {
    let severity =
        |item: String| item.trim().parse().map_err(|error| invalid(name, &format!("lists a value that {error}")));
    items(list).into_iter().map(severity).collect()
}

fn time(name: &str, value: &str) -> Result<DateTime<Utc>> {
    // A plus sign that is not percent-encoded arrives as a space.
    let signed = match value.rsplit_once(' ') {
        Some((time, offset)) if time.contains(['T', 't']) => format!("{time}+{offset}"),
        _ => value.to_owned(),
    };
    let time = DateTime::parse_from_rfc3339(&signed);
    let time = time.map_err(|_| invalid(name, "is not a time in RFC 3339, such as 2026-01-31T12:00:00Z"))?;
    Ok(time.to_utc())
}

fn metadata(name: &str, value: &str) -> Result<Map<String, Value>> {
    let example = r#"a JSON object, such as {"ip":"10.0.0.7"}"#;
    from_json(value).map_err(|reason| invalid(name, &format!("{reason}; give {example}")))
}

/// The decoded text; `None` if it is not UTF-8.
fn decode(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(String::from)
}

fn invalid(parameter: &str, reason: &str) -> Error {
    Error::InvalidQuery { parameter: parameter.to_owned(), reason: reason.to_owned() }
}
