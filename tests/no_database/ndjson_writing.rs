//! Entries are written as newline-delimited JSON, one at a time.

use std::cell::RefCell;
use std::io::{self, Write};

use activity_log::{Error, export};

use crate::entries;
use crate::support::{TestResult, ndjson, numbered, read_back};

#[test]
fn a_line_is_the_json_of_its_entry() -> TestResult {
    let mut file = Vec::new();
    assert_eq!(export::write_ndjson(entries(2), &mut file)?, 2);
    let [first, second] = [read_back(numbered(1), 1), read_back(numbered(2), 2)];
    let lines = format!("{}\n{}\n", serde_json::to_string(&first)?, serde_json::to_string(&second)?);
    assert_eq!(String::from_utf8(file)?, lines);
    Ok(())
}

#[test]
fn an_error_among_the_entries_is_returned_after_the_whole_lines_before_it() -> TestResult {
    let broken = || Err(Error::UnreadableRow { seq: 3, column: "ts", reason: "is NULL".to_owned() });
    let mut file = Vec::new();
    let outcome = export::write_ndjson(entries(2).chain([broken()]).chain(entries(9)), &mut file);
    assert!(matches!(outcome, Err(Error::UnreadableRow { seq: 3, .. })), "{outcome:?}");
    assert_eq!(file, ndjson(entries(2))?);
    Ok(())
}

/// Accepts a number of bytes and then fails. Remembers whether it was flushed.
struct Full {
    taken: Vec<u8>,
    most: usize,
    flushed: bool,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.most - self.taken.len();
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.taken.extend(bytes.iter().take(room));
        Ok(bytes.len().min(room))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = true;
        Ok(())
    }
}

#[test]
fn a_failing_writer_ends_the_export_at_that_byte() -> TestResult {
    let whole = ndjson(entries(3))?;
    for most in 0..whole.len() {
        let mut writer = Full { taken: Vec::new(), most, flushed: false };
        let outcome = export::write_ndjson(entries(3), &mut writer);
        assert!(matches!(&outcome, Err(Error::Output(error)) if error.kind() == io::ErrorKind::StorageFull));
        assert!(whole.starts_with(&writer.taken));
        assert_eq!((writer.taken.len(), writer.flushed), (most, false));
    }
    let mut writer = Full { taken: Vec::new(), most: whole.len(), flushed: false };
    assert_eq!(export::write_ndjson(entries(3), &mut writer)?, 3);
    assert!(writer.flushed);
    Ok(())
}

/// A file that can be inspected while it is written.
struct Watched<'a>(&'a RefCell<Vec<u8>>);

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_entry_is_written_before_the_next_one_is_read() -> TestResult {
    let file = RefCell::new(Vec::new());
    let mut lines = Vec::new();
    let watching = entries(5).inspect(|_| lines.push(file.borrow().iter().filter(|byte| **byte == b'\n').count()));
    export::write_ndjson(watching, Watched(&file))?;
    assert_eq!(lines, [0, 1, 2, 3, 4]);
    Ok(())
}
