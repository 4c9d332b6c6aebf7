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

/// With what a formula begins, also in the full-width forms that an East Asian spreadsheet takes for the same.
const BEGIN_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Writes the entries as CSV for people and their spreadsheets, and returns how many.
///
/// As [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180) has it: UTF-8, lines that end in `\r\n`, cells in double quotes
/// where they need them. The first line, also when no entry follows, is the header
/// `seq,id,ts,category,action,severity,actor,entity_type,entity_id,entity_name,message,metadata`. `ts` is in RFC 3339
/// with six digits, in UTC; `metadata` is one JSON object; what an entry has not is an empty cell, as an empty text is.
///
/// An entry is written, in one piece, before the next is asked for, so give it a [`BufWriter`](io::BufWriter) where a
/// write is dear. At the end the writer is flushed. To keep the writer, give `&mut writer`. Excel takes a
/// file for UTF-8 only after a byte order mark, which the caller may write first: `"\u{FEFF}"`.
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
/// Whoever can have something logged could otherwise have a spreadsheet run it: see OWASP's
/// [CSV injection](https://owasp.org/www-community/attacks/CSV_Injection). So a cell gets an apostrophe in front that
/// begins
///
/// - with a tab, a carriage return, a line feed or U+0000, or
/// - with `=`, `+`, `-`, `@` or the full-width `＝`, `＋`, `－`, `＠`; also after apostrophes and after characters that show
///   nothing (white space, control characters, U+200B–U+200F, U+FEFF), which a program on the way may take away.
///
/// This makes CSV no backup: that is [`write_ndjson`](super::write_ndjson). A line with a semicolon or a tab in it has all
/// of its cells in quotes, for spreadsheets that also separate at those.
///
/// Not guarded is a file that is read otherwise than as CSV with commas: opened by a double click where the system's list
/// separator is a semicolon, Excel separates at those alone, also within a cell. Import it as text with commas there. Nor is
/// a cell that the spreadsheet breaks up because it is longer than its own have (in Excel 32,767 characters).
///
/// # Errors
///
/// The first error ends it, and the writer is not flushed then:
///
/// - an error among the entries, which is returned as it is. The writer has been given the header and every entry before
///   it, in whole lines.
/// - [`Error::Output`] where the writer fails. The last line may have been written in part.
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

/// Each line has a writer of its own, as what is left in one's buffer would be written on when it is dropped.
fn append(cells: &[Cow<'_, str>; 12], line: &mut Vec<u8>) -> io::Result<()> {
    let other_separators = cells.iter().any(|cell| cell.contains([';', '\t']));
    let quote_style = if other_separators { QuoteStyle::Always } else { QuoteStyle::Necessary };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).quote_style(quote_style).from_writer(line);
    writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
    writer.flush()
}

/// The cell as text, whatever a spreadsheet makes of what it begins with.
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
