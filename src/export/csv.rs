use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use chrono::SecondsFormat;

use crate::error::{Error, Result};
use crate::export::lines::write_lines;
use crate::model::entry::ActivityLogEntry;

const HEADER: [&str; 12] = [
    "seq",
    "id",
    "ts",
    "category",
    "action",
    "severity",
    "actor",
    "entity_type",
    "entity_id",
    "entity_name",
    "message",
    "metadata",
];

/// The characters with which a formula begins, also in the full-width forms that an East Asian spreadsheet accepts.
const BEGIN_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Writes the entries as CSV for people and their spreadsheets, and returns how many.
///
/// The file follows [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180): UTF-8, lines that end in `\r\n`, and double quotes
/// around cells that need them. The first line, even if no entry follows, is the header
/// `seq,id,ts,category,action,severity,actor,entity_type,entity_id,entity_name,message,metadata`. `ts` is in RFC 3339 with six
/// digits, in UTC. `metadata` is one JSON object. A missing value is an empty cell, like an empty text.
///
/// Each entry is written in one piece before the next is asked for, so pass a [`BufWriter`](io::BufWriter) if writes are
/// expensive. The writer is flushed at the end. To keep the writer, pass `&mut writer`. Excel reads a file as UTF-8 only
/// after a byte order mark, which the caller may write first: `"\u{FEFF}"`.
///
/// ```
/// use activity_log::{ActivityLogFilters, ActivityLogRepository, NewActivityLogEntry, export};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = activity_log::connect(":memory:")?;
/// # activity_log::run_migrations(&mut conn)?;
/// let mut log = ActivityLogRepository::new(&mut conn);
/// log.record(&NewActivityLogEntry::new("auth", "user.signed_in", "=1+1", "Signed in, at last").id("al_1"))?;
///
/// let mut file = Vec::new();
/// let written = export::write_csv(log.iter_export(&ActivityLogFilters::default())?, &mut file)?;
/// assert_eq!(written, 1);
/// let file = String::from_utf8(file)?;
/// assert!(file.starts_with("seq,id,ts,"));
/// assert!(file.ends_with("Z,auth,user.signed_in,info,'=1+1,,,,\"Signed in, at last\",{}\r\n"));
/// # Ok(())
/// # }
/// ```
///
/// # Formulas
///
/// Without this, whoever can get something logged could make a spreadsheet run it: see OWASP's
/// [CSV injection](https://owasp.org/www-community/attacks/CSV_Injection). So a cell gets a leading apostrophe if it begins
///
/// - with a tab, a carriage return, a line feed or U+0000, or
/// - with `=`, `+`, `-`, `@` or the full-width `＝`, `＋`, `－`, `＠`, also after apostrophes and invisible characters (white
///   space, control characters, U+200B–U+200F, U+FEFF), which a program on the way may remove.
///
/// CSV is therefore not a backup; [`write_ndjson`](super::write_ndjson) is. In a line that contains a semicolon or a tab, all
/// cells are quoted, for spreadsheets that also separate at those.
///
/// Two cases are not guarded. Excel, if the system's list separator is a semicolon, separates a file opened by a double
/// click at semicolons only, even within a cell: import the file as text with commas there. And a spreadsheet may split a
/// cell that is longer than its own cells may be (in Excel 32,767 characters).
///
/// # Errors
///
/// The first error ends the export, and the writer is not flushed:
///
/// - An error among the entries is returned as it is. The header and every entry before it have been written, in whole
///   lines.
/// - [`Error::Output`] if the writer fails. The last line may have been written in part.
pub fn write_csv(entries: impl IntoIterator<Item = Result<ActivityLogEntry>>, mut writer: impl Write) -> Result<u64> {
    let mut header = Vec::new();
    append(&HEADER.map(Cow::Borrowed), &mut header).and_then(|()| writer.write_all(&header)).map_err(Error::Output)?;
    write_lines(entries, writer, encode)
}

fn encode(entry: &ActivityLogEntry, line: &mut Vec<u8>) -> io::Result<()> {
    let seq = entry.seq.to_string();
    let ts = entry.ts.to_rfc3339_opts(SecondsFormat::Micros, true);
    let metadata = serde_json::to_string(&entry.metadata)?;
    let cells = [
        &seq,
        &entry.id,
        &ts,
        entry.category.as_str(),
        &entry.action,
        entry.severity.as_str(),
        &entry.actor,
        entry.entity_type.as_deref().unwrap_or_default(),
        entry.entity_id.as_deref().unwrap_or_default(),
        entry.entity_name.as_deref().unwrap_or_default(),
        &entry.message,
        &metadata,
    ];
    append(&cells.map(guarded), line)
}

/// Each line has a writer of its own, because a CSV writer that is dropped writes what is left in its buffer.
fn append(cells: &[Cow<'_, str>; 12], line: &mut Vec<u8>) -> io::Result<()> {
    let other_separators = cells.iter().any(|cell| cell.contains([';', '\t']));
    let quote_style = if other_separators { QuoteStyle::Always } else { QuoteStyle::Necessary };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).quote_style(quote_style).from_writer(line);
    writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
    writer.flush()
}

/// The cell as text, whatever a spreadsheet makes of its beginning.
fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['\t', '\r', '\n', '\0']) || cell.trim_start_matches(is_ignorable).starts_with(BEGIN_FORMULA) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

fn is_ignorable(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\'' | '\u{200B}'..='\u{200F}' | '\u{FEFF}')
}
