//! How long the texts may be that PostgreSQL keeps in indexes.

use crate::error::{Error, Result};
use crate::model::encoding::EncodedEntry;

/// The bytes that the texts of one index row may have together. PostgreSQL refuses rows of more than 2,704 bytes, with what it
/// adds.
const MAX_BYTES: usize = 2_600;

/// Refuses the entry at `index` if PostgreSQL could not index it. The default limits never let such an entry through.
///
/// # Errors
///
/// [`Error::InvalidEntry`] for the longest text of an index.
pub(crate) fn check_lengths(entry: &EncodedEntry<'_>, index: usize) -> Result<()> {
    let length = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map_or(0, str::len);
    let indexed: [&[(&'static str, usize)]; 3] = [
        &[("id", entry.id.len())],
        &[
            ("actor", entry.actor.len()),
            ("action", entry.action.len()),
            ("category", entry.category.len()),
            ("entity_type", length(&entry.entity_type)),
        ],
        &[("entity_id", length(&entry.entity_id)), ("entity_type", length(&entry.entity_type))],
    ];
    for texts in indexed {
        let bytes = texts.iter().map(|(_, bytes)| bytes).sum::<usize>();
        if let Some((field, longest)) = texts.iter().max_by_key(|(_, bytes)| *bytes)
            && bytes > MAX_BYTES
        {
            let names = texts.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let reason =
                format!("has {longest} bytes, and PostgreSQL's index allows at most {MAX_BYTES} of {names} together");
            return Err(Error::InvalidEntry { index, field, reason });
        }
    }
    Ok(())
}
