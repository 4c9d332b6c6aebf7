//! The parameters of a query string.

use std::collections::BTreeMap;
use std::str::Utf8Error;

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// How many bytes a value may have: what is longer names nothing and finds nothing, yet has to be looked for.
const LONGEST_VALUE: usize = 1_000;

/// How many bytes all of it may have: enough for every filter at its longest, percent-encoded.
const LONGEST_QUERY: usize = 32 << 10;

/// The parameters that a request gave. A parameter without a value counts as not given, as forms send it.
#[derive(Debug)]
pub(crate) struct Parameters {
    given: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Reads a query string that may hold the `known` parameters, each once.
    ///
    /// An unknown one is an error, not ignored: a misspelt filter would otherwise answer with more than was asked for.
    pub(crate) fn parse(query: Option<&str>, known: &[&'static str]) -> Result<Self, ApiError> {
        if query.is_some_and(|query| query.len() > LONGEST_QUERY) {
            let message = format!("the parameters have more than {LONGEST_QUERY} bytes");
            return Err(ApiError::new(StatusCode::URI_TOO_LONG, message));
        }
        let mut given = BTreeMap::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).map_err(|_| ApiError::parameter(name, "is not in UTF-8"))?;
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                return Err(ApiError::parameter(&name, format!("is none of the parameters: {}", known.join(", "))));
            };
            let value = decode(value).map_err(|_| ApiError::parameter(name, "is not in UTF-8"))?;
            if value.len() > LONGEST_VALUE {
                return Err(ApiError::parameter(name, format!("has more than {LONGEST_VALUE} bytes")));
            }
            if given.insert(name, value).is_some() {
                return Err(ApiError::parameter(name, "is given more than once"));
            }
        }
        given.retain(|_, value| !value.is_empty());
        Ok(Self { given })
    }

    /// The value as it was given.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.given.get(name).cloned()
    }

    /// The value as `read` takes it, whose error goes on after the parameter's name.
    pub(crate) fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        self.given.get(name).map(|text| read(text)).transpose().map_err(|reason| ApiError::parameter(name, reason))
    }

    /// The values of a comma-separated list; empty when the parameter was not given, and only then.
    pub(crate) fn list<T>(
        &self,
        name: &str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, ApiError> {
        let items = self.value(name, |text| {
            text.split(',')
                .map(|item| match item.trim() {
                    "" => Err("has nothing before or after a comma".to_owned()),
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
