//! The parameters of a query string.

use activity_log::ActivityLogFilters;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The maximum length of a value in bytes. A longer value would match nothing, yet cost a search.
const MAX_VALUE_BYTES: usize = 1_000;

/// The maximum length of the query string in bytes: enough for ten values of the maximum length, percent-encoded.
const MAX_QUERY_BYTES: usize = 32 << 10;

/// The parameters of a request: names and values. An empty value counts as missing, because forms send every field.
#[derive(Debug)]
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
}

impl Parameters {
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let query = query.unwrap_or_default();
        if query.len() > MAX_QUERY_BYTES {
            let message = format!("the query string must not exceed {MAX_QUERY_BYTES} bytes");
            return Err(ApiError::new(StatusCode::URI_TOO_LONG, message));
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let given = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name, name)?, decode(name, value)?);
            if value.len() > MAX_VALUE_BYTES {
                return Err(ApiError::parameter(&name, format!("must not exceed {MAX_VALUE_BYTES} bytes")));
            }
            Ok((name, value))
        });
        Ok(Self { given: given.collect::<Result<_, _>>()? })
    }

    /// The filters as well, from a query string that may also contain the parameters named in `others`.
    pub(crate) fn parse_with_filters(
        query: Option<&str>,
        others: &[&str],
    ) -> Result<(ActivityLogFilters, Self), ApiError> {
        let parameters = Self::parse(query)?;
        Ok((ActivityLogFilters::from_query_with(query.unwrap_or_default(), others)?, parameters))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.given.iter().map(|(name, _)| &**name)
    }

    /// The decoded value.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.given.iter().filter(|(given, _)| given == name).map(|(_, value)| &**value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(ApiError::parameter(name, "is given more than once")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The items of a list, which are separated by commas or given as several parameters of the same name.
    pub(crate) fn items(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.given.iter().filter(move |(given, _)| given == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|item| !item.is_empty())
    }

    /// The value as parsed by `read`. An error of `read` continues the sentence after the parameter's name.
    pub(crate) fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        self.text(name)?.map(read).transpose().map_err(|reason| ApiError::parameter(name, reason))
    }
}

/// The decoded text of a part of the path.
pub(crate) fn in_path(parameter: &str, text: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Path(text) = text.map_err(|_| ApiError::parameter(parameter, "is not valid UTF-8"))?;
    Ok(text)
}

fn decode(parameter: &str, text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    Ok(decoded.map_err(|_| ApiError::parameter(parameter, "is not valid UTF-8"))?.into_owned())
}
