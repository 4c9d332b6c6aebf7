//! Metadata as it is read: what the JSON says, whatever it says.
//!
//! `serde_json`'s own values do not read so. Where any crate in the host's program has turned on its feature `raw_value`,
//! as axum does, an object whose first key is `$serde_json::private::RawValue` is read as the JSON within that key's text: an
//! entry could be recorded that reads back as another, or not at all.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// With the feature `arbitrary_precision` every number comes as an object with this one key.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads metadata from its JSON.
pub(crate) fn from_str(json: &str) -> serde_json::Result<Map<String, Value>> {
    let mut json = serde_json::Deserializer::from_str(json);
    let metadata = deserialize(&mut json)?;
    json.end()?;
    Ok(metadata)
}

/// Reads metadata within something else: serde's `deserialize_with`.
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

/// The number that an object of this one member stands for, where numbers come as such.
fn number(members: &Map<String, Value>) -> Option<Number> {
    let text = members.get(NUMBER).filter(|_| members.len() == 1)?.as_str()?;
    // Only with the feature does a number keep the digits that it was written with.
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
