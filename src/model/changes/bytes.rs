//! Keeping what differs within a number of bytes.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::changes::difference::{Difference, Values};
use crate::model::changes::options::LEFT_OUT;

/// As JSON: `{"changed":{},"changed_left_out":…}` with the greatest number.
const FRAME: usize = 64;
/// Around a key there are `:{},`.
const AROUND_KEY: usize = 4;
/// `"from":,"to":`.
const AROUND_VALUES: usize = 13;
/// A value that is no longer than what would replace it is kept.
const SHORT: usize = LEFT_OUT.len() + 2;

/// Puts the differences into one value of `changed`, in which long values are left out, and says how many differences
/// found no room. The frame of the metadata is counted too.
pub(crate) fn fit(differences: Vec<Difference<'_>>, bytes: usize) -> (Value, u64) {
    let mut left = bytes.saturating_sub(FRAME);
    let all = differences.len();
    let mut named = Vec::new();
    for difference in differences {
        if let Some(less) = left.checked_sub(shortest(&difference)) {
            left = less;
            named.push(difference);
        }
    }
    leave_out_longest(&mut named, left);
    let unnamed = all - named.len();
    (tree(named), unnamed as u64)
}

/// How many bytes a difference takes if its long values are left out.
fn shortest(difference: &Difference<'_>) -> usize {
    let keys = difference.path.iter().map(|key| json_bytes(key) + AROUND_KEY).sum::<usize>();
    keys + match &difference.values {
        Values::Masked => SHORT,
        Values::Change { from, to } => {
            let values = [from, to].into_iter().flatten();
            AROUND_VALUES + values.map(|value| json_bytes(value).min(SHORT)).sum::<usize>()
        }
    }
}

/// Keeps the shortest values that fit into what is left.
fn leave_out_longest(named: &mut [Difference<'_>], mut left: usize) {
    let mut long = Vec::new();
    for difference in named {
        if let Values::Change { from, to } = &mut difference.values {
            let values = [from, to].into_iter().flatten();
            long.extend(values.map(|value| (json_bytes(value).saturating_sub(SHORT), value)));
        }
    }
    long.sort_by_key(|(more, _)| *more);
    for (more, value) in long {
        match left.checked_sub(more) {
            Some(less) => left = less,
            None => *value = Cow::Owned(LEFT_OUT.into()),
        }
    }
}

/// The path of a difference never leads through another one.
fn tree(differences: Vec<Difference<'_>>) -> Value {
    let mut tree = Map::new();
    for difference in differences {
        let path = difference.path.clone();
        let Some((last, above)) = path.split_last() else { return difference.into_json() };
        let mut objects = Some(&mut tree);
        for key in above {
            let object = objects.map(|object| object.entry(*key).or_insert_with(|| Map::new().into()));
            objects = object.and_then(Value::as_object_mut);
        }
        if let Some(object) = objects {
            object.insert((*last).to_owned(), difference.into_json());
        }
    }
    tree.into()
}

fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // What is a `Value` or a text already can be written.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}
