//! Writing entries line by line.

use std::io::{self, Write};

use crate::error::{Error, Result};
use crate::model::entry::ActivityLogEntry;

/// Writes each entry as `encode` encodes it, and returns how many. A line is written as a whole and before the next entry is
/// asked for, so an error of the next entry leaves no partial line behind.
pub(crate) fn write_lines(
    entries: impl IntoIterator<Item = Result<ActivityLogEntry>>,
    mut writer: impl Write,
    encode: impl Fn(&ActivityLogEntry, &mut Vec<u8>) -> io::Result<()>,
) -> Result<u64> {
    let mut line = Vec::new();
    let mut written = 0;
    for entry in entries {
        line.clear();
        encode(&entry?, &mut line).and_then(|()| writer.write_all(&line)).map_err(Error::Output)?;
        written += 1;
    }
    writer.flush().map_err(Error::Output)?;
    Ok(written)
}
