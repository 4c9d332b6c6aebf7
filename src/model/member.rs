//! Members of metadata that filters ask for, found in its JSON as text.
//!
//! `"key":value` after `{` or `,` is always a member, because a quote within a string has a backslash before it. Only if
//! the key began like what may follow a string could the quote before it be the end of one.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use crate::model::metadata::{MAX_DEPTH, nests_deeper};

/// The most members that filters may ask for: each takes several tests of every entry, and up to ten variables.
pub(crate) const MAX_MEMBERS: usize = 10;

/// Lists of texts. Metadata has all the members if it contains at least one text of each list.
///
/// # Errors
///
/// Why metadata cannot be searched for them. It quotes no values, because they may be secrets.
pub(crate) fn texts_of(members: &Map<String, Value>) -> Result<Vec<Vec<String>>, String> {
    if members.len() > MAX_MEMBERS {
        return Err(format!("has {} members, and at most {MAX_MEMBERS} are allowed", members.len()));
    }
    let lists = members.iter().map(|(key, value)| texts_of_member(key, value)).collect::<Result<Vec<_>, _>>()?;
    Ok(lists.into_iter().flatten().collect())
}

/// Whether metadata has all the members.
pub(crate) fn has_all(metadata: &Map<String, Value>, members: &Map<String, Value>) -> bool {
    members.is_empty()
        || texts_of(members).is_ok_and(|lists| {
            let has = |json: String| lists.iter().all(|texts| texts.iter().any(|text| json.contains(text)));
            serde_json::to_string(metadata).is_ok_and(has)
        })
}

/// Two lists, because most metadata has none of the few texts that are necessary.
fn texts_of_member(key: &str, value: &Value) -> Result<[Vec<String>; 2], String> {
    if key.starts_with([',', ':', ']', '}']) {
        return Err("has a key that begins with `,`, `:`, `]` or `}`; no filter finds such keys".to_owned());
    }
    if nests_deeper(value, MAX_DEPTH - 1) {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
    }
    let ends: &[&str] = match value {
        // The text of a longer one may begin like that of a shorter one.
        Value::Number(_) => &[",", "}"],
        _ => &[""],
    };
    let compact = (["{", ","], member(key, ":", value, || CompactFormatter));
    let spaced = (["{", ", "], member(key, ": ", value, || PythonFormatter));
    let (mut necessary, mut sufficient) = (Vec::new(), Vec::new());
    for (starts, member) in [compact, spaced] {
        let member = member.map_err(|error| format!("cannot be written as JSON: {error}"))?;
        for start in starts {
            sufficient.extend(ends.iter().map(|end| format!("{start}{member}{end}")));
        }
        necessary.push(member);
    }
    Ok([necessary, sufficient])
}

fn member<F: Formatter>(key: &str, colon: &str, value: &Value, formatter: fn() -> F) -> io::Result<String> {
    let mut json = Vec::new();
    key.serialize(&mut Serializer::with_formatter(&mut json, formatter()))?;
    json.write_all(colon.as_bytes())?;
    value.serialize(&mut Serializer::with_formatter(&mut json, formatter()))?;
    String::from_utf8(json).map_err(io::Error::other)
}

/// Writes JSON as `json.dumps` of Python does, which wrote the rows of logs that this crate adopts: spaces between members
/// and elements, and nothing but printable ASCII.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: Write + ?Sized>(&mut self, json: &mut W, is_first: bool) -> io::Result<()> {
        json.write_all(if is_first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, json: &mut W, is_first: bool) -> io::Result<()> {
        json.write_all(if is_first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, json: &mut W) -> io::Result<()> {
        json.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, json: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                json.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(json, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}
