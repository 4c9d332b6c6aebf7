//! What differs between two values, as metadata.

mod bytes;
mod difference;
pub(crate) mod options;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::changes::bytes::fit;
use crate::model::changes::difference::Differences;
use crate::model::changes::options::ChangesOptions;

/// What differs between two values, as metadata; `None` if nothing does, so that no entry need be recorded.
///
/// Both are compared as they serialize to JSON:
///
/// ```
/// use activity_log::{NewActivityLogEntry, changes};
/// use serde_json::json;
///
/// #[derive(serde::Serialize)]
/// struct Lamp {
///     name: String,
///     room: Option<String>,
///     light: Light,
/// }
///
/// #[derive(serde::Serialize)]
/// struct Light {
///     color: String,
///     percent: u8,
/// }
///
/// # fn main() -> activity_log::Result<()> {
/// let before = Lamp { name: "Lamp".into(), room: None, light: Light { color: "red".into(), percent: 80 } };
/// let after = Lamp { name: "Lamp".into(), room: Some("Hall".into()), light: Light { color: "red".into(), percent: 10 } };
/// if let Some(changes) = changes(&before, &after)? {
///     let entry = NewActivityLogEntry::here("device", "device.updated", "Changed the lamp").metadata_values(changes);
///     let expected = json!({
///         "room": {"from": null, "to": "Hall"},
///         "light": {"percent": {"from": 80, "to": 10}},
///     });
///     assert_eq!(entry.metadata["changed"], expected);
/// }
/// assert_eq!(changes(&after, &after)?, None);
/// # Ok(())
/// # }
/// ```
///
/// # What is in it
///
/// - Each field that differs, with the values `from` and `to`. A field that was added has no `from`, one that was
///   removed has no `to`.
/// - An object in both values leads to its fields that differ, as in `light` above. Arrays are compared and recorded
///   as whole values.
/// - An object that itself has a field `from` or `to` is recorded as a whole value too. So what has a key `from` or
///   `to` is always a change.
/// - If the values are not both objects, `changed` is itself the change: `{"changed": {"from": 1, "to": 2}}`.
///
/// # How much
///
/// At most 100 fields, 16 levels of objects and arrays, and 16 KiB of JSON; [`ChangesOptions`] changes that, and masks
/// secrets. A value that is nested too deep or for which there are too few bytes is replaced by [`LEFT_OUT`], the
/// longest values first. `changed_left_out` is the number of fields whose names had no room either; without it, all
/// are named.
///
/// # Errors
///
/// [`Error::InvalidEntry`] if one of the values does not serialize to JSON, for example because a map has keys that
/// are not texts.
///
/// [`LEFT_OUT`]: crate::LEFT_OUT
pub fn changes<B, A>(before: &B, after: &A) -> Result<Option<Map<String, Value>>>
where
    B: Serialize + ?Sized,
    A: Serialize + ?Sized,
{
    ChangesOptions::new().between(before, after)
}

impl ChangesOptions {
    /// Like [`changes`], with these options.
    ///
    /// # Errors
    ///
    /// Those of [`changes`].
    pub fn between<B, A>(&self, before: &B, after: &A) -> Result<Option<Map<String, Value>>>
    where
        B: Serialize + ?Sized,
        A: Serialize + ?Sized,
    {
        let (before, after) = (json(before)?, json(after)?);
        if before == after {
            return Ok(None);
        }
        let Differences { found, more } = Differences::between(&before, &after, self);
        let (changed, unnamed) = fit(found, self.bytes);
        let mut metadata = Map::new();
        metadata.insert("changed".to_owned(), changed);
        let left_out = more + unnamed;
        if left_out > 0 {
            metadata.insert("changed_left_out".to_owned(), left_out.into());
        }
        Ok(Some(metadata))
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| {
        let reason = format!("cannot be written as JSON: {error}");
        Error::InvalidEntry { index: 0, field: "metadata", reason }
    })
}
