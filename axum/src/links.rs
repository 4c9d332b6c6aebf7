//! Links from entries to the host's own pages.

use std::fmt;
use std::sync::Arc;

use activity_log::ActivityLogEntry;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

type EntityLink = dyn Fn(&str, &str) -> Option<String> + Send + Sync;
type ActorLink = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where the host has pages about entities and actors.
#[derive(Clone, Default)]
pub(crate) struct Links {
    pub(crate) entity: Option<Arc<EntityLink>>,
    pub(crate) actor: Option<Arc<ActorLink>>,
}

impl fmt::Debug for Links {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entity, actor) = (self.entity.is_some(), self.actor.is_some());
        formatter.debug_struct("Links").field("entity", &entity).field("actor", &actor).finish()
    }
}

/// The host's pages about what an entry names.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EntryLinks {
    /// The page about the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    /// The page about the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

/// An entry as it is sent, with its links beside its fields.
#[derive(Debug)]
pub(crate) struct LinkedEntry {
    pub(crate) entry: ActivityLogEntry,
    links: EntryLinks,
}

impl Links {
    pub(crate) fn add_to(&self, entry: ActivityLogEntry) -> LinkedEntry {
        let links = EntryLinks { entity: self.to_entity(&entry), actor: self.to_actor(&entry) };
        LinkedEntry { entry, links }
    }

    fn to_entity(&self, entry: &ActivityLogEntry) -> Option<String> {
        let link = self.entity.as_ref()?;
        link(entry.entity_type.as_deref()?, entry.entity_id.as_deref()?).and_then(safe)
    }

    fn to_actor(&self, entry: &ActivityLogEntry) -> Option<String> {
        self.actor.as_ref()?(&entry.actor).and_then(safe)
    }
}

impl Serialize for LinkedEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WithLinks<'a> {
            #[serde(flatten)]
            entry: &'a ActivityLogEntry,
            links: &'a EntryLinks,
        }

        let Self { entry, links } = self;
        if *links == EntryLinks::default() {
            return entry.serialize(serializer);
        }
        WithLinks { entry, links }.serialize(serializer)
    }
}

/// The URL, if it leads to a page and runs no script: a relative one, or one with the scheme `http` or `https`.
pub(crate) fn safe(url: String) -> Option<String> {
    if is_safe(&url) {
        return Some(url);
    }
    tracing::warn!(url, "a link is left out: only http:, https: and relative URLs are shown");
    None
}

fn is_safe(url: &str) -> bool {
    // Browsers pass over control characters and spaces around the URL, and so might find a scheme there.
    if url.is_empty() || url.trim() != url || url.contains(|character: char| character.is_control()) {
        return false;
    }
    match url.split_once([':', '/', '?', '#']) {
        Some((scheme, _)) if url.as_bytes().get(scheme.len()) == Some(&b':') => {
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        }
        _ => true,
    }
}
