use std::io::{self, BufRead, Read, Write};
use std::iter::FusedIterator;

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{Error, Result};
use crate::export::lines::write_lines;
use crate::model::entry::ActivityLogEntry;
use crate::model::json::{find_inexact_number, replace_lone_surrogates};
use crate::model::metadata;

/// The longest line that [`read_ndjson`] reads, in bytes: 1 MiB. Any entry within the default
/// [`EntryLimits`](crate::EntryLimits) is shorter, even with all of its characters escaped.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The metadata is nested in the entry's own object.
const MAX_DEPTH: usize = metadata::MAX_DEPTH + 1;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Whether text begins as UTF-16 does: with its byte order mark, or with an ASCII character in two bytes.
fn is_utf_16(text: &[u8]) -> bool {
    matches!(text, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 1..=0xFF, ..] | [1..=0xFF, 0, ..])
}

/// Writes the entries as newline-delimited JSON, one object a line, and returns how many.
///
/// An object is an [`ActivityLogEntry`] as serde serialises it, in UTF-8. Each line ends in `\n`; without entries the
/// file is empty. Each entry is written in one piece before the next is asked for, so pass a
/// [`BufWriter`](io::BufWriter) if writes are expensive. The writer is flushed at the end. To keep the writer, pass
/// `&mut writer`.
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
/// The first error ends the export, and the writer is not flushed:
///
/// - An error among the entries is returned as it is. Every entry before it has been written, in whole lines. To leave
///   out rows that cannot be read instead, filter the iterator.
/// - [`Error::Output`] if the writer fails. The last line may have been written in part.
pub fn write_ndjson(entries: impl IntoIterator<Item = Result<ActivityLogEntry>>, writer: impl Write) -> Result<u64> {
    write_lines(entries, writer, append_line)
}

/// Adds the entry as one line.
pub(crate) fn append_line(entry: &ActivityLogEntry, lines: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, entry)?;
    lines.push(b'\n');
    Ok(())
}

/// Reads what [`write_ndjson`] wrote, line by line: equal entries, in the order of the lines.
///
/// Lines may also end in `\r\n`, the last line may end in nothing, and the first may begin with a byte order mark.
/// Blank lines are skipped. Unknown fields are ignored, and optional ones may be missing. It holds one line of at most
/// [`MAX_LINE_BYTES`]; [`read_ndjson_with_limit`] takes another limit.
///
/// ```
/// use activity_log::{Error, export};
///
/// let file = concat!(
///     r#"{"seq":1,"id":"al_1","ts":"2026-03-04T05:06:07.123456Z","category":"auth","action":"user.signed_in","#,
///     r#""severity":"info","actor":"alice","message":"Alice signed in"}"#,
///     "\nnot an entry\n",
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
/// - an [`Error::UnreadableLine`] in the place of a line that is not an entry, is longer than the limit, or is nested
///   deeper than an entry can be stored. It has the line's number and quotes nothing of it. The lines after it follow.
/// - an [`Error::Input`] if the reader fails. It is the last item.
pub fn read_ndjson(reader: impl BufRead) -> impl FusedIterator<Item = Result<ActivityLogEntry>> {
    read_ndjson_with_limit(reader, MAX_LINE_BYTES)
}

/// [`read_ndjson`] with lines of at most `max_line_bytes` before their `\n`: fewer for a file that is not trusted, more
/// for a log with larger limits.
///
/// A longer line is an [`Error::UnreadableLine`] as soon as that many bytes of it have been read. The rest of the line
/// is skipped without being kept in memory.
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
    /// The reader is within a line that was too long.
    within_line: bool,
    finished: bool,
}

impl<R: BufRead> Entries<R> {
    /// Reads the next line, or as much of it as shows that it is too long. Returns whether there is one.
    fn read_line(&mut self) -> io::Result<bool> {
        if self.within_line {
            self.reader.skip_until(b'\n')?;
            self.within_line = false;
        }
        self.line.clear();
        // A line and its end.
        let most = (self.max_line_bytes as u64).saturating_add(1);
        self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        self.number += 1;
        self.within_line = self.line.len() > self.max_line_bytes && !self.line.ends_with(b"\n");
        Ok(!self.line.is_empty())
    }

    /// The entry in the line; `None` if the line is blank.
    fn decode(&self) -> Option<Result<ActivityLogEntry, String>> {
        if self.within_line {
            return Some(Err(format!("has more than {} bytes", self.max_line_bytes)));
        }
        let mut line = self.line.trim_ascii_end();
        if self.number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if self.number == 1 && is_utf_16(line) {
            return Some(Err("is UTF-16, and UTF-8 is expected".to_owned()));
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
        return Err("is not a JSON object".to_owned());
    }
    // Checked first, because reading goes as deep on the stack. serde_json's own limit is one level too low.
    if nests_deeper(line, MAX_DEPTH) {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
    }
    let line = replace_lone_surrogates(line);
    // Only metadata has numbers of any size.
    if let Some(position) = find_inexact_number(&line) {
        return Err(format!("has a number in its `metadata` that would lose digits, near byte {}", position + 1));
    }
    let mut json = serde_json::Deserializer::from_slice(&line);
    json.disable_recursion_limit();
    let entry = ActivityLogEntry::deserialize(&mut json).map_err(|error| not_an_entry(&error))?;
    json.end().map_err(|error| not_an_entry(&error))?;
    Ok(entry)
}

/// Whether JSON nests deeper than `limit`. In other text it sees as much as a parser does before it gives up.
fn nests_deeper(json: &[u8], limit: usize) -> bool {
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
        if depth > limit {
            return true;
        }
    }
    false
}

/// What is wrong with a line. The error's own message may quote values, which may be secrets, so only messages about an
/// entry's fields are kept.
fn not_an_entry(error: &serde_json::Error) -> String {
    let message = error.to_string();
    for problem in ["missing field `", "duplicate field `"] {
        if let Some((field, _)) = message.strip_prefix(problem).and_then(|rest| rest.split_once('`')) {
            return format!("is JSON but not an entry: {problem}{field}`");
        }
    }
    let what = match error.classify() {
        Category::Data => "is JSON but not an entry",
        Category::Eof => "ends too early",
        Category::Io | Category::Syntax => "is not JSON",
    };
    format!("{what}, near byte {}", error.column())
}
