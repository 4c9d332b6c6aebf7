use std::io::{self, BufRead, Read, Write};
use std::iter::FusedIterator;

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{Error, Result};
use crate::export::lines::write_lines;
use crate::model::entry::ActivityLogEntry;
use crate::model::metadata;

/// How many bytes a line may have for [`read_ndjson`]: 320 MiB, more than any entry within the default
/// [`EntryLimits`](crate::EntryLimits) takes, all of its characters escaped.
pub const MAX_LINE_BYTES: usize = 320 << 20;

/// The metadata is within the entry's own object.
const MAX_DEPTH: usize = metadata::MAX_DEPTH + 1;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Writes the entries as newline-delimited JSON, one object a line, and returns how many.
///
/// An object is an [`ActivityLogEntry`] as it is serialised by serde, in UTF-8; each line ends in `\n`, and no entries are
/// no lines. An entry is written, in one piece, before the next is asked for, so give it a [`BufWriter`](io::BufWriter)
/// where a write is dear. At the end the writer is flushed. To keep the writer, give `&mut writer`.
///
/// ```
/// use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, export};
///
/// # fn main() -> activity_log::Result<()> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let mut log = ActivityLogRepository::new(&mut conn);
/// log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "alice", "Alice signed in"))?;
///
/// let mut file = Vec::new();
/// let written = export::write_ndjson(log.iter_export(&ActivityLogFilters::default())?, &mut file)?;
/// assert_eq!(written, 1);
/// assert!(file.starts_with(br#"{"seq":1,"id":"al_"#));
/// assert!(file.ends_with(b"}\n"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The first error ends it, and the writer is not flushed then:
///
/// - an error among the entries, which is returned as it is. The writer has been given every entry before it, in whole
///   lines. To leave out rows that cannot be read instead, filter the iterator.
/// - [`Error::Output`] where the writer fails. The last line may have been written in part.
pub fn write_ndjson(entries: impl IntoIterator<Item = Result<ActivityLogEntry>>, writer: impl Write) -> Result<u64> {
    write_lines(entries, writer, |entry, line| {
        serde_json::to_writer(&mut *line, entry)?;
        line.push(b'\n');
        Ok(())
    })
}

/// Reads what [`write_ndjson`] wrote, line by line: equal entries, in the order of the lines.
///
/// Lines may also end in `\r\n`, the last one in nothing, and the first begin with a byte order mark; blank lines are
/// skipped. As everywhere, unknown fields are ignored, and what an entry may lack its line may lack. It holds one line,
/// which has at most [`MAX_LINE_BYTES`]; [`read_ndjson_with_limit`] takes another limit.
///
/// ```
/// use activity_log::{Error, export};
///
/// let file = concat!(
///     r#"{"seq":1,"id":"al_1","ts":"2026-03-04T05:06:07.123456Z","category":"auth","action":"user.signed_in","#,
///     r#""severity":"info","actor":"alice","message":"Alice signed in"}"#,
///     "\nno entry\n",
/// );
/// let entries = export::read_ndjson(file.as_bytes()).collect::<Vec<_>>();
/// assert!(matches!(
///     entries.as_slice(),
///     [Ok(entry), Err(Error::UnreadableLine { line: 2, .. })] if entry.actor == "alice"
/// ));
/// ```
///
/// # Errors
///
/// An item is
///
/// - an [`Error::UnreadableLine`] in the place of a line that is no entry, is longer than the limit, or is nested deeper
///   than an entry can be stored. It tells the line's number, and none of its content; the lines after it follow.
/// - [`Error::Input`] where the reader fails, and the last.
pub fn read_ndjson(reader: impl BufRead) -> impl FusedIterator<Item = Result<ActivityLogEntry>> {
    read_ndjson_with_limit(reader, MAX_LINE_BYTES)
}

/// [`read_ndjson`] with lines of at most `max_line_bytes` before their `\n`: fewer for a file that is not trusted, more
/// for a log with larger limits of its own.
///
/// A longer line is an [`Error::UnreadableLine`] as soon as that many bytes of it have been read, and the rest of it is
/// skipped without being kept.
///
/// # Errors
///
/// See [`read_ndjson`].
pub fn read_ndjson_with_limit(
    reader: impl BufRead,
    max_line_bytes: usize,
) -> impl FusedIterator<Item = Result<ActivityLogEntry>> {
    Entries { reader, max_line_bytes, line: Vec::new(), number: 0, within_line: false, finished: false }
}

struct Entries<R> {
    reader: R,
    max_line_bytes: usize,
    line: Vec<u8>,
    number: u64,
    /// The reader stands within a line that was too long.
    within_line: bool,
    finished: bool,
}

impl<R: BufRead> Entries<R> {
    /// Whether there was another line. Of one that is too long it reads as much as tells so.
    fn read_line(&mut self) -> io::Result<bool> {
        if self.within_line {
            self.reader.skip_until(b'\n')?;
            self.within_line = false;
        }
        self.line.clear();
        // The most that a line may have, and its end.
        let most = (self.max_line_bytes as u64).saturating_add(1);
        self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        self.number += 1;
        self.within_line = self.line.len() > self.max_line_bytes && !self.line.ends_with(b"\n");
        Ok(!self.line.is_empty())
    }

    /// The entry of the line that was read; `None` when it is blank.
    fn decode(&self) -> Option<Result<ActivityLogEntry, String>> {
        if self.within_line {
            return Some(Err(format!("has more than {} bytes", self.max_line_bytes)));
        }
        let mut line = self.line.trim_ascii_end();
        if self.number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        (!line.is_empty()).then(|| decode(line))
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<ActivityLogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.finished {
            match self.read_line() {
                Ok(true) => {
                    if let Some(entry) = self.decode() {
                        return Some(entry.map_err(|reason| Error::UnreadableLine { line: self.number, reason }));
                    }
                }
                Ok(false) => self.finished = true,
                Err(error) => {
                    self.finished = true;
                    return Some(Err(Error::Input(error)));
                }
            }
        }
        None
    }
}

impl<R: BufRead> FusedIterator for Entries<R> {}

fn decode(line: &[u8]) -> Result<ActivityLogEntry, String> {
    // Serde would also take an array of the fields' values.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("is no JSON object".to_owned());
    }
    // Before it is read, as reading goes as deep on the stack. serde_json's own limit is one level too low.
    if nests_deeper(line, MAX_DEPTH) {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    json.disable_recursion_limit();
    let entry = ActivityLogEntry::deserialize(&mut json).map_err(|error| no_entry(&error))?;
    json.end().map_err(|error| no_entry(&error))?;
    Ok(entry)
}

/// Whether JSON nests deeper than `most`. In what is no JSON it sees as much as a parser does before it gives up.
fn nests_deeper(json: &[u8], most: usize) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// The error's own message quotes values, which may be secrets, but where it is about one of an entry's fields as such.
fn no_entry(error: &serde_json::Error) -> String {
    let message = error.to_string();
    for problem in ["missing field `", "duplicate field `"] {
        if let Some((field, _)) = message.strip_prefix(problem).and_then(|rest| rest.split_once('`')) {
            return format!("is JSON, but no entry: {problem}{field}`");
        }
    }
    let what = match error.classify() {
        Category::Data => "is JSON, but no entry",
        Category::Eof => "ends too early",
        Category::Io | Category::Syntax => "is no JSON",
    };
    format!("{what}, near byte {}", error.column())
}
