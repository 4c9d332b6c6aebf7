//! Texts that a program logs may have any length, and formatting them takes the time of the thread that logs.

use std::fmt::{self, Write};

use crate::model::changes::options::LEFT_OUT;

/// What a value prints, up to a number of bytes. Formatting ends there, and the text says so.
pub(crate) fn limited(bytes: usize, value: fmt::Arguments<'_>) -> String {
    let mut text = Limited { text: String::new(), bytes, is_cut: false };
    // An error only says that the text was cut, or that the value cannot be printed any further.
    text.write_fmt(value).ok();
    if text.is_cut {
        text.text.push('…');
        text.text.push_str(LEFT_OUT);
    }
    text.text
}

struct Limited {
    text: String,
    bytes: usize,
    is_cut: bool,
}

impl Write for Limited {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let room = self.bytes.saturating_sub(self.text.len());
        let (fitting, rest) = more.split_at(more.floor_char_boundary(room));
        self.text.push_str(fitting);
        self.is_cut = !rest.is_empty();
        if self.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}
