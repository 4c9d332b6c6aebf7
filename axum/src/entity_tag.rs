//! Entity tags, by which a browser asks whether what it has is still current.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The strong tag of a content: a hash, so that it changes with the content and with nothing else.
pub(crate) fn of(content: &str) -> String {
    let hash = format!("{:x}", Sha256::digest(content));
    format!("\"{}\"", hash.get(..32).unwrap_or(&hash))
}

/// Whether `If-None-Match` names the tag. A weak tag counts as its strong one, as HTTP has it for this header.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The weak tag of a strong one, for a content that is sent in another encoding.
pub(crate) fn weak(strong: &HeaderValue) -> Option<HeaderValue> {
    let strong = strong.to_str().ok().filter(|tag| tag.starts_with('"'))?;
    HeaderValue::from_str(&format!("W/{strong}")).ok()
}
