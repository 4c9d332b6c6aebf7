use std::borrow::Cow;

use serde_json::{Map, Value};

/// What replaces a masked value.
pub const REDACTED: &str = "[redacted]";

/// Masks the values of certain metadata keys, at any depth, before an entry is written. The keys stay.
///
/// A masked value of any type becomes the text [`REDACTED`]. A key matches as a whole, ASCII letters in either case. The
/// redactor does not look into texts, neither those outside the metadata nor JSON within a text. It applies to the
/// repositories that it is given to.
///
/// ```
/// use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, REDACTED, Redactor};
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let redactor = Redactor::new(["password", "token"]);
/// let mut log = ActivityLogRepository::new(&mut conn).with_redactor(&redactor);
/// log.record(&NewActivityLogEntry::new("auth", "a", "b", "c").metadata_value("Token", "hunter2"))?;
///
/// let entries = log.query(&ActivityLogFilters::default(), None, 1)?;
/// assert_eq!(entries[0].metadata["Token"], REDACTED);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redactor {
    keys: Vec<String>,
}

impl Redactor {
    /// A redactor that masks the values of these keys.
    pub fn new(keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect() }
    }

    /// The metadata to write. The caller has checked how deep it is nested.
    pub(crate) fn redact<'a>(&self, metadata: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        if self.finds_in(metadata) {
            let mut masked = metadata.clone();
            self.mask(&mut masked);
            Cow::Owned(masked)
        } else {
            Cow::Borrowed(metadata)
        }
    }

    /// A value to write. The caller has checked how deep it is nested.
    pub(crate) fn redact_value<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        if self.finds_below(value) {
            let mut masked = value.clone();
            self.mask_below(&mut masked);
            Cow::Owned(masked)
        } else {
            Cow::Borrowed(value)
        }
    }

    pub(crate) fn masks(&self, key: &str) -> bool {
        self.keys.iter().any(|masked| masked.eq_ignore_ascii_case(key))
    }

    fn finds_in(&self, map: &Map<String, Value>) -> bool {
        map.iter().any(|(key, value)| self.masks(key) || self.finds_below(value))
    }

    fn finds_below(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => self.finds_in(map),
            Value::Array(values) => values.iter().any(|value| self.finds_below(value)),
            _ => false,
        }
    }

    fn mask(&self, map: &mut Map<String, Value>) {
        for (key, value) in map {
            if self.masks(key) {
                *value = Value::from(REDACTED);
            } else {
                self.mask_below(value);
            }
        }
    }

    fn mask_below(&self, value: &mut Value) {
        match value {
            Value::Object(map) => self.mask(map),
            Value::Array(values) => values.iter_mut().for_each(|value| self.mask_below(value)),
            _ => {}
        }
    }
}
