//! Entries are written as CSV that a spreadsheet displays and does not execute.

use std::cell::RefCell;
use std::io::{self, Write};

use activity_log::{ActivitySeverity, Error, NewActivityLogEntry, export};
use proptest::prelude::*;
use serde_json::json;

use crate::entries;
use crate::support::{TestResult, at, numbered, read_back};

const HEADER: &str = "seq,id,ts,category,action,severity,actor,entity_type,entity_id,entity_name,message,metadata\r\n";

fn written(entries: &[NewActivityLogEntry]) -> activity_log::Result<String> {
    let read = (1..).zip(entries).map(|(seq, entry)| Ok(read_back(entry.clone(), seq)));
    let mut file = Vec::new();
    let count = export::write_csv(read, &mut file)?;
    assert_eq!(count, entries.len() as u64);
    Ok(String::from_utf8_lossy(&file).into_owned())
}

/// The cells of each line except the header, as another program reads them.
fn cells(file: &str) -> Result<Vec<Vec<String>>, csv::Error> {
    csv::Reader::from_reader(file.as_bytes()).into_deserialize().collect()
}

/// The message cell of an entry with this message.
fn message_cell(message: &str) -> TestResult<String> {
    let entry = NewActivityLogEntry { message: message.to_owned(), ..numbered(1) };
    let rows = cells(&written(&[entry])?)?;
    let [row] = rows.as_slice() else { return Err(format!("{rows:?}").into()) };
    Ok(row.get(10).ok_or("no message")?.clone())
}

#[test]
fn lines_and_quotes_follow_rfc_4180() -> TestResult {
    let quoted = NewActivityLogEntry { message: "Said \"no\",\nthen left".to_owned(), ..numbered(2) }
        .ts(at("2026-03-04T05:06:07.123456Z")?)
        .severity(ActivitySeverity::Error)
        .entity("device", "dev_7")
        .entity_name("Desk lamp")
        .metadata_value("tags", json!(["a", 1]));
    let first = "1,al_00000001,1970-01-01T00:01:00.000000Z,system,tick,info,clock,,,,Tick 1,{}\r\n";
    let second = concat!(
        "2,al_00000002,2026-03-04T05:06:07.123456Z,system,tick,error,clock,device,dev_7,Desk lamp,",
        "\"Said \"\"no\"\",\nthen left\",\"{\"\"tags\"\":[\"\"a\"\",1]}\"\r\n"
    );
    assert_eq!(written(&[numbered(1), quoted])?, format!("{HEADER}{first}{second}"));
    Ok(())
}

#[test]
fn a_line_that_another_separator_would_split_has_all_cells_quoted() -> TestResult {
    for separator in [";", "\t"] {
        let entry = NewActivityLogEntry { message: format!("a{separator}=1"), ..numbered(1) };
        let line = format!(
            "\"1\",\"al_00000001\",\"1970-01-01T00:01:00.000000Z\",\"system\",\"tick\",\"info\",\"clock\",\"\",\"\",\"\",\
             \"a{separator}=1\",\"{{}}\"\r\n"
        );
        assert_eq!(written(&[entry])?, format!("{HEADER}{line}"));
    }
    Ok(())
}

#[test]
fn a_cell_that_begins_like_a_formula_gets_an_apostrophe() -> TestResult {
    for dangerous in [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        " =1",
        "\u{A0}=1",
        "\u{3000}＝1",
        "\u{FEFF}=1",
        "\u{200B}=1",
        "\u{1}=1",
        "'=1",
        "' '+1",
        "=",
    ] {
        assert_eq!(message_cell(dangerous)?, format!("'{dangerous}"), "{dangerous:?}");
    }
    for harmless in ["", "a=1", "1-1", "'t Hooft", "'", " ", "a\n=1", "\"=1", "(-1)", "−1"] {
        assert_eq!(message_cell(harmless)?, harmless, "{harmless:?}");
    }
    Ok(())
}

