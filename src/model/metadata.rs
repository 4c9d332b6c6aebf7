//! Metadata and its JSON.
//!
//! Reading takes every key literally, which `serde_json`'s own [`Value`] does not. When any crate in the program turns on
//! its feature `raw_value`, as axum does, an object whose first key is `$serde_json::private::RawValue` reads as the JSON
//! in that key's text. An entry could then read back as a different one, or not at all.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use crate::model::json::{find_inexact_number, replace_lone_surrogates};
use crate::model::redactor::Redactor;

/// How many levels deep metadata may be nested, its own object being the first: `serde_json` reads no deeper.
pub(crate) const MAX_DEPTH: usize = 127;

/// With the feature `arbitrary_precision`, every number arrives as an object with this single key.
const NUMBER: &str = "$serde_json::private::Number";

/// Writes metadata as JSON, with the redactor's keys masked.
///
/// # Errors
///
/// Why the metadata cannot be stored so that it reads back.
pub(crate) fn to_json(metadata: &Map<String, Value>, redactor: Option<&Redactor>) -> Result<String, String> {
    if metadata.values().any(|value| nests_deeper(value, MAX_DEPTH - 1)) {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
    }
    let metadata = redactor.map_or(Cow::Borrowed(metadata), |redactor| redactor.redact(metadata));
    serde_json::to_string(&*metadata).map_err(|error| format!("cannot be written as JSON: {error}"))
}

/// Looks no deeper than `depth`, so that hostile nesting cannot exhaust the stack.
pub(crate) fn nests_deeper(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth == 0 || values.iter().any(|value| nests_deeper(value, depth - 1)),
        Value::Object(map) => depth == 0 || map.values().any(|value| nests_deeper(value, depth - 1)),
        _ => false,
    }
}

/// Reads metadata from its JSON.
///
/// # Errors
///
/// What is wrong with the text. It quotes nothing, because values may be secrets.
pub(crate) fn from_json(json: &str) -> Result<Map<String, Value>, String> {
    let json = replace_lone_surrogates(json.as_bytes());
    if let Some(position) = find_inexact_number(&json) {
        return Err(format!("has a number that would lose digits: byte {}", position + 1));
    }
    let mut json = serde_json::Deserializer::from_slice(&json);
    deserialize(&mut json).and_then(|metadata| json.end().map(|()| metadata)).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "is JSON but not an object",
            Category::Io | Category::Syntax | Category::Eof => "is not JSON",
        };
        format!("{what}: line {}, column {}", error.line(), error.column())
    })
}

/// Reads metadata as the field of another value: serde's `deserialize_with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(json: D) -> Result<Map<String, Value>, D::Error> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
            members(object)
        }
    }

    json.deserialize_map(Object)
}

fn members<'de, A: MapAccess<'de>>(mut object: A) -> Result<Map<String, Value>, A::Error> {
    let mut members = Map::new();
    while let Some((key, Literal(value))) = object.next_entry::<String, Literal>()? {
        members.insert(key, value);
    }
    Ok(members)
}

/// The number that an object with this single key stands for, if numbers arrive as objects.
fn number(members: &Map<String, Value>) -> Option<Number> {
    let text = members.get(NUMBER).filter(|_| members.len() == 1)?.as_str()?;
    // Only with that feature does a number keep the digits it was written with.
    let as_text = "1.00".parse::<Number>().is_ok_and(|number| number.to_string() == "1.00");
    if as_text { text.parse().ok() } else { None }
}

struct Literal(Value);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Literally).map(Self)
    }
}

struct Literally;

impl<'de> Visitor<'de> for Literally {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Literal(value)) = array.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Value, A::Error> {
        let members = members(object)?;
        Ok(number(&members).map_or_else(|| Value::Object(members), Value::Number))
    }
}
