//! Finding what differs.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::changes::options::{ChangesOptions, LEFT_OUT};
use crate::model::metadata::nests_deeper;
use crate::model::redactor::{REDACTED, Redactor};

/// The keys of a change.
pub(crate) const FROM: &str = "from";
pub(crate) const TO: &str = "to";

/// A field that differs.
pub(crate) struct Difference<'a> {
    /// The keys that lead to the field.
    pub(crate) path: Vec<&'a str>,
    pub(crate) values: Values<'a>,
}

pub(crate) enum Values<'a> {
    /// `None` where the field is missing.
    Change {
        from: Option<Cow<'a, Value>>,
        to: Option<Cow<'a, Value>>,
    },
    Masked,
}

/// The fields that differ: those that are named, and how many more.
pub(crate) struct Differences<'a> {
    pub(crate) found: Vec<Difference<'a>>,
    pub(crate) more: u64,
}

impl<'a> Differences<'a> {
    pub(crate) fn between(before: &'a Value, after: &'a Value, options: &ChangesOptions) -> Self {
        let mut differences = Self { found: Vec::new(), more: 0 };
        differences.add(&mut Vec::new(), Some(before), Some(after), options);
        differences
    }

    fn add(
        &mut self,
        path: &mut Vec<&'a str>,
        before: Option<&'a Value>,
        after: Option<&'a Value>,
        options: &ChangesOptions,
    ) {
        if before == after {
            return;
        }
        let redactor = options.redactor.as_ref();
        let is_masked = path.last().is_some_and(|key| redactor.is_some_and(|redactor| redactor.masks(key)));
        if let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after)
            && !is_masked
            && path.len() < options.depth
            && !looks_like_a_change(before)
            && !looks_like_a_change(after)
        {
            let added = after.keys().filter(|key| !before.contains_key(*key));
            for key in before.keys().chain(added) {
                path.push(key);
                self.add(path, before.get(key), after.get(key), options);
                path.pop();
            }
        } else if self.found.len() >= options.fields {
            self.more += 1;
        } else {
            let levels = options.depth - path.len();
            let kept = |value| kept(value, levels, redactor);
            let values =
                if is_masked { Values::Masked } else { Values::Change { from: before.map(kept), to: after.map(kept) } };
            self.found.push(Difference { path: path.clone(), values });
        }
    }
}

fn looks_like_a_change(object: &Map<String, Value>) -> bool {
    object.contains_key(FROM) || object.contains_key(TO)
}

/// Checks the depth first, because masking follows a value down to its end.
fn kept<'a>(value: &'a Value, levels: usize, redactor: Option<&Redactor>) -> Cow<'a, Value> {
    if nests_deeper(value, levels) {
        return Cow::Owned(LEFT_OUT.into());
    }
    redactor.map_or(Cow::Borrowed(value), |redactor| redactor.redact_value(value))
}

impl Difference<'_> {
    pub(crate) fn into_json(self) -> Value {
        match self.values {
            Values::Masked => REDACTED.into(),
            Values::Change { from, to } => {
                let values = [(FROM, from), (TO, to)];
                let values = values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into_owned())));
                Value::Object(values.collect())
            }
        }
    }
}
