//! The parameters of a query string.

use std::collections::BTreeMap;
use std::str::Utf8Error;

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The maximum length of a value in bytes. A longer value would match nothing, yet cost a search.
const MAX_VALUE_BYTES: usize = 1_000;

/// The maximum length of the query string in bytes: enough for every filter at its maximum length, percent-encoded.
const MAX_QUERY_BYTES: usize = 32 << 10;

/// The parameters of a request. A parameter with an empty value counts as missing, because forms send every field.
#[derive(Debug)]
pub(crate) struct Parameters {
    given: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Parses a query string that may contain the `known` parameters, each at most once.
    ///
    /// An unknown parameter is an error: if a misspelled filter were ignored, the response would contain more than the
    /// client asked for.
    pub(crate) fn parse(query: Option<&str>, known: &[&'static str]) -> Result<Self, ApiError> {
        if query.is_some_and(|query| query.len() > MAX_QUERY_BYTES) {
            let message = format!("the query string must not exceed {MAX_QUERY_BYTES} bytes");
            return Err(ApiError::new(StatusCode::URI_TOO_LONG, message));
        }
        let mut given = BTreeMap::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).map_err(|_| ApiError::parameter(name, "is not valid UTF-8"))?;
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                return Err(ApiError::parameter(
                    &name,
                    format!("is not a known parameter; the known parameters are: {}", known.join(", ")),
                ));
            };
            let value = decode(value).map_err(|_| ApiError::parameter(name, "is not valid UTF-8"))?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(ApiError::parameter(name, format!("must not exceed {MAX_VALUE_BYTES} bytes")));
            }
            if given.insert(name, value).is_some() {
                return Err(ApiError::parameter(name, "is given more than once"));
            }
        }
        given.retain(|_, value| !value.is_empty());
        Ok(Self { given })
    }

    /// The decoded value.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.given.get(name).cloned()
    }

    /// The value as parsed by `read`. An error of `read` continues the sentence after the parameter's name.
    pub(crate) fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        self.given.get(name).map(|text| read(text)).transpose().map_err(|reason| ApiError::parameter(name, reason))
    }

    /// The values of a comma-separated list; empty only when the parameter is missing.
    pub(crate) fn list<T>(
        &self,
        name: &str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, ApiError> {
        let items = self.value(name, |text| {
            text.split(',')
                .map(|item| match item.trim() {
                    "" => Err("has an empty item before or after a comma".to_owned()),
                    item => read(item),
                })
                .collect()
        })?;
        Ok(items.unwrap_or_default())
    }
}

fn decode(text: &str) -> Result<String, Utf8Error> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(String::from)
}
