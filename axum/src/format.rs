//! The export formats.

use std::io::Write;
use std::str::FromStr;

use activity_log::Error::{Output, UnreadableRow};
use activity_log::{ActivityLogEntry, export};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Format {
    #[default]
    Ndjson,
    Csv,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err("must be `ndjson` or `csv`".to_owned()),
        }
    }
}

impl Format {
    /// The value of the parameter, and the extension of the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// Writes the entries and returns how many there were. It passes over rows that cannot be read, and a last line
    /// says how many they are. Any other error ends the export.
    pub(crate) fn write(
        self,
        entries: impl Iterator<Item = activity_log::Result<ActivityLogEntry>>,
        mut writer: impl Write,
    ) -> activity_log::Result<u64> {
        let mut unreadable = Unreadable::default();
        let readable = entries.filter(|entry| match entry {
            Err(UnreadableRow { seq, .. }) => {
                unreadable.add(*seq);
                false
            }
            _ => true,
        });
        let written = match self {
            Self::Ndjson => export::write_ndjson(readable, &mut writer)?,
            Self::Csv => export::write_csv(readable, &mut writer)?,
        };
        if unreadable.count > 0 {
            writer.write_all(unreadable.line(self).as_bytes()).and_then(|()| writer.flush()).map_err(Output)?;
        }
        Ok(written)
    }
}

/// Whether this is the last line of an NDJSON export that has passed over rows.
pub(crate) fn is_last_line(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether the line has these fields is of interest")]
    struct LastLine {
        unreadable: u64,
        seqs: Vec<i64>,
    }

    serde_json::from_slice::<LastLine>(line).is_ok()
}

/// The rows that an export passes over.
#[derive(Default)]
struct Unreadable {
    count: u64,
    /// The first of them.
    seqs: Vec<i64>,
}

/// How many rows the last line names.
const MAX_NAMED: usize = 100;

impl Unreadable {
    fn add(&mut self, seq: i64) {
        self.count += 1;
        if self.seqs.len() < MAX_NAMED {
            self.seqs.push(seq);
        }
    }

    /// A line that no reader takes for an entry: it has no id.
    fn line(&self, format: Format) -> String {
        let Self { count, seqs } = self;
        match format {
            Format::Ndjson => format!("{}\n", json!({"unreadable": count, "seqs": seqs})),
            Format::Csv => {
                let seqs = seqs.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
                format!(",,,,,,,,,,{count} entries could not be read: seq {seqs},\r\n")
            }
        }
    }
}
