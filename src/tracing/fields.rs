//! The fields of events and spans as JSON.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing_core::Field;
use tracing_core::field::Visit;

use crate::tracing::limited_text::limited;

pub(crate) const MESSAGE: &str = "message";
const MAX_MESSAGE: usize = 16 << 10;
const MAX_VALUE: usize = 4 << 10;

/// Fields by their names. Of two with one name, the later stays.
#[derive(Debug, Default)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// Takes a field out as a text.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// Adds the fields of a span around. The fields that are here already are nearer to the event, and stay.
    pub(crate) fn add_missing(&mut self, around: &Self) {
        for (name, value) in &around.0 {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), value.clone());
            }
        }
    }

    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        let name = name_of(field);
        self.0.insert(name.to_owned(), value.into());
    }

    fn add_printed(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let bytes = if field.name() == MESSAGE { MAX_MESSAGE } else { MAX_VALUE };
        self.add(field, limited(bytes, value));
    }
}

/// `r#type` in the program is `type`.
fn name_of(field: &Field) -> &'static str {
    field.name().strip_prefix("r#").unwrap_or(field.name())
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.add(field, value);
        } else {
            self.add_printed(field, format_args!("{value}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_printed(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add_printed(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add_printed(field, format_args!("{value:?}"));
    }
}