#[test]
fn every_text_of_an_entry_is_guarded() -> TestResult {
    let formula = "=cmd|' /C calc'!A0";
    let entry = NewActivityLogEntry::new(formula, formula, formula, formula)
        .id(formula)
        .ts(at("2026-01-01T00:00:00Z")?)
        .entity(formula, formula)
        .entity_name(formula)
        .metadata_value(formula, formula);
    let guarded = format!("'{formula}");
    let (text, json) = (guarded.as_str(), format!("{{\"{formula}\":\"{formula}\"}}"));
    let ts = "2026-01-01T00:00:00.000000Z";
    let expected = ["1", text, ts, text, text, "info", text, text, text, text, text, json.as_str()];
    assert_eq!(cells(&written(&[entry])?)?, [expected]);
    Ok(())
}

proptest! {
    #[test]
    fn any_entry_reads_back_as_twelve_cells(
        actor in any::<String>(),
        name in "[=+@;,\"'\r\n\t -]{0,6}",
        key in any::<String>(),
    ) {
        let entry = NewActivityLogEntry { actor, ..numbered(1) }.entity_name(name).metadata_value(key, "\",\r\n");
        let rows = cells(&written(&[entry.clone(), entry.clone()])?).map_err(io::Error::from)?;
        prop_assert_eq!(rows.len(), 2);
        for row in &rows {
            prop_assert_eq!(row.len(), 12);
            for (cell, text) in [(6, &entry.actor), (9, entry.entity_name.as_ref().unwrap_or(&entry.actor))] {
                let cell = row.get(cell).map_or("", String::as_str);
                prop_assert!(cell == text || cell.strip_prefix('\'') == Some(text), "{:?}", cell);
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", cell);
            }
            let metadata = row.get(11).map_or("", String::as_str);
            prop_assert_eq!(metadata, serde_json::to_string(&entry.metadata).unwrap_or_default());
        }
    }
}

#[test]
fn an_error_among_the_entries_is_returned_after_the_whole_lines_before_it() -> TestResult {
    let broken = Err(Error::UnreadableRow { seq: 3, column: "ts", reason: "is NULL".to_owned() });
    let mut file = Vec::new();
    let outcome = export::write_csv(entries(2).chain([broken]).chain(entries(9)), &mut file);
    assert!(matches!(outcome, Err(Error::UnreadableRow { seq: 3, .. })), "{outcome:?}");
    assert_eq!(String::from_utf8(file)?, written(&[numbered(1), numbered(2)])?);
    Ok(())
}

/// Accepts a number of bytes, then fails once, and then accepts everything.
struct Hiccup<'a> {
    taken: &'a RefCell<Vec<u8>>,
    until_failure: usize,
}

impl Write for Hiccup<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.until_failure == 0 {
            self.until_failure = usize::MAX;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.until_failure);
        self.until_failure -= taken;
        self.taken.borrow_mut().extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failing_writer_ends_the_export_and_receives_nothing_more() -> TestResult {
    let whole = written(&[numbered(1), numbered(2)])?;
    for until_failure in 0..whole.len() {
        let taken = RefCell::new(Vec::new());
        let outcome = export::write_csv(entries(2), Hiccup { taken: &taken, until_failure });
        assert!(matches!(&outcome, Err(Error::Output(error)) if error.kind() == io::ErrorKind::StorageFull));
        assert_eq!(String::from_utf8(taken.take())?, whole.split_at(until_failure).0);
    }
    Ok(())
}

#[test]
fn the_header_and_each_entry_are_written_before_the_next_entry_is_read() -> TestResult {
    let file = RefCell::new(Vec::new());
    let mut lines = Vec::new();
    let watching = entries(3).inspect(|_| lines.push(file.borrow().iter().filter(|byte| **byte == b'\n').count()));
    export::write_csv(watching, Hiccup { taken: &file, until_failure: usize::MAX })?;
    assert_eq!(lines, [1, 2, 3]);
    Ok(())
}
