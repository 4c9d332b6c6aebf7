//! Arbitrary texts, times and entries, biased towards values with a special meaning between the caller and SQLite's
//! pages.

use activity_log::{ActivityCategory, ActivitySeverity, NewActivityLogEntry};
use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Number, Value};

/// Only a few words, so that texts are often equal or parts of each other.
const WORDS: [&str; 24] = [
    "",
    "a",
    "A",
    "b",
    "auth",
    "é",
    "É",
    "%",
    "_",
    "\\",
    "'",
    "\0",
    "\u{FFFD}",
    "\u{FFFE}",
    "\u{FFFF}",
    // Its lower case is an ASCII letter by the rules of Unicode, but not by those of SQLite.
    "\u{212A}",
    "\u{FEFF}",
    "\u{D7FF}",
    "\u{E000}",
    "\u{10FFFF}",
    ".",
    "a.",
    ".*",
    "*",
];

/// More than SQLite allows for LIKE patterns, and far less than any limit for entries.
const MAX_TEXT_BYTES: usize = 100_000;

/// Any text, mostly a short one.
#[derive(Debug, Clone)]
pub struct Text(pub String);

#[derive(Arbitrary)]
enum Piece<'a> {
    Word(u8),
    Any(&'a str),
    Repeated(char, u16),
}

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::new();
        for piece in u.arbitrary_iter::<Piece>()? {
            match piece? {
                Piece::Word(number) => text.push_str(WORDS[usize::from(number) % WORDS.len()]),
                Piece::Any(any) => text.push_str(any),
                // Rare long texts, because a search takes quadratic time.
                Piece::Repeated(character, times) if times > 65_000 => {
                    text.extend(std::iter::repeat_n(character, usize::from(times) % 13_000));
                }
                Piece::Repeated(character, times) => {
                    text.extend(std::iter::repeat_n(character, usize::from(times) % 9));
                }
            }
            if text.len() > MAX_TEXT_BYTES {
                break;
            }
        }
        Ok(Self(text))
    }
}

/// Any instant that chrono can represent, mostly one of a few close to each other.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub DateTime<Utc>);

#[derive(Arbitrary)]
enum TimeInput {
    Near { seconds: u8, micros: u8, nanos: i8 },
    Leap { minutes: i32, nanos: u32 },
    Edge { edge: u8, nanos: i8 },
    Any { seconds: i64, nanos: u32 },
}

impl<'a> Arbitrary<'a> for Time {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const MICROS: [i64; 6] = [0, 0, 1, 500_000, 999_998, 999_999];
        // The first and the last instant of the years 0001 to 9999, in seconds.
        const EDGES: [i64; 2] = [-62_135_596_800, 253_402_300_800];
        let ts = match u.arbitrary()? {
            TimeInput::Near { seconds, micros, nanos } => {
                let micros = MICROS[usize::from(micros) % MICROS.len()];
                // Near the end of a minute, where a leap second can be.
                DateTime::from_timestamp(57 + i64::from(seconds % 5), 0)
                    .map(|ts| ts + TimeDelta::microseconds(micros) + TimeDelta::nanoseconds(i64::from(nanos / 32)))
            }
            TimeInput::Leap { minutes, nanos } => {
                DateTime::from_timestamp(i64::from(minutes) * 60 + 59, 1_000_000_000 + nanos % 1_000_000_000)
            }
            TimeInput::Edge { edge: 254, .. } => Some(DateTime::<Utc>::MIN_UTC),
            TimeInput::Edge { edge: 255, .. } => Some(DateTime::<Utc>::MAX_UTC),
            TimeInput::Edge { edge, nanos } => DateTime::from_timestamp(EDGES[usize::from(edge) % 2], 0)
                .map(|ts| ts + TimeDelta::nanoseconds(i64::from(nanos) * 10)),
            TimeInput::Any { seconds, nanos } => DateTime::from_timestamp(seconds % 8_000_000_000_000, nanos),
        };
        ts.map(Self).ok_or(arbitrary::Error::IncorrectFormat)
    }
}

/// Any severity.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Severity {
    /// `info`
    Info,
    /// `warning`
    Warning,
    /// `error`
    Error,
}

impl From<Severity> for ActivitySeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

/// Any category, including `Other("auth")`.
#[derive(Debug, Clone, Arbitrary)]
pub struct Category {
    text: Text,
    other: bool,
}

impl From<Category> for ActivityCategory {
    fn from(Category { text: Text(text), other }: Category) -> Self {
        if other { Self::Other(text) } else { text.into() }
    }
}

/// Any JSON.
#[derive(Debug, Clone, Arbitrary)]
enum Json {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// Nested arrays or objects, up to twice as deep as the log can store.
    Nested {
        levels: u8,
        objects: bool,
    },
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => value.into(),
            Json::Signed(value) => value.into(),
            Json::Unsigned(value) => value.into(),
            Json::Float(value) => Number::from_f64(value).map_or(Self::Null, Self::Number),
            Json::Text(text) => text.into(),
            Json::Array(values) => values.into_iter().map(Self::from).collect(),
            Json::Object(members) => members.into_iter().map(|(key, value)| (key, Self::from(value))).collect(),
            Json::Nested { levels, objects } => (0..levels).fold(Self::Null, |value, _| {
                if objects { Self::Object(Map::from_iter([(String::new(), value)])) } else { Self::Array(vec![value]) }
            }),
        }
    }
}

/// Any metadata.
#[derive(Debug, Clone, Arbitrary)]
pub struct Metadata(Vec<(String, Json)>);

impl From<Metadata> for Map<String, Value> {
    fn from(metadata: Metadata) -> Self {
        metadata.0.into_iter().map(|(key, value)| (key, value.into())).collect()
    }
}

/// Any entry.
#[derive(Debug, Clone, Arbitrary)]
pub struct Entry {
    id: Text,
    ts: Time,
    category: Category,
    action: Text,
    severity: Severity,
    actor: Text,
    entity_type: Option<Text>,
    entity_id: Option<Text>,
    entity_name: Option<Text>,
    message: Text,
    metadata: Metadata,
}

impl From<Entry> for NewActivityLogEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.0,
            ts: entry.ts.0,
            category: entry.category.into(),
            action: entry.action.0,
            severity: entry.severity.into(),
            actor: entry.actor.0,
            entity_type: entry.entity_type.map(|text| text.0),
            entity_id: entry.entity_id.map(|text| text.0),
            entity_name: entry.entity_name.map(|text| text.0),
            message: entry.message.0,
            metadata: entry.metadata.into(),
        }
    }
}
